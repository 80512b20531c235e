"""Tools that are made of agents."""

import asyncio
import json
import re
from collections.abc import AsyncGenerator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.chat_agents import Parrot, asks_for, collected, kinds, model, says, shown
from tests.support.team_log import Log
from tests.support.team_members import Member, lines, pair

from symposia.agentchat.agents import AssistantAgent
from symposia.agentchat.base import Response, TaskResult
from symposia.agentchat.messages import BaseAgentEvent, BaseChatMessage
from symposia.agentchat.teams import RoundRobinGroupChat, SelectorGroupChat, fold_log
from symposia.agentchat.tools import AgentTool, TeamTool
from symposia.core import CancellationToken
from symposia.core.exceptions import ArgumentTypeError, DeadlockError, InvalidArgumentError, UsageError
from symposia.ext.models.replay import Answer, ReplayChatCompletionClient

TASK = {"task": "go"}


async def said(tool: AgentTool | TeamTool) -> str:
    """What the model reads of one call."""
    return tool.return_value_as_string(await tool.run_json(TASK, CancellationToken()))


async def test_an_agent_is_a_tool_of_its_name_and_description() -> None:
    tool = AgentTool(Member("ann", description="Writes."))

    assert (tool.name, tool.description) == ("ann", "Writes.")
    assert tool.schema["parameters"]["properties"].keys() == {"task"}  # type: ignore[typeddict-item]
    assert await said(tool) == "ann: hello"


async def test_the_model_reads_all_answers_of_a_team_or_the_last_one_alone() -> None:
    assert await said(TeamTool(pair(max_turns=2), "pair", "Talks.")) == "ann: hello\n\nbob: hello"
    assert await said(TeamTool(pair(max_turns=2), "pair", "Talks.", True)) == "hello"


async def test_an_agent_may_have_the_name_of_the_person() -> None:
    assert await said(AgentTool(Member("user"))) == "user: hello"


async def test_the_tasks_of_tools_within_are_not_read_by_the_model() -> None:
    client = model(asks_for(("ann", '{"task": "write"}'), ("bob", '{"task": "read"}')), "done")
    mid = AssistantAgent(
        "mid", client, tools=[AgentTool(Member("ann")), AgentTool(Member("bob"))], reflect_on_tool_use=True
    )
    team = RoundRobinGroupChat([mid, Member("user")], max_turns=2)

    assert await said(TeamTool(team, "team", "Talks.")) == "ann: hello\n\nbob: hello\n\nmid: done\n\nuser: hello"


async def test_events_are_not_read_by_the_model() -> None:
    inner = AssistantAgent("ann", model(asks_for(("add", '{"a": 1}')), "two"), tools=[add], reflect_on_tool_use=True)

    assert await said(AgentTool(inner)) == "ann: two"


async def add(a: int) -> int:
    """Add one."""
    return a + 1


async def test_what_happens_in_it_is_shown_by_the_agent_that_calls_it() -> None:
    client = model(asks_for(("ann", '{"task": "write"}')), "done")
    boss = AssistantAgent("boss", client, tools=[AgentTool(Member("ann"))], reflect_on_tool_use=True)
    items = await collected(boss.run_stream(task="go"))

    assert kinds(items)[1:-1] == [
        "ToolCallRequestEvent",
        "TextMessage",
        "TextMessage",
        "ToolCallExecutionEvent",
        "TextMessage",
    ]
    result = items[-1]
    assert isinstance(result, TaskResult)
    assert lines(result.messages)[2:4] == ["user: write", "ann: hello"]
    assert shown(client)[-1].content[0].content == "ann: hello"  # type: ignore[union-attr]


