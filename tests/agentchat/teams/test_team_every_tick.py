"""A team that is saved or cancelled at any tick of the event loop keeps its promises."""

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any

import pytest
from tests.support.team_members import Member, lines

from symposia.agentchat.base import Response, TerminationCondition
from symposia.agentchat.messages import BaseAgentEvent, BaseChatMessage, StopMessage, TextMessage
from symposia.agentchat.teams import (
    BaseGroupChat,
    Decision,
    GroupChat,
    RoundRobinGroupChat,
    RuleContext,
    Speak,
    TeamLogEntry,
    Transcript,
    fold_log,
)
from symposia.core import AgentRuntime, AgentType
from symposia.core.exceptions import TeamRunningError
from symposia.testing import SerializingRuntime

Where = AgentRuntime | None
State = Mapping[str, Any]


class Counter(Member):
    """Numbers its answers, and waits some ticks whatever it does."""

    def __init__(self, name: str, *, ticks: int = 0) -> None:
        super().__init__(name)
        self.count = 0
        self.given: list[str] = []
        self._ticks = ticks

    async def _wait(self) -> None:
        for _ in range(self._ticks):
            await asyncio.sleep(0)

    async def on_messages_stream(
        self, messages: Sequence[BaseChatMessage], cancellation_token: Any
    ) -> AsyncGenerator[BaseAgentEvent | BaseChatMessage | Response, None]:
        await self._wait()
        self.given += [message.to_text() for message in messages]
        self.count += 1
        yield Response(chat_message=TextMessage(content=f"{self.name}{self.count}", source=self.name))

    async def on_reset(self, cancellation_token: Any) -> None:
        await self._wait()
        self.count, self.given = 0, []

    async def save_state(self) -> State:
        await self._wait()
        return {"count": self.count, "given": list(self.given)}

    async def load_state(self, state: State) -> None:
        await self._wait()
        self.count = state["count"]
        await self._wait()
        self.given = list(state["given"])


def counters(runtime: Where, *, ticks: int = 3, max_turns: int = 4) -> RoundRobinGroupChat:
    members = [Counter("ann", ticks=ticks), Counter("bob", ticks=ticks - 1)]
    return RoundRobinGroupChat(members, max_turns=max_turns, runtime=runtime)


