"""Temporary folders of this process, which bear its number: the next process removes those of a killed one."""

from __future__ import annotations

import asyncio
import os
import platform
import re
import shutil
import sys
import tempfile
import zlib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Final
from uuid import uuid4

from symposia.core import uninterrupted
from symposia.ext._owners import PID_NAMESPACE
from symposia.ext._variables import folder_variable

_SPACE: Final = f"{zlib.crc32(f'{platform.node()} {PID_NAMESPACE}'.encode()):08x}"
RESULTS: Final = "results"
"""The content of a folder that stays after its process, unless it is empty: results name files in it."""
_FOLDER: Final = re.compile(r"symposia-(?P<content>[a-z]+)-(?P<space>[0-9a-f]{8})-(?P<pid>[0-9]+)-\w+")


def owned_prefix(content: str) -> str:
    """The beginning of the name of a temporary folder of this process.

    Args:
        content: What is in it, in small letters.
    """
    return f"symposia-{content}-{_SPACE}-{os.getpid()}-"


def owned_folder(content: str = "work") -> Path:
    """A folder that is removed after its process; not made yet, and with a name that cannot be guessed.

    Args:
        content: As for `owned_prefix`. One of `RESULTS` is removed only if it is empty.
    """
    temporary = folder_variable("TMPDIR") or Path("/tmp")  # noqa: S108 - the name in it is not guessable
    return temporary / f"{owned_prefix(content)}{uuid4().hex}"


@asynccontextmanager
async def temporary_folder(content: str) -> AsyncGenerator[Path]:
    """A new, empty folder, which is removed at the end; on a cancellation too.

    What a worker thread does in it is awaited through `uninterrupted`: a thread cannot be cancelled, and would go on
    to fill the folder while it is removed.

    Args:
        content: As for `owned_prefix`.
    """
    making = asyncio.ensure_future(asyncio.to_thread(tempfile.mkdtemp, prefix=owned_prefix(content)))
    try:
        yield Path(await uninterrupted(making))
    finally:
        if making.exception() is None:
            await uninterrupted(asyncio.to_thread(shutil.rmtree, making.result(), ignore_errors=True))


@cache
def remove_left_over_folders_once() -> None:
    """Remove what dead processes left, at the first call of this process: to list a temporary folder takes time."""
    remove_left_over_folders()


def remove_left_over_folders() -> list[Path]:
    """Remove the temporary folders of this user's processes that have ended; return them. Blocks."""
    if sys.platform == "win32":  # there is no way to ask for a process without the right to end it
        return []
    parents = {folder_variable("TMPDIR") or Path("/tmp"), Path(tempfile.gettempdir())}  # noqa: S108 - as `owned_folder`
    removed: list[Path] = []
    for folder in sorted(folder for parent in parents if parent.is_dir() for folder in parent.iterdir()):
        if (content := _left_over_content(folder)) is None:
            continue
        if content == RESULTS:
            with suppress(OSError):  # there are results in it, or another process was faster
                folder.rmdir()
        else:
            shutil.rmtree(folder, ignore_errors=True)  # follows no link
        removed += [] if folder.exists() else [folder]
    return removed


def _left_over_content(folder: Path) -> str | None:
    """What is in a folder of this user's process that has ended; None for other folders."""
    named = _FOLDER.fullmatch(folder.name)
    if named is None or named["space"] != _SPACE or _runs(int(named["pid"])):
        return None
    with suppress(OSError):  # removed meanwhile
        if not folder.is_symlink() and folder.is_dir() and folder.stat().st_uid == os.geteuid():
            return named["content"]
    return None


def _runs(pid: int) -> bool:
    """Whether there is a process of this number, the owner or a later one."""
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True
