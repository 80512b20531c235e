"""An executor that is observed: what its observer is told, whatever ends a block."""

import asyncio
from collections.abc import Awaitable, Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from tests.contracts.code_executor_contract import (
    WAIT,
    WANTED_BLOCKS,
    WRONG_BLOCKS,
    CodeExecutorContract,
    OutputListener,
)
from tests.support.journal import Journal

from symposia.core import CancellationToken
from symposia.core.code_executor import (
    BlockResult,
    CodeBlock,
    CodeExecutor,
    CodeResult,
    CommandLineCodeResult,
    ExecutionObserver,
    ObservedCodeExecutor,
    OutputStream,
    execute_code,
    stream_code,
)
from symposia.core.effects import handle_effects
from symposia.core.exceptions import ArgumentTypeError, InvalidArgumentError, SandboxDiedError, SandboxError
from symposia.ext.code_executors.local import LocalCommandLineCodeExecutor


@pytest.mark.filterwarnings("ignore:LocalCommandLineCodeExecutor runs code:UserWarning")
class TestObservedCodeExecutor(CodeExecutorContract):
    def make(
        self, work_dir: Path | None, *, timeout: float = 30, on_output: OutputListener | None = None
    ) -> CodeExecutor:
        inner = LocalCommandLineCodeExecutor(timeout, work_dir, on_output=on_output)
        return ObservedCodeExecutor(inner, ExecutionObserver())


class Notes(ExecutionObserver):
    """Writes down what it is told."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.results: list[BlockResult] = []

    async def block_started(self, block: CodeBlock) -> None:
        self.lines.append(f"start {block.code}")

    def output_received(self, stream: OutputStream, text: str) -> None:
        self.lines.append(f"{stream} {text}")

    async def block_ended(self, result: BlockResult) -> None:
        await asyncio.sleep(0)
        self.lines.append(f"end {result.block.code} {result.ending}")
        self.results.append(result)


class Talker(CodeExecutor):
    """Says the code of the first block in two pieces, and does what it is told between them; knows of no blocks."""

    def __init__(self, between: Callable[[], Awaitable[object]]) -> None:
        self._between = between

    async def execute_code_blocks(
        self, code_blocks: list[CodeBlock], cancellation_token: CancellationToken
    ) -> CodeResult:
        return await self.execute_with_output(code_blocks, cancellation_token, lambda _stream, _text: None)

    async def execute_with_output(
        self, code_blocks: list[CodeBlock], cancellation_token: CancellationToken, on_output: OutputListener
    ) -> CodeResult:
        code = code_blocks[0].code
        on_output("stdout", code[0])
        await cancellation_token.link_future(asyncio.ensure_future(self._between()))
        on_output("stderr", code[1:])
        return CodeResult(exit_code=int(code == "fails"), output=code)

    async def start(self) -> None: ...
    async def stop(self) -> None: ...
    async def restart(self) -> None: ...


def blocks(*sources: str) -> list[CodeBlock]:
    return [CodeBlock(source, "python") for source in sources]


async def nothing() -> None:
    await asyncio.sleep(0)


async def test_an_observer_is_told_of_each_block_in_order_up_to_the_first_that_fails() -> None:
    notes = Notes()
    heard: list[str] = []
    executor = ObservedCodeExecutor(Talker(nothing), notes)
    result = await executor.execute_with_output(
        blocks("ok", "fails", "never"), CancellationToken(), lambda stream, text: heard.append(f"{stream} {text}")
    )
    assert notes.lines == [
        "start ok",
        "stdout o",
        "stderr k",
        "end ok exit status 0",
        "start fails",
        "stdout f",
        "stderr ails",
        "end fails exit status 1",
    ]
    assert heard == ["stdout o", "stderr k", "stdout f", "stderr ails"]
    assert isinstance(result, CommandLineCodeResult)
    assert [(block.block.code, block.status, block.output) for block in result.blocks] == [
        ("ok", "ok", "ok"),
        ("fails", "error", "fails"),
    ]
    assert (result.exit_code, result.output) == (1, "okfails")


@pytest.mark.parametrize("by", ["token", "task"])
async def test_n03_a_block_that_is_cancelled_ends_with_what_it_had_printed(by: str) -> None:
    notes, started, token = Notes(), asyncio.Event(), CancellationToken()

    async def for_ever() -> None:
        started.set()
        await asyncio.Event().wait()

    executor = ObservedCodeExecutor(Talker(for_ever), notes)
    async with asyncio.timeout(WAIT):
        running = asyncio.ensure_future(executor.execute_code_blocks(blocks("waits"), token))
        await started.wait()
        token.cancel() if by == "token" else running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
    assert notes.lines[-1] == "end waits interrupted: the run ended before the program did"
    [result] = notes.results
    assert (result.status, result.exit_code, result.stdout, result.stderr) == ("cancelled", 137, "w", "")


class Slow(ExecutionObserver):
    """Writes down when each of its calls begins and when it is done, with waits between the two."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.lines: list[str] = []
        self._failure = failure

    async def block_started(self, block: CodeBlock) -> None:
        self.lines.append(f"start {block.code}")
        await ticks(3)

    async def block_ended(self, result: BlockResult) -> None:
        self.lines.append(f"end {result.block.code}")
        await ticks(3)
        self.lines.append(f"ended {result.block.code}")
        if self._failure is not None and result.block.code != "b1":
            raise self._failure


