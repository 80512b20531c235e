"""What is about real time and real threads, and so cannot be simulated."""

import asyncio
import logging
import threading
import time
from typing import Any

import pytest
from tests.support.agents import WAIT, Answer, Ask, Door, MakeRuntime, add_agent, answer, started

from symposia.core import AgentId, CancellationToken, MessageContext, RoutedAgent, TopicId, message_handler


class Blocking(RoutedAgent):
    @message_handler
    async def on_ask(self, message: Ask, ctx: MessageContext) -> None:
        until = time.monotonic() + float(message.text)
        while time.monotonic() < until:
            pass


class Stubborn(RoutedAgent):
    """Its plain function stays in its thread whatever happens to the request."""

    def __init__(self) -> None:
        super().__init__("stubborn")
        self.entered = threading.Event()
        self.let_go = threading.Event()
        self.order: list[str] = []

    @message_handler
    def on_ask(self, message: Ask, ctx: MessageContext) -> None:
        self.order.append(f"{message.text} begins")
        self.entered.set()
        self.let_go.wait(WAIT)
        self.order.append(f"{message.text} ends")


class RealTimeContract:
    # The loop guard measures how long the loop stands still, in real time.
    async def test_a_handler_that_blocks_the_event_loop_is_named_with_its_line(
        self, make_runtime: MakeRuntime, caplog: pytest.LogCaptureFixture
    ) -> None:
        async with started(make_runtime(max_blocking_seconds=0.05)) as runtime:
            await Blocking.register(runtime, "blocking", lambda: Blocking("blocks"))
            with caplog.at_level(logging.WARNING):
                await runtime.send_message(Ask("0.3"), AgentId("blocking", "k"))
        assert "Agent blocking/k blocks the event loop" in caplog.text
        assert "Blocking.on_ask" in caplog.text
        assert "runtime_real_time.py, line" in caplog.text

    # Its thread waits for what the test does meanwhile: a simulation would stand still for it, to its patience's end.
    async def test_an_agent_waits_for_the_thread_of_a_cancelled_plain_function(self, make_runtime: MakeRuntime) -> None:
        agent = Stubborn()
        async with started(make_runtime()) as runtime:
            agent_id = await agent.register_instance(runtime, AgentId("stubborn", "k"))
            token = CancellationToken()
            first = asyncio.create_task(runtime.send_message(Ask("first"), agent_id, cancellation_token=token))
            await asyncio.to_thread(agent.entered.wait, WAIT)
            second = asyncio.create_task(runtime.send_message(Ask("second"), agent_id))
            token.cancel()
            with pytest.raises(asyncio.CancelledError):
                await first
            assert agent.order == ["first begins"]
            agent.let_go.set()
            await second
        assert agent.order == ["first begins", "first ends", "second begins", "second ends"]

    # Another thread's loop runs in real time.
    async def test_d25_requests_from_the_loop_of_another_thread_are_answered(self, make_runtime: MakeRuntime) -> None:
        door, cancelled = Door(), threading.Event()
        async with started(make_runtime()) as runtime:
            agent = await add_agent(runtime, "slow", door, "news")

            async def ask_and_publish() -> Any:
                await runtime.publish_message(Ask("published"), TopicId("news", "k"))
                asked = [asyncio.create_task(runtime.send_message(Ask(text), agent)) for text in ("a", "b", "c")]
                await asyncio.sleep(0)
                asked[1].cancel()
                await asyncio.wait([asked[1]])
                cancelled.set()
                return await asyncio.gather(*asked, return_exceptions=True)

            answers = asyncio.create_task(asyncio.to_thread(asyncio.run, ask_and_publish()))
            await asyncio.to_thread(cancelled.wait, WAIT)
            door.opened.set()
            first, second, third = await answers
            assert (first, third) == (Answer("a"), Answer("c"))
            assert isinstance(second, asyncio.CancelledError)
            await asyncio.to_thread(asyncio.run, runtime.stop_when_idle())
            runtime.start()
        assert door.entries == 3

    async def test_d25_a_runtime_may_be_used_in_one_loop_after_the_other(self, make_runtime: MakeRuntime) -> None:
        runtime = make_runtime()
        agent = await add_agent(runtime, "echo", answer)
        await runtime.close()

        def use_twice() -> None:
            other = make_runtime()

            async def use() -> None:
                if not registered:
                    registered.append(await add_agent(other, "echo", answer))
                other.start()
                assert await other.send_message(Ask("again"), agent) == Answer("again")
                await other.stop_when_idle()

            registered: list[AgentId] = []
            for _ in range(2):
                asyncio.run(use())

        await asyncio.to_thread(use_twice)
