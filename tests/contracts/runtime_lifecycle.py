"""Starting, stopping and closing: from every phase there is a way on, whoever asks, and however often."""

import asyncio
from typing import Any

import pytest
from tests.support.agents import (
    WAIT,
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
    ClosureContext,
    DeadLetter,
    MessageContext,
    TopicId,
)
from symposia.core.exceptions import AgentError, RuntimeStoppedError, UndeliverableException


class Tidying:
    """A handler that takes a while to end when it is cancelled: until it is told to."""

    def __init__(self) -> None:
        self.entered = asyncio.Event()
        self.cancelled = asyncio.Event()
        self.tidied = asyncio.Event()

    async def __call__(self, _agent: ClosureContext, _message: Any, _ctx: MessageContext) -> None:
        self.entered.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.cancelled.set()
            await self.tidied.wait()


class Closing(BaseAgent):
    """Records that it was closed, and raises."""

    closed: list[str]

    def __init__(self, error: BaseException | None) -> None:
        super().__init__("is closed")
        self._error = error

    async def on_message_impl(self, message: Any, ctx: MessageContext) -> None:
        pass

    async def close(self) -> None:
        self.closed.append(self.id.key)
        if self._error is not None:
            raise self._error


class LifecycleContract:
    async def test_a_type_that_is_removed_is_unknown_and_can_be_registered_again(
        self, make_runtime: MakeRuntime
    ) -> None:
        async with started(make_runtime()) as runtime:
            agent = await add_agent(runtime, "quick", answer)
            assert await runtime.send_message(Ask("one"), agent) == Answer("one")
            await runtime.remove_agent_type("quick")
            with pytest.raises(UndeliverableException):
                await runtime.send_message(Ask("two"), agent)
            with pytest.raises(LookupError):
                await runtime.remove_agent_type("quick")
            agent = await add_agent(runtime, "quick", answer)
            assert await runtime.send_message(Ask("three"), agent) == Answer("three")

    async def test_a_message_that_is_handled_when_its_type_is_removed_is_answered(
        self, make_runtime: MakeRuntime
    ) -> None:
        door = Door()
        async with started(make_runtime()) as runtime:
            agent = await add_agent(runtime, "slow", door)
            request = asyncio.create_task(runtime.send_message(Ask("one"), agent))
            await door.entered.wait()
            await runtime.remove_agent_type("slow")
            door.opened.set()
            assert await request == Answer("one")

    async def test_d04_a_stop_that_is_cut_short_goes_on_and_the_runtime_can_be_started_again(
        self, make_runtime: MakeRuntime
    ) -> None:
        tidying = Tidying()
        async with started(make_runtime()) as runtime:
            slow, quick = await add_agent(runtime, "slow", tidying), await add_agent(runtime, "quick", answer)
            request = asyncio.create_task(runtime.send_message(Ask(), slow))
            await tidying.entered.wait()
            stopping = asyncio.create_task(runtime.stop())
            await tidying.cancelled.wait()
            stopping.cancel()
            with pytest.raises(asyncio.CancelledError):
                await stopping
            tidying.tidied.set()
            with pytest.raises(RuntimeStoppedError):
                await request
            runtime.start()
            assert await runtime.send_message(Ask("again"), quick) == Answer("again")
            await runtime.stop_when_idle()
            runtime.start()
            await runtime.stop()
            runtime.start()

    async def test_d04_a_dead_letter_hook_that_raises_keeps_no_runtime_from_stopping(
        self, make_runtime: MakeRuntime
    ) -> None:
        def fail(_letter: DeadLetter) -> None:
            raise ValueError("the hook is broken")

        door = Door()
        async with started(make_runtime(on_dead_letter=fail)) as runtime:
            await add_agent(runtime, "slow", door, "news")
            for _ in range(3):
                await runtime.publish_message(Ask(), TopicId("news", "k"))
            await door.entered.wait()
            with pytest.raises(ValueError, match="the hook is broken"):
                await runtime.stop()
            runtime.start()
            await runtime.stop()

    async def test_d04_a_stop_is_no_error_of_the_handlers_that_it_interrupts(self, make_runtime: MakeRuntime) -> None:
        door = Door()
        async with started(make_runtime()) as runtime:
            await add_agent(runtime, "slow", door, "news")
            await runtime.publish_message(Ask(), TopicId("news", "k"))
            await door.entered.wait()
            await runtime.stop()
            assert door.cancelled.is_set()
            runtime.start()

    @pytest.mark.parametrize("names", [("stop", "stop"), ("stop", "close"), ("close", "close"), ("close", "stop")])
    async def test_d14_those_who_stop_or_close_at_once_wait_for_the_same_end(
        self, make_runtime: MakeRuntime, names: tuple[str, str]
    ) -> None:
        tidying = Tidying()
        runtime = make_runtime()
        slow = await add_agent(runtime, "slow", tidying)
        runtime.start()
        request = asyncio.create_task(runtime.send_message(Ask(), slow))
        await tidying.entered.wait()
        ending = [asyncio.create_task(getattr(runtime, name)()) for name in names]
        await tidying.cancelled.wait()
        await let_others_run()
        assert not any(task.done() for task in ending)
        tidying.tidied.set()
        await asyncio.gather(*ending)
        assert request.done()
        with pytest.raises(RuntimeStoppedError):
            await request
        await runtime.close()

    async def test_d14_those_who_wait_for_the_runtime_to_be_idle_wait_for_the_same_stop(
        self, make_runtime: MakeRuntime
    ) -> None:
        door = Door()
        async with started(make_runtime()) as runtime:
            slow = await add_agent(runtime, "slow", door)
            request = asyncio.create_task(runtime.send_message(Ask("done"), slow))
            await door.entered.wait()
            waiting = [asyncio.create_task(runtime.stop_when_idle()) for _ in range(3)]
            await let_others_run()
            door.opened.set()
            await asyncio.gather(*waiting)
            assert await request == Answer("done")
            runtime.start()

    async def test_d14_what_waits_for_one_stop_takes_no_part_in_the_next_run(self, make_runtime: MakeRuntime) -> None:
        door = Door()
        async with started(make_runtime()) as runtime:
            slow = await add_agent(runtime, "slow", door)
            request = asyncio.create_task(runtime.send_message(Ask(), slow))
            await door.entered.wait()
            waiting = asyncio.create_task(runtime.stop_when_idle())
            await let_others_run()
            await runtime.stop()
            runtime.start()
            door.opened.set()
            assert await runtime.send_message(Ask("next"), slow) == Answer("next")
            await waiting
            assert await runtime.send_message(Ask("and next"), slow) == Answer("and next")
            with pytest.raises(RuntimeStoppedError):
                await request

    async def test_d13_handlers_that_wait_for_the_runtime_to_be_idle_do_not_wait_for_each_other(
        self, make_runtime: MakeRuntime
    ) -> None:
        runtime: StartedRuntime = make_runtime()

        async def stop(_agent: ClosureContext, _message: Any, _ctx: MessageContext) -> str:
            await asyncio.sleep(0)
            await runtime.stop_when_idle()
            return "stopped"

        async with started(runtime):
            agents = [await add_agent(runtime, name, stop) for name in ("one", "two", "three")]
            asked = [asyncio.create_task(runtime.send_message(Ask(), agent)) for agent in agents]
            assert await asyncio.gather(*asked) == ["stopped"] * 3
            runtime.start()

    async def test_d13_a_handler_that_waits_for_the_runtime_to_be_idle_does_not_wait_for_those_behind_it(
        self, make_runtime: MakeRuntime
    ) -> None:
        runtime: StartedRuntime = make_runtime()
        entered, queued = asyncio.Event(), asyncio.Event()

        async def stop(_agent: ClosureContext, _message: Any, _ctx: MessageContext) -> str:
            entered.set()
            await queued.wait()
            await runtime.stop_when_idle()
            return "stopped"

        async def relay(agent: ClosureContext, message: Any, _ctx: MessageContext) -> Any:
            return await agent.send_message(message, AgentId("stopping", "k"))

        async with started(runtime):
            stopping, relaying = await add_agent(runtime, "stopping", stop), await add_agent(runtime, "relay", relay)
            first = asyncio.create_task(runtime.send_message(Ask(), stopping))
            await entered.wait()
            behind = [asyncio.create_task(runtime.send_message(Ask(), agent)) for agent in (relaying, stopping)]
            await let_others_run()
            queued.set()
            assert await first == "stopped"
            outcomes = await asyncio.gather(*behind, return_exceptions=True)
            assert [type(outcome) for outcome in outcomes] == [RuntimeStoppedError] * 2
            runtime.start()

    async def test_d13_a_publish_handler_can_wait_for_the_runtime_to_be_idle(self, make_runtime: MakeRuntime) -> None:
        runtime: StartedRuntime = make_runtime()
        ended = asyncio.Event()

        async def stop(_agent: ClosureContext, message: Any, _ctx: MessageContext) -> None:
            await (runtime.stop() if message.text == "now" else runtime.stop_when_idle())
            ended.set()

        async with started(runtime):
            await add_agent(runtime, "stopping", stop, "news")
            for text in ("now", "when idle"):
                ended.clear()
                await runtime.publish_message(Ask(text), TopicId("news", "k"))
                await ended.wait()
                runtime.start()

    @pytest.mark.parametrize("error", [asyncio.CancelledError(), ZeroDivisionError(), KeyError("x")])
    async def test_d23_every_agent_is_closed_whatever_the_close_of_another_raises(
        self, make_runtime: MakeRuntime, error: BaseException
    ) -> None:
        closed: list[str] = []
        runtime = make_runtime()

        class Recorded(Closing):
            def __init__(self, error: BaseException | None) -> None:
                super().__init__(error)
                self.closed = closed

        for key in "abc":
            await Recorded(error if key == "a" else None).register_instance(runtime, AgentId("closing", key))
        expected = AgentError if isinstance(error, asyncio.CancelledError) else type(error)
        with pytest.raises(expected):
            await runtime.close()
        assert closed == ["a", "b", "c"]
        await runtime.close()
        assert closed == ["a", "b", "c"]

    @pytest.mark.parametrize("ignored", [False, True])
    async def test_d23_every_agent_is_closed_when_close_is_cancelled(
        self, make_runtime: MakeRuntime, ignored: bool
    ) -> None:
        closed: list[str] = []
        closing = asyncio.Event()

        class Slow(BaseAgent):
            async def on_message_impl(self, message: Any, ctx: MessageContext) -> None:
                pass

            async def close(self) -> None:
                closed.append(self.id.key)
                if self.id.key == "a":
                    closing.set()
                    await asyncio.Event().wait()
                raise ZeroDivisionError

        runtime = make_runtime(ignore_unhandled_exceptions=ignored)
        for key in "abc":
            await Slow("closes slowly").register_instance(runtime, AgentId("slow", key))
        task = asyncio.create_task(runtime.close())
        await closing.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError) as raised:
            await task
        assert closed == ["a", "b", "c"]
        assert [note.split(":")[1].strip() for note in raised.value.__notes__] == ["ZeroDivisionError"] * 2
        await runtime.close()
        assert closed == ["a", "b", "c"]

    async def test_d23_an_agent_can_close_its_runtime_while_it_is_closed(self, make_runtime: MakeRuntime) -> None:
        closed: list[str] = []
        runtime = make_runtime()

        class Owner(BaseAgent):
            async def on_message_impl(self, message: Any, ctx: MessageContext) -> None:
                pass

            async def close(self) -> None:
                await runtime.close()
                closed.append(self.id.key)

        for key in "ab":
            await Owner("closes its runtime").register_instance(runtime, AgentId("owner", key))
        async with asyncio.timeout(WAIT):
            await runtime.close()
        assert closed == ["a", "b"]

    @pytest.mark.parametrize("name", ["stop", "stop_when_idle"])
    @pytest.mark.parametrize("phase", ["ready", "stopped", "closed"])
    async def test_d14_a_runtime_that_is_not_started_cannot_be_stopped(
        self, make_runtime: MakeRuntime, phase: str, name: str
    ) -> None:
        runtime = make_runtime()
        if phase != "ready":
            runtime.start()
            await (runtime.stop() if phase == "stopped" else runtime.close())
        with pytest.raises(RuntimeError, match="closed" if phase == "closed" else "not started"):
            await getattr(runtime, name)()
        await runtime.close()

    async def test_an_agent_is_bound_to_one_runtime(self, make_runtime: MakeRuntime) -> None:
        agent = Closing(None)
        agent.closed = []
        agent_id = AgentId("bound", "a")
        runtime, other = make_runtime(), make_runtime()
        await agent.register_instance(runtime, agent_id)
        with pytest.raises(RuntimeError, match=r"another runtime.*each runtime.*factory"):
            await agent.register_instance(other, agent_id)
        with pytest.raises(RuntimeError, match=r"bound/a.*bound/b.*each id.*factory"):
            await agent.register_instance(runtime, AgentId("bound", "b"))
        await runtime.close()
        await other.close()

    async def test_the_error_of_saving_all_agents_names_the_one_that_is_waited_for(
        self, make_runtime: MakeRuntime
    ) -> None:
        door = Door()
        async with started(make_runtime()) as runtime:
            idle = await add_agent(runtime, "idle", answer)
            await runtime.send_message(Ask(), idle)
            busy = await add_agent(runtime, "busy", door)
            request = asyncio.create_task(runtime.send_message(Ask(), busy))
            await door.entered.wait()
            saving = asyncio.create_task(runtime.save_state())
            await let_others_run()
            await runtime.stop()
            with pytest.raises(RuntimeStoppedError, match="busy"):
                await saving
            with pytest.raises(RuntimeStoppedError):
                await request
            runtime.start()
