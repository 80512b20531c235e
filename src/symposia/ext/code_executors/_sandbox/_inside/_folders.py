"""The work folder, as a place that hostile code has filled: links are never followed, and no path is trusted.

All of it runs while nothing else runs in the sandbox, so there are no races; what is left is a tree of any shape.
Folders are opened one name after the other, each without following a link. openat2(2) does that in one call
(RESOLVE_BENEATH), but Python has no function for it, and kernels before 5.6 have not either.
"""

# Descriptors, and names below them, rather than paths, which would be a way out.
# ruff: noqa: PTH101, PTH108, PTH116

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Generator, Iterable
from contextlib import contextmanager, suppress

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_ACCESS_CONTROL_LISTS = ("system.posix_acl_default", "system.posix_acl_access")
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class NotRegularFileError(OSError):
    """The path names something other than a regular file."""


def write_file(folder: str, path: str, data: bytes) -> None:
    """Write a file below `folder`, make its parents, and replace what is at its path.

    Raises:
        OSError: It does not fit, or a parent exists that is not a folder.
    """
    parents, _, name = path.rpartition("/")
    with open_folder(folder, parents, make=True) as parent:
        with suppress(FileNotFoundError):
            _remove(name, parent)
        file = os.open(name, _NEW_FILE, 0o644, dir_fd=parent)
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(file, view) :]
        except OSError:
            os.unlink(name, dir_fd=parent)
            raise
        finally:
            os.close(file)


@contextmanager
def nameless_file(folders: Iterable[str], data: bytes) -> Generator[int, None, None]:
    """A descriptor to read `data` from: of a file in the first of `folders` that has room, which has no name any more.

    Raises:
        OSError: None of them has room.
    """
    error = OSError(errno.ENOSPC, "no folder has room")
    for folder in folders:
        name = f"{folder}/.{os.urandom(8).hex()}"
        try:
            reclaim(folder)
            file = os.open(name, _NEW_FILE, 0o600)
        except OSError as full:
            error = full
            continue
        script = os.open(name, _FILE)
        os.unlink(name)
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(file, view) :]
        except OSError as full:
            error = full
            os.close(script)
            continue
        finally:
            os.close(file)
        try:
            yield script
        finally:
            os.close(script)
        return
    raise error


def read_file(folder: str, path: str, limit: int) -> bytes:
    """Read a regular file below `folder`.

    Raises:
        OSError: There is no regular file (`FileNotFoundError` and others), or it has more than `limit` bytes (EFBIG).
    """
    parents, _, name = path.rpartition("/")
    with open_folder(folder, parents, make=False) as parent:
        return read_regular(name, parent, limit)


def read_regular(name: str, parent: int, limit: int) -> bytes:
    """The content of a regular file. Does not block on a FIFO.

    Raises:
        OSError: It is not a regular file (`NotRegularFileError`), or has more than `limit` bytes (EFBIG), among others.
    """
    file = os.open(name, _FILE, dir_fd=parent)  # O_NONBLOCK: on a FIFO without a writer, opening would wait
    try:
        found = os.fstat(file)
        if not stat.S_ISREG(found.st_mode):
            raise NotRegularFileError(errno.EINVAL, "not a regular file")
        if found.st_size > limit:
            raise OSError(errno.EFBIG, "too large")
        content = bytearray()
        while len(content) < found.st_size:
            piece = os.read(file, found.st_size - len(content))
            if not piece:
                break
            content += piece
        return bytes(content)
    finally:
        os.close(file)


@contextmanager
def open_folder(folder: str, path: str, *, make: bool) -> Generator[int, None, None]:
    """The folder at `path` below `folder`, as a descriptor, reached without following a link."""
    current = os.open(folder, _FOLDER)
    try:
        for part in filter(None, path.split("/")):
            if make:
                with suppress(FileExistsError):
                    os.mkdir(part, 0o755, dir_fd=current)
            below = os.open(part, _FOLDER, dir_fd=current)
            os.close(current)
            current = below
        yield current
    finally:
        os.close(current)


def remove_file(folder: str, name: str) -> None:
    """Remove the file `name` of `folder`, if it is still one."""
    with suppress(FileNotFoundError, IsADirectoryError):
        os.unlink(f"{folder}/{name}")


def is_full(folder: str) -> bool:
    """Whether the file system of `folder` takes no more bytes, or no more files."""
    status = os.statvfs(folder)
    return status.f_bavail == 0 or (status.f_files > 0 and status.f_favail == 0)


def has_too_many_files(folder: str, most: int) -> bool:
    """Whether there are more than `most` on the file system of `folder`, which not every backend can limit."""
    status = os.statvfs(folder)
    return status.f_files - status.f_ffree > most


def reclaim(folder: str) -> None:
    """Make a folder of the sandbox usable again, whatever mode a block has given it.

    Its access control lists as well, which are kept beside the mode. That for new files would make those of the server
    unreadable to itself.
    """
    if os.stat(folder).st_uid != os.geteuid():
        return
    for name in _ACCESS_CONTROL_LISTS:
        with suppress(OSError):  # there is none, or the file system has no such thing
            os.removexattr(folder, name)
    os.chmod(folder, 0o700)


def empty_folder(folder: str) -> None:
    """Remove everything in `folder`, however deep and however named.

    Folders are moved to the top before they are emptied: a tree of thousands of levels needs neither recursion nor
    long paths.
    """
    reclaim(folder)
    top = os.open(folder, _FOLDER)
    try:
        _empty(top)
    finally:
        os.close(top)


def _empty(top: int) -> None:
    names = _FreshNames()
    pending = _remove_files(top, top, names)
    while pending:
        name = pending.pop()
        current = os.open(name, _FOLDER, dir_fd=top)
        try:
            pending += _remove_files(current, top, names)
        finally:
            os.close(current)
        os.rmdir(name, dir_fd=top)


def _remove(name: str, parent: int) -> None:
    """Remove what is at a name: a file, a link, or a folder with all that is in it."""
    try:
        os.unlink(name, dir_fd=parent)
    except IsADirectoryError:  # a block may put one anywhere
        os.chmod(name, 0o700, dir_fd=parent)
        folder = os.open(name, _FOLDER, dir_fd=parent)
        try:
            _empty(folder)
        finally:
            os.close(folder)
        os.rmdir(name, dir_fd=parent)


class _FreshNames:
    """Unused names, which a block cannot guess."""

    def __init__(self) -> None:
        self._prefix = "." + os.urandom(16).hex()
        self._count = 0

    def next(self) -> str:
        self._count += 1
        return f"{self._prefix}-{self._count}"


def _remove_files(folder: int, top: int, names: _FreshNames) -> list[str]:
    """Remove the files of a folder and move its folders to `top`; their names there."""
    moved: list[str] = []
    for entry in os.listdir(folder):
        if not stat.S_ISDIR(os.lstat(entry, dir_fd=folder).st_mode):
            os.unlink(entry, dir_fd=folder)
            continue
        name = names.next()
        os.chmod(entry, 0o700, dir_fd=folder)  # without it, what is in it could not be removed
        os.rename(entry, name, src_dir_fd=folder, dst_dir_fd=top)
        moved.append(name)
    return moved
