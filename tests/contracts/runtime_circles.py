"""Who waits for whom: every circle of awaits is found, and nothing else is taken for one."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import Any

import pytest
from tests.support.agents import (
    Answer,
    Ask,
    Door,
    MakeRuntime,
    StartedRuntime,
    add_agent,
    answer,
    let_others_run,
    started,
)

from symposia.core import AgentId, BaseAgent, ClosureAgent, ClosureContext, DefaultInterventionHandler, MessageContext
from symposia.core.exceptions import DeadlockError

Request = Coroutine[Any, Any, Any]


async def _directly(request: Request) -> Any:
    return await request


async def _with_a_limit(request: Request) -> Any:
    return await asyncio.wait_for(request, 60)


async def _shielded(request: Request) -> Any:
    return await asyncio.shield(request)


async def _gathered_with_others(request: Request) -> Any:
    return (await asyncio.gather(asyncio.sleep(0), request))[1]


async def _grouped(request: Request) -> Any:
    async with asyncio.TaskGroup() as group:
        task = group.create_task(request)
    return task.result()


async def _waited_for(request: Request) -> Any:
    done, _ = await asyncio.wait([asyncio.ensure_future(request)])
    return done.pop().result()


async def _waited_for_until_the_first_is_done(request: Request) -> Any:
    task = asyncio.ensure_future(request)
    done, _ = await asyncio.wait([task], return_when=asyncio.FIRST_COMPLETED)
    return done.pop().result()


async def _as_completed(request: Request) -> Any:
    (answered,) = [await one for one in asyncio.as_completed([request])]
    return answered


async def _by_a_helper(request: Request) -> Any:
    async def helper() -> Any:
        return await asyncio.shield(request)

    return await asyncio.create_task(helper())


async def _later(request: Request) -> Any:
    background = asyncio.create_task(request)
    await let_others_run()
    return await background


async def _later_by_a_helper(request: Request) -> Any:
    async def helper() -> Any:
        return await _later(request)

    return await asyncio.create_task(helper())


WAYS = [
    _directly,
    _with_a_limit,
    _shielded,
    _gathered_with_others,
    _grouped,
    _waited_for,
    _waited_for_until_the_first_is_done,
    _as_completed,
    _by_a_helper,
    _later,
    _later_by_a_helper,
]
"""The ways to await a request."""


def _is_deadlock(outcome: Any) -> bool:
    errors = getattr(outcome, "exceptions", (outcome,))
    return any(isinstance(error, DeadlockError) for error in errors)


class Slow(DefaultInterventionHandler):
    """Takes its time over one answer, or drops one message after a while."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.decided = asyncio.Event()

    async def on_response(self, message: Any, *, sender: AgentId, recipient: AgentId | None) -> Any:
        if message == "slow":
            self.asked.set()
            await self.decided.wait()
        return message


