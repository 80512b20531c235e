"""Every accepted message is settled exactly once, every waiter gets an answer, no error is lost."""

import asyncio
from contextlib import nullcontext
from typing import Any

import pytest
from tests.support.agents import Answer, Ask, Door, MakeRuntime, add_agent, answer, let_others_run, started

from symposia.core import (
    AgentId,
    CancellationToken,
    ClosureAgent,
    ClosureContext,
    DeadLetter,
    DefaultInterventionHandler,
    DropMessage,
    MessageContext,
    TopicId,
    TypeSubscription,
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


class Broken:
    """A subscription whose own code fails."""

    id = "broken"

    def is_match(self, topic_id: TopicId) -> bool:
        raise KeyError("a broken subscription")

    def map_to_agent(self, topic_id: TopicId) -> AgentId:
        return AgentId("listens", "k")


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
    async def test_f03_stopping_answers_a_sender_that_waits_for_an_intervention_handler(
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

    async def test_n08_of_several_publish_handlers_that_fail_the_first_error_is_raised_and_notes_tell_the_others(
        self, make_runtime: MakeRuntime
    ) -> None:
        async def fail(agent: ClosureContext, _message: Any, _ctx: MessageContext) -> None:
            if agent.id.type == "one":
                raise ConnectionError("refused")
            raise ValueError(agent.id.type)

        async with started(make_runtime()) as runtime:
            for name in ("one", "two", "three"):
                await add_agent(runtime, name, fail, "news")
            await runtime.publish_message(Ask(), TopicId("news", "k"))
            with pytest.raises((ConnectionError, ValueError)) as raised:
                await runtime.stop_when_idle()
            runtime.start()
            await runtime.stop_when_idle()  # each error is raised once
        told = [f"{type(raised.value).__name__}: {raised.value}", *raised.value.__notes__]
        assert sorted(text.removeprefix("Also: ") for text in told if "simulation" not in text) == [
            "ConnectionError: refused",
            "ValueError: three",
            "ValueError: two",
        ]

    @pytest.mark.parametrize("ends", ["raises", "raises later", "cancels its task", "cancels its task later"])
    async def test_d03_the_others_get_their_messages_however_a_publish_handler_ends(
        self, make_runtime: MakeRuntime, ends: str
    ) -> None:
        class Odd(BaseException):
            pass

        async def end(_agent: ClosureContext, message: Any, _ctx: MessageContext) -> None:
            if message.text == "boom":
                if "later" in ends:
                    await asyncio.sleep(0)
                if "raises" in ends:
                    raise Odd
                task = asyncio.current_task()
                assert task is not None
                task.cancel()

        heard: list[str] = []

        async def listen(agent: ClosureContext, message: Any, _ctx: MessageContext) -> Answer:
            heard.append(f"{agent.id.type} {message.text}")
            return Answer(message.text)

        async with started(make_runtime()) as runtime:
            await add_agent(runtime, "ends", end, "news")
            listener = await add_agent(runtime, "listens", listen, "news")
            for text in ("warm", "boom", "after"):
                await runtime.publish_message(Ask(text), TopicId("news", "k"))
            assert await runtime.send_message(Ask("request"), listener) == Answer("request")
            with pytest.raises(Odd) if "raises" in ends else nullcontext():
                await runtime.stop_when_idle()
        assert sorted(heard) == ["listens after", "listens boom", "listens request", "listens warm"]

    async def test_d09_what_raises_at_the_start_keeps_no_other_message_out(self, make_runtime: MakeRuntime) -> None:
        runtime = make_runtime()
        door = Door()
        door.opened.set()
        agent = await add_agent(runtime, "listens", door, "news")
        await runtime.add_subscription(Broken())
        for _ in range(2):
            await runtime.publish_message(Ask("early"), TopicId("news", "k"))
        request = asyncio.create_task(runtime.send_message(Ask("request"), agent))
        await asyncio.sleep(0)
        async with started(runtime):
            assert await request == Answer("request")
            with pytest.raises(KeyError, match="a broken subscription"):
                await runtime.stop_when_idle()
        assert door.entries == 3

    async def test_d09_what_raises_while_publishing_keeps_the_message_from_no_subscriber(
        self, make_runtime: MakeRuntime
    ) -> None:
        def fail(_letter: DeadLetter) -> None:
            raise ValueError("the hook is broken")

        door = Door()
        door.opened.set()
        async with started(make_runtime(on_dead_letter=fail)) as runtime:
            await add_agent(runtime, "listens", door, "news")
            await runtime.add_subscription(TypeSubscription("news", "unregistered"))
            await runtime.add_subscription(Broken())
            await runtime.publish_message(Ask(), TopicId("news", "k"))
            with pytest.raises((KeyError, ValueError), match="broken"):
                await runtime.stop_when_idle()
        assert door.entries == 1

    async def test_d15_a_message_with_a_cancelled_token_is_not_published(self, make_runtime: MakeRuntime) -> None:
        door = Door()
        async with started(make_runtime()) as runtime:
            await add_agent(runtime, "listens", door, "news")
            token = CancellationToken()
            token.cancel()
            with pytest.raises(asyncio.CancelledError):
                await runtime.publish_message(Ask(), TopicId("news", "k"), cancellation_token=token)
            await runtime.stop_when_idle()
        assert door.entries == 0

    async def test_d15_a_message_whose_token_is_cancelled_before_its_turn_is_not_handled(
        self, make_runtime: MakeRuntime
    ) -> None:
        door = Door()
        async with started(make_runtime()) as runtime:
            agent = await add_agent(runtime, "listens", door, "news")
            first = asyncio.create_task(runtime.send_message(Ask("first"), agent))
            await door.entered.wait()
            token = CancellationToken()
            for _ in range(2):
                await runtime.publish_message(Ask(), TopicId("news", "k"), cancellation_token=token)
            last = asyncio.create_task(runtime.send_message(Ask("last"), agent))
            await let_others_run()
            token.cancel()
            door.opened.set()
            assert await asyncio.gather(first, last) == [Answer("first"), Answer("last")]
            await runtime.stop_when_idle()
        assert door.entries == 2

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

    async def test_f03_stopping_answers_every_sender_with_a_named_error(self, make_runtime: MakeRuntime) -> None:
        door = Door()
        async with started(make_runtime()) as runtime:
            agent = await add_agent(runtime, "slow", door)
            running = asyncio.create_task(runtime.send_message(Ask(), agent))
            await door.entered.wait()
            queued = [asyncio.create_task(runtime.send_message(Ask(), agent)) for _ in range(3)]
            await let_others_run()
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
