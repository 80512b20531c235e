"""The executor: runs the coder's blocks in a sandbox and reports what really happened."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from typing import TypeVar

from typing_extensions import override

from symposia.agentchat.agents import BaseChatAgent
from symposia.agentchat.base import Response
from symposia.agentchat.messages import BaseAgentEvent, BaseChatMessage, TextMessage
from symposia.core import CancellationToken, step
from symposia.core.code_executor import CodeBlock, OutputListener, OutputStream, Sandbox, SandboxPolicy, SandboxResult
from symposia.presets.coding._blocks import CodeAnswer, find_code
from symposia.presets.coding._execution import ExecutionInProgress
from symposia.presets.coding._limits import limit_met
from symposia.presets.coding._messages import (
    BlockEndedEvent,
    BlockRun,
    BlockStartedEvent,
    ExecutionMessage,
    MadeFile,
    OutputChunkEvent,
)
from symposia.presets.coding._rule import CODER, EXECUTOR

T = TypeVar("T")
NO_CODE = "There is no Python code to run in your answer. Answer with one complete program in a ```python block."
CUT_OFF = "Your answer ended inside a code block, so that block did not run. Give a shorter program, complete."


class Executor(BaseChatAgent):
    """Runs the blocks of the latest answer, in order, up to the first that fails.

    It streams an `OutputChunkEvent` for each piece of output, and answers with an `ExecutionMessage`. How a program
    ends is always an answer; only a sandbox that itself ends raises.

    Args:
        sandbox: Where the code runs. It stays the caller's to close.
        policy: What the sandbox was made with: a program that a limit ends is told which, and how high it is.

    Attributes:
        in_progress: The turn that has not come to its message yet.
    """

    def __init__(self, sandbox: Sandbox, policy: SandboxPolicy) -> None:
        super().__init__(EXECUTOR, "Runs the coder's program in a sandbox.")
        self.in_progress = ExecutionInProgress()
        self._sandbox = sandbox
        self._policy = policy

    @property
    def produced_message_types(self) -> Sequence[type[BaseChatMessage]]:
        """`ExecutionMessage`."""
        return (ExecutionMessage,)

    async def on_messages(self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken) -> Response:
        """Run the code of the last text message.

        Raises:
            SandboxDiedError: The sandbox itself ended.
        """
        async for item in self.on_messages_stream(messages, cancellation_token):
            if isinstance(item, Response):
                return item
        raise AssertionError("unreachable: the stream ends with a response")

    async def on_messages_stream(
        self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken
    ) -> AsyncGenerator[BaseAgentEvent | BaseChatMessage | Response, None]:
        """As `on_messages`, with the output as it comes."""
        answer = find_code(_latest_answer(messages))
        runs: list[BlockRun] = []
        for block in answer.blocks:
            started = BlockStartedEvent(source=self.name, code=block.code, language=block.language)
            yield self.in_progress.noted(started)
            async for item in self._run(block, cancellation_token):
                if isinstance(item, BlockRun):
                    runs.append(item)
                    yield self.in_progress.noted(BlockEndedEvent(source=self.name, run=item))
                else:
                    yield item
            if runs[-1].exit_code != 0:
                break
        yield Response(chat_message=ExecutionMessage(runs=tuple(runs), remark=_remark(answer), source=self.name))

    @override
    async def on_reset(self, cancellation_token: CancellationToken) -> None:
        """Empty the sandbox."""
        await self._sandbox.reset()

    async def _run(
        self, block: CodeBlock, cancellation_token: CancellationToken
    ) -> AsyncGenerator[OutputChunkEvent | BlockRun, None]:
        def run(on_output: OutputListener) -> Awaitable[SandboxResult]:
            request = {"code": block.code, "language": block.language}
            return step(
                "code", self.name, request, lambda: self._sandbox.run(block.code, block.language, on_output=on_output)
            )

        async for item in _with_output(run, cancellation_token):
            if isinstance(item, SandboxResult):
                yield _block_run(block, item, limit_met(item.status, self._policy))
            else:
                yield self.in_progress.noted(OutputChunkEvent(source=self.name, stream=item[0], content=item[1]))


async def _with_output(
    run: Callable[[OutputListener], Awaitable[SandboxResult]], cancellation_token: CancellationToken
) -> AsyncGenerator[tuple[OutputStream, str] | SandboxResult, None]:
    """Turn the calls of an output listener into items of a stream, the result last.

    Leaving the stream early, or cancelling the token, cancels the run, which kills the code.
    """
    pieces: asyncio.Queue[tuple[OutputStream, str] | None] = asyncio.Queue()

    async def work() -> SandboxResult:
        try:
            return await run(lambda stream, text: pieces.put_nowait((stream, text)))
        finally:
            pieces.put_nowait(None)

    task = asyncio.create_task(work())
    cancellation_token.link_future(task)
    try:
        while (piece := await pieces.get()) is not None:
            yield piece
        yield await task
    finally:
        if not task.done():
            task.cancel()
            await asyncio.wait([task])


def _latest_answer(messages: Sequence[BaseChatMessage]) -> str:
    texts = (message for message in reversed(messages) if isinstance(message, TextMessage))
    return next((text.content for text in texts if text.source == CODER), "")


def _remark(answer: CodeAnswer) -> str:
    if answer.cut_off:
        return CUT_OFF
    return "" if answer.blocks else NO_CODE


def _block_run(block: CodeBlock, result: SandboxResult, limit: str) -> BlockRun:
    return BlockRun(
        code=block.code,
        language=block.language,
        status=result.status,
        exit_code=result.exit_code,
        stdout=result.stdout,
        stderr=result.stderr,
        files=tuple(
            MadeFile(path=each.path, kind=each.kind, size=each.size, sha256=each.sha256, data=each.data)
            for each in result.artifacts
        ),
        files_left_behind=tuple(result.artifacts_skipped),
        wall_seconds=result.wall_seconds,
        limit=limit,
    )
