import asyncio
from collections.abc import AsyncGenerator

import pytest
from opentelemetry import trace
from opentelemetry.trace import SpanKind, StatusCode
from pydantic import BaseModel
from tests.support.telemetry import Spans

from symposia.core import (
    AgentId,
    AgentInstantiationContext,
    CancellationToken,
    SingleThreadedAgentRuntime,
    trace_create_agent_span,
    trace_invoke_agent_span,
    trace_tool_span,
)
from symposia.core.exceptions import ToolArgumentsError
from symposia.core.telemetry import agent_invocation, tracing_by
from symposia.core.tools import BaseStreamTool, FunctionTool

CAPTURE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"


def double(number: int) -> int:
    return number * 2


class Empty(BaseModel):
    """No arguments."""


class Counting(BaseStreamTool[Empty, int, str]):
    """Counts to two, and says what is current while it does."""

    def __init__(self) -> None:
        super().__init__(Empty, str, "counting", "Counts.")
        self.current: list[trace.Span] = []

    async def run(self, args: Empty, cancellation_token: CancellationToken) -> str:
        return "counted"

    async def run_stream(self, args: Empty, cancellation_token: CancellationToken) -> AsyncGenerator[int | str, None]:
        for number in (1, 2):
            self.current.append(trace.get_current_span())
            yield number
        yield "counted"


def test_a_span_for_making_an_agent_follows_the_conventions(spans: Spans) -> None:
    with trace_create_agent_span("bob", agent_id="bob/1", agent_description="Builds.") as span:
        assert trace.get_current_span() is span
    assert spans.one("create_agent bob").kind is SpanKind.CLIENT
    assert spans.attributes("create_agent bob") == {
        "gen_ai.operation.name": "create_agent",
        "gen_ai.provider.name": "symposia",
        "gen_ai.agent.name": "bob",
        "gen_ai.agent.id": "bob/1",
        "gen_ai.agent.description": "Builds.",
    }


def test_a_span_for_making_an_agent_knows_the_id_that_a_runtime_makes_it_for(spans: Spans) -> None:
    making = AgentInstantiationContext.populate_context((SingleThreadedAgentRuntime(), AgentId("bob", "1")))
    with making, trace_create_agent_span("bob"):
        pass
    assert spans.attributes("create_agent bob")["gen_ai.agent.id"] == "bob/1"


def test_a_span_for_an_agent_that_answers_follows_the_conventions(spans: Spans) -> None:
    with trace_invoke_agent_span("bob"):
        pass
    assert spans.one("invoke_agent bob").kind is SpanKind.INTERNAL
    assert spans.attributes("invoke_agent bob") == {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.provider.name": "symposia",
        "gen_ai.agent.name": "bob",
    }


def test_a_span_for_a_tool_takes_its_tracer_and_parent(spans: Spans) -> None:
    own = Spans()
    tracer = own.provider.get_tracer("program")
    with tracer.start_span("program") as parent, trace_tool_span("add", tracer=tracer, parent=parent, tool_call_id="7"):
        pass
    assert own.path("execute_tool add") == ["execute_tool add", "program"]
    assert own.attributes("execute_tool add")["gen_ai.tool.call.id"] == "7"
    assert spans.names == []


def test_without_a_provider_a_span_can_be_had_that_records_nothing() -> None:
    with trace_tool_span("add") as span:
        span.set_attribute("any", 1)
    assert not span.is_recording()


@pytest.mark.parametrize("error", [ValueError("broken"), asyncio.CancelledError()])
def test_an_error_ends_a_span_with_its_class(error: BaseException, spans: Spans) -> None:
    with pytest.raises(type(error)), trace_tool_span("add"):
        raise error
    span = spans.one("execute_tool add")
    assert span.status.status_code is StatusCode.ERROR
    assert (span.attributes or {})["error.type"] == type(error).__name__
    assert len(span.events) == 1


async def test_a_call_of_a_tool_is_a_span_without_what_is_said(spans: Spans) -> None:
    tool = FunctionTool(double, "Doubles.")
    assert await tool.run_json({"number": 21}, CancellationToken(), call_id="c1") == 42
    assert spans.one("execute_tool double").kind is SpanKind.INTERNAL
    assert spans.attributes("execute_tool double") == {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.provider.name": "symposia",
        "gen_ai.tool.name": "double",
        "gen_ai.tool.type": "function",
        "gen_ai.tool.description": "Doubles.",
        "gen_ai.tool.call.id": "c1",
    }


@pytest.mark.parametrize(("value", "kept"), [("true", True), ("SPAN_ONLY", True), ("event_only", False), ("", False)])
async def test_what_is_said_is_kept_when_the_environment_asks_for_it(
    value: str, kept: bool, spans: Spans, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(CAPTURE, value)
    await FunctionTool(double, "Doubles.").run_json({"number": 21}, CancellationToken())
    said = {name: value for name, value in spans.attributes("execute_tool double").items() if "call." in name}
    assert said == ({"gen_ai.tool.call.arguments": '{"number":21}', "gen_ai.tool.call.result": "42"} if kept else {})


async def test_wrong_arguments_end_the_span_of_a_tool_with_an_error(spans: Spans) -> None:
    with pytest.raises(ToolArgumentsError):
        await FunctionTool(double, "Doubles.").run_json({"number": "x"}, CancellationToken())
    assert spans.attributes("execute_tool double")["error.type"] == "ToolArgumentsError"


async def test_a_tool_that_streams_works_inside_its_span_and_is_consumed_outside(spans: Spans) -> None:
    tool = Counting()
    outside = [trace.get_current_span() async for _ in tool.run_json_stream({}, CancellationToken())]
    span = spans.one("execute_tool counting")
    assert [each.get_span_context() for each in tool.current] == [span.context] * 2
    assert outside == [trace.INVALID_SPAN] * 3


async def test_a_stream_that_is_left_early_ends_its_span_without_an_error(spans: Spans) -> None:
    stream = Counting().run_json_stream({}, CancellationToken())
    await anext(stream)
    await stream.aclose()
    assert spans.one("execute_tool counting").status.status_code is StatusCode.UNSET


def test_a_provider_can_be_given_for_some_code_only(spans: Spans) -> None:
    own = Spans()
    with tracing_by(own.provider), agent_invocation("bob", "") as bob, bob.current(), agent_invocation("eve", ""):
        pass
    assert own.path("invoke_agent eve") == ["invoke_agent eve", "invoke_agent bob"]
    assert spans.names == []