async def ticks(number: int) -> None:
    for _ in range(number):
        await asyncio.sleep(0)


async def cancelled_after(wait: int, how: str, observer: Slow) -> asyncio.Task[CommandLineCodeResult]:
    """A call of two blocks, cancelled after some ticks of the event loop, with another call that waits for its end."""
    token = CancellationToken()
    executor = ObservedCodeExecutor(Talker(lambda: ticks(2)), observer)
    first = asyncio.ensure_future(executor.execute_code_blocks(blocks("a1", "a2"), token))
    second = asyncio.ensure_future(executor.execute_code_blocks(blocks("b1"), CancellationToken()))
    await ticks(wait)
    cancels = {"task": [first.cancel], "token": [token.cancel], "both": [token.cancel, first.cancel]}
    for cancel in cancels.get(how, [first.cancel, first.cancel]):
        cancel()
        await ticks(1)
    async with asyncio.timeout(WAIT):
        await asyncio.wait([first, second])
    return first


@pytest.mark.parametrize("how", ["task", "token", "both", "twice"])
async def test_n03_every_block_that_starts_ends_before_the_next_one_whenever_its_call_is_cancelled(how: str) -> None:
    for wait in count():
        observer = Slow()
        call = await cancelled_after(wait, how, observer)
        started = [line.removeprefix("start ") for line in observer.lines if line.startswith("start ")]
        assert observer.lines == [f"{what} {code}" for code in started for what in ("start", "end", "ended")], wait
        assert started[-1] == "b1"
        if not call.cancelled():
            assert wait > 15, "the call was cancelled at some of its moments only"
            assert (await call).exit_code == 0
            return


@pytest.mark.parametrize("how", ["task", "token", "both", "twice"])
async def test_n03_a_cancellation_is_not_replaced_by_the_error_of_an_observer(how: str) -> None:
    for wait in range(2, 6):  # from the start of the first block to its end
        failure = OSError("no space left")
        call = await cancelled_after(wait, how, Slow(failure))
        with pytest.raises(asyncio.CancelledError) as caught:
            await call
        assert caught.value.__cause__ is failure, wait


async def test_the_error_of_an_observer_ends_the_call_when_the_block_was_not_cancelled() -> None:
    executor = ObservedCodeExecutor(Talker(nothing), Slow(OSError("no space left")))
    with pytest.raises(OSError, match="no space"):
        await executor.execute_code_blocks(blocks("one"), CancellationToken())


@pytest.mark.parametrize(("error", "ended"), [(SandboxError("gone"), "sandbox"), (ZeroDivisionError(), "run")])
async def test_n03_a_block_whose_executor_fails_ends_too(error: Exception, ended: str) -> None:
    async def fail() -> None:
        raise error

    notes = Notes()
    with pytest.raises(type(error)):
        await ObservedCodeExecutor(Talker(fail), notes).execute_code_blocks(blocks("one"), CancellationToken())
    assert notes.lines == ["start one", "stdout o", f"end one interrupted: the {ended} ended before the program did"]


