import json
import logging
from typing import Any

import pytest
from pydantic import BaseModel
from tests.support.agents import Answer, Ask, add_agent, answer, started
from tests.support.telemetry import Events

from symposia.core import (
    EVENT_LOGGER_NAME,
    AgentId,
    CancellationToken,
    ClosureContext,
    DefaultInterventionHandler,
    DropMessage,
    MessageContext,
    MessageHandlerContext,
    RoutedAgent,
    SingleThreadedAgentRuntime,
    TopicId,
)
from symposia.core.exceptions import MessageDroppedException
from symposia.core.logging import (
    AgentConstructionExceptionEvent,
    DeliveryStage,
    Event,
    LLMCallEvent,
    LLMStreamEndEvent,
    LLMStreamStartEvent,
    MessageDroppedEvent,
    MessageEvent,
    MessageHandlerExceptionEvent,
    MessageKind,
    ToolCallEvent,
)
from symposia.core.tools import FunctionTool

BOB, NEWS = AgentId("bob", "1"), TopicId("news", "here")


@pytest.mark.parametrize(
    ("event", "text"),
    [
        (
            LLMCallEvent(messages=[{"a": "ä"}], response={"b": 2}, prompt_tokens=3, completion_tokens=4, tools=[1]),
            (
                '{"tools": [1], "type": "LLMCall", "messages": [{"a": "\\u00e4"}], "response": {"b": 2}, '
                '"prompt_tokens": 3, "completion_tokens": 4, "agent_id": null}'
            ),
        ),
        (LLMStreamStartEvent(messages=[]), '{"type": "LLMStreamStart", "messages": [], "agent_id": null}'),
        (
            LLMStreamEndEvent(response={}, prompt_tokens=3, completion_tokens=4),
            '{"type": "LLMStreamEnd", "response": {}, "prompt_tokens": 3, "completion_tokens": 4, "agent_id": null}',
        ),
        (
            ToolCallEvent(tool_name="add", arguments={"a": 1}, result="2"),
            '{"type": "ToolCall", "tool_name": "add", "arguments": {"a": 1}, "result": "2", "agent_id": null}',
        ),
        (
            MessageEvent(
                payload="p", sender=None, receiver=NEWS, kind=MessageKind.PUBLISH, delivery_stage=DeliveryStage.SEND
            ),
            (
                '{"payload": "p", "sender": null, "receiver": "news/here", "kind": "MessageKind.PUBLISH", '
                '"delivery_stage": "DeliveryStage.SEND", "type": "Message"}'
            ),
        ),
        (
            MessageDroppedEvent(payload="p", sender=BOB, receiver=None, kind=MessageKind.RESPOND),
            (
                '{"payload": "p", "sender": "bob/1", "receiver": null, "kind": "MessageKind.RESPOND", '
                '"type": "MessageDropped"}'
            ),
        ),
        (
            MessageHandlerExceptionEvent(payload="p", handling_agent=BOB, exception=ValueError("no")),
            '{"payload": "p", "handling_agent": "bob/1", "exception": "no", "type": "MessageHandlerException"}',
        ),
        (
            AgentConstructionExceptionEvent(agent_id=BOB, exception=ValueError("no")),
            '{"agent_id": "bob/1", "exception": "no", "type": "AgentConstructionException"}',
        ),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Event) else "",
)
def test_an_event_is_one_json_object(event: Event, text: str) -> None:
    assert str(event) == text
    assert event.kwargs == json.loads(text)


def test_events_of_models_count_tokens_and_name_the_agent() -> None:
    with MessageHandlerContext.populate_context(BOB):
        event = LLMCallEvent(messages=[], response={}, prompt_tokens=3, completion_tokens=4)
    assert (event.prompt_tokens, event.completion_tokens, event.kwargs["agent_id"]) == (3, 4, "bob/1")


def test_what_json_cannot_hold_is_shown_as_text() -> None:
    event = ToolCallEvent(tool_name="t", arguments={"who": BOB}, result="")
    assert '"who": "bob/1"' in str(event)


async def test_the_events_of_a_request_tell_its_way_there_and_back(events: Events) -> None:
    runtime = SingleThreadedAgentRuntime()
    async with started(runtime):
        echo = await add_agent(runtime, "echo", answer)
        await runtime.send_message(Ask("hi"), echo, sender=BOB)
    hi = '{"text":"hi"}'
    assert events.told("kind", "delivery_stage", "sender", "receiver", "payload") == [
        ("MessageKind.DIRECT", "DeliveryStage.SEND", "bob/1", "echo/k", hi),
        ("MessageKind.DIRECT", "DeliveryStage.DELIVER", "bob/1", "echo/k", hi),
        ("MessageKind.RESPOND", "DeliveryStage.SEND", "echo/k", "bob/1", hi),
        ("MessageKind.RESPOND", "DeliveryStage.DELIVER", "echo/k", "bob/1", hi),
    ]


async def test_the_events_of_a_publication_tell_who_gets_it(events: Events) -> None:
    runtime = SingleThreadedAgentRuntime()
    async with started(runtime):
        for name in ("first", "second"):
            await add_agent(runtime, name, answer, "news")
        await runtime.publish_message(Ask("hi"), NEWS)
        await runtime.stop_when_idle()
    assert events.told("kind", "delivery_stage", "receiver") == [
        ("MessageKind.PUBLISH", "DeliveryStage.SEND", "news/here"),
        ("MessageKind.PUBLISH", "DeliveryStage.DELIVER", "first/here"),
        ("MessageKind.PUBLISH", "DeliveryStage.DELIVER", "second/here"),
    ]