class CirclesContract:
    async def test_d01_a_circle_through_a_handler_that_has_not_waited_yet_is_found(
        self, make_runtime: MakeRuntime
    ) -> None:
        both = asyncio.Barrier(2)

        async def ask(agent: ClosureContext, message: Any, _ctx: MessageContext) -> Any:
            if message == "leaf":
                return "answered"
            if agent.id.type == "middle":
                return await agent.send_message("leaf", AgentId("second", "k"))
            await both.wait()
            if agent.id.type == "first":
                return await agent.send_message("on", AgentId("middle", "k"))
            return await agent.send_message("leaf", AgentId("first", "k"))

        async with started(make_runtime()) as runtime:
            first, second = await add_agent(runtime, "first", ask), await add_agent(runtime, "second", ask)
            await add_agent(runtime, "middle", ask)
            outcomes = await asyncio.gather(
                *(runtime.send_message("go", agent) for agent in (first, second)), return_exceptions=True
            )
        assert sum(_is_deadlock(outcome) for outcome in outcomes) == 1
        assert "answered" in outcomes

    @pytest.mark.parametrize("wait", WAYS)
    async def test_d19_a_circle_is_found_however_the_request_is_awaited(
        self, make_runtime: MakeRuntime, wait: Callable[[Request], Awaitable[Any]]
    ) -> None:
        both = asyncio.Barrier(2)

        async def ask_the_other(agent: ClosureContext, message: Any, _ctx: MessageContext) -> Any:
            if message == "from the other":
                return "answered"
            await both.wait()
            return await wait(agent.send_message("from the other", AgentId("b" if agent.id.type == "a" else "a", "k")))

        async with started(make_runtime()) as runtime:
            agents = [await add_agent(runtime, name, ask_the_other) for name in "ab"]
            requests = (runtime.send_message("from outside", agent) for agent in agents)
            outcomes = await asyncio.gather(*requests, return_exceptions=True)
        assert "answered" in outcomes
        assert sum(_is_deadlock(outcome) for outcome in outcomes) == 1

    @pytest.mark.parametrize("wait", WAYS)
    async def test_d19_a_request_that_comes_back_runs_inside_however_it_is_awaited(
        self, make_runtime: MakeRuntime, wait: Callable[[Request], Awaitable[Any]]
    ) -> None:
        async def ask(agent: ClosureContext, message: Any, _ctx: MessageContext) -> Any:
            if message == "back":
                return "inside"
            message, other = ("there", "b") if message == "go" else ("back", "a")
            return await wait(agent.send_message(message, AgentId(other, "k")))

        async with started(make_runtime()) as runtime:
            agent = await add_agent(runtime, "a", ask)
            await add_agent(runtime, "b", ask)
            assert await runtime.send_message("go", agent) == "inside"

    async def test_d16_a_request_from_the_background_comes_back_once_it_is_awaited(
        self, make_runtime: MakeRuntime
    ) -> None:
        order: list[str] = []

        async def a(agent: ClosureContext, message: Any, _ctx: MessageContext) -> None:
            order.append(f"{message} begins")
            if message == "go":
                background = asyncio.create_task(agent.send_message("there", AgentId("b", "k")))
                await let_others_run()
                order.append("awaits")
                await background
            order.append(f"{message} ends")

        async def b(agent: ClosureContext, _message: Any, _ctx: MessageContext) -> None:
            await agent.send_message("back", AgentId("a", "k"))

        async with started(make_runtime()) as runtime:
            agent = await add_agent(runtime, "a", a)
            await add_agent(runtime, "b", b)
            await runtime.send_message("go", agent)
        assert order == ["go begins", "awaits", "back begins", "back ends", "go ends"]

    async def test_d16_a_request_from_the_background_that_is_never_awaited_comes_back_after_its_handler(
        self, make_runtime: MakeRuntime
    ) -> None:
        order: list[str] = []
        background = list[asyncio.Task[Any]]()

        async def a(agent: ClosureContext, message: Any, _ctx: MessageContext) -> None:
            order.append(f"{message} begins")
            if message == "go":
                background.append(asyncio.create_task(agent.send_message("there", AgentId("b", "k"))))
                await let_others_run()
            order.append(f"{message} ends")

        async def b(agent: ClosureContext, _message: Any, _ctx: MessageContext) -> None:
            await agent.send_message("back", AgentId("a", "k"))

        async with started(make_runtime()) as runtime:
            agent = await add_agent(runtime, "a", a)
            await add_agent(runtime, "b", b)
            await runtime.send_message("go", agent)
            await background[0]
        assert order == ["go begins", "go ends", "back begins", "back ends"]

    async def test_d16_a_request_whose_sender_stops_awaiting_it_keeps_its_place_in_the_queue(
        self, make_runtime: MakeRuntime
    ) -> None:
        order: list[str] = []
        door, given_up = Door(), asyncio.Event()
        waiting = list[asyncio.Task[Any]]()

        async def a(agent: ClosureContext, message: Any, ctx: MessageContext) -> None:
            order.append(message)
            if message == "go":
                kept = [asyncio.ensure_future(agent.send_message("there", AgentId(name, "k"))) for name in "bc"]
                waiting.append(asyncio.create_task(asyncio.wait(kept)))
                with suppress(asyncio.CancelledError):
                    await waiting[0]
                order.append("given up")
                given_up.set()
                await asyncio.wait(kept[:1])
            elif message == "back from b":
                await door(agent, Ask(), ctx)

        async def relay(agent: ClosureContext, _message: Any, _ctx: MessageContext) -> None:
            if agent.id.type == "c":
                await door.entered.wait()
            await agent.send_message(f"back from {agent.id.type}", AgentId("a", "k"))

        async with started(make_runtime()) as runtime:
            agent = await add_agent(runtime, "a", a)
            for name in "bc":
                await add_agent(runtime, name, relay)
            request = asyncio.create_task(runtime.send_message("go", agent))
            await door.entered.wait()
            await let_others_run()
            waiting[0].cancel()
            await given_up.wait()
            later = asyncio.create_task(runtime.send_message("from outside", agent))
            await let_others_run()
            door.opened.set()
            await asyncio.gather(request, later)
            await runtime.stop_when_idle()
            runtime.start()
        assert order == ["go", "back from b", "given up", "back from c", "from outside"]

    async def test_d05_an_answer_on_which_an_intervention_handler_deliberates_is_no_wait_for_its_agent(
        self, make_runtime: MakeRuntime
    ) -> None:
        slow = Slow()

        async def ask(agent: ClosureContext, message: Any, _ctx: MessageContext) -> Any:
            match agent.id.type, message:
                case "a", "go":
                    return await agent.send_message("work", AgentId("b", "k"))
                case "b", "work":
                    return "slow"
                case "b", "go":
                    return await agent.send_message("ping", AgentId("a", "k"))
                case _:
                    return "pong"

        async with started(make_runtime(intervention_handlers=[slow])) as runtime:
            a, b = await add_agent(runtime, "a", ask), await add_agent(runtime, "b", ask)
            first = asyncio.create_task(runtime.send_message("go", a))
            await slow.asked.wait()
            second = asyncio.create_task(runtime.send_message("go", b))
            await let_others_run()
            slow.decided.set()
            first_answer, second_answer = await asyncio.gather(first, second)
        assert (first_answer, second_answer) == ("slow", "pong")

    async def test_d18_a_factory_that_asks_its_own_agent_is_a_circle(self, make_runtime: MakeRuntime) -> None:
        runtime: StartedRuntime = make_runtime()

        async def factory() -> BaseAgent:
            await runtime.send_message(Ask(), AgentId("own", "k"))
            raise AssertionError("the request can have no answer")

        async with started(runtime):
            await ClosureAgent.register(runtime, "own", factory)  # type: ignore[arg-type]  # it never returns
            with pytest.raises(DeadlockError, match="own/k → own/k"):
                await runtime.send_message(Ask(), AgentId("own", "k"))

    async def test_d18_factories_that_ask_each_others_agents_are_a_circle(self, make_runtime: MakeRuntime) -> None:
        runtime: StartedRuntime = make_runtime()
        both = asyncio.Barrier(2)
        made = list[str]()

        def factory_asking(other: str) -> Callable[[], Awaitable[ClosureAgent]]:
            async def factory() -> ClosureAgent:
                made.append(other)
                if len(made) <= 2:
                    await both.wait()
                await runtime.send_message(Ask(), AgentId(other, "k"))
                return ClosureAgent("made", answer)

            return factory

        async with started(runtime):
            await ClosureAgent.register(runtime, "left", factory_asking("right"))
            await ClosureAgent.register(runtime, "right", factory_asking("left"))
            outcomes = await asyncio.gather(
                *(runtime.send_message(Ask(), AgentId(name, "k")) for name in ("left", "right")),
                return_exceptions=True,
            )
        assert any(isinstance(outcome, DeadlockError) for outcome in outcomes)
        assert all(isinstance(outcome, DeadlockError | Answer) for outcome in outcomes)