async def test_what_tools_show_is_in_the_result_in_the_order_of_the_calls() -> None:
    go = asyncio.Event()
    slow = TeamTool(RoundRobinGroupChat([Member("ann", go)], max_turns=1), "slow", "Talks.")
    bob = Member("bob")
    fast = TeamTool(RoundRobinGroupChat([bob], max_turns=1), "fast", "Talks.")
    client = model(asks_for(("slow", '{"task": "one"}'), ("fast", '{"task": "two"}')), "done")
    agent = AssistantAgent("boss", client, tools=[slow, fast], reflect_on_tool_use=True)
    for runner in (agent, RoundRobinGroupChat([agent], max_turns=1)):
        go.clear()
        bob.heard.clear()
        shown: list[str] = []
        result: TaskResult | None = None
        async for item in runner.run_stream(task="go"):
            if isinstance(item, TaskResult):
                result = item
            else:
                shown.append(f"{item.source}: {item.to_text()}")
            if shown[-1] == "bob: hello":
                go.set()
        assert result is not None
        assert shown.index("bob: hello") < shown.index("ann: waited")
        assert lines(result.messages)[2:6] == ["user: one", "ann: waited", "user: two", "bob: hello"]
        client.reset()


async def test_the_agent_remembers_and_its_memory_is_the_state_of_the_tool() -> None:
    first, client = AgentTool(AssistantAgent("ann", model("one"))), model("two")
    second = AgentTool(AssistantAgent("ann", client))
    await first.run_json(TASK, CancellationToken())
    await second.load_state_json(await first.save_state_json())
    await second.run_json({"task": "on"}, CancellationToken())

    assert [message.content for message in shown(client)][1:] == ["go", "one", "on"]


async def test_calls_that_are_made_at_once_take_place_one_after_another() -> None:
    go = asyncio.Event()
    ann = Member("ann", go, "again")
    tool = TeamTool(RoundRobinGroupChat([ann], max_turns=1), "team", "Talks.")
    calls = [asyncio.create_task(said(tool)) for _ in range(2)]
    async with asyncio.timeout(10):
        await ann.speaking.wait()
        assert len(ann.heard) == 1
        go.set()
        assert await asyncio.gather(*calls) == ["ann: waited", "ann: again"]


async def test_a_call_that_waits_can_be_cancelled() -> None:
    ann = Member("ann", asyncio.Event(), "free")
    tool = AgentTool(ann)
    first = asyncio.create_task(said(tool))
    async with asyncio.timeout(10):
        await ann.speaking.wait()
    second = asyncio.create_task(said(tool))
    await asyncio.sleep(0)
    second.cancel()
    first.cancel()
    await asyncio.gather(first, second, return_exceptions=True)

    assert await said(tool) == "ann: free"


def test_it_is_used_in_one_event_loop_after_another() -> None:
    tool = AgentTool(Member("ann"))

    async def twice() -> list[str]:
        return list(await asyncio.gather(said(tool), said(tool)))

    assert [asyncio.run(twice()) for _ in range(2)] == [["ann: hello", "ann: hello"]] * 2


class Deeper(Parrot):
    """Calls a tool in its turn."""

    tool: AgentTool

    async def on_messages(self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken) -> Response:
        await self.tool.run_json({"task": "deeper"}, cancellation_token)
        return await super().on_messages(messages, cancellation_token)


async def test_a_tool_that_is_called_in_its_own_run_fails_instead_of_waiting_for_itself() -> None:
    agent = Deeper("deeper")
    agent.tool = AgentTool(agent)
    token = CancellationToken()
    for call in (agent.tool.run_json(TASK, token), collected(agent.tool.run_json_stream(TASK, token))):
        with pytest.raises(UsageError, match="The tool 'deeper' cannot be called in its own run"):
            await asyncio.wait_for(call, timeout=10)


@pytest.mark.parametrize("name", ["my tool", "", "größe", "a" * 65, "a.b"])
def test_a_name_that_vendors_refuse_is_refused(name: str) -> None:
    with pytest.raises(InvalidArgumentError, match=r"name of TeamTool is .* give 1 to 64 letters"):
        TeamTool(pair(), name, "Talks.")


class Calling(Member):
    """Calls a tool in its first turn, when others are as far as it is, and says what it gave."""

    def __init__(self, name: str, together: asyncio.Barrier) -> None:
        super().__init__(name)
        self.tool: AgentTool | None = None
        self._together = together

    async def on_messages_stream(
        self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken
    ) -> AsyncGenerator[BaseAgentEvent | BaseChatMessage | Response, None]:
        tool, self.tool = self.tool, None
        if tool is not None:
            await self._together.wait()
            try:
                self._turns = [await said(tool)]
            except DeadlockError as error:
                self._turns = [str(error)]
        async for item in super().on_messages_stream(messages, cancellation_token):
            yield item


