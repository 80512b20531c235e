"""The log of a team: its entries, and that folding them gives the state."""

import asyncio
import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.chat_agents import asks_for, model, says
from tests.support.team_log import Log
from tests.support.team_members import Member, Script, lines, pair

from symposia.agentchat.agents import AssistantAgent
from symposia.agentchat.base import Response, TaskResult
from symposia.agentchat.conditions import FunctionalTermination, MaxMessageTermination
from symposia.agentchat.messages import BaseAgentEvent, BaseChatMessage, TextMessage
from symposia.agentchat.teams import (
    BaseGroupChat,
    DecisionMade,
    GroupChat,
    RoundRobinGroupChat,
    RunEnded,
    RunStarted,
    SelectorGroupChat,
    Speak,
    StateRecorded,
    Stop,
    TeamLogEntry,
    TurnEnded,
    fold_log,
)
from symposia.core import AgentRuntime, CancellationToken
from symposia.core.exceptions import InvalidArgumentError, TeamRunningError
from symposia.ext.models.replay import ReplayChatCompletionClient

Where = AgentRuntime | None


def as_json(state: object) -> object:
    return json.loads(json.dumps(state))


async def test_r02_the_log_tells_what_was_appended_decided_and_ended(runtime: Where) -> None:
    log = Log()
    rule = Script(Speak(("ann", "bob")), Stop("enough"))
    team = GroupChat([Member("ann"), Member("bob")], rule=rule, runtime=runtime)
    async with team.log_to(log):
        await team.run(task="go")
    _, started, decided, ended, stop, last, over = log.entries

    assert isinstance(started, RunStarted)
    assert lines(started.task) == ["user: go"]
    assert isinstance(decided, DecisionMade)
    assert (decided.turn, decided.decision, decided.usage) == (1, Speak(("ann", "bob")), None)
    assert isinstance(ended, TurnEnded)
    assert (ended.turn, ended.speakers, ended.answered, ended.error) == (1, ("ann", "bob"), ("ann", "bob"), None)
    assert lines(ended.items) == ["ann: hello", "bob: hello"]
    assert isinstance(stop, DecisionMade)
    assert (stop.turn, stop.decision) == (2, Stop("enough"))
    assert isinstance(last, TurnEnded)
    assert last.turn == 2
    assert isinstance(over, RunEnded)
    assert over.stop_reason == "enough"


async def test_r02_the_transcript_the_stream_and_the_result_are_what_the_log_tells(runtime: Where) -> None:
    log = Log()
    said = [TextMessage(content="thinking", source="ann"), TextMessage(content="done", source="ann")]
    team = GroupChat(
        [Member("ann", said), Member("bob")], rule=Script(Speak(("ann", "bob")), Stop("enough")), runtime=runtime
    )
    async with team.log_to(log):
        *stream, result = [item async for item in team.run_stream(task="go")]
    told: list[BaseAgentEvent | BaseChatMessage] = []
    for entry in log.entries:
        if isinstance(entry, RunStarted):
            told += entry.task
        elif isinstance(entry, TurnEnded):
            told += entry.items

    assert isinstance(result, TaskResult)
    assert lines(told) == ["user: go", "ann: thinking", "ann: done", "bob: hello"]
    assert list(team.transcript) == told == list(result.messages)
    assert sorted(item.id for item in told) == sorted(item.id for item in stream if not isinstance(item, TaskResult))


async def test_r02_a_log_tells_each_answer_once_and_no_streamed_piece() -> None:
    log, client = Log(), ReplayChatCompletionClient(["one two three"])
    team = RoundRobinGroupChat([AssistantAgent("ann", client, model_client_stream=True)], max_turns=1)
    async with team.log_to(log):
        stream = [type(item).__name__ async for item in team.run_stream(task="go")]

    assert stream.count("ModelClientStreamingChunkEvent") > 1
    assert log.kinds() == ["StateRecorded", "RunStarted", "DecisionMade", "TurnEnded", "RunEnded"]
    assert lines(team.transcript) == ["user: go", "ann: one two three"]


