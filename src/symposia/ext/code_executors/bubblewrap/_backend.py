"""Sandboxes that bubblewrap builds: its ``bwrap`` is on most Linux desktops, and allowed where others are not."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Sequence

from typing_extensions import override

from symposia.core.code_executor import Progress, Sandbox, SandboxBackend, SandboxMount, SandboxPolicy
from symposia.core.exceptions import SandboxUnavailableError
from symposia.ext.code_executors._environment import find_sandbox_python, make_sandbox_python, set_up_problem
from symposia.ext.code_executors._sandbox._local import local_unavailable_reason, start_local_sandbox
from symposia.ext.code_executors._sandbox._program import server_program
from symposia.ext.code_executors._sandbox._python import SandboxPython, base_python

_MISSING = "bubblewrap is not installed. Debian and Ubuntu: apt install bubblewrap"


class BubblewrapBackend(SandboxBackend):
    """A `SandboxBackend` on ``bwrap``, version 0.8 or newer.

    Called by root, ``bwrap`` runs as a user id of the sandbox's own. The inodes of the work folder are counted rather
    than limited, as ``bwrap`` cannot: a block that makes too many is ended.

    Args:
        python: Runs Python blocks; when None, the environment with numpy, pandas and matplotlib, which the first
            sandbox makes where it is not there yet.
    """

    name = "bubblewrap"

    def __init__(self, python: SandboxPython | None = None) -> None:
        self._python = python

    async def unavailable_reason(self) -> str | None:
        """Try it; see `SandboxBackend.unavailable_reason`."""
        if await _find_bwrap() is None:
            return _MISSING
        problem = None if self._python else await set_up_problem()
        return problem or await local_unavailable_reason(BubblewrapBackend(base_python()))

    @override
    async def is_set_up(self) -> bool:
        """Whether the Python that blocks run in is there."""
        return self._python is not None or await find_sandbox_python() is not None

    @override
    async def set_up(self, progress: Progress | None = None) -> None:
        """Make the Python that blocks run in; see `SandboxBackend.set_up`."""
        if self._python is None:
            self._python = await make_sandbox_python(progress)

    async def create(self, policy: SandboxPolicy, *, mounts: Sequence[SandboxMount] = ()) -> Sandbox:
        """Start a sandbox; see `SandboxBackend.create`."""
        bwrap = await _find_bwrap()
        if bwrap is None:
            raise SandboxUnavailableError(_MISSING)
        if self._python is None:
            self._python = await make_sandbox_python()
        program = await asyncio.to_thread(server_program)
        request = {"bwrap": bwrap}
        return await start_local_sandbox("bubblewrap", self._python, policy, mounts, request=request, server=program)


async def _find_bwrap() -> str | None:
    return await asyncio.to_thread(shutil.which, "bwrap")
