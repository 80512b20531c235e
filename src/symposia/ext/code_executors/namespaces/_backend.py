"""Sandboxes of namespaces alone: they need nothing but Linux and Python."""

from __future__ import annotations

from collections.abc import Sequence

from typing_extensions import override

from symposia.core.code_executor import Progress, Sandbox, SandboxBackend, SandboxMount, SandboxPolicy
from symposia.ext.code_executors._environment import find_sandbox_python, make_sandbox_python, set_up_problem
from symposia.ext.code_executors._sandbox._local import local_unavailable_reason, start_local_sandbox
from symposia.ext.code_executors._sandbox._python import SandboxPython, base_python


class NamespaceBackend(SandboxBackend):
    """A `SandboxBackend` on the kernel's user, mount, PID, network, IPC and UTS namespaces.

    Works for root and for ordinary users. Memory, processes and processors are limited by control groups where some
    can be made; elsewhere the server adds up memory itself and the kernel counts the user's processes.

    Args:
        python: Runs Python blocks; when None, the environment with numpy, pandas and matplotlib, which the first
            sandbox makes where it is not there yet.
    """

    name = "namespaces"

    def __init__(self, python: SandboxPython | None = None) -> None:
        self._python = python

    async def unavailable_reason(self) -> str | None:
        """Try it; see `SandboxBackend.unavailable_reason`."""
        problem = None if self._python else await set_up_problem()
        return problem or await local_unavailable_reason(NamespaceBackend(base_python()))

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
        if self._python is None:
            self._python = await make_sandbox_python()
        return await start_local_sandbox("namespaces", self._python, policy, mounts, request={})
