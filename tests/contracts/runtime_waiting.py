"""Waiting ends: call chains may come back, circles are found, deadlines hold."""

import asyncio
import math
from typing import Any

import pytest
from tests.support.agents import Answer, Ask, Door, MakeRuntime, add_agent, answer, let_others_run, started

from symposia.core import AgentId, BaseAgent, ClosureContext, MessageContext
from symposia.core.exceptions import DeadlineExceededError, DeadlockError


class Crowd(BaseAgent):
    """Handles its messages all at once, and lets them go when there are three."""

    concurrent = True

    def __init__(self) -> None:
        super().__init__("a crowd")
        self._three = asyncio.Event()
        self._here = 0

    async def on_message_impl(self, message: Any, ctx: MessageContext) -> int:
        self._here += 1
        if self._here == 3:
            self._three.set()
        await self._three.wait()
        return self._here


class WaitingContract:
    async def test_a_request_may_come_back_along_the_call_chain_that_awaits_it(self, make_runtime: MakeRuntime) -> None:
        async def ping(agent: ClosureContext, message: Any, _ctx: MessageContext) -> int:
            if message == 0:
                return 0
            return 1 + await agent.send_message(message - 1, AgentId("pong", "k"))

        async def pong(agent: ClosureContext, message: Any, _ctx: MessageContext) -> int:
            await asyncio.sleep(0)
            return 1 + await agent.send_message(message, AgentId("ping", "k"))

        async with started(make_runtime()) as runtime:
            agent = await add_agent(runtime, "ping", ping)
            await add_agent(runtime, "pong", pong)
            assert await runtime.send_message(3, agent) == 6

    async def test_a_call_chain_may_be_hundreds_of_calls_long(self, make_runtime: MakeRuntime) -> None:
        async def count_down(agent: ClosureContext, message: Any, _ctx: MessageContext) -> int:
            return 0 if message == 0 else 1 + await agent.send_message(message - 1, AgentId("chain", str(message)))

        async with started(make_runtime()) as runtime:
            agent = await add_agent(runtime, "chain", count_down)
            assert await runtime.send_message(500, agent) == 500

    async def test_other_messages_wait_while_a_chain_comes_back(self, make_runtime: MakeRuntime) -> None:
        order: list[str] = []
        door = Door()

        async def outer(agent: ClosureContext, message: Any, _ctx: MessageContext) -> None:
            order.append(message.text)
            if message.text == "outer":
                await agent.send_message(Ask(), AgentId("door", "k"))
                await agent.send_message(Ask("back"), AgentId("relay", "k"))
                order.append("outer ends")

        async def relay(agent: ClosureContext, message: Any, _ctx: MessageContext) -> None:
            await agent.send_message(message, AgentId("outer", "k"))

        async with started(make_runtime()) as runtime:
            agent = await add_agent(runtime, "outer", outer)
            await add_agent(runtime, "relay", relay)
            await add_agent(runtime, "door", door)
            first = asyncio.create_task(runtime.send_message(Ask("outer"), agent))
            await door.entered.wait()
            second = asyncio.create_task(runtime.send_message(Ask("stranger"), agent))
            await let_others_run()
            door.opened.set()
            await asyncio.gather(first, second)
        assert order == ["outer", "back", "outer ends", "stranger"]

    async def test_agents_that_wait_for_each_other_are_found_and_the_circle_is_drawn(
        self, make_runtime: MakeRuntime
    ) -> None:
        both = asyncio.Barrier(2)

        async def ask_the_other(agent: ClosureContext, message: Any, _ctx: MessageContext) -> Any:
            if message == "from the other":
                return "answered"
            await both.wait()
            return await agent.send_message("from the other", AgentId("b" if agent.id.type == "a" else "a", "k"))

        async with started(make_runtime()) as runtime:
            a = await add_agent(runtime, "a", ask_the_other)
            b = await add_agent(runtime, "b", ask_the_other)
            requests = (runtime.send_message("from outside", agent) for agent in (a, b))
            outcomes = await asyncio.gather(*requests, return_exceptions=True)
        answered, refused = sorted(outcomes, key=lambda outcome: isinstance(outcome, DeadlockError))
        assert answered == "answered"  # once the other had given up
        assert isinstance(refused, DeadlockError)
        assert any(circle in str(refused) for circle in ("a/k → b/k → a/k", "b/k → a/k → b/k"))

    async def test_a_class_may_handle_its_messages_all_at_once(self, make_runtime: MakeRuntime) -> None:
        async with started(make_runtime()) as runtime:
            await Crowd.register(runtime, "crowd", Crowd)
            requests = (runtime.send_message(Ask(), AgentId("crowd", "k")) for _ in range(3))
            assert await asyncio.gather(*requests) == [3, 3, 3]

    async def test_a_request_ends_at_its_deadline_and_its_handler_with_it(self, make_runtime: MakeRuntime) -> None:
        door = Door()
        async with started(make_runtime()) as runtime:
            agent = await add_agent(runtime, "slow", door)
            with pytest.raises(DeadlineExceededError, match="slow/k"):
                await runtime.send_message(Ask(), agent, timeout=0.01)
            assert door.cancelled.is_set()
            door.opened.set()
            assert await runtime.send_message(Ask("next"), agent, timeout=5) == Answer("next")

    async def test_a_callee_inherits_the_deadline_of_the_chain(self, make_runtime: MakeRuntime) -> None:
        door = Door()

        async def ask_slow(agent: ClosureContext, message: Any, _ctx: MessageContext) -> Any:
            return await agent.send_message(message, AgentId("slow", "k"), timeout=60)

        async with started(make_runtime()) as runtime:
            await add_agent(runtime, "slow", door)
            agent = await add_agent(runtime, "middle", ask_slow)
            with pytest.raises(DeadlineExceededError, match=r"middle/k.*slow/k"):
                await runtime.send_message(Ask(), agent, timeout=0.1)
            assert door.cancelled.is_set()

    async def test_a_deadline_holds_while_a_request_waits_for_its_turn(self, make_runtime: MakeRuntime) -> None:
        door = Door()
        async with started(make_runtime()) as runtime:
            agent = await add_agent(runtime, "slow", door)
            first = asyncio.create_task(runtime.send_message(Ask("first"), agent))
            await door.entered.wait()
            with pytest.raises(DeadlineExceededError):
                await runtime.send_message(Ask("second"), agent, timeout=0.01)
            door.opened.set()
            assert await first == Answer("first")
        assert door.entries == 1

    async def test_d24_a_deadline_that_is_no_number_is_refused_and_breaks_no_other(
        self, make_runtime: MakeRuntime
    ) -> None:
        door = Door()
        async with started(make_runtime()) as runtime:
            agent = await add_agent(runtime, "slow", door)
            for timeout in (float("nan"), 0.01, float("nan"), 0.005):
                error = ValueError if math.isnan(timeout) else DeadlineExceededError
                with pytest.raises(error):
                    await runtime.send_message(Ask(), agent, timeout=timeout)
        assert door.entries == 2

    async def test_an_answer_within_the_deadline_is_an_answer(self, make_runtime: MakeRuntime) -> None:
        async with started(make_runtime()) as runtime:
            agent = await add_agent(runtime, "echo", answer)
            assert await runtime.send_message(Ask("soon"), agent, timeout=5) == Answer("soon")
