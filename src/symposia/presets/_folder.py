"""The folder of a run's results, with the transcript. Messages are written as they come, so that a crash loses none.

    transcript.md      the conversation to read                               as it goes
    transcript.jsonl   the conversation to process, one message a line        as it goes
    usage.json         tokens by agent and model                              at the end

Folders block; presets call them in a worker thread, and wait for it also when they are cancelled: `make_folder` and
`uninterrupted`. So no thread writes into a folder that is already complete.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import JsonValue

from symposia.agentchat.messages import BaseAgentEvent, BaseChatMessage
from symposia.core import uninterrupted
from symposia.core.exceptions import InvalidArgumentError
from symposia.core.terminal_text import printable
from symposia.presets._models import AgentUsage, usage_document

FolderT = TypeVar("FolderT", bound="ResultFolder")


class RunFolderError(InvalidArgumentError):
    """The folder for the results cannot be made, cannot be written, or holds something already."""


class ResultFolder:
    """A new folder for the results of one run.

    Args:
        path: The folder, which is made with its parents. It may exist if it is empty.

    Raises:
        RunFolderError: It cannot be made or written, or holds something.
    """

    def __init__(self, path: Path) -> None:
        self.check(path)
        self.path = path
        self.place = path.absolute()  # the process may change its working directory
        try:
            self.place.mkdir(parents=True, exist_ok=True)
            # First a file that must not exist: another run may have found the folder empty at the same time.
            (self.place / "transcript.jsonl").touch(exist_ok=False)
            write_text(self.place / "transcript.md", "# Transcript\n")
        except FileExistsError as error:
            raise _is_not_empty(path) from error
        except OSError as error:
            raise _cannot_be_written(path, error.strerror or str(error)) from error

    @staticmethod
    def check(path: Path) -> None:
        """Check that results can be written to `path`, without making anything. It reads the disk, and may block.

        Raises:
            RunFolderError: They cannot, or the folder is not empty.
        """
        try:
            there = next(each for each in (path.absolute(), *path.absolute().parents) if _exists(each))
            if not there.is_dir():
                raise _cannot_be_written(path, f"{there} is a file")
            if not os.access(there, os.W_OK | os.X_OK):
                raise _cannot_be_written(path, f"{there} is read-only, or not yours to write")
            if there == path.absolute() and next(there.iterdir(), None) is not None:
                raise _is_not_empty(path)
        except FileNotFoundError as error:
            raise _cannot_be_written(path, "the working directory does not exist any more") from error
        except (OSError, ValueError) as error:  # ValueError: a null character in the name
            if isinstance(error, RunFolderError):
                raise
            raise _cannot_be_written(path, getattr(error, "strerror", None) or str(error)) from error

    def record(self, message: BaseAgentEvent | BaseChatMessage) -> None:
        """Add a message to the transcript."""
        line = json.dumps(self.as_json(message), ensure_ascii=False)
        write_text(self.place / "transcript.jsonl", f"{line}\n", mode="a")
        time = f"{message.created_at:%H:%M:%S}"
        entry = printable(f"## {message.source} · {time}\n\n{self.as_markdown(message)}\n")
        write_text(self.place / "transcript.md", f"\n{entry}", mode="a")

    def as_json(self, message: BaseAgentEvent | BaseChatMessage) -> JsonValue:
        """A message in ``transcript.jsonl``."""
        return dict(message.dump())

    def as_markdown(self, message: BaseAgentEvent | BaseChatMessage) -> str:
        """A message in ``transcript.md``, below its heading."""
        return message.to_text()

    def write_usage(self, usage: Sequence[AgentUsage]) -> None:
        """Write ``usage.json``."""
        write_text(self.place / "usage.json", f"{json.dumps(usage_document(usage), indent=2)}\n")


async def make_folder(kind: Callable[[Path], FolderT], path: Path | None) -> FolderT | None:
    """Make a folder of results in a worker thread; None for no folder.

    When the caller is cancelled meanwhile, the cancellation is raised at its next `await`: by then it has the folder,
    and can complete it.

    Raises:
        RunFolderError: The folder cannot be made or written, or holds something.
    """
    if path is None:
        return None
    making = asyncio.ensure_future(asyncio.to_thread(kind, path))
    try:
        return await uninterrupted(making)
    except asyncio.CancelledError as cancelled:
        if making.exception() is not None or (task := asyncio.current_task()) is None:
            raise
        task.uncancel()  # the same request again, so that timeouts and task groups count it once
        task.cancel(*cancelled.args)
        return making.result()


def _exists(path: Path) -> bool:
    """Whether a path exists. Unlike `Path.exists`, an invalid name is an error."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def _is_not_empty(path: Path) -> RunFolderError:
    return RunFolderError(f"{path} is not empty, and nothing in it is overwritten. Give a new folder.")


def _cannot_be_written(path: Path, reason: str) -> RunFolderError:
    return RunFolderError(f"The results cannot be written to {path}: {reason}. Give another folder.")


def write_text(path: Path, text: str, *, mode: Literal["w", "a"] = "w") -> None:
    """Write text. A lone surrogate, which a model can say, becomes its escape: in JSON that is the same text."""
    with path.open(mode, encoding="utf-8", errors="backslashreplace") as file:
        file.write(text)
