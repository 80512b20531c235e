"""Mounted data of the host, seen through a file system of the sandbox's own, which shares no inode with the host's.

A read-only mount keeps code from changing files and from nothing else: through it, code can connect to a Unix socket,
write to a FIFO, and take a lock that makes the host's programs wait, as all of these belong to the inode. An overlay
file system makes inodes of its own: a socket seen through it has no listener and a FIFO no other end, and locks on it
are the sandbox's alone, also for what appears later. It copies nothing, and takes as long as a bind.

Rejected: a copy, which takes memory and time with the size of the data; and a filter of `connect` and `flock`, which
multiprocessing and SQLite need in the work folder, and which cannot see the path behind a descriptor.

Where the kernel or the file system has no overlay (Linux 5.11 for ordinary users), the data is bound as it is, unless
it holds a socket or a FIFO, which is an error.
"""

# pathlib would be the largest part of the program.
# ruff: noqa: PTH103, PTH112, PTH118, PTH119

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from typing import NamedTuple

from . import _kernel as kernel

_FLAGS = kernel.MS_RDONLY | kernel.MS_NOSUID | kernel.MS_NODEV
_MOST_ENTRIES = 100_000


class DataSource(NamedTuple):
    """Data of the host, held open: the folder, or that of a single file and the file's name."""

    folder: int
    name: str

    @property
    def path(self) -> str:
        """Leads there, whatever is mounted over the place where it was found."""
        return f"/proc/self/fd/{self.folder}" + (f"/{self.name}" if self.name else "")


def open_data(path: str) -> DataSource:
    """Hold data open by its path."""
    folder, name = (path, "") if os.path.isdir(path) else os.path.split(path)
    return DataSource(os.open(folder, os.O_PATH | os.O_CLOEXEC), name)


def show_data(source: DataSource, target: str, scratch: str, bind: Callable[[str, str], object]) -> None:
    """Mount data at `target`.

    Args:
        source: The host's file or folder.
        target: Where it is seen; made where it is missing.
        scratch: A folder for two empty folders that this needs.
        bind: Mounts a path at `target` as it is.

    Raises:
        OSError: It holds a socket or a FIFO, and the kernel cannot keep these apart from the host.
    """
    empty, view = scratch + "/.empty", scratch + "/.view"
    for folder in (empty, view):
        os.makedirs(folder, exist_ok=True)
    try:
        if not source.name:
            os.makedirs(target, exist_ok=True)
            _overlay(source, target, empty)
        else:
            # An overlay has folders only: that of the file is shown for as long as it takes to bind the file from it.
            _overlay(source, view, empty)
            try:
                os.close(os.open(target, os.O_WRONLY | os.O_CREAT, 0o644))
                kernel.mount(f"{view}/{source.name}", target, flags=kernel.MS_BIND)
            finally:
                kernel.unmount(view)
    except OSError:
        refuse_sockets(source.path)
        bind(source.path, target)
    finally:
        os.close(source.folder)


def _overlay(source: DataSource, target: str, empty: str) -> None:
    # By its descriptor, as the path may have any character, and the options' own would have to be escaped. The kernel
    # wants two layers where there is none to write to.
    kernel.mount("data", target, "overlay", _FLAGS, f"lowerdir=/proc/self/fd/{source.folder}:{empty}")


def refuse_sockets(source: str) -> None:
    """Refuse data that holds a socket or a FIFO.

    Raises:
        OSError: It does; or it has too many files to look through.
    """
    entries = 0
    for folder, _, names in os.walk(source):
        entries += len(names)
        if entries > _MOST_ENTRIES:
            raise OSError(0, f"a mounted folder has more than {_MOST_ENTRIES:,} files: mount a part of it")
        for name in names:
            _refuse_socket(os.path.join(folder, name))
    _refuse_socket(source)


def _refuse_socket(path: str) -> None:
    mode = os.lstat(path).st_mode
    if stat.S_ISSOCK(mode) or stat.S_ISFIFO(mode):
        raise OSError(0, f"a mounted folder holds a socket or a FIFO ({os.path.basename(path)}): mount another")
