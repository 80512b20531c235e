"""The folder that set-ups share: one below the user's cache, and a lock so that each thing is made once."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import IO, Final

from symposia.core.exceptions import SandboxUnavailableError
from symposia.ext._variables import folder_variable

POLL_SECONDS: Final = 0.1
USES: Final = "used"
UNUSED_DAYS: Final = 30
"""After which `symposia sandbox clean` removes a set of packages: 200 MB, which it takes a network to make again."""
DAY: Final = 86_400


def _home_folder() -> Path | None:
    if sys.platform == "win32":
        return folder_variable("USERPROFILE")
    import pwd  # noqa: PLC0415 - not on Windows

    home = folder_variable("HOME")
    if home is not None:
        return home
    try:
        home = Path(pwd.getpwuid(os.getuid()).pw_dir)
    except KeyError:  # a made-up user id
        return None
    return home if home.is_absolute() else None


def cache_folder() -> Path:
    """The folder of this library in the user's cache, which need not exist.

    Raises:
        SandboxUnavailableError: The user has no home folder, as in a container that runs under a made-up user id.
    """
    cache = folder_variable("XDG_CACHE_HOME")
    if cache is None:
        home = _home_folder()
        if home is None:
            raise SandboxUnavailableError(
                "This user has no home folder to keep what sandboxes need in. Set HOME or XDG_CACHE_HOME to the "
                "absolute path of a folder that can be written."
            )
        cache = home / ".cache"
    return cache / "symposia"


def make_cache_folder(name: str) -> Path:
    """Make a folder in the cache.

    Raises:
        SandboxUnavailableError: It cannot be made.
    """
    folder = cache_folder() / name
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SandboxUnavailableError(
            f"What sandboxes need cannot be kept in {folder}: {error.strerror}. Make the folder writable, or set "
            "XDG_CACHE_HOME to one that is."
        ) from error
    return folder


def cache_problem() -> str | None:
    """Why the cache cannot be written; None where it can. Creates nothing."""
    try:
        folder = cache_folder()
    except SandboxUnavailableError as error:
        return str(error)
    there = next(each for each in (folder, *folder.parents) if os.path.lexists(each))
    if there.is_dir() and os.access(there, os.W_OK | os.X_OK):
        return None
    return (
        f"What sandboxes need cannot be kept in {folder}: {there} cannot be written. Make it writable, or set "
        "XDG_CACHE_HOME to a folder that is."
    )


def mark_used(name: str) -> None:
    """Remember that what a set-up made under this name is used now. Where the cache cannot be written, nothing is."""
    with suppress(OSError, SandboxUnavailableError):
        (make_cache_folder(USES) / _mark(name)).touch()


def is_unused(name: str, made: float) -> bool:
    """Whether what a set-up made has not been used for `UNUSED_DAYS`.

    Args:
        name: As it was given to `mark_used`.
        made: When it was made, in seconds since the epoch: what an earlier version made has no mark.
    """
    mark = cache_folder() / USES / _mark(name)
    used = mark.stat().st_mtime if mark.exists() else made
    return time.time() - used > UNUSED_DAYS * DAY


def _mark(name: str) -> str:
    return name.replace(":", "-")  # of an image's name, which Windows has in no name of a file


@asynccontextmanager
async def one_set_up_at_a_time() -> AsyncGenerator[None]:
    """Hold the lock of set-ups, which all tasks and processes of this user share.

    The kernel holds the lock for this process, so it ends with it in whatever way.

    Raises:
        SandboxUnavailableError: The cache folder cannot be written.
    """
    file = await asyncio.to_thread(_open_lock)
    try:
        while not _try_lock(file):  # noqa: ASYNC110 - another process sets no event of ours
            await asyncio.sleep(POLL_SECONDS)
        yield
    finally:
        await asyncio.to_thread(file.close)


def _open_lock() -> IO[str]:
    # Never removed: a process that waits for the old file would hold its lock beside one that has made a new file.
    return (make_cache_folder(".") / "set-up.lock").open("w", encoding="ascii")


def _try_lock(file: IO[str]) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt  # noqa: PLC0415 - only there

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl  # noqa: PLC0415 - not on Windows

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):  # PermissionError is what Windows says of a lock that is held
        return False
    return True
