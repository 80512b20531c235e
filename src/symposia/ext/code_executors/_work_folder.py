"""A folder of the host that generated code works in, from the host's side.

Files are read and written through handles of folders that were opened without following links, so that nothing outside
the folder is reached whatever its files are: a link in the place of a file is replaced, one in the place of a folder is
refused. Everything here blocks, and belongs in a worker thread.
"""

from __future__ import annotations

import os
import secrets
import shutil
import stat
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Self

from symposia.core.exceptions import SandboxUnavailableError
from symposia.ext._temporary_folders import RESULTS, owned_folder, remove_left_over_folders_once

if sys.platform != "win32":
    ROOT = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
    FOLDER = ROOT | os.O_NOFOLLOW
    REGULAR = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
else:  # no handles of folders: `WorkFolder.create` refuses, since opening by path would follow links that code made
    ROOT = FOLDER = REGULAR = NEW = 0


@dataclass(frozen=True, slots=True)
class FileState:
    """What tells a changed file from an unchanged one.

    Reading every file before every call, to compare contents, would cost as much as putting it into the sandbox again.
    """

    size: int
    modified_ns: int
    inode: int


@dataclass(frozen=True, slots=True)
class HostFile:
    """A regular file below the folder.

    Attributes:
        path: Relative to the folder.
        state: As it was when the folder was listed.
    """

    path: PurePosixPath
    state: FileState


class WorkFolder:
    """The folder at `path`, which is made by `create` where it is missing.

    Args:
        path: Where it is.
        end: Called by `release` with the path of a folder of an executor's own, which other users of the machine may
            not look into; None for a folder of the user, which stays as it is.

    Attributes:
        path: As it was given.
        absolute: The same from the root, from the first `create` on; a program may change its working directory.
    """

    def __init__(self, path: Path, *, end: Callable[[Path], None] | None = None) -> None:
        self.path = path
        self._end = end
        self.absolute = path
        self._seen: dict[PurePosixPath, FileState] = {}

    @classmethod
    def for_code(cls, path: Path | str | None) -> Self:
        """The folder that code works in: the given one, or one of the executor's own, which `release` removes."""
        return cls(owned_folder(), end=_remove) if path is None else cls(Path(path))

    @classmethod
    def for_results(cls, path: Path | str | None) -> Self:
        """The folder for files that results name: the given one, or a temporary one.

        `release` removes the temporary one if it is empty, and so does the cleaning after a process that was killed. It
        stays otherwise.
        """
        return cls(owned_folder(RESULTS), end=_remove_if_empty) if path is None else cls(Path(path))

    def create(self) -> bool:
        """Make the folder and its parents, and return whether it was missing.

        Raises:
            OSError: It cannot be made, or something else is in its place.
            SandboxUnavailableError: The system cannot open files relative to a folder's handle.
        """
        if os.open not in os.supports_dir_fd:
            raise SandboxUnavailableError(
                "Code executors need a system that opens files relative to a folder's handle, such as Linux or macOS. "
                "On Windows, run the program in WSL."
            )
        self.absolute = self.absolute.absolute()
        if self._end is not None:
            remove_left_over_folders_once()
        try:
            self.absolute.mkdir(0o777 if self._end is None else 0o700, parents=True)
        except OSError as error:
            if not self.absolute.is_dir():
                reason = f"{error.strerror}: the folder for the code's files cannot be made. Give another work_dir"
                raise OSError(error.errno, reason, str(self.absolute)) from error  # of the same class, by its number
            return False
        return True

    def release(self) -> None:
        """End the use of the folder: one of the executor's own is removed as `for_code` and `for_results` say."""
        if self._end is not None:
            self._end(self.absolute)

    def files(self) -> list[HostFile]:
        """List the regular files."""
        with _opened(self.absolute) as root:
            return list(_walk(root, PurePosixPath()))

    def changed(self) -> list[HostFile]:
        """List the regular files that are new or different since they were last marked as seen."""
        return [file for file in self.files() if not self.is_seen(file)]

    def is_seen(self, file: HostFile) -> bool:
        """Whether a file is as it was when it was last marked as seen."""
        return self._seen.get(file.path) == file.state

    def mark_seen(self, file: HostFile) -> None:
        """Leave a file out of `changed` until it changes again."""
        self._seen[file.path] = file.state

    def forget(self, path: PurePosixPath | None = None) -> None:
        """Treat every file as new, or the one at `path`."""
        if path is None:
            self._seen.clear()
        else:
            self._seen.pop(path, None)

    def state(self, path: PurePosixPath) -> FileState | None:
        """The state of what is at `path`, which may be a link or a folder; None where nothing is.

        Raises:
            OSError: The path contains a link, or a file in the place of a folder.
        """
        try:
            with self._folder_of(path, make=False) as folder:
                return _state(os.stat(path.name, dir_fd=folder, follow_symlinks=False))
        except FileNotFoundError:
            return None

    def read(self, path: PurePosixPath, limit: int = -1) -> bytes:
        """Read a regular file, at most `limit` bytes of it if that is not negative.

        Raises:
            OSError: It is not a regular file, or not there any more.
        """
        with self._folder_of(path, make=False) as folder:
            handle = os.open(path.name, REGULAR, dir_fd=folder)
            with open(handle, "rb") as file:  # noqa: PTH123 - a handle, not a path
                if not stat.S_ISREG(os.fstat(handle).st_mode):
                    raise OSError(f"{path} is not a regular file")
                return file.read(limit)

    def write(self, path: PurePosixPath, data: bytes) -> None:
        """Write a file, replace what is at its path, and mark it as seen.

        Raises:
            OSError: A folder is in its place, its path contains a link, or the disk is full.
        """
        with self._folder_of(path, make=True) as folder:
            # Written beside and renamed over: a link that stands there is replaced rather than followed, and a reader
            # finds the old file or the new one. O_EXCL, since the name could be a link too.
            unfinished = f".{path.name[:100]}.{secrets.token_hex(8)}"
            try:
                handle = os.open(unfinished, NEW, 0o644, dir_fd=folder)
                with open(handle, "wb") as file:  # noqa: PTH123 - a handle, not a path
                    file.write(data)
                os.replace(unfinished, path.name, src_dir_fd=folder, dst_dir_fd=folder)
            except BaseException:
                _remove_if_there(unfinished, folder)
                raise
            self._seen[path] = _state(os.stat(path.name, dir_fd=folder, follow_symlinks=False))

    def remove(self, path: PurePosixPath) -> None:
        """Remove a file, if it is there."""
        with self._folder_of(path, make=False) as folder:
            _remove_if_there(path.name, folder)

    @contextmanager
    def _folder_of(self, path: PurePosixPath, *, make: bool) -> Generator[int]:
        if path.is_absolute() or ".." in path.parts or not path.name:
            raise ValueError(f"{path} leaves the work folder")
        with _opened(self.absolute) as root:
            handle = os.dup(root)
            try:
                for part in path.parent.parts:
                    handle = _step_into(handle, part, make=make)
                yield handle
            finally:
                os.close(handle)


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)


