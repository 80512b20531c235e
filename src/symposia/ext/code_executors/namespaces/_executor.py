from __future__ import annotations

from typing import Unpack

from symposia.ext.code_executors._sandboxed import SandboxCodeExecutor, SandboxOptions
from symposia.ext.code_executors.namespaces._backend import NamespaceBackend


class NamespaceCommandLineCodeExecutor(SandboxCodeExecutor):
    """Runs code blocks in the kernel's own namespaces, which need nothing but Linux.

    It starts on its first use; see `SandboxCodeExecutor`.

    Args:
        options: See `SandboxOptions`.
    """

    def __init__(self, **options: Unpack[SandboxOptions]) -> None:
        super().__init__(NamespaceBackend(), **options)
