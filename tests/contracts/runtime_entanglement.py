"""Requests that are gathered, grouped, sent to the background or to another runtime keep every promise."""

import asyncio
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

from symposia.core import (
    AgentId,
    BaseAgent,
    CancellationToken,
    ClosureContext,
    MessageContext,
    TopicId,
    TypeSubscription,
)
from symposia.core.exceptions import DeadlockError, RuntimeStoppedError


async def _gathered(agent: ClosureContext, other: AgentId) -> Any:
    return (await asyncio.gather(agent.send_message("from the other", other)))[0]


async def _grouped(agent: ClosureContext, other: AgentId) -> Any:
    async with asyncio.TaskGroup() as group:
        request = group.create_task(agent.send_message("from the other", other))
    return request.result()


async def _in_a_task(agent: ClosureContext, other: AgentId) -> Any:
    return await asyncio.create_task(agent.send_message("from the other", other))


class SlowToMake(BaseAgent):
    """Handles several messages at once, and takes a while to make."""

    concurrent = True

    def __init__(self) -> None:
        super().__init__("slow to make")
        self._both = asyncio.Barrier(2)

    async def on_message_impl(self, message: Any, ctx: MessageContext) -> None:
        await self._both.wait()


class EntanglementContract:
    @pytest.mark.parametrize("ask", [_gathered, _grouped, _in_a_task])
    async def test_a_circle_through_tasks_that_a_handler_awaits_is_found(
        self, make_runtime: MakeRuntime, ask: Any
    ) -> None:
        both = asyncio.Barrier(2)

        async def ask_the_other(agent: ClosureContext, message: Any, _ctx: MessageContext) -> Any:
            if message == "from the other":
                return "answered"
            await both.wait()
            return await ask(agent, AgentId("b" if agent.id.type == "a" else "a", "k"))

        async with started(make_runtime()) as runtime:
            agents = [await add_agent(runtime, name, ask_the_other) for name in "ab"]
            requests = (runtime.send_message("from outside", agent) for agent in agents)
            outcomes = await asyncio.gather(*requests, return_exceptions=True)
        assert "answered" in outcomes
        assert len([outcome for outcome in outcomes if _is_deadlock(outcome)]) == 1

    async def test_a_request_in_the_background_closes_no_circle(self, make_runtime: MakeRuntime) -> None:
        both = asyncio.Barrier(2)
        background: list[asyncio.Task[Any]] = []

        async def ask_later(agent: ClosureContext, message: Any, _ctx: MessageContext) -> str:
            if message == "from outside":
                background.append(asyncio.create_task(agent.send_message("later", AgentId("b", "k"))))
                await both.wait()
            return f"{agent.id.type} {message}"

        async def ask_now(agent: ClosureContext, message: Any, _ctx: MessageContext) -> str:
            if message == "from outside":
                await both.wait()
                await agent.send_message("now", AgentId("a", "k"))
            return f"{agent.id.type} {message}"

        async with started(make_runtime()) as runtime:
            a, b = await add_agent(runtime, "a", ask_later), await add_agent(runtime, "b", ask_now)
            outcomes = await asyncio.gather(*(runtime.send_message("from outside", agent) for agent in (a, b)))
            assert outcomes == ["a from outside", "b from outside"]
            assert await background[0] == "b later"

    async def test_a_handler_that_cancels_its_own_token_cancels_itself(self, make_runtime: MakeRuntime) -> None:
        async def cancel(_agent: ClosureContext, _message: Any, ctx: MessageContext) -> None:
            await asyncio.sleep(0)
            ctx.cancellation_token.cancel()

        async with started(make_runtime()) as runtime:
            agent = await add_agent(runtime, "a", cancel)
            with pytest.raises(asyncio.CancelledError):
                await runtime.send_message(Ask(), agent, cancellation_token=CancellationToken())
            await let_others_run()  # a cancellation that was left over would strike here

    async def test_publications_to_a_concurrent_agent_are_let_in_once_it_is_made(
        self, make_runtime: MakeRuntime
    ) -> None:
        made = asyncio.Event()

        async def make() -> SlowToMake:
            await made.wait()
            return SlowToMake()

        async with started(make_runtime()) as runtime:
            await SlowToMake.register(runtime, "slow", make)
            await runtime.add_subscription(TypeSubscription("topic", "slow"))
            request = asyncio.create_task(runtime.send_message(Ask(), AgentId("slow", "k")))
            await asyncio.sleep(0)
            await runtime.publish_message(Ask(), TopicId("topic", "k"))
            made.set()
            await request
            await runtime.stop_when_idle()
            runtime.start()

    async def test_a_runtime_inside_a_handler_of_another_one_is_stopped_on_its_own(
        self, make_runtime: MakeRuntime
    ) -> None:
        door = Door()
        inner = make_runtime()
        inside = await add_agent(inner, "inside", door)

        async def ask_inside(_agent: ClosureContext, message: Any, _ctx: MessageContext) -> Any:
            try:
                return await inner.send_message(message, inside)
            except RuntimeStoppedError:
                return "stopped"

        async with started(make_runtime()) as outer:
            agent = await add_agent(outer, "a", ask_inside)
            request = asyncio.create_task(outer.send_message(Ask(), agent))
            await let_others_run()
            assert door.entries == 0, "the inner runtime is not started"
            inner.start()
            await door.entered.wait()
            await inner.stop()
            assert await request == "stopped"

    async def test_a_held_request_may_be_cancelled_before_the_start(self, make_runtime: MakeRuntime) -> None:
        runtime = make_runtime()
        agent = await add_agent(runtime, "a", answer)
        request = asyncio.create_task(runtime.send_message(Ask(), agent))
        await asyncio.sleep(0)
        request.cancel()
        async with started(runtime):
            assert await runtime.send_message(Ask("next"), agent) == Answer("next")
            await runtime.stop_when_idle()
            runtime.start()

    async def test_stopping_and_cancelling_at_once_settles_everything(self, make_runtime: MakeRuntime) -> None:
        runtime: StartedRuntime
        door = Door()
        token = CancellationToken()

        async def relay(agent: ClosureContext, message: Any, _ctx: MessageContext) -> Any:
            return await agent.send_message(message, AgentId("door", "k"))

        async with started(make_runtime()) as runtime:
            await add_agent(runtime, "door", door)
            relays = [await add_agent(runtime, f"relay{n}", relay) for n in range(3)]
            requests = [
                asyncio.create_task(runtime.send_message(Ask(), agent, cancellation_token=token)) for agent in relays
            ]
            await door.entered.wait()
            token.cancel()
            await runtime.stop()
            outcomes = await asyncio.gather(*requests, return_exceptions=True)
            assert all(isinstance(one, asyncio.CancelledError | RuntimeStoppedError) for one in outcomes)
            runtime.start()


def _is_deadlock(outcome: Any) -> bool:
    """Whether an outcome is, or a task group reports, a circle of agents."""
    errors = getattr(outcome, "exceptions", (outcome,))
    return any(isinstance(error, DeadlockError) for error in errors)
