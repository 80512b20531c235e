"""F12: observing costs nothing while it is not enabled."""

import logging
import subprocess
import sys
from typing import Any

import pytest
from tests.support.agents import Ask, add_agent, started
from tests.support.telemetry import Spans, events_read

from symposia.core import (
    EVENT_LOGGER_NAME,
    CancellationToken,
    ClosureContext,
    MessageContext,
    SingleThreadedAgentRuntime,
    TopicId,
)
from symposia.core.logging import LLMCallEvent
from symposia.core.telemetry import UNTRACED, agent_creation, agent_invocation, is_observed, tool_execution
from symposia.core.tools import FunctionTool

PROGRAM = """
import asyncio, sys
from symposia.agentchat.agents import AssistantAgent
from symposia.agentchat.conditions import MaxMessageTermination
from symposia.agentchat.teams import RoundRobinGroupChat
from symposia.ext.models.replay import ReplayChatCompletionClient

team = RoundRobinGroupChat(
    [AssistantAgent("a", ReplayChatCompletionClient(["one", "two"]))], termination_condition=MaxMessageTermination(3)
)
asyncio.run(team.run(task="go"))
assert not [name for name in sys.modules if name.startswith("opentelemetry")]
"""


class Precious(Ask):
    """A message that counts how often somebody looks at what is in it."""

    looks = 0

    def __getattribute__(self, name: str) -> Any:
        if name in {"text", "__dict__", "__dataclass_fields__"}:
            Precious.looks += 1
        return super().__getattribute__(name)

    def __repr__(self) -> str:
        Precious.looks += 1
        return "precious"

    __str__ = __repr__


async def take(_agent: ClosureContext, message: Any, _ctx: MessageContext) -> Any:
    return message


async def converse(message: Any) -> None:
    """Send it, publish it, and have it sent back."""
    runtime = SingleThreadedAgentRuntime()
    async with started(runtime):
        taker = await add_agent(runtime, "taker", take, "news")
        assert await runtime.send_message(message, taker) is message
        await runtime.publish_message(message, TopicId("news", "k"))
        await runtime.stop_when_idle()


async def test_f12_a_payload_is_neither_serialised_nor_formatted_while_nothing_is_observed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Precious, "looks", 0)
    await converse(Precious("a" * 1_000_000))
    assert Precious.looks == 0


async def test_f12_tracing_does_not_look_at_a_payload_either(spans: Spans, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Precious, "looks", 0)
    await converse(Precious("a" * 1_000_000))
    assert len(spans.ended) == 4
    assert Precious.looks == 0


async def test_f12_a_reader_of_other_events_does_not_pay_for_payloads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Precious, "looks", 0)
    with events_read() as events:
        await converse(Precious("a" * 1_000_000))
    assert (len(events.logged), events.of(LLMCallEvent)) == (6, [])
    assert Precious.looks == 0
    assert "aaa" in events.logged[0].kwargs["payload"]


async def test_the_text_of_a_payload_is_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with events_read() as events:
        await converse(Precious("hi"))
    str(events.logged[0])
    monkeypatch.setattr(Precious, "looks", 0)
    str(events.logged[0])
    assert Precious.looks == 0


async def test_no_result_of_a_tool_is_turned_into_text_while_nothing_is_observed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Precious, "looks", 0)
    await FunctionTool(lambda: Precious("hi"), "", name="tool").run_json({}, CancellationToken())
    assert Precious.looks == 0


def test_nothing_is_made_for_activities_that_are_not_traced() -> None:
    for activity in (agent_creation("a", ""), agent_invocation("a", ""), tool_execution("a", "", None)):
        assert activity is UNTRACED


def test_a_program_is_observed_from_the_moment_that_events_are_switched_on() -> None:
    logger = logging.getLogger(EVENT_LOGGER_NAME)
    assert not is_observed()
    logger.setLevel(logging.INFO)
    try:
        assert is_observed()
    finally:
        logger.setLevel(logging.NOTSET)


def test_a_program_that_does_not_trace_never_imports_opentelemetry() -> None:
    run = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