async def test_a_block_does_not_run_that_the_observer_refuses() -> None:
    class Refuses(ExecutionObserver):
        async def block_started(self, block: CodeBlock) -> None:
            raise PermissionError(block.code)

    async def ran() -> None:
        raise AssertionError

    with pytest.raises(PermissionError, match="one"):
        await ObservedCodeExecutor(Talker(ran), Refuses()).execute_code_blocks(blocks("one"), CancellationToken())


async def test_the_blocks_of_two_calls_do_not_alternate() -> None:
    notes = Notes()
    executor = ObservedCodeExecutor(Talker(nothing), notes)
    async with asyncio.timeout(WAIT):
        await asyncio.gather(
            executor.execute_code_blocks(blocks("a1", "a2"), CancellationToken()),
            executor.execute_code_blocks(blocks("b1", "b2"), CancellationToken()),
        )
    assert [line for line in notes.lines if line.startswith("start")] == [
        "start a1",
        "start a2",
        "start b1",
        "start b2",
    ]


async def test_a_call_that_waits_ends_when_the_executor_is_stopped() -> None:
    go_on = asyncio.Event()
    executor = ObservedCodeExecutor(Talker(go_on.wait), ExecutionObserver())
    async with asyncio.timeout(WAIT):
        first = asyncio.ensure_future(executor.execute_code_blocks(blocks("a1"), CancellationToken()))
        second = asyncio.ensure_future(executor.execute_code_blocks(blocks("b1"), CancellationToken()))
        await asyncio.sleep(0)
        await executor.stop()
        go_on.set()
        assert (await first).exit_code == 0
        with pytest.raises(SandboxDiedError, match="stopped before the blocks had ended"):
            await second


async def test_a_call_that_waits_is_cancelled_by_its_token() -> None:
    go_on, token = asyncio.Event(), CancellationToken()
    executor = ObservedCodeExecutor(Talker(go_on.wait), ExecutionObserver())
    async with asyncio.timeout(WAIT):
        first = asyncio.ensure_future(executor.execute_code_blocks(blocks("a1"), CancellationToken()))
        second = asyncio.ensure_future(executor.execute_code_blocks(blocks("b1"), token))
        await asyncio.sleep(0)
        token.cancel()
        with pytest.raises(asyncio.CancelledError):
            await second
        go_on.set()
        await first


async def test_a_recorded_run_is_not_observed() -> None:
    journal = Journal()
    counts: list[int] = []
    for _ in range(2):
        notes = Notes()
        with handle_effects(journal):
            executor = ObservedCodeExecutor(Talker(nothing), notes)
            result = await execute_code(executor, blocks("ok"), CancellationToken())
        counts.append(len(notes.lines))
        assert result.output == "ok"
    assert counts == [4, 0]


@pytest.mark.parametrize("given", WRONG_BLOCKS, ids=repr)
async def test_an_effect_of_code_is_not_performed_for_what_is_not_a_list_of_blocks(given: list[CodeBlock]) -> None:
    executor = Talker(nothing)
    with pytest.raises(ArgumentTypeError, match=WANTED_BLOCKS):
        await execute_code(executor, given, CancellationToken())
    with pytest.raises(ArgumentTypeError, match=WANTED_BLOCKS):
        await anext(stream_code(executor, given, CancellationToken()))


async def test_a_long_text_in_the_place_of_blocks_is_quoted_in_part() -> None:
    given: Any = "x" * 10_000
    with pytest.raises(ArgumentTypeError) as error:
        await execute_code(Talker(nothing), given, CancellationToken())
    assert len(str(error.value)) < 400


async def test_a_list_without_blocks_is_a_mistake() -> None:
    executor = ObservedCodeExecutor(Talker(nothing), ExecutionObserver())
    with pytest.raises(InvalidArgumentError, match="No code blocks"):
        await executor.execute_code_blocks([], CancellationToken())
