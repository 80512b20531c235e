"""Teams by a graph: branches that overlap, failures, saving, teams within, and graphs as JSON."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from typing import Any

import pytest
from tests.support.chat_agents import model
from tests.support.graphs import graph
from tests.support.team_members import Member, lines, ran

from symposia.agentchat.agents import AssistantAgent
from symposia.agentchat.base import Response, TaskResult
from symposia.agentchat.conditions import MaxMessageTermination, TextMentionTermination
from symposia.agentchat.messages import BaseAgentEvent, BaseChatMessage
from symposia.agentchat.teams import DiGraph, GraphFlow, RoundRobinGroupChat
from symposia.core import AgentRuntime, CancellationToken
from symposia.core.exceptions import ArgumentTypeError, ComponentError, InvalidArgumentError

Where = AgentRuntime | None
COMPLETE = "Digraph execution is complete"
DIAMOND = "a>b, a>c, b>d, c>d"


def team_of(edges: str, *others: Member, start: str | None = None, **options: Any) -> GraphFlow:
    """A team of a graph, whose nodes say "hello" if they are not given."""
    of = graph(edges, start=start)
    given = {other.name: other for other in others}
    return GraphFlow([given.get(name) or Member(name) for name in of.nodes], of, **options)


class Meeting(Member):
    """Speaks when as many as it is told have come, and at the end if they never do."""

    def __init__(self, name: str, barrier: asyncio.Barrier) -> None:
        super().__init__(name)
        self._barrier = barrier

    async def on_messages_stream(
        self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken
    ) -> AsyncGenerator[BaseAgentEvent | BaseChatMessage | Response, None]:
        async with asyncio.timeout(10):
            await self._barrier.wait()
        async for item in super().on_messages_stream(messages, cancellation_token):
            yield item


async def test_a_team_walks_its_graph_and_everybody_receives_everything(runtime: Where) -> None:
    d = Member("d")
    team = team_of(DIAMOND, d, runtime=runtime)

    assert ran(await team.run(task="go")) == (["user: go", "a: hello", "b: hello", "c: hello", "d: hello"], COMPLETE)
    assert d.heard == [["user: go", "a: hello", "b: hello", "c: hello"]]


async def test_branches_overlap(runtime: Where) -> None:
    barrier = asyncio.Barrier(2)
    team = team_of(DIAMOND, Meeting("b", barrier), Meeting("c", barrier), runtime=runtime)

    assert (await team.run(task="go")).stop_reason == COMPLETE


async def test_the_next_run_begins_at_the_start(runtime: Where) -> None:
    team = team_of("a>b", runtime=runtime)
    await team.run(task="go")

    assert lines((await team.run(task="again")).messages) == ["user: again", "a: hello", "b: hello"]
    assert lines((await team.run()).messages) == ["a: hello", "b: hello"]


async def test_a_run_that_ended_in_the_middle_goes_on_there(runtime: Where) -> None:
    team = team_of("a>b, b>c", max_turns=2, runtime=runtime)
    await team.run(task="go")

    assert ran(await team.run()) == (["c: hello"], COMPLETE)


async def test_f26_the_stop_word_of_one_branch_is_seen_though_another_ends_last(runtime: Where) -> None:
    go = asyncio.Event()
    team = team_of(
        DIAMOND,
        Member("b", "STOP"),
        Member("c", go),
        termination_condition=TextMentionTermination("STOP"),
        runtime=runtime,
    )
    stream = team.run_stream(task="go")
    seen = [await anext(stream) for _ in range(3)]  # the task, a, and b
    go.set()
    seen += [item async for item in stream]

    assert isinstance(seen[-1], TaskResult)
    assert ran(seen[-1]) == (["user: go", "a: hello", "b: STOP", "c: waited"], "Text 'STOP' mentioned")


async def test_f27_a_state_that_was_saved_while_a_node_ran_runs_it_again(runtime: Where) -> None:
    go = asyncio.Event()
    b = Member("b", go)
    team = team_of("a>b, b>c", b, runtime=runtime)
    run = asyncio.create_task(team.run(task="go"))
    async with asyncio.timeout(10):
        await b.speaking.wait()
    state = await team.save_state()
    go.set()
    await run

    other = team_of("a>b, b>c", runtime=runtime)
    await other.load_state(state)
    assert ran(await other.run()) == (["b: hello", "c: hello"], COMPLETE)


async def test_f27_of_two_nodes_the_one_that_had_answered_when_it_was_saved_does_not_run_again(runtime: Where) -> None:
    team = team_of(DIAMOND, Member("c", asyncio.Event()), runtime=runtime)
    stream = team.run_stream(task="go")
    for _ in range(3):  # the task, a, and b
        await anext(stream)
    state = await team.save_state()
    await stream.aclose()

    other = team_of(DIAMOND, runtime=runtime)
    await other.load_state(state)
    assert ran(await other.run()) == (["c: hello", "d: hello"], COMPLETE)


async def test_f28_after_a_node_has_failed_the_others_of_its_turn_do_not_speak_again(runtime: Where) -> None:
    team = team_of(DIAMOND, Member("c", ValueError("boom"), "fine"), runtime=runtime)

    with pytest.raises(ValueError, match="boom"):
        await team.run(task="go")
    assert ran(await team.run()) == (["c: fine", "d: hello"], COMPLETE)


async def test_f37_a_graph_that_ends_early_says_which_node_waits_for_what(runtime: Where) -> None:
    team = team_of("a>b?left, a>c?right, b>d, c>d", Member("a", "left"), runtime=runtime)

    assert (await team.run(task="go")).stop_reason == f"{COMPLETE}; 'd' waits for 'c'"


async def test_a_condition_function_sees_the_answer_of_its_source(runtime: Where) -> None:
    of = graph("a>b, b>a, b>c", start="a")
    back, on = of.nodes["b"].edges
    back.condition_function = lambda message: message.to_model_text() == "no"
    on.condition_function = lambda message: message.to_model_text() == "yes"
    team = GraphFlow([Member("a"), Member("b", "no", "yes"), Member("c")], of, runtime=runtime)

    result = await team.run(task="go")
    assert [message.source for message in result.messages] == ["user", "a", "b", "a", "b", "c"]


async def test_a_team_is_a_node_and_its_last_message_is_its_answer(runtime: Where) -> None:
    inner = RoundRobinGroupChat([Member("x", "maybe"), Member("y", "yes")], name="inner", max_turns=2)
    team = GraphFlow(
        [Member("a"), inner, Member("b"), Member("c")], graph("a>inner, inner>b?maybe, inner>c?yes"), runtime=runtime
    )

    result = await team.run(task="go")
    assert lines(result.messages) == ["user: go", "a: hello", "x: maybe", "y: yes", "c: hello"]


async def test_a_condition_ends_a_loop_and_the_next_run_goes_on_there(runtime: Where) -> None:
    team = team_of(
        "a>b, b>a?hello, b>c?never", start="a", termination_condition=MaxMessageTermination(3), runtime=runtime
    )

    assert lines((await team.run(task="go")).messages) == ["user: go", "a: hello", "b: hello"]
    assert lines((await team.run()).messages) == ["a: hello", "b: hello", "a: hello"]


def flow(of: DiGraph) -> GraphFlow:
    return GraphFlow([AssistantAgent(name, model("hi")) for name in of.nodes], of)


def test_a_team_and_its_graph_come_back_from_json() -> None:
    of = graph("a>b?yes any in g, a>c?no", start="a")
    loaded = GraphFlow.load_component(flow(of).dump_component())

    assert loaded.dump_component() == flow(of).dump_component()
    assert DiGraph.model_validate(loaded.dump_component().config["graph"]) == of


def test_a_condition_function_cannot_be_saved() -> None:
    of = graph("a>b")
    of.nodes["a"].edges[0].condition_function = bool

    with pytest.raises(ComponentError, match="the edge from 'a' to 'b' is a function"):
        flow(of).dump_component()


def test_what_is_no_graph_of_the_participants_is_refused() -> None:
    with pytest.raises(InvalidArgumentError, match=r"has the nodes \['b'\], which are no participants: \['a'\]"):
        GraphFlow([Member("a")], graph("a>b"))
    with pytest.raises(InvalidArgumentError, match="at least one leaf node"):
        GraphFlow([Member("a"), Member("b")], graph("a>b?x, b>a?y", start="a"))
    with pytest.raises(ArgumentTypeError, match="graph has to be a DiGraph"):
        GraphFlow([Member("a")], {"nodes": {}})  # pyright: ignore[reportArgumentType] - an unchecked program


async def test_a_state_of_another_graph_is_refused_and_changes_nothing() -> None:
    team, other = team_of("a>b"), team_of("a>b, b>c", max_turns=3)
    await other.run(task="go")
    with pytest.raises(InvalidArgumentError, match="'c'"):
        await team.load_state(await other.save_state())

    assert (await team.run(task="go")).stop_reason == COMPLETE
