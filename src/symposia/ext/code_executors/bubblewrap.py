"""Running code in bubblewrap sandboxes: ``bwrap`` is on most Linux desktops, and allowed where others are not."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from typing import Unpack

from symposia.core.exceptions import SandboxUnavailableError
from symposia.ext.code_executors._sandbox._launched import LaunchedBackend, LauncherCommand
from symposia.ext.code_executors._sandbox_options import SandboxOptions
from symposia.ext.code_executors._sandboxed import SandboxCodeExecutor

__all__ = ["BubblewrapBackend", "BubblewrapCommandLineCodeExecutor"]

_MISSING = "bubblewrap is not installed. Debian and Ubuntu: apt install bubblewrap"


class BubblewrapBackend(LaunchedBackend):
    """A `SandboxBackend` on ``bwrap``, version 0.8 or newer.

    Called by root, ``bwrap`` runs as a user id of the sandbox's own. The inodes of the work folder are counted rather
    than limited, as ``bwrap`` cannot: a block that makes too many is ended.

    Args:
        python: Runs Python blocks; when None, the environment with numpy, pandas and matplotlib, which the first
            sandbox makes where it is not there yet.
    """

    name = "bubblewrap"

    async def _launcher(self) -> LauncherCommand:
        bwrap = await asyncio.to_thread(_find_bwrap)
        return LauncherCommand("bubblewrap", {"bwrap": bwrap})


def _find_bwrap() -> str:
    """Find ``bwrap`` as a shell would, by its absolute path: the launcher runs in another working directory."""
    found = shutil.which("bwrap")
    if found is None:
        raise SandboxUnavailableError(_MISSING)
    return str(Path(found).absolute())


class BubblewrapCommandLineCodeExecutor(SandboxCodeExecutor):
    """Runs code blocks in a bubblewrap sandbox, which needs the program ``bwrap``.

    It starts on its first use; see `SandboxCodeExecutor`.

    Args:
        options: See `SandboxOptions`.
    """

    def __init__(self, **options: Unpack[SandboxOptions]) -> None:
        super().__init__(BubblewrapBackend(), **options)
