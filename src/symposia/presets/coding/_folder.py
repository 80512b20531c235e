"""The folder of a run's results. Messages are written as they come, so that a crash loses none.

    answer.md          the answer, what it rests on, how the run ended        at the end
    code/              each block that ran, with its exit status and output   as it ran
    files/             what the code made                                     as it ran
    transcript.md      the conversation to read                               as it goes
    transcript.jsonl   the conversation to process, one message a line        as it goes
    usage.json         tokens by agent and model                              at the end

Everything here blocks; the swarm calls it in a worker thread.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path, PurePosixPath
from typing import Final, Literal

from pydantic import JsonValue

from symposia.agentchat.messages import BaseAgentEvent, BaseChatMessage, ExecutionMessage
from symposia.core.code_executor import Artifact, BlockResult, CodeBlock
from symposia.core.exceptions import InvalidArgumentError, SandboxError
from symposia.ext.code_executors import obeyed_name
from symposia.presets.coding._pages import answer_page, transcript_entry
from symposia.presets.coding._result import CodingResult, usage_document

SHELLS: Final = frozenset({"sh", "bash", "shell", "zsh"})


class RunFolderError(InvalidArgumentError):
    """The folder for the results cannot be made, cannot be written, or holds something already."""


class RunFolder:
    """A new folder for the results of one run.

    Args:
        path: Where; it is made, with its parents. An empty folder may be there already.

    Raises:
        RunFolderError: It cannot be made or written, or holds something.
    """

    def __init__(self, path: Path) -> None:
        self.check(path)
        self.path = path
        self._blocks = self._begun = 0
        try:
            self._place = path.absolute()  # the process may change its working directory
            self._place.mkdir(parents=True, exist_ok=True)
            _write(self._place / "transcript.md", "# Transcript\n")
            (self._place / "transcript.jsonl").touch()
        except OSError as error:
            raise _cannot_be_written(path, error.strerror or str(error)) from error

    @staticmethod
    def check(path: Path) -> None:
        """Check that results can be written to `path`, without making anything. It reads the disk, and may block.

        Raises:
            RunFolderError: They cannot, or there is something already.
        """
        try:
            there = next(each for each in (path.absolute(), *path.absolute().parents) if _exists(each))
            if not there.is_dir():
                raise _cannot_be_written(path, f"{there} is a file")
            if not os.access(there, os.W_OK | os.X_OK):
                raise _cannot_be_written(path, f"{there} is read-only, or not yours to write")
            if there == path.absolute() and next(there.iterdir(), None) is not None:
                raise RunFolderError(f"{path} is not empty, and nothing in it is overwritten. Give a new folder.")
        except FileNotFoundError as error:
            raise _cannot_be_written(path, "the working directory does not exist any more") from error
        except (OSError, ValueError) as error:  # ValueError: a null character in the name
            if isinstance(error, RunFolderError):
                raise
            raise _cannot_be_written(path, getattr(error, "strerror", None) or str(error)) from error

    def begin_block(self, block: CodeBlock) -> None:
        """Keep the code of a block that starts, so that it is there whatever happens while it runs."""
        self._begun = max(self._begun, self._blocks) + 1
        (self._place / "code").mkdir(exist_ok=True)
        _write(self._running(self._begun, block), block.code)

    def record(self, message: BaseAgentEvent | BaseChatMessage) -> None:
        """Add a message to the transcript, and its programs and their files to ``code/`` and ``files/``."""
        line = json.dumps(_without_data(message), ensure_ascii=False)
        _append(self._place / "transcript.jsonl", f"{line}\n")
        _append(self._place / "transcript.md", f"\n{transcript_entry(message)}")
        if isinstance(message, ExecutionMessage):
            for run in message.runs:
                self._record_run(run)

    def finish(self, result: CodingResult) -> None:
        """Write the answer and the usage."""
        usage = json.dumps(usage_document(result.usage), indent=2)
        _write(self._place / "usage.json", f"{usage}\n")
        _write(self._place / "answer.md", answer_page(result))

    def _record_run(self, run: BlockResult) -> None:
        folder = self._place / "code"
        folder.mkdir(exist_ok=True)
        self._blocks += 1
        self._running(self._blocks, run.block).unlink(missing_ok=True)
        ended = "interrupted" if run.status == "cancelled" else f"exit-{run.exit_code}"
        name = f"{self._blocks:02}-{ended}"
        _write(folder / f"{name}.{_suffix(run.block)}", run.block.code)
        for stream, text in run.streams:
            if text.rstrip():
                _write(folder / f"{name}.{stream}.txt", f"{text.rstrip()}\n")
        for file in run.artifacts:
            self._write_file(file)

    def _running(self, number: int, block: CodeBlock) -> Path:
        return self._place / "code" / f"{number:02}-running.{_suffix(block)}"

    def _write_file(self, file: Artifact) -> None:
        relative = inside(file.path)
        if obeyed_name(relative):  # listed in the answer
            return
        place = self._place / "files" / relative
        for parent in reversed(place.relative_to(self._place).parents[:-1]):
            if (self._place / parent).is_file():  # an earlier program made a file where this one has a folder
                (self._place / parent).unlink()
        place.parent.mkdir(parents=True, exist_ok=True)
        if place.is_dir():
            shutil.rmtree(place)
        place.write_bytes(file.data)


def _suffix(block: CodeBlock) -> str:
    return "sh" if block.language.lower() in SHELLS else "py"


def _without_data(message: BaseAgentEvent | BaseChatMessage) -> JsonValue:
    """The message as JSON, without what only fills the transcript.

    The bytes of files are in ``files/``, and the work folder, in which the code files were, is gone after the run.
    """
    left_out = {"runs": {"__all__": {"code_file": True, "artifacts": {"__all__": {"data"}}}}}
    return (
        message.model_dump(mode="json", exclude=left_out)
        if isinstance(message, ExecutionMessage)
        else dict(message.dump())
    )


def _exists(path: Path) -> bool:
    """As `Path.exists`, which takes a name that no file system allows for one that is not there."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def _cannot_be_written(path: Path, reason: str) -> RunFolderError:
    return RunFolderError(f"The results cannot be written to {path}: {reason}. Give another folder.")


def inside(path: str) -> PurePosixPath:
    """Check a path that a sandbox reports: it must be relative and lead down only.

    Raises:
        SandboxError: It is not.
    """
    relative = PurePosixPath(path)
    if relative.is_absolute() or not relative.parts or ".." in relative.parts or "\0" in path:
        raise SandboxError(f"The sandbox reports a file at {path!r}, which is not inside its work folder.")
    return relative


def _append(path: Path, text: str) -> None:
    _write(path, text, mode="a")


def _write(path: Path, text: str, *, mode: Literal["w", "a"] = "w") -> None:
    """Write text. A lone surrogate, which a model can say, becomes its escape: in JSON that is the same text."""
    with path.open(mode, encoding="utf-8", errors="backslashreplace") as file:
        file.write(text)
