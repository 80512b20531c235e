"""Sandboxes in memory whose start the test controls."""

import asyncio
from collections.abc import Sequence

from symposia.core.code_executor import SandboxMount, SandboxPolicy, SandboxResult
from symposia.testing.sandboxes import FakeRun, FakeSandbox, FakeSandboxBackend, printed


async def prints_nothing(_code: str) -> SandboxResult:
    """The result of a block that does nothing."""
    return printed("")


class SlowSandboxes(FakeSandboxBackend):
    """Starts when the test lets it.

    Attributes:
        begun: Set when a start has begun.
        gate: Starts wait until it is set.
        error: Raised by the next starts.
        starts: Starts that have begun.
        open_starts: Those that have not ended.
    """

    def __init__(self, run: FakeRun = prints_nothing) -> None:
        super().__init__(run)
        self.begun, self.gate = asyncio.Event(), asyncio.Event()
        self.error: Exception | None = None
        self.starts = self.open_starts = 0

    async def create(self, policy: SandboxPolicy, *, mounts: Sequence[SandboxMount] = ()) -> FakeSandbox:
        """Wait for the gate, and make a sandbox."""
        self.begun.set()
        self.starts += 1
        self.open_starts += 1
        try:
            await self.gate.wait()
        finally:
            self.open_starts -= 1
        if self.error is not None:
            raise self.error
        return await super().create(policy, mounts=mounts)
