"""The client of which only so many calls run at the same time."""

import asyncio
import threading
from collections.abc import Sequence

import pytest
from tests.support.model_clients import read

from symposia.core import AgentId, CancellationToken, MessageHandlerContext
from symposia.core.exceptions import InvalidArgumentError
from symposia.core.models import CreateResult, LLMMessage, UserMessage
from symposia.ext.models.concurrency import ConcurrencyLimitedClient
from symposia.ext.models.replay import ReplayChatCompletionClient
from symposia.testing.simulation import simulate, simulated

HELLO = [UserMessage(content="hello", source="user")]


class Busy:
    """Answers after a second, and remembers how many were asked at once, and in which order."""

    def __init__(self) -> None:
        self.running = self.most = 0
        self.order: list[str] = []
        self.client = ReplayChatCompletionClient(self.answer)

    async def answer(self, messages: Sequence[LLMMessage]) -> str:
        self.order.append(str(messages[-1].content))
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await asyncio.sleep(1)
        finally:
            self.running -= 1
        return "two words"


async def ask(client: ConcurrencyLimitedClient, text: str = "x", caller: str | None = None) -> CreateResult:
    messages = [UserMessage(content=text, source="user")]
    if caller is None:
        return await client.create(messages)
    with MessageHandlerContext.populate_context(AgentId(caller, "key")):
        return await client.create(messages)


@simulated(seeds=range(20))
async def test_no_more_calls_run_at_once_and_all_are_answered() -> None:
    busy = Busy()
    client = ConcurrencyLimitedClient(busy.client, 3)
    async with asyncio.timeout(4.5):  # ten calls of a second, three at once
        await asyncio.gather(*(ask(client) for _ in range(10)))
    assert busy.most == 3


@simulated(seeds=range(20))
async def test_a_call_that_is_cancelled_frees_its_place() -> None:
    busy = Busy()
    client = ConcurrencyLimitedClient(busy.client, 2)
    calls = [asyncio.create_task(ask(client)) for _ in range(20)]
    for call in calls[:18:3]:
        await asyncio.sleep(0.3)
        call.cancel()
    done = await asyncio.gather(*calls, return_exceptions=True)
    assert sum(isinstance(each, CreateResult) for each in done) + sum(
        isinstance(each, asyncio.CancelledError) for each in done
    ) == len(calls)
    assert (busy.most, busy.running) == (2, 0)
    async with asyncio.timeout(1.5):  # both places are free
        await asyncio.gather(ask(client), ask(client))


def test_agents_take_turns() -> None:
    busy = Busy()

    async def main() -> None:
        client = ConcurrencyLimitedClient(busy.client, 1)
        calls = [ask(client, f"greedy {number}", "greedy") for number in range(5)]
        await asyncio.gather(*calls, ask(client, "modest", "modest"))

    simulate(main)
    assert busy.order.index("modest") == 2  # the first was under way, and the second had been waiting


def test_a_higher_priority_goes_first() -> None:
    busy = Busy()

    async def main() -> None:
        usual = ConcurrencyLimitedClient(busy.client, 1, name="shared by priorities")
        urgent = ConcurrencyLimitedClient(busy.client, 1, name="shared by priorities", priority=1)
        await asyncio.gather(*(ask(usual, "usual") for _ in range(3)), ask(urgent, "urgent"))

    simulate(main)
    assert busy.order == ["usual", "urgent", "usual", "usual"]


async def test_a_token_ends_a_wait() -> None:
    gate = asyncio.Event()

    async def answer(_: object) -> str:
        await gate.wait()
        return "hi"

    client = ConcurrencyLimitedClient(ReplayChatCompletionClient(answer), 1)
    first = asyncio.create_task(client.create(HELLO))
    token = CancellationToken()
    second = asyncio.create_task(client.create(HELLO, cancellation_token=token))
    await asyncio.sleep(0)
    async with asyncio.timeout(5):
        token.cancel()
        with pytest.raises(asyncio.CancelledError):
            await second
        gate.set()
        assert (await first).content == (await client.create(HELLO)).content == "hi"


async def test_a_stream_holds_its_place_until_it_is_closed() -> None:
    client = ConcurrencyLimitedClient(ReplayChatCompletionClient(["one two", "three"]), 1)
    stream = client.create_stream(HELLO)
    assert await anext(stream) == "one "
    other = asyncio.create_task(read(client.create_stream(HELLO)))
    await asyncio.sleep(0)
    assert not other.done()
    await stream.aclose()
    async with asyncio.timeout(5):
        assert (await other)[1].content == "three"


def test_threads_with_loops_of_their_own_share_a_limit() -> None:
    client = ConcurrencyLimitedClient(ReplayChatCompletionClient(["hi"] * 200), 1)
    answers: list[object] = []

    async def ask_often() -> None:
        async with asyncio.timeout(30):
            for _ in range(50):
                answers.append((await client.create(HELLO)).content)  # noqa: PERF401 - one after another

    threads = [threading.Thread(target=lambda: asyncio.run(ask_often())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == ["hi"] * 200


def test_one_name_is_one_limit() -> None:
    inner = ReplayChatCompletionClient([])
    kept = ConcurrencyLimitedClient(inner, 2, name="one limit")
    with pytest.raises(InvalidArgumentError, match="There is a concurrency limit named 'one limit' with 2, and not 3"):
        ConcurrencyLimitedClient(inner, 3, name="one limit")
    del kept
    ConcurrencyLimitedClient(inner, 3, name="one limit")
    with pytest.raises(InvalidArgumentError, match="give at least 1"):
        ConcurrencyLimitedClient(inner, 0)
