"""Which files a block has made or changed, and their content, collected after everything of the block is dead."""

# Descriptors, and names below them, rather than paths, which would be a way out.
# ruff: noqa: PTH208

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from typing import NamedTuple

from ._folders import NotRegularFileError, open_folder, read_regular

_MOST_LEVELS = 32
_MOST_SKIPPED = 100
_LONGEST_PATH = 1000
_NOT_RESULTS = frozenset({"__pycache__"})


class Fingerprint(NamedTuple):
    """What changes when a file does.

    The time of the last change of status, as a block can set that of the last change of content (utimensat(2)). Digests
    would have to read every file before and after every block.
    """

    inode: int
    size: int
    changed_ns: int


class Found(NamedTuple):
    """A file that a block made or changed: its content, or the reason why it is not sent."""

    path: str
    data: bytes | None
    reason: str = ""


class _Entry(NamedTuple):
    path: str
    status: os.stat_result | None
    reason: str = ""


def snapshot(folder: str) -> dict[str, Fingerprint | None]:
    """The state of `folder` before a block runs; None for what cannot be read or named."""
    return {entry.path: _fingerprint(entry.status) if entry.status is not None else None for entry in _walk(folder)}


def collect(folder: str, before: dict[str, Fingerprint | None], most: int, most_bytes: int) -> Iterator[Found]:
    """The files that changed since `before`, sorted by path, within the caps. What is not sent is named."""
    skipped = 0
    for found in _collect(folder, before, most, most_bytes):
        skipped += found.data is None
        if found.data is not None or skipped < _MOST_SKIPPED:
            yield found
    if skipped >= _MOST_SKIPPED:
        yield Found("...", None, f"{skipped - _MOST_SKIPPED + 1} more were left behind")


def _collect(folder: str, before: dict[str, Fingerprint | None], most: int, most_bytes: int) -> Iterator[Found]:
    # By the path alone: a name that is escaped here may be the real name of another file.
    for entry in sorted(_walk(folder), key=lambda entry: entry.path):
        if entry.status is None:
            if entry.path not in before:
                yield Found(entry.path, None, entry.reason)
        elif before.get(entry.path) != _fingerprint(entry.status):
            found = _read(folder, entry, most, most_bytes)
            if found.data is not None:
                most, most_bytes = most - 1, most_bytes - len(found.data)
            yield found


def _read(folder: str, entry: _Entry, most: int, most_bytes: int) -> Found:
    status = entry.status
    if status is None or not stat.S_ISREG(status.st_mode):
        return Found(entry.path, None, "not a regular file")
    if status.st_nlink != 1:
        return Found(entry.path, None, "several links to one file")
    if most <= 0:
        return Found(entry.path, None, "too many files")
    parents, _, name = entry.path.rpartition("/")
    try:
        with open_folder(folder, parents, make=False) as parent:
            return Found(entry.path, read_regular(name, parent, most_bytes))
    except NotRegularFileError:
        return Found(entry.path, None, "not a regular file")
    except OSError as error:
        return Found(entry.path, None, "too large" if error.errno == errno.EFBIG else "not readable")


def _walk(folder: str) -> Iterator[_Entry]:
    """Everything below `folder` except folders; what cannot be read or named comes with the reason."""
    pending = [""]
    while pending:
        path = pending.pop()
        try:
            with open_folder(folder, path, make=False) as current:
                entries = [(name, os.lstat(name, dir_fd=current)) for name in os.listdir(current)]
        except OSError:
            yield _Entry(path or ".", None, "not readable")
            continue
        for name, status in entries:
            below = path + "/" + name if path else name
            reason = _unusable_name(name, below)
            if reason:
                yield _Entry(ascii(below)[1:-1][:_LONGEST_PATH], None, reason)
            elif not stat.S_ISDIR(status.st_mode):
                yield _Entry(below, status)
            elif name not in _NOT_RESULTS:
                pending.append(below)


def _unusable_name(name: str, path: str) -> str:
    """Why the host cannot be given a path; empty where it can."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return "its name is not UTF-8"
    if not name.isprintable():  # a new line could forge another line where names are listed
        return "its name has characters that cannot be printed"
    if len(path) > _LONGEST_PATH or path.count("/") >= _MOST_LEVELS:
        return "too deep"
    return ""


def _fingerprint(status: os.stat_result) -> Fingerprint:
    return Fingerprint(status.st_ino, status.st_size, status.st_ctime_ns)
