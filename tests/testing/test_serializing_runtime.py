"""A second runtime, which writes every message to bytes, keeps the contract of runtimes."""

from typing import Any

import pytest
from opentelemetry import trace
from tests.contracts.runtime_contract import RuntimeContract
from tests.support.agents import Ask, MakeRuntime, add_agent, answer, started
from tests.support.telemetry import Spans

from symposia.core import ClosureContext, MessageContext, TopicId
from symposia.core.effects import Scope, continue_scope, current_scope, enter_scope
from symposia.core.exceptions import AgentError, MessageSerializationError
from symposia.testing import SerializingRuntime


class TestSerializingRuntime(RuntimeContract):
    @pytest.fixture
    def make_runtime(self) -> MakeRuntime:
        return SerializingRuntime


class Unwritable:
    """No dataclass, no pydantic model: nothing says how to write it."""


class OddError(Exception):
    """An error that cannot be made again from its text."""

    def __init__(self, one: object, two: object) -> None:
        super().__init__(one, two)


async def test_a_message_and_its_answer_arrive_as_equal_values_and_not_as_the_same_objects() -> None:
    arrived: list[Any] = []

    async def echo(_agent: ClosureContext, message: Any, _ctx: MessageContext) -> Any:
        arrived.append(message)
        return message

    async with started(SerializingRuntime()) as runtime:
        agent = await add_agent(runtime, "echo", echo)
        message = Ask("hello")
        answer = await runtime.send_message(message, agent)
    assert arrived == [message] == [answer]
    assert arrived[0] is not message
    assert answer is not arrived[0]


async def test_a_message_that_nothing_can_write_is_refused_at_its_sender() -> None:
    async with started(SerializingRuntime()) as runtime:
        agent = await add_agent(runtime, "echo", answer)
        with pytest.raises(MessageSerializationError, match=r"Unwritable cannot leave the process"):
            await runtime.send_message(Unwritable(), agent)
        with pytest.raises(MessageSerializationError, match=r"Unwritable cannot leave the process"):
            await runtime.publish_message(Unwritable(), TopicId("news", "k"))
        await runtime.stop_when_idle()


async def test_an_error_that_cannot_be_made_again_arrives_as_an_agent_error_that_names_it() -> None:
    async def fail(_agent: ClosureContext, _message: Any, _ctx: MessageContext) -> None:
        raise OddError(object(), object())

    async with started(SerializingRuntime()) as runtime:
        agent = await add_agent(runtime, "fails", fail)
        with pytest.raises(AgentError, match="OddError"):
            await runtime.send_message(Ask(), agent)


async def test_a_group_of_errors_arrives_with_each_of_them() -> None:
    async def fail(_agent: ClosureContext, _message: Any, _ctx: MessageContext) -> None:
        raise ExceptionGroup("two", [ValueError("one"), KeyError("other")])

    async with started(SerializingRuntime()) as runtime:
        agent = await add_agent(runtime, "fails", fail)
        with pytest.raises(ExceptionGroup, match="two") as raised:
            await runtime.send_message(Ask(), agent)
    assert [(type(error), str(error)) for error in raised.value.exceptions] == [
        (ValueError, "one"),
        (KeyError, "'other'"),
    ]


async def test_the_effect_scope_of_the_sender_arrives_with_its_messages() -> None:
    scopes: list[str] = []

    async def look(_agent: ClosureContext, _message: Any, _ctx: MessageContext) -> None:
        scopes.append(str(current_scope()))

    async with started(SerializingRuntime()) as runtime:
        agent = await add_agent(runtime, "looks", look, "news")
        with continue_scope(Scope.parse("team:research/turn:1")), enter_scope("agent:writer"):
            await runtime.send_message(Ask(), agent)
            await runtime.publish_message(Ask(), TopicId("news", "k"))
        await runtime.send_message(Ask(), agent)
        await runtime.stop_when_idle()
    assert scopes == ["team:research/turn:1/agent:writer"] * 2 + [""]


async def test_the_trace_of_the_sender_arrives_with_its_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    spans = Spans()
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: spans.provider)
    seen: list[int] = []

    async def look(_agent: ClosureContext, _message: Any, _ctx: MessageContext) -> None:
        seen.append(trace.get_current_span().get_span_context().trace_id)

    async with started(SerializingRuntime()) as runtime:
        agent = await add_agent(runtime, "looks", look)
        with spans.provider.get_tracer("test").start_as_current_span("outer") as span:
            await runtime.send_message(Ask(), agent)
            expected = span.get_span_context().trace_id
        await runtime.send_message(Ask(), agent)
    assert seen == [expected, 0]