async def test_r02_folding_the_log_gives_the_state_and_the_state_resumes(runtime: Where) -> None:
    log = Log()
    team = pair(runtime=runtime, termination_condition=MaxMessageTermination(6))
    async with team.log_to(log):
        await team.run(task="go")
        assert as_json(fold_log(log.entries)) == as_json(await team.save_state())
    turn = next(index for index, entry in enumerate(log.entries) if isinstance(entry, TurnEnded) and entry.turn == 2)
    other = pair(runtime=runtime, termination_condition=MaxMessageTermination(6))
    await other.load_state(fold_log(log.entries[: turn + 1]))

    assert len((await other.run()).messages) == 3


async def test_r02_a_failed_turn_says_who_answered_and_what_changed(runtime: Where) -> None:
    log = Log()
    rule = Script(Speak(("ann", "bob")))
    team = GroupChat([Member("ann", ValueError("boom")), Member("bob")], rule=rule, runtime=runtime)
    async with team.log_to(log):
        with pytest.raises(ValueError, match="boom"):
            await team.run(task="go")
        ended = log.entries[-2]
        assert isinstance(ended, TurnEnded)
        assert (ended.answered, ended.error) == (("bob",), "ValueError('boom')")
        assert as_json(fold_log(log.entries)) == as_json(await team.save_state())


async def test_r02_a_turn_whose_condition_fails_is_committed_and_logged_once_with_the_error() -> None:
    log = Log()

    def fail(messages: Sequence[BaseAgentEvent | BaseChatMessage]) -> bool:
        if messages[-1].source == "ann":
            raise ValueError("boom")
        return False

    team = RoundRobinGroupChat([Member("ann")], termination_condition=FunctionalTermination(fail))
    async with team.log_to(log):
        with pytest.raises(ValueError, match="boom"):
            await team.run(task="go")
        assert log.kinds() == ["StateRecorded", "RunStarted", "DecisionMade", "TurnEnded", "RunEnded"]
        ended = log.entries[-2]
        assert isinstance(ended, TurnEnded)
        assert (ended.answered, ended.error) == (("ann",), "ValueError('boom')")
        assert lines(team.transcript) == ["user: go", "ann: hello"]
        assert as_json(fold_log(log.entries)) == as_json(await team.save_state())


async def test_r02_a_cancelled_turn_is_in_the_log(runtime: Where) -> None:
    log, bob = Log(), Member("bob", asyncio.Event())
    team = RoundRobinGroupChat([bob], runtime=runtime)
    async with team.log_to(log):
        run = asyncio.create_task(team.run(task="go"))
        await bob.speaking.wait()
        run.cancel()
        await asyncio.wait([run])
        assert log.kinds()[-2:] == ["TurnEnded", "RunEnded"]
        assert as_json(fold_log(log.entries)) == as_json(await team.save_state())


async def test_r02_a_load_and_a_reset_record_the_whole_state() -> None:
    log, team = Log(), pair(max_turns=1)
    async with team.log_to(log):
        state = await team.save_state()
        await team.run(task="go")
        await team.load_state(state)
        assert as_json(fold_log(log.entries)) == as_json(state)
        await team.reset()

    assert [kind for kind in log.kinds() if kind == "StateRecorded"] == 3 * ["StateRecorded"]


async def test_r02_a_turn_costs_what_changed_and_not_the_conversation() -> None:
    log, client = Log(), model(*[says("word " * 20)] * 60)
    inner = RoundRobinGroupChat([AssistantAgent("cid", client)], name="inner", max_turns=1)
    team = RoundRobinGroupChat([AssistantAgent("ann", client), inner], max_turns=40)
    async with team.log_to(log):
        await team.run(task="go")
        assert as_json(fold_log(log.entries)) == as_json(await team.save_state())
    sizes = [len(json.dumps(entry.change)) for entry in log.entries if isinstance(entry, TurnEnded)]

    assert max(sizes[30:]) < 1.1 * max(sizes[2:8])


async def test_nothing_is_saved_while_nothing_listens() -> None:
    class Unsaved(Member):
        async def save_state(self) -> dict[str, Any]:
            raise AssertionError("nothing listens")

    await RoundRobinGroupChat([Unsaved("ann")], max_turns=2).run(task="go")


