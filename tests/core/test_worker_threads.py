"""Plain functions run in threads of a bounded pool, settle whatever they raise, and do not hold up the end."""

import asyncio
import logging
import threading
from collections.abc import Iterator
from typing import Any, NoReturn

import pytest
from tests.support.agents import WAIT, Answer, Ask, started
from tests.support.interpreter import printed

from symposia.core import (
    AgentId,
    CancellationToken,
    ClosureAgent,
    ClosureContext,
    MessageContext,
    RoutedAgent,
    SingleThreadedAgentRuntime,
    call_function,
    message_handler,
    run_in_worker_thread,
    worker_threads,
)
from symposia.core.tools import FunctionTool


class Exhausted(RoutedAgent):
    @message_handler
    def on_ask(self, message: Ask, ctx: MessageContext) -> Answer:
        return next(iter(()))


events: dict[str, threading.Event] = {}


def search(query: str) -> str:
    return next(word for word in query.split() if word == "found")


def wait_for(event: str) -> None:
    events[event].wait(WAIT)


SEARCH = FunctionTool(search, "Searches.")
WAIT_FOR = FunctionTool(wait_for, "Blocks.")


@pytest.fixture
def two_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pool of its own for the test, with two threads."""
    monkeypatch.setattr("symposia.core._worker_threads.worker_threads", type(worker_threads)(max_threads=2))


@pytest.fixture
def opened() -> Iterator[threading.Event]:
    """Keeps threads waiting, until the end of the test at the latest."""
    event = threading.Event()
    yield event
    event.set()


async def test_d02_stop_iteration_out_of_a_plain_handler_reaches_the_caller_and_the_agent_goes_on() -> None:
    async with started(SingleThreadedAgentRuntime()) as runtime:
        await Exhausted.register(runtime, "exhausted", lambda: Exhausted("exhausted"))
        for _ in range(2):
            with pytest.raises(RuntimeError, match=r"Exhausted\.on_ask raised StopIteration"):
                await runtime.send_message(Ask(), AgentId("exhausted", "k"))
        await runtime.stop_when_idle()


async def test_d02_stop_iteration_out_of_a_plain_closure_reaches_the_caller() -> None:
    def closure(_agent: ClosureContext, _message: Ask, _ctx: MessageContext) -> NoReturn:
        raise StopIteration

    async with started(SingleThreadedAgentRuntime()) as runtime:
        await ClosureAgent.register_closure(runtime, "closure", closure)
        with pytest.raises(RuntimeError, match="closure raised StopIteration"):
            await runtime.send_message(Ask(), AgentId("closure", "k"))


async def test_d02_stop_iteration_out_of_a_plain_tool_reaches_the_caller() -> None:
    async with asyncio.timeout(WAIT):
        with pytest.raises(RuntimeError, match="search raised StopIteration") as raised:
            await SEARCH.run_json({"query": "nothing"}, CancellationToken())
    assert isinstance(raised.value.__cause__, StopIteration)


async def test_d26_cancelled_tools_that_block_take_no_thread_of_the_programs_own(opened: threading.Event) -> None:
    events["opened"] = opened
    for _ in range(40):  # more than the event loop's executor has threads
        token = CancellationToken()
        call = asyncio.ensure_future(WAIT_FOR.run_json({"event": "opened"}, token))
        await asyncio.sleep(0)
        token.cancel()
        await asyncio.wait([call])
    async with asyncio.timeout(WAIT):
        assert await asyncio.to_thread(lambda: "free") == "free"


@pytest.mark.usefixtures("two_threads")
async def test_d26_a_full_pool_says_what_occupies_it_and_goes_on_when_a_thread_is_free(
    opened: threading.Event, caplog: pytest.LogCaptureFixture
) -> None:
    def occupy() -> None:
        opened.wait(WAIT)

    def late() -> str:
        return "done"

    with caplog.at_level(logging.WARNING):
        busy = [asyncio.ensure_future(run_in_worker_thread(occupy)) for _ in range(2)]
        waiting = [asyncio.ensure_future(run_in_worker_thread(late)) for _ in range(3)]
        await asyncio.sleep(0)
        assert not any(task.done() for task in waiting)
    [warning] = caplog.messages
    assert "All 2 worker threads are busy" in warning
    assert "late waits" in warning
    assert "symposia.core.worker_threads.max_threads" in warning
    opened.set()
    async with asyncio.timeout(WAIT):
        assert await asyncio.gather(*waiting, *busy) == ["done"] * 3 + [None] * 2


@pytest.mark.usefixtures("two_threads")
async def test_a_function_whose_caller_is_cancelled_before_it_begins_is_not_called(opened: threading.Event) -> None:
    called: list[str] = []
    busy = [asyncio.ensure_future(run_in_worker_thread(opened.wait, WAIT)) for _ in range(2)]
    await asyncio.sleep(0)
    queued = asyncio.ensure_future(run_in_worker_thread(called.append, "called"))
    await asyncio.sleep(0)
    queued.cancel()
    await asyncio.wait([queued])
    opened.set()
    async with asyncio.timeout(WAIT):
        await asyncio.gather(*busy)
        await run_in_worker_thread(called.append, "next")
    assert called == ["next"]


@pytest.mark.usefixtures("two_threads")
async def test_a_plain_handler_that_waits_for_a_thread_when_cancelled_leaves_its_agent_free(
    opened: threading.Event,
) -> None:
    class Plain(RoutedAgent):
        @message_handler
        def on_ask(self, message: Ask, ctx: MessageContext) -> Answer:
            return Answer(message.text)

        @message_handler
        async def on_text(self, message: str, ctx: MessageContext) -> str:
            return message

    async with started(SingleThreadedAgentRuntime()) as runtime:
        await Plain.register(runtime, "plain", lambda: Plain("plain"))
        busy = [asyncio.ensure_future(run_in_worker_thread(opened.wait, WAIT)) for _ in range(2)]
        await asyncio.sleep(0)
        request = asyncio.ensure_future(runtime.send_message(Ask(), AgentId("plain", "k")))
        await asyncio.sleep(0)
        request.cancel()
        await asyncio.wait([request])
        assert await runtime.send_message("free", AgentId("plain", "k")) == "free"
        opened.set()
        await asyncio.gather(*busy)


@pytest.mark.parametrize("count", [1, 5, 100])
async def test_many_functions_at_once_are_all_called(count: int) -> None:
    async with asyncio.timeout(WAIT):
        assert await asyncio.gather(*(run_in_worker_thread(int, str(n)) for n in range(count))) == [*range(count)]


async def test_arguments_and_context_variables_reach_the_function() -> None:
    def look(first: int, *, second: int) -> Any:
        return first, second, threading.current_thread().daemon

    assert await run_in_worker_thread(look, 1, second=2) == (1, 2, True)


def test_d26_a_cancelled_tool_that_blocks_does_not_hold_up_the_programs_end() -> None:
    program = """
