"""Observing code as it runs: an executor that wraps another one, and reports the start and the end of each block."""

from __future__ import annotations

import asyncio

from pydantic import JsonValue

from symposia.core._cancellation_token import CancellationToken, cancelled_by, uninterrupted
from symposia.core.code_executor._executor import CodeExecutor, check_code_blocks
from symposia.core.code_executor._results import (
    KILLED,
    BlockResult,
    CodeBlock,
    CodeResult,
    CommandLineCodeResult,
    OutputListener,
    OutputStream,
)
from symposia.core.exceptions import ArgumentTypeError, InvalidArgumentError, SandboxDiedError, SandboxError


class ExecutionObserver:
    """Observes blocks as they run. Override the methods of interest; by default nothing happens.

    Every block that starts also ends here, whatever ends it: its own end, a limit, the cancellation of the call, or the
    failure of the sandbox. A cancelled call waits for that end before it raises. A result that a journal has recorded
    is not observed, since nothing runs then.
    """

    async def block_started(self, block: CodeBlock) -> None:
        """A block is about to run. It waits for this call.

        If the call raises an `Exception`, the block is refused: it neither runs nor ends. If the run is cancelled while
        this call waits, the call is cancelled and the block ends.
        """

    def output_received(self, stream: OutputStream, text: str) -> None:
        """The running block has printed something. Called on the event loop."""

    async def block_ended(self, result: BlockResult) -> None:
        """The block has ended.

        Args:
            result: What it did. The status of a block that could not run to its end is ``cancelled``; its output is
                what was received until then, and `BlockResult.ended_by` says why.

        What it raises ends the run. Where the block was cancelled, the `asyncio.CancelledError` stays, and the error of
        the observer is its cause.
        """


class ObservedCodeExecutor(CodeExecutor):
    """Passes each block on to another executor on its own, and calls an observer.

    Its results are block by block, whichever executor it stands in front of. Observing does not change them.

    Args:
        inner: Runs the code. It is started and stopped together with this executor.
        observer: Called for each block.

    Raises:
        ArgumentTypeError: One of them is something else.
    """

    def __init__(self, inner: CodeExecutor, observer: ExecutionObserver) -> None:
        if isinstance(inner, type) or not hasattr(inner, "execute_with_output"):
            raise ArgumentTypeError(f"inner of ObservedCodeExecutor is {inner!r}: give a CodeExecutor.")
        if isinstance(observer, type) or not hasattr(observer, "block_started"):
            raise ArgumentTypeError(f"observer of ObservedCodeExecutor is {observer!r}: give an ExecutionObserver.")
        self.idempotency = inner.idempotency
        self._inner = inner
        self._observer = observer
        self._turn = asyncio.Lock()
        self._stops = 0

    async def execute_code_blocks(
        self, code_blocks: list[CodeBlock], cancellation_token: CancellationToken
    ) -> CommandLineCodeResult:
        """Run the blocks; see `CodeExecutor.execute_code_blocks`."""
        return await self.execute_with_output(code_blocks, cancellation_token, lambda _stream, _text: None)

    async def execute_with_output(
        self, code_blocks: list[CodeBlock], cancellation_token: CancellationToken, on_output: OutputListener
    ) -> CommandLineCodeResult:
        """Run the blocks, and pass on their output; see `CodeExecutor.execute_with_output`."""
        check_code_blocks(code_blocks)
        if not code_blocks:
            raise InvalidArgumentError("No code blocks to execute.")
        stops, results = self._stops, list[BlockResult]()
        with cancelled_by(cancellation_token):
            await self._turn.acquire()  # the other executor would let the blocks of two calls alternate
        try:
            for block in code_blocks:
                if self._stops != stops:  # going on would start the other executor again
                    raise SandboxDiedError("The code executor was stopped before the blocks had ended.")
                results.append(await self._run(block, cancellation_token, on_output))
                if results[-1].exit_code != 0:
                    break
        finally:
            self._turn.release()
        return CommandLineCodeResult.of(results)

    async def _run(self, block: CodeBlock, token: CancellationToken, on_output: OutputListener) -> BlockResult:
        received: dict[OutputStream, list[str]] = {"stdout": [], "stderr": []}

        def listener(stream: OutputStream, text: str) -> None:
            received[stream].append(text)
            self._observer.output_received(stream, text)
            on_output(stream, text)

        with cancelled_by(token):  # outside of the `try`: it raises for a token that was cancelled before any start
            try:
                await self._observer.block_started(block)
            except asyncio.CancelledError as error:
                await self._end(_interrupted(block, received, error), error)
                raise
        try:
            result = BlockResult.of(block, await self._inner.execute_with_output([block], token, listener))
        except BaseException as error:
            # The output is kept here, and not read off the events of the agent that runs the code: what is on its way
            # through a team when a run is interrupted is lost. Not even the result of the executor is there then.
            await self._end(_interrupted(block, received, error), error)
            raise
        await self._end(result, None)
        return result

    async def _end(self, result: BlockResult, error: BaseException | None) -> None:
        """Report the end of a block, which `error` has interrupted."""
        # Uninterrupted, so that the call keeps its turn until the observer is done. With `asyncio.shield` a cancelled
        # call would let the next block start before this one had ended, and a second cancellation would interrupt the
        # report of the first.
        try:
            await uninterrupted(self._observer.block_ended(result))
        except Exception as failure:
            if error is None or isinstance(error, Exception):
                raise
            raise error from failure  # a cancellation stays one: timeouts and task groups wait for it

    def effect_identity(self) -> dict[str, JsonValue]:
        """The other executor's: what runs is the same."""
        return self._inner.effect_identity()

    async def restore(self, result: CodeResult) -> None:
        """See `CodeExecutor.restore`."""
        await self._inner.restore(result)

    async def start(self) -> None:
        """Start the other executor."""
        await self._inner.start()

    async def start_ahead(self) -> None:
        """Begin to start the other executor."""
        await self._inner.start_ahead()

    async def stop(self) -> None:
        """Stop the other executor, and end the calls that wait for it."""
        self._stops += 1
        await self._inner.stop()

    async def restart(self) -> None:
        """Start the other executor afresh."""
        await self._inner.restart()


def _interrupted(block: CodeBlock, received: dict[OutputStream, list[str]], error: BaseException) -> BlockResult:
    stdout, stderr = "".join(received["stdout"]), "".join(received["stderr"])
    ended = "sandbox" if isinstance(error, SandboxError) else "run"
    return BlockResult(
        block=block,
        code_file=None,
        status="cancelled",
        exit_code=KILLED,
        output=stdout + stderr,
        stdout=stdout,
        stderr=stderr,
        ended_by=f"the {ended} ended before the program did",
    )
