"""Agents ask, publish, sleep, fail and are cut short at random: in whatever order, each message is settled once."""

import asyncio
from collections import Counter
from collections.abc import Callable
from contextvars import ContextVar
from random import Random
from typing import Any

import pytest
from tests.support.agents import add_agent

from symposia.core import (
    AgentId,
    CancellationToken,
    ClosureContext,
    MessageContext,
    SingleThreadedAgentRuntime,
    TopicId,
)
from symposia.core.exceptions import DeadlineExceededError, DeadlockError, RuntimeStoppedError
from symposia.testing.simulation import FaultPlan, FaultyRuntime, current_seed, simulated

AGENTS = "abcd"
NAMED_ENDS = (DeadlineExceededError, DeadlockError, RuntimeStoppedError, ZeroDivisionError, asyncio.CancelledError)
MakeRuntime = Callable[[], SingleThreadedAgentRuntime]
MAKERS: list[MakeRuntime] = [
    lambda: SingleThreadedAgentRuntime(ignore_unhandled_exceptions=True),
    lambda: FaultyRuntime(
        FaultPlan(slow=0.1, lost=0.05, reordered=0.1, delay=(0, 2)), ignore_unhandled_exceptions=True
    ),
]


awaiting: ContextVar[tuple[str, ...]] = ContextVar("awaiting", default=())
"""The agents of the call chain that awaits an answer."""


class Conversation:
    """What each agent does with a message is drawn when it comes; what must hold is checked as it goes."""

    def __init__(self) -> None:
        self.random = Random(current_seed())
        self.inside: Counter[str] = Counter()
        self.begun: Counter[int] = Counter()
        self.ended: Counter[int] = Counter()
        self.intrusions: list[int] = []
        self.numbers = 0

    def message(self, depth: int) -> tuple[int, int]:
        self.numbers += 1
        return self.numbers, depth

    async def handle(self, agent: ClosureContext, message: Any, ctx: MessageContext) -> int:
        number, depth = message
        me = agent.id.type
        chain = awaiting.get() if ctx.is_rpc else ()
        if self.inside[me] and me not in chain:
            self.intrusions.append(number)
        awaiting.set((*chain, me))
        self.begun[number] += 1
        self.inside[me] += 1
        try:
            for _ in range(self.random.randint(0, 3)):
                await self.do_something(agent, depth)
            return number
        finally:
            self.inside[me] -= 1
            self.ended[number] += 1

    async def do_something(self, agent: ClosureContext, depth: int) -> None:
        match self.random.randint(0, 9):
            case 0 | 1:
                await asyncio.sleep(0)
            case 2 | 3:
                await asyncio.sleep(self.random.choice((0.5, 1, 1, 2)))
            case 4 | 5 if depth:
                await self.ask(agent, depth)
            case 6 if depth:
                await asyncio.gather(*(self.ask(agent, depth) for _ in range(2)))
            case 7 | 8 if depth:
                await agent.publish_message(self.message(depth - 1), TopicId(self.random.choice(AGENTS), "k"))
            case 9 if self.random.random() < 0.3:
                raise ZeroDivisionError
            case _:
                return

    async def ask(self, agent: ClosureContext, depth: int) -> None:
        target = AgentId(self.random.choice(AGENTS), "k")
        message = self.message(depth - 1)
        assert await agent.send_message(message, target) == message[0]


@pytest.mark.parametrize("make_runtime", MAKERS, ids=["without faults", "with faults"])
@simulated(seeds=range(500))
async def test_every_message_of_a_random_conversation_is_settled(make_runtime: MakeRuntime) -> None:
    conversation = Conversation()
    random = conversation.random
    runtime = make_runtime()
    for name in AGENTS:
        await add_agent(runtime, name, conversation.handle, name)
    runtime.start()
    requests = dict[int, asyncio.Task[int]]()
    for _ in range(random.randint(1, 12)):
        await start_something(runtime, conversation, requests)
        await asyncio.sleep(random.choice((0, 0, 0.5, 1)))
    await (runtime.stop() if random.random() < 0.5 else finish(runtime))
    async with asyncio.timeout(1):
        outcomes = await asyncio.gather(*requests.values(), return_exceptions=True)
    for number, outcome in zip(requests, outcomes, strict=True):
        assert outcome == number or isinstance(outcome, NAMED_ENDS), repr(outcome)
    assert not conversation.intrusions, "a message came in the middle of another one that does not await it"
    assert conversation.begun == conversation.ended
    assert set(conversation.begun.values()) <= {1}
    assert conversation.inside.total() == 0
    await runtime.close()


async def start_something(
    runtime: SingleThreadedAgentRuntime, conversation: Conversation, requests: dict[int, asyncio.Task[int]]
) -> None:
    random, message = conversation.random, conversation.message(3)
    if random.random() < 0.3:
        await runtime.publish_message(message, TopicId(random.choice(AGENTS), "k"))
        return
    token = CancellationToken()
    if random.random() < 0.3:
        asyncio.get_running_loop().call_later(random.choice((0, 0.5, 1, 2)), token.cancel)
    target = AgentId(random.choice(AGENTS), "k")
    timeout = random.choice((None, None, 1, 2, 5))
    request = runtime.send_message(message, target, cancellation_token=token, timeout=timeout)
    requests[message[0]] = asyncio.create_task(request)


async def finish(runtime: SingleThreadedAgentRuntime) -> None:
    """Let everything settle, and cut short what was lost for ever."""
    try:
        async with asyncio.timeout(1000):
            await runtime.stop_when_idle()
    except TimeoutError:
        await runtime.stop()
