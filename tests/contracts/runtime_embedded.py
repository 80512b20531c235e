"""What some runtimes offer besides the contract: each offer is a class, and a runtime declares it by its bases."""

import asyncio
import logging
import threading
import time
from contextvars import ContextVar
from typing import Any

import pytest
from tests.contracts.runtime_delivery import Counter
from tests.support.agents import WAIT, Answer, Ask, Door, MakeRuntime, add_agent, started

from symposia.core import AgentId, BaseAgent, ClosureContext, MessageContext, RoutedAgent, TopicId, message_handler

mood: ContextVar[str] = ContextVar("mood", default="calm")


class Blocking(RoutedAgent):
    @message_handler
    async def on_ask(self, message: Ask, ctx: MessageContext) -> None:
        until = time.monotonic() + float(message.text)
        while time.monotonic() < until:
            pass


class SharedContext:
    """Of runtimes in one process: between processes, no envelope could carry the context variables of a program."""

    async def test_handlers_run_in_a_copy_of_their_senders_context(self, make_runtime: MakeRuntime) -> None:
        seen: list[str] = []

        async def look(_agent: ClosureContext, _message: Any, _ctx: MessageContext) -> None:
            seen.append(mood.get())
            mood.set("changed by the handler")

        async with started(make_runtime()) as runtime:
            agent = await add_agent(runtime, "looker", look, "news")
            mood.set("curious")
            await runtime.publish_message(Ask(), TopicId("news", "new"))  # makes the agent
            await runtime.send_message(Ask(), agent)
            await runtime.publish_message(Ask(), TopicId("news", "k"))
            mood.set("later")
            await runtime.stop_when_idle()
        assert seen == ["curious"] * 3
        assert mood.get() == "later"


class Eviction:
    """Of runtimes that let go of idle agents: the options `max_idle_agents` and `max_idle_seconds`."""

    async def test_f09_an_idle_agent_is_evicted_and_comes_back_as_it_was(self, make_runtime: MakeRuntime) -> None:
        class Evicted(Counter):
            instances = 0
            closed = 0

            async def close(self) -> None:
                type(self).closed += 1

        async with started(make_runtime(max_idle_agents=10)) as runtime:
            await Evicted.register(runtime, "counter", Evicted)
            for number in range(200):
                await runtime.send_message(Ask(), AgentId("counter", str(number)))
            assert await runtime.send_message(Ask(), AgentId("counter", "0")) == 2
            await runtime.stop_when_idle()
            assert Evicted.instances == 201
            assert Evicted.closed >= 190
            assert len(await runtime.save_state()) == 200

    async def test_f09_an_agent_is_evicted_when_it_was_idle_for_so_long(self, make_runtime: MakeRuntime) -> None:
        gone = asyncio.Event()

        class Evicted(Counter):
            async def close(self) -> None:
                gone.set()

        async with started(make_runtime(max_idle_seconds=0.001)) as runtime:
            await Evicted.register(runtime, "counter", Evicted)
            await runtime.send_message(Ask(), AgentId("counter", "k"))
            await gone.wait()
            assert await runtime.send_message(Ask(), AgentId("counter", "k")) == 2

    async def test_d20_an_eviction_that_a_stop_interrupts_leaves_nothing_behind(
        self, make_runtime: MakeRuntime
    ) -> None:
        saving = asyncio.Event()
        unretrieved: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _loop, context: unretrieved.append(context))

        class SlowToSave(BaseAgent):
            count = 0

            async def on_message_impl(self, message: Any, ctx: MessageContext) -> int:
                self.count += 1
                return self.count

            async def save_state(self) -> dict[str, Any]:
                if not saving.is_set():
                    saving.set()
                    await asyncio.Event().wait()
                return {"count": self.count}

            async def load_state(self, state: Any) -> None:
                self.count = state["count"]

        async with started(make_runtime(max_idle_agents=0)) as runtime:
            await SlowToSave.register(runtime, "slow", lambda: SlowToSave("slow to save"))
            await runtime.send_message(Ask(), AgentId("slow", "k"))
            await saving.wait()
            await runtime.stop()
            runtime.start()
            assert await runtime.send_message(Ask(), AgentId("slow", "k")) == 2
            await runtime.stop_when_idle()
            runtime.start()
        assert not unretrieved


class LoopGuard:
    """Of runtimes that watch their event loop in real time: the option `max_blocking_seconds`."""

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
        assert "runtime_embedded.py, line" in caplog.text


class OtherLoops:
    """Of runtimes that take messages from event loops of other threads and handle them in their own."""

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
