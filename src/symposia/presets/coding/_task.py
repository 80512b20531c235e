"""A task with its data files: checked, mounted into the sandbox, and described to the agents."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from symposia.core.code_executor import SandboxMount
from symposia.core.exceptions import InvalidArgumentError
from symposia.ext.code_executors import sandbox_kinds

DATA_FOLDER: Final = "/data"
PREVIEW_BYTES: Final = 4096
PREVIEW_LINES: Final = 5
PREVIEW_CHARACTERS: Final = 500


class EmptyTaskError(InvalidArgumentError):
    """The task has no text."""


class DataFileError(InvalidArgumentError):
    """A data file is not there, cannot be read, or has the name of another one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CodingTask:
    """A task of the swarm.

    Attributes:
        text: The task in plain words.
        data: Files of the host, which the generated code reads below its data folder by their names.

    Raises:
        EmptyTaskError: `text` is blank.
        DataFileError: Two of `data` have the same name.
    """

    text: str
    data: tuple[Path, ...] = ()

    def __post_init__(self) -> None:
        if not self.text.strip():
            raise EmptyTaskError("The task is empty. Say what to do, such as 'Plot sales.csv by month'.")
        _check_names_differ(self.data)

    def check_data(self) -> None:
        """Check that the code will be able to read the data. It reads the file system, and may block.

        Raises:
            DataFileError: A data file is missing, is no regular file, or cannot be read.
        """
        for path in self.data:
            _check_readable(path)


def _check_readable(path: Path) -> None:
    try:
        found = path.stat()
        if stat.S_ISREG(found.st_mode) and os.access(path, os.R_OK):
            path.open("rb").close()  # an access control list or a network file system may refuse what the mode allows
            return
    except (FileNotFoundError, NotADirectoryError) as error:
        raise DataFileError(f"The data file {path} does not exist. Check its path{_taken_from(path)}.") from error
    except PermissionError as error:
        raise DataFileError(
            f"The data file {path} cannot be reached: you may not read one of the folders that lead to it. Copy the "
            "file to a folder of yours, or give yourself the right to: chmod u+rx FOLDER"
        ) from error
    except (OSError, ValueError) as error:  # ValueError: a null character in the name
        reason = error.strerror if isinstance(error, OSError) else error
        raise DataFileError(f"The data file {path} cannot be read: {reason}.") from error
    if not stat.S_ISREG(found.st_mode):
        raise DataFileError(f"{path} is not a file. Give each data file by itself.")
    raise DataFileError(f"The data file {path} cannot be read. Give yourself the right to: chmod u+r {path}")


def _taken_from(path: Path) -> str:
    """Where a relative path starts, which may itself have been removed."""
    if path.is_absolute():
        return ""
    try:
        return f"; it is taken from {Path.cwd()}"
    except OSError:
        return "; the working directory does not exist any more"


def _check_names_differ(paths: tuple[Path, ...]) -> None:
    by_name: dict[str, Path] = {}
    for path in paths:
        other = by_name.setdefault(path.name, path)
        if other is not path:
            raise DataFileError(f"{other} and {path} have the same name, by which the code finds them. Rename one.")


def is_isolated(sandbox: str) -> bool:
    """Whether a backend of this name keeps code from the machine, as all do that are not registered otherwise."""
    return all(kind.isolated for kind in sandbox_kinds() if kind.name == sandbox)


def seen_at(sandbox: str, path: Path) -> str:
    """The path of a data file for the code: below ``/data`` in a sandbox, else its own path.

    Args:
        sandbox: The name of the backend.
        path: The file on this machine.
    """
    return f"{DATA_FOLDER}/{path.name}" if is_isolated(sandbox) else str(path.resolve())


def prepare_data(task: CodingTask, sandbox: str) -> tuple[list[SandboxMount], str]:
    """Check the data files and look into them. It reads the file system, which may block.

    Args:
        task: The task.
        sandbox: The name of the backend.

    Returns:
        How the sandbox gets the files, and the message that starts the conversation.

    Raises:
        DataFileError: A data file is missing, is no regular file, or cannot be read.
    """
    task.check_data()
    mounts = [SandboxMount(source=path.resolve(), target=seen_at(sandbox, path)) for path in task.data]
    return mounts, task_prompt(task.text, [_preview_of(mount) for mount in mounts])


def _preview_of(mount: SandboxMount) -> DataPreview:
    with mount.source.open("rb") as file:
        return preview(mount.target, mount.source.stat().st_size, file.read(PREVIEW_BYTES))


@dataclass(frozen=True, kw_only=True, slots=True)
class DataPreview:
    """The description of a data file for the agents.

    Attributes:
        path: Where the code finds it.
        size: Bytes.
        head: Its first lines, if it is text.
    """

    path: str
    size: int
    head: str


def preview(path: str, size: int, start: bytes) -> DataPreview:
    """Describe a data file by its first bytes."""
    try:
        text = start.decode("utf-8-sig", errors="strict" if len(start) == size else "ignore")
    except UnicodeDecodeError:
        text = ""
    head = "" if "\0" in text else "\n".join(text[:PREVIEW_CHARACTERS].splitlines()[:PREVIEW_LINES])
    return DataPreview(path=path, size=size, head=head)


def task_prompt(text: str, data: Sequence[DataPreview]) -> str:
    """The first message of the conversation: the task, and the descriptions of its data."""
    if not data:
        return text.strip()
    files = "\n".join(_describe(each) for each in data)
    return f"{text.strip()}\n\nData files, read-only:\n{files}"


def _describe(data: DataPreview) -> str:
    line = f"- {data.path} ({data.size:,} bytes)"
    return f"{line}, which begins:\n```\n{data.head}\n```" if data.head else line
