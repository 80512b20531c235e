"""Random topologies: agents ask, gather, publish, wait, give up and cancel, in every way that asyncio offers.

Whatever they do, the runtime never hangs, never reports a circle that is none, lets nothing into the middle of a
handler but what the handler awaits, and settles every message once. What is true is known from the handlers themselves:
each says what it awaits while it does. SYMPOSIA_SEEDS=10000 tries more, SYMPOSIA_SEED=17 replays one.
"""

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Coroutine, Generator, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from itertools import pairwise
from random import Random
from typing import Any

import pytest
from tests.support.agents import add_agent

from symposia.core import (
    AgentId,
    CancellationToken,
    ClosureContext,
    DefaultInterventionHandler,
    DropMessage,
    MessageContext,
    SingleThreadedAgentRuntime,
    TopicId,
)
from symposia.core.exceptions import DeadlockError, MessageDroppedException, RuntimeStoppedError
from symposia.testing.simulation import current_seed, simulated

NAMED_ENDS = (
    DeadlockError,
    MessageDroppedException,
    RuntimeStoppedError,
    ZeroDivisionError,
    TimeoutError,
    ExceptionGroup,
    asyncio.CancelledError,
)

Tasks = list[asyncio.Task[Any]]


@dataclass(eq=False)
class Request:
    """A message on its way, and the handling that it led to."""

    number: int
    target: str
    is_asked: bool
    maker: "Handling | None" = None
    handling: "Handling | None" = None
    is_held_up: bool = False
    sending: Coroutine[Any, Any, int] | None = None

    @property
    def is_over(self) -> bool:
        return self.sending is not None and inspect.getcoroutinestate(self.sending) == inspect.CORO_CLOSED


@dataclass(eq=False)
class Handling:
    """A message in its handler."""

    request: Request
    agent: str
    awaits: set[Request] = field(default_factory=set[Request])
    gave_up: bool = False
    """Whether it went on without the answer to something that it had awaited, which may go on inside it."""


here: ContextVar[Handling | None] = ContextVar("here", default=None)


