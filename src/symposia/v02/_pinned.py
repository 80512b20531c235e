"""A code executor that plain and asynchronous callers share, whichever event loop they are in."""

from __future__ import annotations

import asyncio

from pydantic import JsonValue
from typing_extensions import override

from symposia.core import CancellationToken
from symposia.core.code_executor import CodeBlock, CodeExecutor, CodeResult
from symposia.v02._background_loop import await_in_home_loop


class PinnedCodeExecutor(CodeExecutor):
    """Uses an executor in one event loop, since its sandbox belongs to one.

    Args:
        executor: The executor, which nothing else uses.
    """

    def __init__(self, executor: CodeExecutor) -> None:
        self._executor = executor
        self.idempotency = executor.idempotency

    @override
    def effect_identity(self) -> dict[str, JsonValue]:
        return self._executor.effect_identity()

    @override
    async def execute_code_blocks(
        self, code_blocks: list[CodeBlock], cancellation_token: CancellationToken
    ) -> CodeResult:
        """Run the blocks; see `CodeExecutor.execute_code_blocks`."""
        running = asyncio.ensure_future(
            await_in_home_loop(lambda: self._executor.execute_code_blocks(code_blocks, CancellationToken()))
        )
        cancellation_token.link_future(running)
        return await running

    @override
    async def restore(self, result: CodeResult) -> None:
        await await_in_home_loop(lambda: self._executor.restore(result))

    async def start(self) -> None:
        """Make ready to run code."""
        await await_in_home_loop(self._executor.start)

    async def stop(self) -> None:
        """End everything that the executor started."""
        await await_in_home_loop(self._executor.stop)

    async def restart(self) -> None:
        """Start afresh."""
        await await_in_home_loop(self._executor.restart)
