"""A fake sandbox for tests that need no isolation: a function returns the result of each block."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from typing_extensions import override

from symposia.core.code_executor import (
    OutputListener,
    Sandbox,
    SandboxBackend,
    SandboxMount,
    SandboxPolicy,
    SandboxResult,
)

__all__ = ["FakeRun", "FakeSandbox", "FakeSandboxBackend", "printed"]

FakeRun = Callable[[str], Awaitable[SandboxResult]]
"""Takes the source of a block, and returns its result."""


def printed(stdout: str, *, exit_code: int = 0, stderr: str = "") -> SandboxResult:
    """What a program did that printed this."""
    return SandboxResult(status="error" if exit_code else "ok", exit_code=exit_code, stdout=stdout, stderr=stderr)


class FakeSandboxBackend(SandboxBackend):
    """A `SandboxBackend` whose sandboxes run nothing.

    Args:
        run: Returns the result of each block.
        name: The backend's.
    """

    def __init__(self, run: FakeRun, *, name: str = "fake") -> None:
        self.name = name
        self._run = run
        self.sandboxes: list[FakeSandbox] = []

    async def unavailable_reason(self) -> str | None:
        """It works everywhere."""
        return None

    async def create(self, policy: SandboxPolicy, *, mounts: Sequence[SandboxMount] = ()) -> FakeSandbox:
        """Make a sandbox, and keep it in `sandboxes`."""
        sandbox = FakeSandbox(self._run, policy, mounts)
        self.sandboxes.append(sandbox)
        return sandbox


class FakeSandbox(Sandbox):
    """A `Sandbox` that runs nothing.

    Attributes:
        policy: The policy that it was made with.
        mounts: The mounts that it was made with.
        closed: Whether it was closed.
    """

    def __init__(self, run: FakeRun, policy: SandboxPolicy, mounts: Sequence[SandboxMount]) -> None:
        self.policy = policy
        self.mounts = tuple(mounts)
        self.closed = False
        self._run = run
        self._files: dict[str, bytes] = {}

    @override
    async def run(
        self, code: str, language: str, *, timeout: float | None = None, on_output: OutputListener | None = None
    ) -> SandboxResult:
        """Ask the function, and give its output to `on_output` line by line."""
        result = await self._run(code)
        for line in result.stdout.splitlines(keepends=True):
            if on_output:
                on_output("stdout", line)
        return result

    async def put(self, path: str, data: bytes) -> None:
        """Keep a file."""
        self._files[path] = data

    async def get(self, path: str) -> bytes:
        """Give back a file that was put.

        Raises:
            FileNotFoundError: There is none.
        """
        if path not in self._files:
            raise FileNotFoundError(path)
        return self._files[path]

    async def reset(self) -> None:
        """Forget the files."""
        self._files.clear()

    async def close(self) -> None:
        """End it."""
        self.closed = True