@pytest.mark.parametrize("members", [2, 3])
async def test_calls_that_would_wait_for_each_other_are_found(members: int) -> None:
    together = asyncio.Barrier(members)
    agents = [Calling(name, together) for name in "abc"[:members]]
    tools = [AgentTool(agent) for agent in agents]
    for agent, tool in zip(agents, [*tools[1:], tools[0]], strict=True):
        agent.tool = tool
    async with asyncio.timeout(10):
        answers = await asyncio.gather(*map(said, tools))

    circle = r"cannot be called here, since calls wait for each other: (\w)" + r" -> \w" * (members - 1) + r" -> \1\."
    assert any(re.search(circle, answer) for answer in answers), answers
    async with asyncio.timeout(10):  # and all of them are free
        await asyncio.gather(*map(said, tools))


class CallingAll(Member):
    """Calls some tools at once in its first turn, after some steps of the event loop."""

    def __init__(self, name: str, steps: int) -> None:
        super().__init__(name)
        self.tools: list[AgentTool] = []
        self._steps = steps

    async def on_messages_stream(
        self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken
    ) -> AsyncGenerator[BaseAgentEvent | BaseChatMessage | Response, None]:
        for _ in range(self._steps):
            await asyncio.sleep(0)
        tools, self.tools = self.tools, []
        ends = await asyncio.gather(*map(said, tools), return_exceptions=True)
        assert all(isinstance(end, str | DeadlockError | UsageError) for end in ends), ends
        async for item in super().on_messages_stream(messages, cancellation_token):
            yield item


@given(st.lists(st.tuples(st.integers(0, 3), st.sets(st.integers(0, 4), max_size=3)), min_size=1, max_size=5))
async def test_whoever_calls_whom_all_calls_end(agents: list[tuple[int, set[int]]]) -> None:
    calling = [CallingAll(f"a{index}", steps) for index, (steps, _) in enumerate(agents)]
    for agent, (_, called) in zip(calling, agents, strict=True):
        agent.tools = [AgentTool(calling[index]) for index in sorted(called) if index < len(calling)]
    async with asyncio.timeout(10):
        answers = await asyncio.gather(*(said(AgentTool(agent)) for agent in calling))

    assert answers == [f"{agent.name}: hello" for agent in calling]


async def test_calls_that_wait_without_a_circle_are_made() -> None:
    together = asyncio.Barrier(2)
    one, two, shared = Calling("one", together), Calling("two", together), Member("shared")
    one.tool = two.tool = AgentTool(shared)
    async with asyncio.timeout(10):
        answers = await asyncio.gather(said(AgentTool(one)), said(AgentTool(two)))

    assert answers == ["one: shared: hello", "two: shared: hello"]


async def test_calls_of_two_tools_that_are_made_of_one_agent_take_place_one_after_another() -> None:
    for runs_team in (False, True):
        go = asyncio.Event()
        ann = Member("ann", go, "again")
        team = RoundRobinGroupChat([ann], max_turns=1)
        tools = [TeamTool(team, name, "Talks.") if runs_team else AgentTool(ann) for name in ("a", "b")]
        calls = [asyncio.create_task(said(tool)) for tool in tools]
        async with asyncio.timeout(10):
            await ann.speaking.wait()
            await asyncio.sleep(0)
            assert len(ann.heard) == 1
            go.set()
            assert await asyncio.gather(*calls) == ["ann: waited", "ann: again"]


async def test_a_tool_that_is_in_use_in_another_threads_loop_is_an_error_and_no_wait() -> None:
    go = asyncio.Event()
    ann = Member("ann", go)
    tool = AgentTool(ann)
    call = asyncio.create_task(said(tool))
    async with asyncio.timeout(10):
        await ann.speaking.wait()
        with pytest.raises(UsageError, match="in use in the event loop of another thread"):
            await asyncio.to_thread(lambda: asyncio.run(asyncio.wait_for(said(tool), timeout=10)))
        go.set()
        assert await call == "ann: waited"
        assert await asyncio.to_thread(lambda: asyncio.run(said(AgentTool(Member("bob"))))) == "bob: hello"