import asyncio, threading
from symposia.core import CancellationToken
from symposia.core.tools import FunctionTool

began = threading.Event()

def block() -> None:
    began.set()
    threading.Event().wait()

async def main() -> None:
    token = CancellationToken()
    call = asyncio.ensure_future(FunctionTool(block, "Blocks.").run_json({}, token))
    await asyncio.to_thread(began.wait)
    token.cancel()
    await asyncio.wait([call])
    print("cancelled")

asyncio.run(main())
"""
    assert printed(program) == "cancelled"


async def test_a_function_of_the_application_is_called_where_it_does_not_block() -> None:
    def plain(first: int, *, second: int) -> tuple[int, int]:
        return first + second, threading.get_ident()

    async def coroutine(first: int, *, second: int) -> tuple[int, int]:
        return plain(first, second=second)

    class Callable:
        async def __call__(self, first: int, *, second: int) -> tuple[int, int]:
            return plain(first, second=second)

    here = threading.get_ident()
    total, thread = await call_function(plain, 1, second=2)
    assert (total, thread == here) == (3, False)
    for function in (coroutine, Callable()):
        assert await call_function(function, 1, second=2) == (3, here)


async def test_what_a_plain_function_returns_is_awaited_if_it_can_be() -> None:
    async def answer() -> str:
        return "yes"

    assert await call_function(lambda: answer()) == "yes"  # noqa: PLW0108 - a plain function is the point