def _remove_if_empty(folder: Path) -> None:
    with suppress(OSError):
        folder.rmdir()


@contextmanager
def _opened(folder: Path) -> Generator[int]:
    """Open the folder. Its path is the user's own, so links in it are followed."""
    handle = os.open(folder, ROOT)
    try:
        yield handle
    finally:
        os.close(handle)


def _step_into(handle: int, name: str, *, make: bool) -> int:
    """Close the handle of a folder, and return that of a folder in it."""
    if make:
        with suppress(FileExistsError):
            os.mkdir(name, 0o755, dir_fd=handle)
    inner = os.open(name, FOLDER, dir_fd=handle)
    os.close(handle)
    return inner


def _walk(handle: int, below: PurePosixPath) -> Iterator[HostFile]:
    with os.scandir(handle) as entries:
        for entry in entries:
            found = entry.stat(follow_symlinks=False)
            if stat.S_ISREG(found.st_mode):  # links are left out: what they lead to may lie outside
                yield HostFile(below / entry.name, _state(found))
            elif stat.S_ISDIR(found.st_mode):
                try:
                    inner = os.open(entry.name, FOLDER, dir_fd=handle)
                except FileNotFoundError:  # removed since it was listed
                    continue
                try:
                    yield from _walk(inner, below / entry.name)
                finally:
                    os.close(inner)


def _state(found: os.stat_result) -> FileState:
    return FileState(found.st_size, found.st_mtime_ns, found.st_ino)


def _remove_if_there(name: str, folder: int) -> None:
    with suppress(FileNotFoundError):
        os.unlink(name, dir_fd=folder)
