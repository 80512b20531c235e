"""Running generated code on this machine without a sandbox, for those who ask for it by name."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

from typing_extensions import override

from symposia.core import CancellationToken
from symposia.core.code_executor import (
    CodeBlock,
    OutputListener,
    OutputStream,
    Progress,
    Sandbox,
    SandboxBackend,
    SandboxMount,
    SandboxPolicy,
    SandboxResult,
)
from symposia.core.exceptions import SandboxError
from symposia.ext.code_executors._environment import find_sandbox_python, make_sandbox_python
from symposia.ext.code_executors.local._executor import LocalCommandLineCodeExecutor


class LocalBackend(SandboxBackend):
    """No isolation at all: code runs with the user's rights, and sees data files where they are."""

    name = "local"

    async def unavailable_reason(self) -> str | None:
        """It works everywhere."""
        return None

    @override
    async def is_set_up(self) -> bool:
        """Whether the Python environment that generated code sees is there."""
        return await find_sandbox_python() is not None

    @override
    async def set_up(self, progress: Progress | None = None) -> None:
        """Make the Python environment that generated code sees; see `SandboxBackend.set_up`."""
        await make_sandbox_python(progress)

    @override
    async def create(self, policy: SandboxPolicy, *, mounts: Sequence[SandboxMount] = ()) -> LocalSandbox:
        """Make a work folder. Of the policy, the time, the output and the files that come back are held to.

        Raises:
            SandboxUnavailableError: The Python environment that generated code sees cannot be made.
        """
        python = await make_sandbox_python()
        return LocalSandbox(policy, python.executable)


class LocalSandbox(Sandbox):
    """The interface of a sandbox on the local executor.

    Args:
        policy: How long a block may run, and what comes back of it.
        python: Runs Python blocks: the one of the sandboxes, with the packages that the coder is told of.
    """

    def __init__(self, policy: SandboxPolicy, python: Path) -> None:
        self._listener: OutputListener | None = None
        with warnings.catch_warnings():  # it warns that it protects from nothing, which is why this has to be asked for
            warnings.simplefilter("ignore", UserWarning)
            self._executor = LocalCommandLineCodeExecutor(
                timeout=policy.time_limit,
                policy=policy,
                virtual_env_context=SimpleNamespace(env_exe=str(python), bin_path=str(python.parent)),
                on_output=self._pass_on,
            )

    @override
    async def run(
        self, code: str, language: str, *, timeout: float | None = None, on_output: OutputListener | None = None
    ) -> SandboxResult:
        """Run one block. What it prints to stderr comes after what it prints to stdout, in `stdout`."""
        self._listener = on_output
        result = await self._executor.execute_code_blocks(
            [CodeBlock(code=code, language=language)], CancellationToken()
        )
        block = result.blocks[0]
        return SandboxResult(
            status=block.status,
            exit_code=block.exit_code,
            stdout=block.output,
            stderr="",
            artifacts=block.artifacts,
            artifacts_skipped=block.artifacts_skipped,
            wall_seconds=block.wall_seconds,
        )

    @override
    async def put(self, path: str, data: bytes) -> None:
        """Not needed: local code sees the host's files."""
        raise SandboxError(f"{path} cannot be put: local code sees the files of this machine where they are.")

    async def get(self, path: str) -> bytes:
        """Not needed: files come back in results."""
        raise FileNotFoundError(path)

    async def reset(self) -> None:
        """Empty the work folder."""
        await self._executor.restart()

    async def close(self) -> None:
        """Remove the work folder."""
        await self._executor.stop()

    def _pass_on(self, stream: OutputStream, text: str) -> None:
        if self._listener:
            self._listener(stream, text)
