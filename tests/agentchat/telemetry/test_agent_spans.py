import asyncio
from collections.abc import Sequence

import pytest
from opentelemetry import trace
from opentelemetry.trace import SpanKind
from tests.support.agents import WAIT
from tests.support.chat_agents import asks_for, collected, model, says
from tests.support.telemetry import Spans

from symposia.agentchat.agents import AssistantAgent, BaseChatAgent
from symposia.agentchat.base import Response
from symposia.agentchat.conditions import MaxMessageTermination
from symposia.agentchat.messages import BaseChatMessage, TextMessage
from symposia.agentchat.teams import RoundRobinGroupChat
from symposia.core import CancellationToken
from symposia.core.exceptions import InvalidArgumentError


class Failing(BaseChatAgent):
    """Fails."""

    @property
    def produced_message_types(self) -> Sequence[type[BaseChatMessage]]:
        return (TextMessage,)

    async def on_messages(self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken) -> Response:
        raise ValueError("broken")

    async def on_reset(self, cancellation_token: CancellationToken) -> None: ...


def add(a: int, b: int) -> int:
    return a + b


def adder(name: str = "bob") -> AssistantAgent:
    """Asks for one tool and then answers: 10 tokens."""
    answers = model(asks_for(("add", '{"a": 1, "b": 2}')), says("3"))
    return AssistantAgent(name, answers, tools=[add], description="Adds.", reflect_on_tool_use=True)


def test_making_an_agent_is_a_span(spans: Spans) -> None:
    adder()
    assert spans.attributes("create_agent bob") == {
        "gen_ai.operation.name": "create_agent",
        "gen_ai.provider.name": "symposia",
        "gen_ai.agent.name": "bob",
        "gen_ai.agent.description": "Adds.",
    }


def test_an_agent_that_cannot_be_made_says_why(spans: Spans) -> None:
    with pytest.raises(InvalidArgumentError):
        Failing("no name", "")
    assert spans.attributes("create_agent no name")["error.type"] == "InvalidArgumentError"


async def test_a_run_of_an_agent_is_a_span_with_its_tokens_and_tools(spans: Spans) -> None:
    await adder().run(task="1 + 2?")
    assert spans.path("execute_tool add") == ["execute_tool add", "invoke_agent bob"]
    assert spans.one("invoke_agent bob").kind is SpanKind.INTERNAL
    assert spans.attributes("invoke_agent bob") == {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.provider.name": "symposia",
        "gen_ai.agent.name": "bob",
        "gen_ai.agent.description": "Adds.",
        "gen_ai.usage.input_tokens": 6,
        "gen_ai.usage.output_tokens": 4,
    }


async def test_a_streamed_run_is_the_same_span_and_is_consumed_outside_it(spans: Spans) -> None:
    outside = [trace.get_current_span() async for _ in adder().run_stream(task="1 + 2?")]
    assert set(outside) == {trace.INVALID_SPAN}
    assert spans.path("execute_tool add") == ["execute_tool add", "invoke_agent bob"]
    assert spans.attributes("invoke_agent bob")["gen_ai.usage.input_tokens"] == 6


@pytest.mark.parametrize("stream", [False, True])
async def test_an_agent_that_fails_says_so_on_its_span(stream: bool, spans: Spans) -> None:
    eve = Failing("eve", "")
    with pytest.raises(ValueError, match="broken"):
        await (collected(eve.run_stream(task="go")) if stream else eve.run(task="go"))
    assert spans.attributes("invoke_agent eve")["error.type"] == "ValueError"


async def test_the_spans_of_a_team_hang_together(spans: Spans) -> None:
    team = RoundRobinGroupChat([adder()], termination_condition=MaxMessageTermination(2), name="adders")
    with spans.provider.get_tracer("program").start_as_current_span("program"):
        async with asyncio.timeout(WAIT):
            await team.run(task="1 + 2?")
    path = spans.path("execute_tool add")
    assert [name for name in path if not name.startswith(("send", "process"))] == [
        "execute_tool add",
        "invoke_agent bob",
        "invoke_workflow adders",
        "program",
    ]
    assert spans.attributes("invoke_agent bob")["gen_ai.agent.id"].startswith("bob_")
    assert spans.attributes("invoke_workflow adders") == {
        "gen_ai.operation.name": "invoke_workflow",
        "gen_ai.provider.name": "symposia",
        "gen_ai.usage.input_tokens": 6,
        "gen_ai.usage.output_tokens": 4,
        "gen_ai.workflow.name": "adders",
    }


async def test_a_streamed_run_of_a_team_is_the_same(spans: Spans) -> None:
    team = RoundRobinGroupChat([adder()], termination_condition=MaxMessageTermination(2), name="adders")
    async with asyncio.timeout(WAIT):
        outside = [trace.get_current_span() async for _ in team.run_stream(task="1 + 2?")]
    assert set(outside) == {trace.INVALID_SPAN}
    assert spans.path("execute_tool add")[-1] == "invoke_workflow adders"


async def test_a_team_behaves_the_same_when_it_is_traced(spans: Spans) -> None:
    def team() -> RoundRobinGroupChat:
        return RoundRobinGroupChat([adder()], termination_condition=MaxMessageTermination(2))

    async with asyncio.timeout(WAIT):
        traced = await team().run(task="1 + 2?")
        spans.provider.shutdown()
        plain = await team().run(task="1 + 2?")
    assert [type(message) for message in traced.messages] == [type(message) for message in plain.messages]
    assert traced.stop_reason == plain.stop_reason
