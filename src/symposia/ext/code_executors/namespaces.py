"""Running code in the kernel's own namespaces: these sandboxes need nothing but Linux and Python."""

from __future__ import annotations

from typing import Unpack

from symposia.ext.code_executors._sandbox._launched import LaunchedBackend, LauncherCommand
from symposia.ext.code_executors._sandbox_options import SandboxOptions
from symposia.ext.code_executors._sandboxed import SandboxCodeExecutor

__all__ = ["NamespaceBackend", "NamespaceCommandLineCodeExecutor"]


class NamespaceBackend(LaunchedBackend):
    """A `SandboxBackend` on the kernel's user, mount, PID, network, IPC and UTS namespaces.

    Works for root and for ordinary users. Memory, processes and processors are limited by control groups where some
    can be made; elsewhere the server adds up memory itself and the kernel counts the user's processes.

    Args:
        python: Runs Python blocks; when None, the environment with numpy, pandas and matplotlib, which the first
            sandbox makes where it is not there yet.
    """

    name = "namespaces"

    async def _launcher(self) -> LauncherCommand:
        return LauncherCommand("namespaces", {})


class NamespaceCommandLineCodeExecutor(SandboxCodeExecutor):
    """Runs code blocks in the kernel's own namespaces, which need nothing but Linux.

    It starts on its first use; see `SandboxCodeExecutor`.

    Args:
        options: See `SandboxOptions`.
    """

    def __init__(self, **options: Unpack[SandboxOptions]) -> None:
        super().__init__(NamespaceBackend(), **options)