class World:
    """What is going on, as the handlers tell it."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.agents = "abcdef"[: random.randint(2, 6)]
        self.inside: dict[str, list[Handling]] = {name: [] for name in self.agents}
        self.messages: dict[int, Request] = {}
        self.begun: list[int] = []
        self.ended: list[int] = []
        self.outcomes: dict[int, list[str]] = {}
        self.background: Tasks = []
        self.complaints: list[str] = []
        self.circles = 0

    # What is true

    def waits_for(self, node: Request | Handling) -> Iterator[Request | Handling]:
        """What has to end before a request is answered, or a handler goes on."""
        if isinstance(node, Handling):
            yield from (one for one in node.awaits if not one.is_over)
        elif node.handling is not None:
            yield node.handling
        elif not node.is_held_up:
            yield from self.inside[node.target]

    def reaches(self, start: Request | Handling, goal: Request | Handling) -> bool:
        seen, todo = set[Request | Handling](), list(self.waits_for(start))
        while todo:
            node = todo.pop()
            if node is goal:
                return True
            if node not in seen:
                seen.add(node)
                todo += self.waits_for(node)
        return False

    def examine_report(self, text: str) -> None:
        """A circle is reported: each agent on it must await the next one, and some request must wait for itself."""
        self.circles += 1
        drawn = [part.split("/")[0].strip() for part in text.split(":")[1].split(".", maxsplit=1)[0].split("→")]
        for asking, asked in pairwise(drawn):
            awaited = (
                one.target
                for handling in self.inside[asking]
                for one in self.waits_for(handling)
                if isinstance(one, Request)
            )
            if asked not in awaited:
                self.complaints.append(f"{asking} does not await {asked}: {text}")
        if not any(self.reaches(one, one) for one in self.messages.values() if one.is_asked and not one.is_over):
            self.complaints.append(f"nothing waits for itself: {text}")

    def examine_entry(self, handling: Handling) -> None:
        """A handler begins: those of the same agent that go on must all await it."""
        others = self.inside[handling.agent]
        for other in others:
            chain = list[Handling]()
            above: Handling | None = handling
            while above is not None and above is not other:
                chain.append(above)
                above = above.request.maker
            may_overlap = any(one.gave_up for one in (*others, *chain)) or (above is not None and above.gave_up)
            if not may_overlap and not self.reaches(other, handling.request):
                self.complaints.append(f"{handling.request} came into the middle of {other.request}")

    # What agents do

    def message(self, depth: int, target: str, *, is_asked: bool) -> tuple[int, int]:
        number = len(self.messages)
        self.messages[number] = Request(number, target, is_asked, here.get() if is_asked else None)
        return number, depth

    async def handle(self, agent: ClosureContext, message: Any, ctx: MessageContext) -> int:
        number, depth = message
        request = self.messages[number]
        handling = Handling(request, agent.id.type)
        if ctx.is_rpc:
            request.handling = handling
        self.examine_entry(handling)
        self.inside[handling.agent].append(handling)
        self.begun.append(number)
        here.set(handling)
        own: dict[asyncio.Task[Any], Request] = {}
        try:
            for _ in range(self.random.randint(0, 3)):
                try:
                    await self.act(agent, handling, depth, own)
                except (DeadlockError, MessageDroppedException, TimeoutError, ExceptionGroup):
                    if self.random.random() < 0.5:
                        raise
            return number
        finally:
            self.background += own
            self.inside[handling.agent].remove(handling)
            self.ended.append(number)

    async def act(
        self, agent: ClosureContext, handling: Handling, depth: int, own: dict[asyncio.Task[Any], Request]
    ) -> None:
        random = self.random
        match random.randint(0, 11):
            case 0:
                await asyncio.sleep(0)
            case 1 | 2:
                await asyncio.sleep(random.choice((0.5, 1, 1, 2)))
            case 3 | 4 | 5 | 6 if depth:
                asked = [self.ask(agent, depth) for _ in range(random.choice((1, 1, 2)))]
                await random.choice(WAYS)(self, asked)
            case 7 if depth:
                request, sending = self.ask(agent, depth)
                own[asyncio.create_task(sending)] = request
            case 8 | 9 if own:
                task = random.choice(list(own))
                request = own.pop(task)
                self.background.append(task)
                if random.random() < 0.2:
                    task.cancel()
                with self.awaiting([request]):
                    await random.choice((_await, asyncio.shield, _helped))(task)
            case 10 if depth:
                topic = random.choice(self.agents)
                await agent.publish_message(self.message(depth - 1, topic, is_asked=False), TopicId(topic, "k"))
            case 11 if random.random() < 0.2:
                raise ZeroDivisionError
            case _:
                return

    def ask(self, agent: ClosureContext, depth: int) -> tuple[Request, Coroutine[Any, Any, int]]:
        target = self.random.choice(self.agents)
        message = self.message(depth - 1, target, is_asked=True)
        request = self.messages[message[0]]
        request.sending = self.send(agent.send_message, message, target)
        return request, request.sending

    async def send(self, send: Callable[..., Awaitable[Any]], message: tuple[int, int], target: str) -> int:
        """A request, whose outcome is recorded."""
        random, number = self.random, message[0]
        token = CancellationToken()
        if random.random() < 0.1:
            asyncio.get_running_loop().call_later(random.choice((0, 0.5, 1, 2)), token.cancel)
        timeout = random.choice((1, 2, 5)) if random.random() < 0.15 else None
        try:
            answer = await send(message, AgentId(target, "k"), cancellation_token=token, timeout=timeout)
        except BaseException as error:
            self.outcomes.setdefault(number, []).append(type(error).__name__)
            raise
        self.outcomes.setdefault(number, []).append("answered")
        if answer != number:
            self.complaints.append(f"{number} was answered with {answer}")
        return answer

    @contextmanager
    def awaiting(self, requests: list[Request]) -> Generator[None]:
        """What is inside awaits all of these, for the handler that runs here."""
        handling = here.get()
        assert handling is not None
        handling.awaits.update(requests)
        try:
            yield
        finally:
            handling.awaits.difference_update(requests)
            handling.gave_up = handling.gave_up or any(not one.is_over for one in requests)


class Deliberating(DefaultInterventionHandler):
    """Takes its time over some messages and answers, and drops some."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def on_send(self, message: Any, *, message_context: MessageContext, recipient: AgentId) -> Any:
        request = self._world.messages[message[0]]
        request.is_held_up = True
        decision = await self._decide(message)
        request.is_held_up = False
        return decision

    async def on_response(self, message: Any, *, sender: AgentId, recipient: AgentId | None) -> Any:
        return await self._decide(message)

    async def _decide(self, message: Any) -> Any:
        random = self._world.random
        if random.random() < 0.2:
            await asyncio.sleep(random.choice((0, 0.5, 1, 3)))
            return DropMessage if random.random() < 0.2 else message
        return message


