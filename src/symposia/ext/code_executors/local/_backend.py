"""Running generated code on this machine without a sandbox."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from types import SimpleNamespace
from typing import Any, Self

from typing_extensions import override

from symposia.core import CancellationToken, Component
from symposia.core.code_executor import (
    CodeBlock,
    OutputListener,
    OutputStream,
    Progress,
    Sandbox,
    SandboxBackend,
    SandboxMount,
    SandboxPackages,
    SandboxPolicy,
    SandboxResult,
)
from symposia.core.exceptions import SandboxUnavailableError
from symposia.ext.code_executors._environment import find_sandbox_python, make_sandbox_python
from symposia.ext.code_executors._executor import refuse_without_sandbox
from symposia.ext.code_executors._work_folder import WorkFolder
from symposia.ext.code_executors.local._executor import NOT_STATEFUL, LocalCommandLineCodeExecutor


class LocalBackend(Component, SandboxBackend):
    """No isolation at all: code runs with the user's rights, and sees data files where they are.

    Args:
        packages: What code can import beside the pinned packages.
    """

    component_type = "sandbox_backend"
    component_trusted_by_name = True
    name = "local"

    def __init__(self, packages: SandboxPackages | None = None) -> None:
        self._packages = packages

    @override
    @classmethod
    def _from_config(cls, config: Any) -> Self:  # Any: as in `Component`
        refuse_without_sandbox(cls.__name__)
        return super()._from_config(config)

    def with_packages(self, packages: SandboxPackages) -> LocalBackend:
        """A backend with these packages in the Python environment for generated code."""
        return LocalBackend(packages)

    async def unavailable_reason(self) -> str | None:
        """It works everywhere."""
        return None

    async def is_set_up(self) -> bool:
        """Whether the Python environment for generated code exists."""
        return await find_sandbox_python(self._packages) is not None

    async def set_up(self, progress: Progress | None = None) -> None:
        """Make the Python environment for generated code; see `SandboxBackend.set_up`."""
        await make_sandbox_python(progress, self._packages)

    @override
    async def create(self, policy: SandboxPolicy, *, mounts: Sequence[SandboxMount] = ()) -> LocalSandbox:
        """Make a work folder. Of the policy, only the limits of time, output and results apply.

        Raises:
            SandboxUnavailableError: The Python environment that generated code sees cannot be made, or the policy is
                ``stateful``.
        """
        if policy.stateful:
            raise SandboxUnavailableError(NOT_STATEFUL)
        python = await make_sandbox_python(packages=self._packages)
        return LocalSandbox(policy, python.executable)


class LocalSandbox(Sandbox):
    """The interface of a sandbox, implemented by the local executor.

    Args:
        policy: How long a block may run, and what comes back of it.
        python: Runs Python blocks: that of the sandboxes, with the packages named in the coder's instructions.
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
        """Run one block; see `Sandbox.run`."""
        self._listener = on_output
        result = await self._executor.execute_code_blocks(
            [CodeBlock(code=code, language=language)], CancellationToken()
        )
        block = result.blocks[0]
        return SandboxResult(
            status=block.status,
            exit_code=block.exit_code,
            stdout=block.output if block.stdout is None else block.stdout,
            stderr=block.stderr or "",
            artifacts=block.artifacts,
            artifacts_skipped=block.artifacts_skipped,
            wall_seconds=block.wall_seconds,
        )

    async def put(self, path: str, data: bytes) -> None:
        """Write a file into the work folder; see `Sandbox.put`."""
        await self._executor.start()
        await asyncio.to_thread(WorkFolder(self._executor.work_dir).write, PurePosixPath(path), data)

    async def get(self, path: str) -> bytes:
        """Read a file of the work folder; see `Sandbox.get`."""
        await self._executor.start()
        return await asyncio.to_thread(WorkFolder(self._executor.work_dir).read, PurePosixPath(path))

    async def reset(self) -> None:
        """Empty the work folder."""
        await self._executor.stop()

    async def close(self) -> None:
        """Remove the work folder."""
        await self._executor.stop()

    def _pass_on(self, stream: OutputStream, text: str) -> None:
        if self._listener:
            self._listener(stream, text)
