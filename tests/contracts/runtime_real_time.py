"""What is about real time and real threads, and so cannot be simulated."""

import asyncio
import logging
import threading
import time

import pytest
from tests.support.agents import WAIT, Ask, MakeRuntime, started

from symposia.core import AgentId, CancellationToken, MessageContext, RoutedAgent, message_handler


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