async def test_f31_the_tokens_of_choosing_the_speakers_of_a_team_are_counted() -> None:
    chooser = model(says("ann"), says("bob"))
    team = SelectorGroupChat([Member("ann"), Member("bob"), Member("cleo")], chooser, max_turns=2, name="panel")
    client = model(asks_for(("panel", '{"task": "go"}')), says("done"))
    tool = TeamTool(team, "panel", "Talks.")
    boss = AssistantAgent("boss", client, tools=[tool], reflect_on_tool_use=True)

    assert (await boss.run(task="go")).usage == client.total_usage() + chooser.total_usage()
    assert shown(client)[-1].content[0].content == "ann: hello\n\nbob: hello"  # type: ignore[union-attr]


@pytest.mark.parametrize("tool", [AgentTool(AssistantAgent("ann", model("hi")))], ids=["agent"])
def test_it_comes_back_from_json(tool: AgentTool) -> None:
    assert AgentTool.load_component(tool.dump_component()).dump_component() == tool.dump_component()


def test_a_team_tool_comes_back_from_json() -> None:
    tool = TeamTool(RoundRobinGroupChat([AssistantAgent("ann", model("hi"))]), "team", "Talks.", True)

    assert TeamTool.load_component(tool.dump_component()).dump_component() == tool.dump_component()


def test_wrong_arguments_are_refused() -> None:
    with pytest.raises(ArgumentTypeError, match="A team takes a TeamTool"):
        AgentTool(pair())  # pyright: ignore[reportArgumentType] - an unchecked program
    with pytest.raises(ArgumentTypeError, match="An agent takes an AgentTool"):
        TeamTool(Member("ann"), "team", "Talks.")  # pyright: ignore[reportArgumentType] - an unchecked program
    with pytest.raises(ArgumentTypeError, match="The description of the tool 'team'"):
        TeamTool(pair(), "team", None)  # pyright: ignore[reportArgumentType] - an unchecked program


def echo(text: str) -> str:
    """Repeats a text."""
    return text


def host(asked: ReplayChatCompletionClient, *answers: Answer) -> AssistantAgent:
    """An agent with a team as a tool, whose one member has this model, and a tool without a state."""
    team = RoundRobinGroupChat([AssistantAgent("ann", asked)], max_turns=1, name="team")
    return AssistantAgent("host", model(*answers), tools=[TeamTool(team, "team", "Works."), echo])


CALL = asks_for(("team", '{"task": "go"}'))


async def test_the_memory_of_tools_is_part_of_the_state_of_their_agent() -> None:
    team = RoundRobinGroupChat([host(model("one", "two"), CALL, CALL)], max_turns=1)
    listener = Log()
    async with team.log_to(listener):
        for _ in range(2):
            await team.run(task="help")
    state = json.loads(json.dumps(await team.save_state()))
    assert json.loads(json.dumps(fold_log(listener.entries))) == state
    assert listener.entries[-1].change is None or "one" not in json.dumps(listener.entries[-1].change)

    asked = model("three")
    other = RoundRobinGroupChat([host(asked, CALL)], max_turns=1)
    await other.load_state(state)
    assert await other.save_state() == state
    await other.run(task="help")
    assert [message.content for message in shown(asked)][1:] == ["go", "one", "go", "two", "go"]


async def test_a_state_without_those_of_tools_leaves_them_as_they_are() -> None:
    agent = host(model("one"), CALL)
    await agent.run(task="help")
    saved = await agent.save_state()
    await agent.load_state({key: value for key, value in saved.items() if key != "tools"})
    assert await agent.save_state() == saved


@pytest.mark.parametrize("tools", [["team"], {"team": {}}], ids=["no mapping", "no state of a team"])
async def test_a_state_whose_tools_cannot_be_loaded_changes_nothing(tools: object) -> None:
    agent = host(model("one"), CALL)
    empty = await agent.save_state()
    await agent.run(task="help")
    saved = await agent.save_state()
    with pytest.raises(InvalidArgumentError, match=r"tools in the state of agent 'host'|Agent state for ann not found"):
        await agent.load_state({**empty, "tools": tools})
    assert await agent.save_state() == saved


async def test_an_agent_without_tools_that_have_a_state_saves_none() -> None:
    assert "tools" not in await AssistantAgent("ann", model(), tools=[echo]).save_state()
