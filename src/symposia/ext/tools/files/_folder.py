"""A folder whose paths lead nowhere else: every path is opened folder by folder, and no link is followed.

The rule is kept by the kernel. Each part of a path is opened relative to the open folder before it (``openat``) with
``O_NOFOLLOW``, so that a program which swaps a folder for a link between two steps gains nothing. Rejected: to resolve
the path and compare it with the folder's, since the file that is opened afterwards may be another one.

Links are refused even where they lead to a file inside: to tell the two apart, they have to be resolved.
"""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Final

from symposia.core.argument_checks import check_flag
from symposia.core.exceptions import ArgumentTypeError, InvalidArgumentError
from symposia.core.terminal_text import printable_name

MOST_FILE_BYTES: Final = 10 * 1024 * 1024
"""The most bytes of a file that is read or written, by default."""

MOST_ENTRIES: Final = 20_000
"""The most files and folders that are looked at in one walk. A folder with more is a mistake, such as a home folder."""

MOST_DEPTH: Final = 64
"""The most folders in one another. Each is an open file while it is walked through."""

_REASONS: Final = {
    errno.ENOENT: "does not exist",
    errno.ENOTDIR: "does not exist: a part of the path is a file or a link",
    errno.ELOOP: "is a link, and links are not followed",
    errno.EMLINK: "is a link, and links are not followed",  # FreeBSD's number for the same
    errno.EISDIR: "is a folder",
    errno.EACCES: "cannot be accessed: the permission is missing",
    errno.EPERM: "cannot be accessed: the permission is missing",
    errno.ENAMETOOLONG: "has too long a name",
    errno.ENXIO: "is no regular file",  # a socket, or a pipe that nobody reads
    errno.EROFS: "is on a file system that cannot be written",
    errno.ENOSPC: "cannot be written: the disk is full",
    errno.EDQUOT: "cannot be written: the disk quota is used up",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class FolderEntry:
    """A file or a folder.

    Attributes:
        path: Relative to the confined folder, with ``/``.
        is_folder: Whether it is a folder.
        size: Bytes of a file; 0 for a folder.
    """

    path: str
    is_folder: bool
    size: int = 0


class ConfinedFolder:
    """Reads and writes the files of a folder, and no others. Its methods block: call them in a worker thread.

    Links, devices, pipes and sockets are refused. Hidden files, whose names begin with a dot, are refused and left out
    of lists unless `hidden`: among them are secrets, and files that programs run, such as the hooks of ``.git``. Names
    with characters that cannot be shown, or that are no text, are left out too.

    Args:
        root: The folder. It may be a link itself.
        max_file_bytes: The most bytes of a file that is read or written.
        hidden: Whether hidden files can be used.

    Raises:
        ArgumentTypeError: An argument is of another type.
        InvalidArgumentError: There is no such folder, or the system cannot open files relative to a folder, as Windows.
    """

    def __init__(self, root: Path | str, *, max_file_bytes: int = MOST_FILE_BYTES, hidden: bool = False) -> None:
        if not isinstance(root, str | Path):  # pyright: ignore[reportUnnecessaryIsInstance] - checks the caller
            raise ArgumentTypeError(f"The folder has to be a path, such as 'work', not {root!r}.")
        check_flag("hidden", "ConfinedFolder", hidden)
        if max_file_bytes < 1:
            raise InvalidArgumentError(f"max_file_bytes is {max_file_bytes!r}: give at least 1.")
        if os.open not in os.supports_dir_fd:
            raise InvalidArgumentError("Files cannot be confined to a folder on this system: use Linux or macOS.")
        self._root, resolved = _existing_folder(Path(root))
        self._written_as = (PurePosixPath(self._root), PurePosixPath(resolved))
        self._hidden = hidden
        self.max_file_bytes = max_file_bytes

    @property
    def root(self) -> Path:
        """The folder, as an absolute path."""
        return self._root

    def relative(self, path: str) -> str:
        """A path relative to the folder, without ``.`` and ``..``; ``.`` is the folder itself.

        Raises:
            InvalidArgumentError: It leads out of the folder, is hidden, or cannot be shown.
        """
        return "/".join(self._parts(path)) or "."

    def read(self, path: str) -> bytes:
        """The content of a file.

        Raises:
            InvalidArgumentError: It is no regular file, is too large, or cannot be read.
        """
        with self.opened(path) as file, self._explained(path):
            self._check_size(path, os.fstat(file.fileno()).st_size)
            # Read to one byte more than allowed: the file may grow, and some report no size.
            data = file.read(self.max_file_bytes + 1)
        self._check_size(path, len(data))
        return data

    @contextmanager
    def opened(self, path: str) -> Generator[BinaryIO]:
        """A file, open to be read. Libraries that take paths alone open ``/dev/fd/N``, where N is its `fileno`.

        Raises:
            InvalidArgumentError: It is no regular file, or cannot be opened.
        """
        parts = self._parts(path)
        with self._explained(path), self._folder(parts[:-1]) as folder:
            # Without O_NONBLOCK, opening a pipe waits for its writer.
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
            file = os.fdopen(os.open(parts[-1] if parts else ".", flags, dir_fd=folder), "rb")
        with file:
            _check_regular(path, os.fstat(file.fileno()))
            yield file

    def write(self, path: str, data: bytes) -> None:
        """Write a file, and the folders that it is in. A reader sees the old content or the new, never a part.

        Raises:
            InvalidArgumentError: It is no regular file, is too large, or cannot be written.
        """
        parts = self._parts(path)
        if not parts:
            raise _refused(path, "is a folder")
        self._check_size(path, len(data))
        with self._explained(path), self._folder(parts[:-1], create=True) as folder:
            mode = _mode_of_existing(path, parts[-1], folder)
            # The new file takes the name of the old one. What else the old one was known as, such as by a hard link
            # from outside of the folder, keeps its content.
            beside = f".{secrets.token_hex(8)}.new"
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            try:
                with os.fdopen(os.open(beside, flags, 0o666, dir_fd=folder), "wb") as file:
                    if mode is not None:
                        os.fchmod(file.fileno(), mode)
                    file.write(data)
                os.replace(beside, parts[-1], src_dir_fd=folder, dst_dir_fd=folder)
            except BaseException:
                with suppress(FileNotFoundError):
                    os.unlink(beside, dir_fd=folder)
                raise

    def is_folder(self, path: str) -> bool:
        """Whether it is a folder, and not a file or a link.

        Raises:
            InvalidArgumentError: It does not exist, or cannot be looked at.
        """
        parts = self._parts(path)
        with self._explained(path), self._folder(parts[:-1]) as folder:
            return stat.S_ISDIR(os.stat(parts[-1] if parts else ".", dir_fd=folder, follow_symlinks=False).st_mode)

    def entries(self, path: str = ".") -> list[FolderEntry]:
        """The files and folders in a folder, sorted by name.

        Raises:
            InvalidArgumentError: It is no folder, cannot be read, or has too many entries.
        """
        parts = self._parts(path)
        with self._explained(path), self._folder(parts) as folder:
            return self._entries(parts, folder)

    def walk(self, path: str = ".") -> Iterator[FolderEntry]:
        """The files in a folder and in its folders, sorted. A folder in it that cannot be read is left out.

        Raises:
            InvalidArgumentError: It is no folder, cannot be read, or has too many entries.
        """
        waiting = [(entry, 1) for entry in reversed(self.entries(path))]
        seen = len(waiting)
        while waiting:
            entry, depth = waiting.pop()
            if not entry.is_folder:
                yield entry
                continue
            if depth == MOST_DEPTH:
                continue
            try:
                below = self.entries(entry.path)
            except InvalidArgumentError:
                continue  # it has become a link, or is another user's
            seen += len(below)
            if seen > MOST_ENTRIES:
                raise _refused(path, f"has more than {MOST_ENTRIES:,} files. Choose a folder in it")
            waiting += [(each, depth + 1) for each in reversed(below)]

    def _entries(self, parts: Sequence[str], folder: int) -> list[FolderEntry]:
        found: list[FolderEntry] = []
        with os.scandir(folder) as items:
            for number, item in enumerate(items):
                if number == MOST_ENTRIES:  # those that are left out take time, too
                    raise _refused("/".join(parts) or ".", f"has more than {MOST_ENTRIES:,} files")
                if not self._is_usable(item.name):
                    continue
                with suppress(FileNotFoundError):  # deleted since
                    state = item.stat(follow_symlinks=False)
                    if stat.S_ISDIR(state.st_mode) or stat.S_ISREG(state.st_mode):
                        is_folder = stat.S_ISDIR(state.st_mode)
                        entry_path = "/".join([*parts, item.name])
                        size = 0 if is_folder else state.st_size
                        found.append(FolderEntry(path=entry_path, is_folder=is_folder, size=size))
        return sorted(found, key=lambda entry: entry.path)

    def _is_usable(self, name: str) -> bool:
        return printable_name(name) == name and (self._hidden or not name.startswith("."))

    def _parts(self, path: str) -> list[str]:
        """The names on the way to a path. ``..`` is taken back without looking at the disk, as no name is a link."""
        if "\0" in path or printable_name(path) != path:
            raise _refused(path, "has characters that cannot be shown")
        # Models write absolute paths where they have seen one.
        given = PurePosixPath(path)
        if given.is_absolute():
            for root in self._written_as:
                if given.is_relative_to(root):
                    given = given.relative_to(root)
                    break
            else:
                raise _refused(path, "is outside of the folder. Give a path relative to it")
        parts: list[str] = []
        for part in given.parts:
            if part != "..":
                parts.append(part)
            elif parts:
                parts.pop()
            else:
                raise _refused(path, "is outside of the folder. Give a path without '..'")
        if len(parts) > MOST_DEPTH:
            raise _refused(path, f"is more than {MOST_DEPTH} folders deep")
        if not self._hidden and any(part.startswith(".") for part in parts):
            raise _refused(path, "is hidden, and hidden files are not used")
        return parts

    @contextmanager
    def _folder(self, parts: Sequence[str], *, create: bool = False) -> Generator[int]:
        """Open a folder, one after the other from the root; yields its file descriptor."""
        folder = os.open(self._root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            for part in parts:
                if create:
                    with suppress(FileExistsError):
                        os.mkdir(part, dir_fd=folder)
                flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
                above, folder = folder, os.open(part, flags, dir_fd=folder)
                os.close(above)
            yield folder
        finally:
            os.close(folder)

    @contextmanager
    def _explained(self, path: str) -> Generator[None]:
        """Turn errors of the system into those that tell a model what is wrong with a path."""
        try:
            yield
        except OSError as error:
            reason = _REASONS.get(error.errno or 0, f"cannot be used: {error.strerror}")
            raise _refused(path, reason) from error

    def _check_size(self, path: str, size: int) -> None:
        if size > self.max_file_bytes:
            raise _refused(path, f"has {size:,} bytes or more, and {self.max_file_bytes:,} are allowed")


def _existing_folder(path: Path) -> tuple[Path, Path]:
    """The absolute path of a folder, and that without links.

    Raises:
        InvalidArgumentError: There is no such folder.
    """
    if not path.is_dir():
        raise InvalidArgumentError(f"There is no folder {printable_name(str(path))!r}. Give one that exists.")
    return path.absolute(), path.resolve()


def _check_regular(path: str, found: os.stat_result) -> None:
    if stat.S_ISDIR(found.st_mode):
        raise _refused(path, "is a folder")
    if not stat.S_ISREG(found.st_mode):
        raise _refused(path, "is no regular file")


def _mode_of_existing(path: str, name: str, folder: int) -> int | None:
    """The permissions of the file that is to be replaced, None without one.

    Raises:
        InvalidArgumentError: It is something else than a file.
    """
    try:
        found = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None
    if stat.S_ISLNK(found.st_mode):
        raise _refused(path, _REASONS[errno.ELOOP])
    _check_regular(path, found)
    return stat.S_IMODE(found.st_mode) & 0o777  # without set-user-id: the content is another one


def _refused(path: str, reason: str) -> InvalidArgumentError:
    return InvalidArgumentError(f"{printable_name(path)!r} {reason}.")
