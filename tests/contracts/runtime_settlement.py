"""Every accepted message is settled exactly once, every waiter gets an answer, no error is lost."""

import asyncio
from typing import Any

import pytest
from tests.support.agents import Answer, Ask, Door, MakeRuntime, add_agent, answer, started

from symposia.core import (
    AgentId,
    ClosureAgent,
    ClosureContext,
    DefaultInterventionHandler,
    DropMessage,
    MessageContext,
    TopicId,
)
from symposia.core.exceptions import DeadlineExceededError, MessageDroppedException, RuntimeStoppedError


class Dropper(DefaultInterventionHandler):
    async def on_send(self, message: Any, *, message_context: MessageContext, recipient: AgentId) -> Any:
        return DropMessage

    async def on_publish(self, message: Any, *, message_context: MessageContext) -> Any:
        return DropMessage


class Appender(DefaultInterventionHandler):
    def __init__(self, text: str) -> None:
        self._text = text

    async def on_send(self, message: Any, *, message_context: MessageContext, recipient: AgentId) -> Any:
        return Ask(message.text + self._text)

    async def on_publish(self, message: Any, *, message_context: MessageContext) -> Any:
        return Ask(message.text + self._text)

    async def on_response(self, message: Any, *, sender: AgentId, recipient: AgentId | None) -> Any:
        return Answer(message.text + self._text.upper()) if isinstance(message, Answer) else message


class Asking(DefaultInterventionHandler):
    """Asks a person who never answers, about each request or each answer."""

    def __init__(self, *, about_answers: bool) -> None:
        self.asked = asyncio.Event()
        self._about_answers = about_answers

    async def on_send(self, message: Any, *, message_context: MessageContext, recipient: AgentId) -> Any:
        return message if self._about_answers else await self._ask()

    async def on_response(self, message: Any, *, sender: AgentId, recipient: AgentId | None) -> Any:
        return await self._ask()

    async def _ask(self) -> Any:
        self.asked.set()
        await asyncio.Event().wait()