async def ticks(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def settled(team: BaseGroupChat) -> State:
    return json.loads(json.dumps(await team.save_state()))


def is_running(state: State) -> bool:
    return bool(state["agent_states"]["RoundRobinGroupChatManager"].get("progress", {}).get("running"))


async def test_a_team_saved_at_any_tick_and_resumed_has_the_transcript_that_it_would_have_had(runtime: Where) -> None:
    saved = 0
    for tick in range(1, 500):
        team = counters(runtime)
        run = asyncio.create_task(team.run(task="go"))
        await ticks(tick)
        if run.done():
            break
        state = await settled(team)
        await run
        if not is_running(state):
            continue
        saved += 1
        other = counters(runtime)
        await other.load_state(state)
        await other.run()
        assert lines(other.transcript) == lines(team.transcript), f"saved at tick {tick}"
    assert saved > 5


async def test_a_team_resumed_from_any_entry_of_its_log_takes_no_more_turns_than_the_maximum(runtime: Where) -> None:
    class Listener:
        def __init__(self) -> None:
            self.entries: list[TeamLogEntry] = []
            self.states: list[State] = []

        async def write(self, entry: TeamLogEntry) -> None:
            self.entries.append(entry)
            self.states.append(fold_log(self.entries))

    listener = Listener()
    team = counters(runtime)
    async with team.log_to(listener):
        await team.run(task="go")
    running = [state for state in listener.states if is_running(state)]

    assert len(running) >= 5
    for state in running:
        other = counters(runtime)
        await other.load_state(state)
        result = await other.run()
        assert lines(other.transcript) == lines(team.transcript)
        assert result.stop_reason == "Maximum number of turns 4 reached."


async def used(runtime: Where, task: str, turns: int) -> BaseGroupChat:
    """A team of an agent and a nested team, all of which wait whatever they do, after a run."""
    inner = RoundRobinGroupChat([Counter("bob", ticks=1), Counter("cid", ticks=1)], max_turns=2, name="inner")
    team = RoundRobinGroupChat([Counter("ann", ticks=1), inner, Counter("dan", ticks=1)], max_turns=9, runtime=runtime)
    await cut(team, task, turns)
    return team


async def cut(team: BaseGroupChat, task: str, turns: int) -> None:
    stream = team.run_stream(task=task)
    for _ in range(turns):
        await anext(stream)
    await stream.aclose()


async def cancelled_after(work: asyncio.Task[Any], tick: int, times: int) -> bool:
    """Whether it was cancelled, so many times from that tick on."""
    await ticks(tick)
    if work.done():
        return False
    for _ in range(times):
        work.cancel()
        await asyncio.sleep(0)
    await asyncio.wait([work])
    return True


@pytest.mark.parametrize("times", [1, 2, 3])
async def test_to_load_is_all_or_nothing_however_often_it_is_cancelled(runtime: Where, times: int) -> None:
    state = await settled(await used(runtime, "other", 2))
    tick = 0
    for tick in range(500):
        team = await used(runtime, "mine", 3)
        before = await settled(team)
        if not await cancelled_after(asyncio.create_task(team.load_state(state)), tick, times):
            break
        assert await settled(team) in (before, state), f"cancelled at tick {tick}"
    assert 5 < tick < 499


@pytest.mark.parametrize("times", [1, 2, 3])
async def test_to_reset_is_all_or_nothing_however_often_it_is_cancelled(runtime: Where, times: int) -> None:
    tick = 0
    for tick in range(500):
        team = await used(runtime, "mine", 3)
        before = await settled(team)
        if not await cancelled_after(asyncio.create_task(team.reset()), tick, times):
            break
        after = await settled(team)
        assert after == before or (not team.transcript and '"count": 1' not in json.dumps(after)), f"at tick {tick}"
    assert 5 < tick < 499


class Live(Member):
    """Returns the object in which it keeps its state, and keeps the one that it is given."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.state: dict[str, Any] = {"seen": []}

    async def on_messages_stream(
        self, messages: Sequence[BaseChatMessage], cancellation_token: Any
    ) -> AsyncGenerator[BaseAgentEvent | BaseChatMessage | Response, None]:
        self.state["seen"] += [message.to_text() for message in messages]
        async for item in super().on_messages_stream(messages, cancellation_token):
            yield item

    async def save_state(self) -> State:
        return self.state

    async def load_state(self, state: State) -> None:
        if "wrong" in state:
            self.state.clear()
            raise ValueError("wrong state")
        self.state = state  # pyright: ignore[reportAttributeAccessIssue] - the fault that this test is about


class LiveRule:
    """The same, as a rule."""

    def __init__(self) -> None:
        self.state: Any = {"queue": ["ann", "bob"]}

    async def decide(self, _transcript: Transcript, _context: RuleContext, /) -> Decision:
        name = self.state["queue"].pop(0)
        self.state["queue"].append(name)
        return Speak((name,))

    def save_state(self) -> State:
        return self.state

    def load_state(self, state: State, /) -> None:
        self.state = state

    def reset(self) -> None:
        self.state = {"queue": ["ann", "bob"]}


class LiveCondition(TerminationCondition):
    """The same, as a condition."""

    def __init__(self) -> None:
        self.state: Any = {"seen": [0]}

    @property
    def terminated(self) -> bool:
        return False

    async def __call__(self, messages: Sequence[BaseAgentEvent | BaseChatMessage]) -> StopMessage | None:
        self.state["seen"][0] += len(messages)
        return None

    def save_state(self) -> State:
        return self.state

    def load_state(self, state: State, /) -> None:
        self.state = state

    async def reset(self) -> None:
        self.state = {"seen": [0]}


def live() -> GroupChat:
    members = [Live("ann"), Live("bob")]
    return GroupChat(members, rule=LiveRule(), termination_condition=LiveCondition(), max_turns=3)


async def test_a_saved_state_does_not_change_with_the_team_nor_a_loaded_one_with_the_team_that_loaded_it() -> None:
    team = live()
    stream = team.run_stream(task="go")
    for _ in range(2):
        await anext(stream)
    state = await team.save_state()
    written = json.dumps(state)
    async for _ in stream:
        pass
    assert json.dumps(state) == written
    other = live()
    await other.load_state(state)
    await other.run()
    assert json.dumps(state) == written


async def test_a_turn_that_failed_puts_back_a_rule_that_keeps_its_state_in_one_object() -> None:
    team = GroupChat([Member("ann", ValueError("boom"), "fine"), Member("bob")], rule=LiveRule(), max_turns=1)
    with pytest.raises(ValueError, match="boom"):
        await team.run(task="go")

    assert lines((await team.run()).messages) == ["ann: fine"]


async def test_a_refused_state_leaves_an_agent_that_keeps_its_state_in_one_object_as_it_was() -> None:
    team = live()
    await team.run(task="go")
    before = await settled(team)
    state = json.loads(json.dumps(before))
    state["agent_states"]["ann"]["agent_state"] = {"wrong": True}

    with pytest.raises(ValueError, match="wrong state"):
        await team.load_state(state)
    assert await settled(team) == before


def nested(runtime: Where) -> tuple[RoundRobinGroupChat, RoundRobinGroupChat, list[Counter]]:
    """An outer team of a nested team and an agent; the nested one; the agents."""
    agents = [Counter(name, ticks=1) for name in ("bob", "cid", "dan")]
    inner = RoundRobinGroupChat(agents[:2], max_turns=2, name="inner", runtime=runtime)
    return RoundRobinGroupChat([inner, agents[2]], max_turns=2, runtime=runtime), inner, agents


async def test_a_run_cancelled_at_any_tick_gives_no_message_twice_and_loses_no_answer(runtime: Where) -> None:
    tick = 0
    for tick in range(1, 500):
        outer, inner, agents = nested(runtime)
        if not await cancelled_after(asyncio.create_task(outer.run(task="go")), tick, 1):
            break
        await outer.run(task="on")
        transcript = lines(outer.transcript)
        for agent in agents:
            assert len(set(agent.given)) == len(agent.given), f"cancelled at tick {tick}: {agent.given}"
            said = [f"{agent.name}: {agent.name}{number + 1}" for number in range(agent.count)]
            assert [line for line in transcript if line in said] == said, f"cancelled at tick {tick}"
        assert [line for line in lines(inner.transcript) if line not in transcript] == [], f"cancelled at tick {tick}"
    assert 10 < tick < 499


async def test_a_team_saved_at_any_tick_of_its_nested_team_gives_no_message_twice(runtime: Where) -> None:
    whole, _, _ = nested(runtime)
    await whole.run(task="go")
    tick = saved = 0
    for tick in range(1, 500):
        team, _, _ = nested(runtime)
        run = asyncio.create_task(team.run(task="go"))
        await ticks(tick)
        if run.done():
            break
        state = await settled(team)
        await run
        if not is_running(state):
            continue
        saved += 1
        other, _, agents = nested(runtime)
        await other.load_state(state)
        await other.run()
        for agent in agents:
            assert len(set(agent.given)) == len(agent.given), f"saved at tick {tick}: {agent.given}"
        assert lines(other.transcript) == lines(whole.transcript), f"saved at tick {tick}"
    assert saved > 5


class WaitingRuntime(SerializingRuntime):
    """Takes its time to register and to remove agents, and knows which of them it has."""

    def __init__(self) -> None:
        super().__init__()
        self.known: set[str] = set()

    async def register_factory(self, *arguments: Any, **options: Any) -> AgentType:  # Any: as the runtime's
        await ticks(1)
        agent_type = await super().register_factory(*arguments, **options)
        self.known.add(agent_type.type)
        await ticks(1)
        return agent_type

    async def remove_agent_type(self, type: str | AgentType) -> None:  # noqa: A002 - as the runtime's
        await ticks(1)
        await super().remove_agent_type(type)
        self.known.discard(str(type))
        await ticks(1)


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("use", ["run", "save_state"])
async def test_a_team_cancelled_at_any_tick_leaves_nothing_in_a_runtime_that_waits(use: str, times: int) -> None:
    for tick in range(1, 500):
        runtime = WaitingRuntime()
        runtime.start()
        team = RoundRobinGroupChat([Member("ann"), Member("bob")], max_turns=2, runtime=runtime)
        task = asyncio.create_task(team.run(task="go") if use == "run" else team.save_state())
        await ticks(tick)
        if task.done():
            break
        for _ in range(times):
            task.cancel()
            await ticks(1)
        await asyncio.wait([task])
        assert runtime.known == set(), f"cancelled at tick {tick}"
        assert len((await team.run(task="on")).messages) == 3, f"cancelled at tick {tick}"
        await runtime.stop()
    else:
        pytest.fail("it does not end")


@pytest.mark.parametrize("doing", ["reset", "loaded"])
async def test_a_participant_that_saves_its_team_while_that_is_replaced_does_not_wait_for_itself(
    runtime: Where, doing: str
) -> None:
    refused: list[str] = []

    class Archivist(Member):
        async def _save(self) -> None:
            with pytest.raises(TeamRunningError) as caught:
                await team.save_state()
            refused.append(str(caught.value))

        async def on_reset(self, cancellation_token: Any) -> None:
            await self._save()

        async def load_state(self, state: State) -> None:
            await self._save()

    team = RoundRobinGroupChat([Archivist("ann")], max_turns=1, runtime=runtime)
    state = await team.save_state()
    async with asyncio.timeout(30):
        await (team.reset() if doing == "reset" else team.load_state(state))

    assert refused == [f"The team 'RoundRobinGroupChat' is being {doing}: save it before, or afterwards."]
    await team.save_state()
