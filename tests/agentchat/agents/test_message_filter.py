"""An agent that is given a part of the messages."""

from collections.abc import Mapping
from typing import Any

import pytest
from pydantic import ValidationError
from tests.support.chat_agents import model, shown
from tests.support.graphs import graph
from tests.support.team_log import Log
from tests.support.team_members import Member, lines

from symposia.agentchat.agents import AssistantAgent, MessageFilterAgent, MessageFilterConfig, PerSourceFilter
from symposia.agentchat.base import Response
from symposia.agentchat.messages import TextMessage
from symposia.agentchat.teams import GraphFlow, RoundRobinGroupChat, fold_log
from symposia.core import CancellationToken
from symposia.core.changes import Change
from symposia.core.exceptions import ArgumentTypeError
from symposia.core.models import ChatCompletionClient

SENT = [TextMessage(content=f"{source}{index}", source=source) for index, source in enumerate("abcbab")]


async def given(*filters: PerSourceFilter) -> list[str]:
    """What the inner agent is given of a0 b1 c2 b3 a4 b5."""
    inner = Member("inner")
    agent = MessageFilterAgent("outer", inner, MessageFilterConfig(per_source=list(filters)))
    async for _ in agent.on_messages_stream(SENT, CancellationToken()):
        pass
    return [line.partition(": ")[2] for line in inner.heard[0]]


async def test_messages_of_other_sources_are_left_out() -> None:
    assert await given(PerSourceFilter(source="b")) == ["b1", "b3", "b5"]
    assert await given(PerSourceFilter(source="z")) == []
    assert await given() == []


async def test_the_first_or_the_last_ones_of_a_source_are_taken() -> None:
    assert await given(PerSourceFilter(source="b", position="first", count=2)) == ["b1", "b3"]
    assert await given(PerSourceFilter(source="b", position="last", count=2)) == ["b3", "b5"]
    assert await given(PerSourceFilter(source="b", position="last", count=9)) == ["b1", "b3", "b5"]


async def test_to_take_none_is_to_take_none() -> None:
    assert await given(PerSourceFilter(source="b", position="first", count=0)) == []
    assert await given(PerSourceFilter(source="b", position="last", count=0)) == []


async def test_messages_come_in_the_order_of_the_filters_and_each_once() -> None:
    last_b, first_a = PerSourceFilter(source="b", position="last", count=1), PerSourceFilter(source="a")

    assert await given(last_b, first_a) == ["b5", "a0", "a4"]
    assert await given(last_b, PerSourceFilter(source="b")) == ["b5", "b1", "b3"]


def test_a_negative_count_is_refused() -> None:
    with pytest.raises(ValidationError, match="greater than or equal to 0"):
        PerSourceFilter(source="b", position="last", count=-1)


def filtered(name: str, client: ChatCompletionClient, *, source: str) -> MessageFilterAgent:
    agent = AssistantAgent(name, client, description="Writes.")
    return MessageFilterAgent(name, agent, MessageFilterConfig(per_source=[PerSourceFilter(source=source)]))


async def test_its_answer_is_that_of_the_inner_agent() -> None:
    agent = filtered("ann", model("hello"), source="b")
    response = await agent.on_messages(SENT, CancellationToken())

    assert isinstance(response, Response)
    assert lines([response.chat_message]) == ["ann: hello"]
    assert agent.description == "Writes. (with message filtering)"
    assert agent.produced_message_types == AssistantAgent("ann", model()).produced_message_types


async def test_its_state_is_that_of_the_inner_agent() -> None:
    client = model("hello again")
    first, again = filtered("ann", model("hello"), source="user"), filtered("ann", client, source="user")
    await first.run(task="go")
    await again.load_state(await first.save_state())
    await again.run(task="on")

    assert [message.content for message in shown(client)][-3:] == ["go", "hello", "on"]


class Growing(Member):
    """Has a state that is not to be saved as a whole for each turn."""

    async def save_state(self) -> Mapping[str, Any]:
        return {"turns": len(self.heard), "saved": "as a whole"}

    async def save_changes(self, since: object | None) -> tuple[Change | None, object]:
        turns = len(self.heard)
        if since is None:
            return {"set": {"turns": turns}}, turns
        return {"update": {"turns": {"set": turns}}}, turns


async def test_the_log_of_a_team_is_told_what_changes_in_the_inner_agent() -> None:
    log = Log()
    agent = MessageFilterAgent("outer", Growing("inner"), MessageFilterConfig(per_source=[]))
    team = RoundRobinGroupChat([agent], max_turns=2)
    async with team.log_to(log):
        await team.run(task="go")

    state = fold_log(log.entries)["agent_states"]["outer"]["agent_state"]
    assert state == {"turns": 2}


async def test_a_reset_reaches_the_inner_agent() -> None:
    inner = Member("inner")
    agent = MessageFilterAgent("outer", inner, MessageFilterConfig(per_source=[]))
    await agent.on_reset(CancellationToken())
    await agent.on_pause(CancellationToken())
    await agent.on_resume(CancellationToken())

    assert inner.orders == ["reset", "pause", "resume"]


async def test_in_a_graph_it_hides_what_others_have_said() -> None:
    b = Member("b")
    seen = MessageFilterAgent("b", b, MessageFilterConfig(per_source=[PerSourceFilter(source="user")]))
    await GraphFlow([Member("a"), seen], graph("a>b")).run(task="go")

    assert b.heard == [["user: go"]]


def test_it_comes_back_from_json() -> None:
    dumped = filtered("ann", model("hello"), source="b").dump_component()

    assert MessageFilterAgent.load_component(dumped).dump_component() == dumped


def test_wrong_arguments_are_refused() -> None:
    with pytest.raises(ArgumentTypeError, match="wrapped_agent of the agent 'outer' has to be an agent"):
        MessageFilterAgent("outer", "inner", MessageFilterConfig(per_source=[]))  # pyright: ignore[reportArgumentType] - an unchecked program
    with pytest.raises(ArgumentTypeError, match="filter of the agent 'outer' has to be a MessageFilterConfig"):
        MessageFilterAgent("outer", Member("inner"), {"per_source": []})  # pyright: ignore[reportArgumentType] - an unchecked program
