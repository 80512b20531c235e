"""What is about real time and real threads, and so cannot be simulated."""

import asyncio
import gc
import logging
import threading
import weakref
from typing import Any

import pytest
from tests.support.agents import WAIT, Answer, Ask, Door, MakeRuntime, add_agent, answer, let_others_run, started

from symposia.core import AgentId, CancellationToken, ClosureContext, MessageContext, RoutedAgent, message_handler
from symposia.core.exceptions import DeadlineExceededError


class Kept(Ask):
    """A message that is not to be kept."""


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

    async def test_a_request_that_waits_for_a_start_that_does_not_come_is_logged_once(
        self, make_runtime: MakeRuntime, caplog: pytest.LogCaptureFixture
    ) -> None:
        def warnings() -> list[str]:
            return [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]

        runtime = make_runtime()
        agent = await add_agent(runtime, "echo", answer)
        with pytest.raises(DeadlineExceededError):
            await runtime.send_message(Ask("given up"), agent, timeout=0.001)
        requests = [asyncio.create_task(runtime.send_message(Ask("kept"), agent)) for _ in range(3)]
        async with asyncio.timeout(WAIT):
            while not warnings():
                await asyncio.wait(requests, timeout=0.05)
        assert warnings() == ["Requests wait for a runtime that is not started: call its start() method."]
        runtime.start()
        assert await asyncio.gather(*requests) == [Answer("kept")] * 3
        await runtime.stop()
        later = asyncio.create_task(runtime.send_message(Ask("later"), agent))
        await let_others_run()
        runtime.start()
        assert await later == Answer("later")
        await runtime.close()
        assert len(warnings()) == 1

    # When a simulated loop lets go of what it has run differs between versions of Python.
    @pytest.mark.parametrize("queued", [True, False])
    @pytest.mark.parametrize("how", ["token", "task", "deadline"])
    async def test_d10_a_message_that_is_given_up_is_freed_without_the_garbage_collector(
        self, make_runtime: MakeRuntime, how: str, queued: bool
    ) -> None:
        """What the runtime reads of a message, on its way to an agent, is freed as the message itself is."""
        read: list[weakref.ref[Kept]] = []
        door, token = Door(), CancellationToken()

        async def stay(agent: ClosureContext, message: Any, ctx: MessageContext) -> Answer:
            if isinstance(message, Kept):
                read.append(weakref.ref(message))
            return await door(agent, message, ctx)

        async with started(make_runtime()) as runtime:
            agent = await add_agent(runtime, "busy", stay)
            first = asyncio.create_task(runtime.send_message(Ask("first"), agent))
            await door.entered.wait()
            sent: list[weakref.ref[Kept]] = []

            async def send(key: int) -> object:
                message = Kept("given up")
                sent.append(weakref.ref(message))
                recipient = agent if queued else AgentId("busy", f"other {key}")
                timeout = 0.01 if how == "deadline" else None
                return await runtime.send_message(message, recipient, timeout=timeout, cancellation_token=token)

            gc.disable()
            try:
                tasks = [asyncio.create_task(send(key)) for key in range(10)]
                await let_others_run()
                if how == "token":
                    token.cancel()
                elif how == "task":
                    _ = [task.cancel() for task in tasks]  # no loop, whose variable would keep the last task
                await asyncio.wait(tasks)
                errors = {type(task.exception()) for task in tasks if not task.cancelled()}
                assert errors == ({DeadlineExceededError} if how == "deadline" else set())
                tasks.clear()
                await let_others_run()  # the event loop keeps what it has called last
                assert [message() for message in sent + read] == [None] * (10 if queued else 20)
            finally:
                gc.enable()
            door.opened.set()
            assert await first == Answer("first")