async def test_a_listener_that_fails_ends_the_run_and_the_team_runs_again() -> None:
    class Full(Log):
        async def write(self, entry: TeamLogEntry, /) -> None:
            if isinstance(entry, TurnEnded):
                raise OSError("the disk is full")

    team = pair(max_turns=1)
    async with team.log_to(Full()):
        with pytest.raises(OSError, match="full"):
            await team.run(task="go")

    assert lines((await team.run()).messages) == ["bob: hello"]


async def test_a_log_begins_between_two_runs() -> None:
    team = pair()
    stream = team.run_stream(task="go")
    await anext(stream)
    with pytest.raises(TeamRunningError):
        async with team.log_to(Log()):
            pass
    await stream.aclose()


@pytest.mark.parametrize("entries", [[], [RunStarted(task=[])]])
def test_a_log_without_its_beginning_cannot_be_folded(entries: list[TeamLogEntry]) -> None:
    with pytest.raises(InvalidArgumentError, match="begins with a StateRecorded"):
        fold_log(entries)


class Moody(Member):
    """Speaks, fails, or is cancelled in the middle, as a plan says; counts its turns in its state."""

    def __init__(self, name: str, plan: list[str]) -> None:
        super().__init__(name)
        self._plan = plan
        self.turns: list[int] = []

    async def on_messages_stream(
        self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken
    ) -> AsyncGenerator[BaseAgentEvent | BaseChatMessage | Response, None]:
        self.turns.append(len(messages))
        mood = self._plan.pop(0) if self._plan else "speak"
        for _ in range(len(self.turns) % 3):
            await asyncio.sleep(0)
        if mood == "fail":
            raise ValueError(self.name)
        if mood == "cancel":
            cancellation_token.cancel()
            await asyncio.sleep(0)
        yield Response(chat_message=TextMessage(content=mood, source=self.name))

    async def save_state(self) -> dict[str, Any]:
        return {"turns": self.turns}

    async def load_state(self, state: Any) -> None:  # Any: JSON
        self.turns = list(state["turns"])


moods = st.lists(st.sampled_from(["speak", "speak", "fail", "cancel"]), max_size=4)


@settings(deadline=None, max_examples=60)
@given(st.lists(moods, min_size=4, max_size=4), st.integers(1, 6), st.integers(1, 4))
def test_r02_at_every_turn_the_changes_so_far_give_the_state(plans: list[list[str]], limit: int, runs: int) -> None:
    """Of a team with parallel speakers, one of which is a team."""

    class Checking(Log):
        async def write(self, entry: TeamLogEntry, /) -> None:
            await super().write(entry)
            if not isinstance(entry, DecisionMade):
                assert as_json(fold_log(self.entries)) == as_json(await team.save_state())

    ann, bob, cid, dan = (Moody(name, plan) for name, plan in zip("abcd", plans, strict=True))
    inner = RoundRobinGroupChat([ann, bob], name="inner", max_turns=2)
    both = Speak(("inner", "c"))
    rule = Script(*[both, Speak(("d",)), both, Speak(("c", "d"))] * 40)
    team: BaseGroupChat = GroupChat(
        [inner, cid, dan], rule=rule, termination_condition=MaxMessageTermination(limit), max_turns=3
    )

    async def play() -> None:
        async with team.log_to(Checking()):
            for number in range(runs):
                with suppress(ValueError, asyncio.CancelledError):
                    await team.run(task=f"task {number}", cancellation_token=CancellationToken())

    asyncio.run(play())


async def test_r02_the_choice_of_a_speaker_has_its_tokens_in_the_log() -> None:
    log = Log()
    team = SelectorGroupChat(
        [Member("ann"), Member("bob")], model(asks_for(("choose_speaker", '{"name": "bob"}'))), max_turns=1
    )
    async with team.log_to(log):
        result = await team.run(task="go")
    decided = next(entry for entry in log.entries if isinstance(entry, DecisionMade))

    assert decided.usage == result.usage
    assert isinstance(log.entries[0], StateRecorded)
