from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from symposia.presets.coding._errors import DataFileError, EmptyTaskError


@dataclass(frozen=True, kw_only=True, slots=True)
class CodingTask:
    """What the swarm is to do.

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
            raise EmptyTaskError(
                'The task is empty. Say what to do, for instance: symposia run "Plot sales.csv by month"'
            )
        _check_names_differ(self.data)


def check_data_files(task: CodingTask) -> None:
    """Look whether the code will be able to read the data. It asks the file system, which may block.

    Raises:
        DataFileError: A data file is missing, is no regular file, or cannot be read.
    """
    for path in task.data:
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
        raise DataFileError(f"{path} is not a file. Give each data file by itself: --data A.csv --data B.csv")
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
