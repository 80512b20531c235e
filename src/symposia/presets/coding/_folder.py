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

import shutil
from pathlib import Path, PurePosixPath
from typing import Final

from pydantic import JsonValue

from symposia.agentchat.messages import BaseAgentEvent, BaseChatMessage, ExecutionMessage
from symposia.core.code_executor import Artifact, BlockResult, CodeBlock
from symposia.core.exceptions import SandboxError
from symposia.ext.code_executors import obeyed_name
from symposia.presets._folder import ResultFolder, write_text
from symposia.presets.coding._pages import answer_page, message_page
from symposia.presets.coding._result import CodingResult

SHELLS: Final = frozenset({"sh", "bash", "shell", "zsh"})


class RunFolder(ResultFolder):
    """A new folder for the results of one run of the swarm.

    Args:
        path: Where; see `ResultFolder`.

    Raises:
        RunFolderError: It cannot be made or written, or holds something.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._blocks = self._begun = 0

    def begin_block(self, block: CodeBlock) -> None:
        """Keep the code of a block that starts, so that it is there whatever happens while it runs."""
        self._begun = max(self._begun, self._blocks) + 1
        (self.place / "code").mkdir(exist_ok=True)
        write_text(self._running(self._begun, block), block.code)

    def record(self, message: BaseAgentEvent | BaseChatMessage) -> None:
        """Add a message to the transcript, and its programs and their files to ``code/`` and ``files/``."""
        super().record(message)
        if isinstance(message, ExecutionMessage):
            for run in message.runs:
                self._record_run(run)

    def as_json(self, message: BaseAgentEvent | BaseChatMessage) -> JsonValue:
        """A message without what only fills the transcript.

        The bytes of files are in ``files/``, and the work folder, in which the code files were, is gone after the run.
        """
        if not isinstance(message, ExecutionMessage):
            return super().as_json(message)
        return message.model_dump(
            mode="json", exclude={"runs": {"__all__": {"code_file": True, "artifacts": {"__all__": {"data"}}}}}
        )

    def as_markdown(self, message: BaseAgentEvent | BaseChatMessage) -> str:
        """A message, with plans, reviews and results of programs laid out."""
        return message_page(message)

    def finish(self, result: CodingResult) -> None:
        """Write the answer and the usage."""
        self.write_usage(result.usage)
        write_text(self.place / "answer.md", answer_page(result))

    def _record_run(self, run: BlockResult) -> None:
        folder = self.place / "code"
        folder.mkdir(exist_ok=True)
        self._blocks += 1
        self._running(self._blocks, run.block).unlink(missing_ok=True)
        ended = "interrupted" if run.status == "cancelled" else f"exit-{run.exit_code}"
        name = f"{self._blocks:02}-{ended}"
        write_text(folder / f"{name}.{_suffix(run.block)}", run.block.code)
        for stream, text in run.streams:
            if text.rstrip():
                write_text(folder / f"{name}.{stream}.txt", f"{text.rstrip()}\n")
        for file in run.artifacts:
            self._write_file(file)

    def _running(self, number: int, block: CodeBlock) -> Path:
        return self.place / "code" / f"{number:02}-running.{_suffix(block)}"

    def _write_file(self, file: Artifact) -> None:
        relative = inside(file.path)
        if obeyed_name(relative):  # listed in the answer
            return
        place = self.place / "files" / relative
        for parent in reversed(place.relative_to(self.place).parents[:-1]):
            if (self.place / parent).is_file():  # an earlier program made a file where this one has a folder
                (self.place / parent).unlink()
        place.parent.mkdir(parents=True, exist_ok=True)
        if place.is_dir():
            shutil.rmtree(place)
        place.write_bytes(file.data)


def _suffix(block: CodeBlock) -> str:
    return "sh" if block.language.lower() in SHELLS else "py"


def inside(path: str) -> PurePosixPath:
    """Check a path that a sandbox reports: it must be relative and lead down only.

    Raises:
        SandboxError: It is not.
    """
    relative = PurePosixPath(path)
    if relative.is_absolute() or not relative.parts or ".." in relative.parts or "\0" in path:
        raise SandboxError(f"The sandbox reports a file at {path!r}, which is not inside its work folder.")
    return relative
