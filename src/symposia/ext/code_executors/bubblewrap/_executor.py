from __future__ import annotations

from typing import Unpack

from symposia.ext.code_executors._sandboxed import SandboxCodeExecutor, SandboxOptions
from symposia.ext.code_executors.bubblewrap._backend import BubblewrapBackend


class BubblewrapCommandLineCodeExecutor(SandboxCodeExecutor):
    """Runs code blocks in a bubblewrap sandbox, which needs the program ``bwrap``.

    It starts on its first use; see `SandboxCodeExecutor`.

    Args:
        options: See `SandboxOptions`.
    """

    def __init__(self, **options: Unpack[SandboxOptions]) -> None:
        super().__init__(BubblewrapBackend(), **options)