async def test_a_handler_that_fails_is_an_event(events: Events) -> None:
    async def fail(_agent: ClosureContext, _message: Any, _ctx: MessageContext) -> None:
        raise ValueError("broken")

    runtime = SingleThreadedAgentRuntime()
    async with started(runtime):
        failing = await add_agent(runtime, "failing", fail)
        with pytest.raises(ValueError, match="broken"):
            await runtime.send_message(Ask("hi"), failing)
    (event,) = events.of(MessageHandlerExceptionEvent)
    assert event.kwargs["handling_agent"] == "failing/k"
    assert event.kwargs["exception"] == "broken"


async def test_an_agent_that_cannot_be_made_is_an_event(events: Events) -> None:
    def refuse() -> RoutedAgent:
        raise ValueError("no material")

    runtime = SingleThreadedAgentRuntime()
    async with started(runtime):
        await runtime.register_factory("unmade", refuse)
        with pytest.raises(ValueError, match="no material"):
            await runtime.send_message(Ask(), AgentId("unmade", "k"))
    (event,) = events.of(AgentConstructionExceptionEvent)
    assert (event.kwargs["agent_id"], event.kwargs["exception"]) == ("unmade/k", "no material")


class Dropping(DefaultInterventionHandler):
    """Drops what goes one way."""

    def __init__(self, kind: MessageKind) -> None:
        self._kind = kind

    async def on_send(self, message: Any, *, message_context: MessageContext, recipient: AgentId) -> Any:
        return DropMessage if self._kind is MessageKind.DIRECT else message

    async def on_publish(self, message: Any, *, message_context: MessageContext) -> Any:
        return DropMessage if self._kind is MessageKind.PUBLISH else message

    async def on_response(self, message: Any, *, sender: AgentId, recipient: AgentId | None) -> Any:
        return DropMessage if self._kind is MessageKind.RESPOND else message


@pytest.mark.parametrize(
    ("kind", "sender", "receiver"),
    [(MessageKind.DIRECT, "bob/1", "echo/k"), (MessageKind.RESPOND, "echo/k", "bob/1")],
)
async def test_a_request_that_is_dropped_is_an_event(
    kind: MessageKind, sender: str, receiver: str, events: Events
) -> None:
    runtime = SingleThreadedAgentRuntime(intervention_handlers=[Dropping(kind)])
    async with started(runtime):
        echo = await add_agent(runtime, "echo", answer)
        with pytest.raises(MessageDroppedException):
            await runtime.send_message(Ask("hi"), echo, sender=BOB)
    (event,) = events.of(MessageDroppedEvent)
    assert (event.kwargs["kind"], event.kwargs["sender"], event.kwargs["receiver"]) == (str(kind), sender, receiver)


async def test_a_publication_that_is_dropped_is_an_event(events: Events) -> None:
    runtime = SingleThreadedAgentRuntime(intervention_handlers=[Dropping(MessageKind.PUBLISH)])
    async with started(runtime):
        await runtime.publish_message(Ask("hi"), NEWS)
    (event,) = events.of(MessageDroppedEvent)
    assert (event.kwargs["payload"], event.kwargs["receiver"]) == ('{"text":"hi"}', "news/here")


async def test_a_call_of_a_tool_is_an_event(events: Events) -> None:
    class Pair(BaseModel):
        one: int

    await FunctionTool(lambda: Pair(one=1), "", name="pair").run_json({}, CancellationToken())
    (event,) = events.of(ToolCallEvent)
    assert (event.kwargs["tool_name"], event.kwargs["arguments"], event.kwargs["result"]) == ("pair", {}, '{"one": 1}')


async def test_a_tool_that_fails_is_an_event_too(events: Events) -> None:
    def fail() -> None:
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        await FunctionTool(fail, "").run_json({}, CancellationToken())
    (event,) = events.of(ToolCallEvent)
    assert (event.kwargs["result"], event.kwargs["error_type"]) == ("broken", "ValueError")


async def test_a_message_that_cannot_be_shown_is_delivered_all_the_same(events: Events) -> None:
    class Unshowable:
        text = "hi"

        def __str__(self) -> str:
            raise ValueError("never")

    runtime = SingleThreadedAgentRuntime()
    async with started(runtime):
        echo = await add_agent(runtime, "echo", answer)
        assert await runtime.send_message(Unshowable(), echo) == Answer("hi")
    assert "Unshowable that cannot be shown" in str(events.logged[0])


async def test_a_handler_of_events_that_fails_changes_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    class Broken(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            raise ValueError("the handler is broken")

    logger, broken = logging.getLogger(EVENT_LOGGER_NAME), Broken()
    logger.addHandler(broken)
    logger.setLevel(logging.INFO)
    runtime = SingleThreadedAgentRuntime()
    try:
        async with started(runtime):
            echo = await add_agent(runtime, "echo", answer)
            assert await runtime.send_message(Ask("hi"), echo) == Answer("hi")
    finally:
        logger.setLevel(logging.NOTSET)
        logger.removeHandler(broken)
    assert "the handler is broken" in capsys.readouterr().err
