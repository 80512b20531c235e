import asyncio
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.trace import NoOpTracerProvider, SpanKind, StatusCode
from tests.support.agents import WAIT, Answer, Ask, add_agent, answer, started
from tests.support.telemetry import Spans

from symposia.core import (
    AgentId,
    CancellationToken,
    ClosureContext,
    MessageContext,
    RoutedAgent,
    SingleThreadedAgentRuntime,
    TopicId,
    message_handler,
)
from symposia.core.tools import FunctionTool


async def ask_echo(agent: ClosureContext, message: Any, _ctx: MessageContext) -> Answer:
    return await agent.send_message(message, AgentId("echo", "k"))


async def fail(_agent: ClosureContext, message: Any, _ctx: MessageContext) -> None:
    raise ValueError(message.text)


async def test_a_request_is_shown_below_the_handler_that_makes_it(spans: Spans) -> None:
    runtime = SingleThreadedAgentRuntime()
    async with started(runtime):
        await add_agent(runtime, "echo", answer)
        asker = await add_agent(runtime, "asker", ask_echo)
        await runtime.send_message(Ask("hi"), asker)
    assert spans.path("process echo") == ["process echo", "send echo", "process asker", "send asker"]


async def test_what_is_published_is_shown_below_its_publisher(spans: Spans) -> None:
    runtime = SingleThreadedAgentRuntime()
    async with started(runtime):
        await add_agent(runtime, "echo", answer)
        await add_agent(runtime, "listener", ask_echo, "news")
        with spans.provider.get_tracer("program").start_as_current_span("program"):
            await runtime.publish_message(Ask("hi"), TopicId("news", "k"))
        await runtime.stop_when_idle()
    assert spans.path("process echo") == ["process echo", "send echo", "process listener", "publish news", "program"]


async def test_a_message_that_waited_for_the_start_is_shown_below_its_sender(spans: Spans) -> None:
    runtime = SingleThreadedAgentRuntime()
    echo = await add_agent(runtime, "echo", answer)
    with spans.provider.get_tracer("program").start_as_current_span("program"):
        asking = asyncio.ensure_future(runtime.send_message(Ask("hi"), echo))
        await asyncio.sleep(0)
    async with started(runtime), asyncio.timeout(WAIT):
        await asking
    assert spans.path("process echo") == ["process echo", "send echo", "program"]


async def test_a_provider_that_is_set_after_the_start_gets_the_next_message(monkeypatch: pytest.MonkeyPatch) -> None:
    spans, runtime = Spans(), SingleThreadedAgentRuntime()
    async with started(runtime):
        echo = await add_agent(runtime, "echo", answer)
        await runtime.send_message(Ask(), echo)
        monkeypatch.setattr(trace, "get_tracer_provider", lambda: spans.provider)
        await runtime.send_message(Ask(), echo)
    assert spans.names == ["process echo", "send echo"]


async def test_spans_of_messages_have_the_kinds_and_attributes_of_the_conventions(spans: Spans) -> None:
    runtime = SingleThreadedAgentRuntime()
    async with started(runtime):
        echo = await add_agent(runtime, "echo", answer)
        await runtime.send_message(Ask("secret"), echo, sender=AgentId("boss", "b"), message_id="42")
    assert [spans.one(name).kind for name in ("send echo", "process echo")] == [SpanKind.PRODUCER, SpanKind.CONSUMER]
    assert spans.attributes("process echo") == {
        "messaging.system": "symposia",
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.destination.name": "echo/k",
        "messaging.destination.template": "echo",
        "messaging.message.id": "42",
        "symposia.message.type": "Ask",
        "symposia.message.sender": "boss/b",
    }


async def test_spans_of_teams_are_named_alike_whatever_their_unique_ids(spans: Spans) -> None:
    runtime = SingleThreadedAgentRuntime()
    async with started(runtime):
        unique = await add_agent(runtime, "writer_0885be79-0bb4-4796-9815-0b34c7619fde", answer)
        await runtime.send_message(Ask("hi"), unique)
    assert spans.names == ["process writer", "send writer"]


async def test_a_handler_that_fails_says_so_on_every_span_that_it_fails(spans: Spans) -> None:
    runtime = SingleThreadedAgentRuntime()
    async with started(runtime):
        failing = await add_agent(runtime, "failing", fail)
        with pytest.raises(ValueError, match="no"):
            await runtime.send_message(Ask("no"), failing)
    for span in spans.ended:
        assert (span.status.status_code, (span.attributes or {})["error.type"]) == (StatusCode.ERROR, "ValueError")
        assert [event.name for event in span.events] == ["exception"]


async def test_f16_tracing_creates_no_sender() -> None:
    made: list[str] = []

    class Sender(RoutedAgent):
        def __init__(self) -> None:
            super().__init__("")
            made.append("sender")

        @message_handler
        async def on_ask(self, message: Ask, ctx: MessageContext) -> None:
            """Never asked."""

    spans = Spans()
    runtime = SingleThreadedAgentRuntime(tracer_provider=spans.provider)
    async with started(runtime):
        await Sender.register(runtime, "sender", Sender)
        echo = await add_agent(runtime, "echo", answer)
        assert await runtime.send_message(Ask("hi"), echo, sender=AgentId("sender", "k")) == Answer("hi")
        assert await runtime.send_message(Ask("hi"), echo, sender=AgentId("unknown", "k")) == Answer("hi")
    assert made == []
    assert len(spans.ended) == 4


async def test_the_provider_of_a_runtime_gets_the_spans_of_the_tools_inside_and_no_others(spans: Spans) -> None:
    tool = FunctionTool(lambda: "done", "", name="tool")

    async def use_tool(_agent: ClosureContext, _message: Any, _ctx: MessageContext) -> None:
        await tool.run_json({}, CancellationToken())

    own = Spans()
    runtime = SingleThreadedAgentRuntime(tracer_provider=own.provider)
    async with started(runtime):
        worker = await add_agent(runtime, "worker", use_tool)
        await runtime.send_message(Ask(), worker)
        await tool.run_json({}, CancellationToken())
    assert own.path("execute_tool tool") == ["execute_tool tool", "process worker", "send worker"]
    assert spans.names == ["execute_tool tool"]


@pytest.mark.parametrize("value", ["true", "True"])
async def test_the_environment_can_switch_the_tracing_of_runtimes_off(
    value: str, spans: Spans, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTOGEN_DISABLE_RUNTIME_TRACING", value)
    runtime = SingleThreadedAgentRuntime(tracer_provider=spans.provider)
    async with started(runtime):
        await runtime.send_message(Ask(), await add_agent(runtime, "echo", answer))
    assert spans.names == []


async def test_a_provider_that_makes_nothing_switches_the_tracing_of_its_runtime_off(spans: Spans) -> None:
    runtime = SingleThreadedAgentRuntime(tracer_provider=NoOpTracerProvider())
    async with started(runtime):
        await runtime.send_message(Ask(), await add_agent(runtime, "echo", answer))
    assert spans.names == []