class SettlementContract:
    async def test_f01_a_dropped_message_does_not_keep_the_runtime_from_being_idle(
        self, make_runtime: MakeRuntime
    ) -> None:
        door = Door()
        async with started(make_runtime(intervention_handlers=[Dropper()])) as runtime:
            agent = await add_agent(runtime, "listener", door, "news")
            await runtime.publish_message(Ask(), TopicId("news", "k"))
            with pytest.raises(MessageDroppedException, match=r"Dropper.*listener/k"):
                await runtime.send_message(Ask(), agent)
            await runtime.stop_when_idle()
        assert door.entries == 0

    async def test_f14_the_changes_of_several_intervention_handlers_compose_in_order(
        self, make_runtime: MakeRuntime
    ) -> None:
        heard: list[str] = []

        async def handle(_agent: ClosureContext, message: Any, _ctx: MessageContext) -> Answer:
            heard.append(message.text)
            return Answer(message.text)

        async with started(make_runtime(intervention_handlers=[Appender("a"), Appender("b")])) as runtime:
            agent = await add_agent(runtime, "echo", handle, "news")
            assert await runtime.send_message(Ask("-"), agent) == Answer("-abAB")
            await runtime.publish_message(Ask("+"), TopicId("news", "k"))
            await runtime.stop_when_idle()
        assert heard == ["-ab", "+ab"]

    @pytest.mark.parametrize("about_answers", [False, True])
    async def test_a_deadline_holds_while_an_intervention_handler_takes_its_time(
        self, make_runtime: MakeRuntime, about_answers: bool
    ) -> None:
        async with started(make_runtime(intervention_handlers=[Asking(about_answers=about_answers)])) as runtime:
            agent = await add_agent(runtime, "echo", answer)
            with pytest.raises(DeadlineExceededError, match="echo/k"):
                await runtime.send_message(Ask(), agent, timeout=0.01)

    @pytest.mark.parametrize("about_answers", [False, True])
    async def test_f03_stopping_answers_whoever_waits_for_an_intervention_handler(
        self, make_runtime: MakeRuntime, about_answers: bool
    ) -> None:
        asking = Asking(about_answers=about_answers)
        async with started(make_runtime(intervention_handlers=[asking])) as runtime:
            agent = await add_agent(runtime, "echo", answer)
            request = asyncio.create_task(runtime.send_message(Ask(), agent))
            await asking.asked.wait()
            await runtime.stop()
            with pytest.raises(RuntimeStoppedError, match="echo/k"):
                await request

    async def test_an_error_of_a_handler_reaches_the_caller_with_its_type(self, make_runtime: MakeRuntime) -> None:
        async def fail(_agent: ClosureContext, _message: Any, _ctx: MessageContext) -> None:
            raise ZeroDivisionError("by nothing")

        async with started(make_runtime()) as runtime:
            agent = await add_agent(runtime, "failing", fail)
            with pytest.raises(ZeroDivisionError, match="by nothing"):
                await runtime.send_message(Ask(), agent)
            await runtime.stop_when_idle()

    async def test_an_agent_that_failed_handles_its_next_message(self, make_runtime: MakeRuntime) -> None:
        async def fail_at_first(_agent: ClosureContext, message: Any, _ctx: MessageContext) -> str:
            await asyncio.sleep(0)
            return {"fine": "yes"}[message.text]

        async with started(make_runtime()) as runtime:
            agent = await add_agent(runtime, "failing", fail_at_first)
            outcomes = await asyncio.gather(
                *(runtime.send_message(Ask(text), agent) for text in ("wrong", "fine")), return_exceptions=True
            )
        assert isinstance(outcomes[0], KeyError)
        assert outcomes[1] == "yes"

    async def test_a_factory_that_fails_fails_the_request_and_is_tried_again(self, make_runtime: MakeRuntime) -> None:
        made = 0

        async def closure(_agent: ClosureContext, message: Ask, _ctx: MessageContext) -> str:
            return message.text

        async def factory() -> ClosureAgent:
            nonlocal made
            made += 1
            await asyncio.sleep(0)
            if made == 1:
                raise ConnectionError("not yet")
            return ClosureAgent("late", closure)

        async with started(make_runtime()) as runtime:
            await ClosureAgent.register(runtime, "late", factory)
            with pytest.raises(ConnectionError):
                await runtime.send_message(Ask(), AgentId("late", "k"))
            assert await runtime.send_message(Ask("now"), AgentId("late", "k")) == "now"

    async def test_f05_an_error_of_a_publish_handler_reaches_the_owner(self, make_runtime: MakeRuntime) -> None:
        async def fail(_agent: ClosureContext, _message: Any, _ctx: MessageContext) -> None:
            raise ZeroDivisionError("unseen")

        async with started(make_runtime()) as runtime:
            await add_agent(runtime, "failing", fail, "news")
            await runtime.publish_message(Ask(), TopicId("news", "k"))
            with pytest.raises(ZeroDivisionError, match="unseen"):
                await runtime.stop_when_idle()

    async def test_the_errors_of_several_publish_handlers_reach_the_owner_together(
        self, make_runtime: MakeRuntime
    ) -> None:
        async def fail(agent: ClosureContext, _message: Any, _ctx: MessageContext) -> None:
            raise ValueError(agent.id.type)

        async with started(make_runtime()) as runtime:
            await add_agent(runtime, "one", fail, "news")
            await add_agent(runtime, "two", fail, "news")
            await runtime.publish_message(Ask(), TopicId("news", "k"))
            with pytest.raises(ExceptionGroup) as raised:
                await runtime.stop_when_idle()
        assert sorted(str(error) for error in raised.value.exceptions) == ["one", "two"]

    async def test_errors_of_publish_handlers_can_be_left_to_the_log(
        self, make_runtime: MakeRuntime, caplog: pytest.LogCaptureFixture
    ) -> None:
        async def fail(_agent: ClosureContext, _message: Any, _ctx: MessageContext) -> None:
            raise ZeroDivisionError("unseen")

        async with started(make_runtime(ignore_unhandled_exceptions=True)) as runtime:
            await add_agent(runtime, "failing", fail, "news")
            await runtime.publish_message(Ask(), TopicId("news", "k"))
            await runtime.stop_when_idle()
        assert "failing/k" in caplog.text
        assert "unseen" in caplog.text

    async def test_f06_both_subscribers_are_settled_when_one_raises(self, make_runtime: MakeRuntime) -> None:
        door = Door()

        async def fail(_agent: ClosureContext, _message: Any, _ctx: MessageContext) -> None:
            raise ZeroDivisionError

        async with started(make_runtime()) as runtime:
            await add_agent(runtime, "failing", fail, "news")
            await add_agent(runtime, "slow", door, "news")
            await runtime.publish_message(Ask(), TopicId("news", "k"))
            idle = asyncio.create_task(runtime.stop_when_idle())
            await door.entered.wait()
            assert not idle.done()
            door.opened.set()
            with pytest.raises(ZeroDivisionError):
                await idle
        assert not door.cancelled.is_set()

    async def test_the_runtime_is_idle_only_when_what_handlers_published_is_settled_too(
        self, make_runtime: MakeRuntime
    ) -> None:
        heard: list[int] = []

        async def count_down(agent: ClosureContext, message: Any, _ctx: MessageContext) -> None:
            heard.append(message)
            await asyncio.sleep(0)
            if message > 0:
                other = TopicId("even" if message % 2 else "odd", "k")
                await agent.publish_message(message - 1, other)

        async with started(make_runtime()) as runtime:
            await add_agent(runtime, "evens", count_down, "even")
            await add_agent(runtime, "odds", count_down, "odd")
            await runtime.publish_message(6, TopicId("even", "k"))
            await runtime.stop_when_idle()
        assert heard == [6, 5, 4, 3, 2, 1, 0]

    async def test_f03_stopping_answers_whoever_waits_with_a_named_error(self, make_runtime: MakeRuntime) -> None:
        door = Door()
        async with started(make_runtime()) as runtime:
            agent = await add_agent(runtime, "slow", door)
            running = asyncio.create_task(runtime.send_message(Ask(), agent))
            await door.entered.wait()
            queued = [asyncio.create_task(runtime.send_message(Ask(), agent)) for _ in range(3)]
            await asyncio.sleep(0)
            await runtime.stop()
            outcomes = await asyncio.gather(running, *queued, return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [RuntimeStoppedError] * 4
        assert "slow/k" in str(outcomes[0])
        assert door.cancelled.is_set()
        assert door.entries == 1

    async def test_f03_closing_answers_requests_that_were_never_started(self, make_runtime: MakeRuntime) -> None:
        runtime = make_runtime()
        agent = await add_agent(runtime, "echo", answer)
        early = asyncio.create_task(runtime.send_message(Ask(), agent))
        await asyncio.sleep(0)
        await runtime.close()
        with pytest.raises(RuntimeStoppedError):
            await early

    async def test_a_stopped_runtime_can_be_started_again(self, make_runtime: MakeRuntime) -> None:
        async with started(make_runtime()) as runtime:
            agent = await add_agent(runtime, "echo", answer)
            await runtime.stop_when_idle()
            later = asyncio.create_task(runtime.send_message(Ask("again"), agent))
            await asyncio.sleep(0)
            runtime.start()
            assert await later == Answer("again")

    async def test_a_handler_can_stop_its_own_runtime(self, make_runtime: MakeRuntime) -> None:
        runtime = make_runtime()

        async def stop(_agent: ClosureContext, _message: Any, _ctx: MessageContext) -> str:
            await runtime.stop()
            return "stopped"

        async with started(runtime):
            agent = await add_agent(runtime, "stopper", stop)
            assert await runtime.send_message(Ask(), agent) == "stopped"