Asked = list[tuple[Request, Coroutine[Any, Any, int]]]


async def _await(task: Awaitable[Any]) -> Any:
    return await task


async def _helped(task: Awaitable[Any]) -> Any:
    return await asyncio.create_task(_await(task))


async def _directly(world: World, asked: Asked) -> None:
    for request, sending in asked:
        with world.awaiting([request]):
            await sending


async def _with_a_limit(world: World, asked: Asked) -> None:
    for request, sending in asked:
        with world.awaiting([request]):
            await asyncio.wait_for(sending, world.random.choice((1, 5, 1000)))


async def _gathered(world: World, asked: Asked) -> None:
    with world.awaiting([request for request, _ in asked]):
        await asyncio.gather(*(sending for _, sending in asked), return_exceptions=world.random.random() < 0.5)


async def _shielded(world: World, asked: Asked) -> None:
    tasks = [asyncio.ensure_future(sending) for _, sending in asked]
    world.background += tasks
    with world.awaiting([request for request, _ in asked]):
        await asyncio.gather(*(asyncio.shield(task) for task in tasks))


async def _grouped(world: World, asked: Asked) -> None:
    with world.awaiting([request for request, _ in asked]):
        async with asyncio.TaskGroup() as group:
            for _, sending in asked:
                group.create_task(sending)


async def _waited_for(world: World, asked: Asked) -> None:
    tasks = [asyncio.ensure_future(sending) for _, sending in asked]
    world.background += tasks
    with world.awaiting([request for request, _ in asked]):
        await asyncio.wait(tasks, timeout=world.random.choice((None, None, 1)))


async def _by_a_helper(world: World, asked: Asked) -> None:
    async def help_out() -> None:
        tasks = [asyncio.ensure_future(sending) for _, sending in asked]
        world.background += tasks
        await asyncio.sleep(world.random.choice((0, 1)))
        await asyncio.gather(*tasks)

    with world.awaiting([request for request, _ in asked]):
        await asyncio.create_task(help_out())


WAYS: list[Callable[[World, Asked], Awaitable[None]]] = [
    _directly,
    _directly,
    _with_a_limit,
    _gathered,
    _shielded,
    _grouped,
    _waited_for,
    _by_a_helper,
]


@pytest.mark.timeout(3600)  # of ten thousand seeds; two hundred take seconds
@simulated(seeds=range(200))
async def test_random_topologies_neither_hang_nor_report_circles_that_are_none() -> None:
    world = World(Random(current_seed()))
    random = world.random
    handlers = [Deliberating(world)] if random.random() < 0.3 else None
    runtime = SingleThreadedAgentRuntime(ignore_unhandled_exceptions=True, intervention_handlers=handlers)
    for name in world.agents:
        await add_agent(runtime, name, world.handle, name)
    runtime.start()
    requests: Tasks = []
    with pytest.MonkeyPatch.context() as patch:
        made = DeadlockError.__init__

        def make(self: DeadlockError, text: str) -> None:
            made(self, text)
            world.examine_report(text)

        patch.setattr(DeadlockError, "__init__", make)
        for _ in range(random.randint(1, 10)):
            name = random.choice(world.agents)
            if random.random() < 0.2:
                await runtime.publish_message(world.message(3, name, is_asked=False), TopicId(name, "k"))
            else:
                message = world.message(3, name, is_asked=True)
                sending = world.messages[message[0]].sending = world.send(runtime.send_message, message, name)
                requests.append(asyncio.create_task(sending))
            if requests and random.random() < 0.1:
                random.choice(requests).cancel()
            await asyncio.sleep(random.choice((0, 0, 0, 0.5, 1)))
        if random.random() < 0.2:
            await asyncio.sleep(random.choice((0, 1, 2)))
            await runtime.stop()
        else:
            async with asyncio.timeout(100_000):
                await runtime.stop_when_idle()
        assert runtime.unprocessed_messages_count == 0
        async with asyncio.timeout(100):
            await runtime.close()  # answers what the background has sent after the stop
            outcomes = await asyncio.gather(*requests, *world.background, return_exceptions=True)
    for request in world.messages.values():
        if request.sending is not None:
            request.sending.close()  # of those that were never sent
    assert not world.complaints
    assert not [one for one in outcomes if not isinstance(one, (int, *NAMED_ENDS))]
    assert sorted(world.begun) == sorted(set(world.begun)) == sorted(world.ended)
    assert all(len(ends) == 1 for ends in world.outcomes.values())
