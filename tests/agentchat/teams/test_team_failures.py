"""What ends a turn in the middle: a failure, a cancellation, a deadline. Afterwards the team runs again."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from datetime import timedelta
from typing import Any

import pytest
from tests.support.agents import let_others_run
from tests.support.chat_agents import ABLE, asks_for, collected, dangling_calls, kinds, model, says, shown
from tests.support.team_members import IN_MEMORY, Member, Script, lines, ran

from symposia.agentchat.agents import AssistantAgent
from symposia.agentchat.base import Response, TerminationCondition
from symposia.agentchat.conditions import FunctionalTermination, MaxMessageTermination, TimeoutTermination
from symposia.agentchat.messages import BaseAgentEvent, BaseChatMessage, ThoughtEvent
from symposia.agentchat.teams import (
    GroupChat,
    RoundRobinGroupChat,
    SelectorGroupChat,
    Speak,
    TeamLogEntry,
    fold_log,
)
from symposia.core import AgentRuntime, CancellationToken
from symposia.core.exceptions import ModelError, TeamRunningError
from symposia.testing.simulation import simulate

Where = AgentRuntime | None
NEVER = 30.0
"""Seconds of real time after which a test has failed."""


async def spoken_to(member: Member) -> None:
    async with asyncio.timeout(NEVER):
        await member.speaking.wait()


async def test_f28_after_an_agent_has_raised_the_team_runs_again_and_it_hears_what_it_missed(runtime: Where) -> None:
    ann = Member("ann", ValueError("boom"), "fine")
    team = RoundRobinGroupChat([ann, Member("bob")], runtime=runtime, max_turns=2)

    with pytest.raises(ValueError, match="boom") as caught:
        await team.run(task="go")
    assert "'ann'" in caught.value.__notes__[0]
    assert lines((await team.run(task="on")).messages) == ["user: on", "ann: fine", "bob: hello"]
    assert ann.heard[1] == ["user: go", "user: on"]


async def test_f28_a_failed_run_goes_on_without_a_new_task(runtime: Where) -> None:
    bob = Member("bob", ModelError("no credit"), "fine")
    team = RoundRobinGroupChat([Member("ann"), bob], runtime=runtime, max_turns=2)

    with pytest.raises(ModelError):
        await team.run(task="go")
    assert lines((await team.run()).messages) == ["bob: fine", "ann: hello"]
    assert bob.heard == [["user: go", "ann: hello"]] * 2


async def test_f28_a_stream_raises_what_the_agent_raised_after_what_was_said(runtime: Where) -> None:
    team = RoundRobinGroupChat([Member("ann"), Member("bob", ValueError("boom"))], runtime=runtime)
    stream = team.run_stream(task="go")

    assert kinds([await anext(stream), await anext(stream)]) == ["TextMessage", "TextMessage"]
    with pytest.raises(ValueError, match="boom"):
        await anext(stream)


async def test_f28_a_second_run_at_the_same_time_is_refused_and_harms_nothing(runtime: Where) -> None:
    go = asyncio.Event()
    ann = Member("ann", go)
    team = RoundRobinGroupChat([ann], runtime=runtime, max_turns=1)
    first = asyncio.create_task(team.run(task="go"))
    await spoken_to(ann)

    for call in (team.run(task="too"), team.reset(), team.load_state({})):
        with pytest.raises(TeamRunningError, match="already running"):
            await call
    go.set()
    assert lines((await first).messages) == ["user: go", "ann: waited"]


@pytest.mark.parametrize("by", ["token", "task"])
async def test_a_cancelled_run_stops_its_speaker_at_once_and_the_team_runs_again(runtime: Where, by: str) -> None:
    ann = Member("ann", asyncio.Event(), "fine")
    team = RoundRobinGroupChat([ann], runtime=runtime, max_turns=1)
    token = CancellationToken()
    run = asyncio.create_task(team.run(task="go", cancellation_token=token))
    await spoken_to(ann)

    _ = token.cancel() if by == "token" else run.cancel()
    with pytest.raises(asyncio.CancelledError):
        async with asyncio.timeout(NEVER):
            await run
    assert not ann.speaking.is_set()
    assert lines((await team.run()).messages) == ["ann: fine"]


async def test_a_run_with_a_cancelled_token_does_not_begin() -> None:
    ann, token = Member("ann"), CancellationToken()
    token.cancel()
    with pytest.raises(asyncio.CancelledError):
        await RoundRobinGroupChat([ann], max_turns=1).run(task="go", cancellation_token=token)

    assert ann.heard == []


async def test_cancelling_by_token_does_not_cancel_the_caller() -> None:
    ann, token = Member("ann", asyncio.Event()), CancellationToken()
    caller = asyncio.current_task()
    asyncio.get_running_loop().call_soon(token.cancel)
    with pytest.raises(asyncio.CancelledError):
        await RoundRobinGroupChat([ann]).run(task="go", cancellation_token=token)

    assert caller is not None
    assert caller.cancelling() == 0


async def test_leaving_a_stream_early_stops_the_speaker(runtime: Where) -> None:
    ann = Member("ann", asyncio.Event(), "fine")
    team = RoundRobinGroupChat([ann], runtime=runtime, max_turns=1)
    stream = team.run_stream(task="go")
    await anext(stream)
    await spoken_to(ann)
    await stream.aclose()

    assert not ann.speaking.is_set()
    assert lines((await team.run()).messages) == ["ann: fine"]


async def test_cancelling_the_outer_team_stops_the_speaker_of_the_inner_one(runtime: Where) -> None:
    ann = Member("ann", asyncio.Event(), "fine")
    inner = RoundRobinGroupChat([ann], name="inner", max_turns=1)
    team = RoundRobinGroupChat([inner], runtime=runtime, max_turns=1)
    run = asyncio.create_task(team.run(task="go"))
    await spoken_to(ann)

    run.cancel()
    await asyncio.wait([run], timeout=NEVER)
    assert not ann.speaking.is_set()
    assert lines((await team.run()).messages) == ["ann: fine"]


async def test_f32_a_team_cancelled_during_a_tool_call_leaves_no_call_without_a_result() -> None:
    called = asyncio.Event()

    async def wait() -> str:
        """Wait for ever."""
        called.set()
        return await asyncio.Event().wait() and ""

    client = model(asks_for(("wait", "{}")), says("done"), info=ABLE)
    team = RoundRobinGroupChat([AssistantAgent("ann", client, tools=[wait])], max_turns=1)
    run = asyncio.create_task(team.run(task="go"))
    async with asyncio.timeout(NEVER):
        await called.wait()
    run.cancel()
    await asyncio.wait([run], timeout=NEVER)
    result = await team.run(task="on")

    assert lines(result.messages) == ["user: on", "ann: done"]
    assert not dangling_calls(shown(client))


@pytest.mark.parametrize("limit", [5, timedelta(seconds=5)])
def test_f35_a_speaker_that_never_answers_ends_the_run_by_name(limit: float | timedelta) -> None:
    async def play() -> None:
        ann = Member("ann", asyncio.Event(), "fine")
        team = RoundRobinGroupChat([Member("bob"), ann], turn_timeout=limit, max_turns=3)

        assert ran(await team.run(task="go")) == (["user: go", "bob: hello"], "ann did not answer within 5 seconds.")
        assert asyncio.get_running_loop().time() == pytest.approx(5)
        assert lines((await team.run(task="on")).messages)[:2] == ["user: on", "ann: fine"]

    simulate(play)


def test_f35_what_a_late_speaker_did_on_the_way_is_shown() -> None:
    class Slow(Member):
        async def on_messages_stream(
            self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken
        ) -> AsyncGenerator[BaseAgentEvent | BaseChatMessage | Response, None]:
            yield ThoughtEvent(content="hm", source=self.name)
            await asyncio.Event().wait()

    async def play() -> None:
        team = RoundRobinGroupChat([Slow("ann")], turn_timeout=1)
        assert lines((await team.run(task="go")).messages) == ["user: go", "ann: hm"]

    simulate(play)


@pytest.mark.parametrize("waits", [0.6, 5.0])
def test_the_time_of_listeners_is_not_that_of_the_speakers(waits: float) -> None:
    class Slow:
        async def write(self, entry: TeamLogEntry, /) -> None:
            await asyncio.sleep(waits)
            entries.append(entry)

    class Thinking(Member):
        async def on_messages_stream(
            self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken
        ) -> AsyncGenerator[BaseAgentEvent | BaseChatMessage | Response, None]:
            await asyncio.sleep(takes)
            async for item in super().on_messages_stream(messages, cancellation_token):
                yield item

    async def play() -> None:
        nonlocal takes
        team = RoundRobinGroupChat([Thinking("ann"), Thinking("bob")], turn_timeout=1, max_turns=2)
        async with team.log_to(Slow()):
            takes = 0.9
            assert ran(await team.run(task="go")) == (
                ["user: go", "ann: hello", "bob: hello"],
                "Maximum number of turns 2 reached.",
            )
            takes = 1.1
            began = asyncio.get_running_loop().time()
            assert (await team.run(task="on")).stop_reason == "ann did not answer within 1 seconds."
            entries_of_run = ["RunStarted", "DecisionMade", "TurnEnded", "RunEnded"]
            assert [type(entry).__name__ for entry in entries[-4:]] == entries_of_run
            assert asyncio.get_running_loop().time() - began == pytest.approx(1 + 4 * waits)
            assert fold_log(entries) == await team.save_state()

    takes = 0.0
    entries: list[TeamLogEntry] = []
    simulate(play)


def test_a_late_speaker_has_ended_when_the_run_ends_however_often_that_is_cancelled() -> None:
    class Tidy(Member):
        async def on_messages_stream(
            self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken
        ) -> AsyncGenerator[BaseAgentEvent | BaseChatMessage | Response, None]:
            try:
                await asyncio.Event().wait()
            finally:
                await asyncio.sleep(1)
                ended.append(self.name)
            yield self._says("never")

    async def play() -> None:
        run = asyncio.create_task(RoundRobinGroupChat([Tidy("ann")], turn_timeout=1).run(task="go"))
        for seconds in (0.5, 0.2, 0.2):
            await asyncio.sleep(seconds)
            run.cancel()
        await asyncio.wait([run])
        assert run.cancelled()

    ended: list[str] = []
    simulate(play)
    assert len(ended) == 1


def test_f35_a_model_that_never_chooses_ends_the_run() -> None:
    async def never(_: object) -> str:
        await asyncio.Event().wait()
        return ""

    async def play() -> None:
        team = SelectorGroupChat([Member("ann"), Member("bob")], model(), selector_func=never, turn_timeout=2.5)
        assert (await team.run(task="go")).stop_reason == "No speaker was chosen within 2.5 seconds."

    simulate(play)


@pytest.mark.parametrize(
    "condition", [TimeoutTermination(5), TimeoutTermination(5) | MaxMessageTermination(99)], ids=["alone", "combined"]
)
def test_f38_the_timeout_ends_a_stuck_turn_and_the_team_runs_again(condition: TerminationCondition) -> None:
    async def play() -> None:
        ann = Member("ann", asyncio.Event(), "fine")
        team = RoundRobinGroupChat([ann], termination_condition=condition, max_turns=1)
        await asyncio.sleep(60)

        assert ran(await team.run(task="go")) == (["user: go"], "Timeout of 5 seconds reached")
        assert asyncio.get_running_loop().time() == pytest.approx(65)
        assert lines((await team.run()).messages) == ["ann: fine"]

    simulate(play)


def test_f38_a_stuck_turn_ends_also_where_a_function_is_asked_too() -> None:
    def never(messages: Sequence[BaseAgentEvent | BaseChatMessage]) -> bool:
        return messages[-1].source == "nobody"

    async def play() -> None:
        condition = FunctionalTermination(never) | TimeoutTermination(5)
        team = RoundRobinGroupChat([Member("ann", asyncio.Event())], termination_condition=condition, turn_timeout=9)
        assert (await team.run(task="go")).stop_reason == "Timeout of 5 seconds reached"

    simulate(play)


def test_f38_a_timeout_that_needs_another_condition_too_lets_the_turn_go_on() -> None:
    async def play() -> None:
        go = asyncio.Event()
        asyncio.get_running_loop().call_later(9, go.set)
        condition = TimeoutTermination(5) & MaxMessageTermination(2)
        result = await RoundRobinGroupChat([Member("ann", go)], termination_condition=condition).run(task="go")

        assert ran(result) == (
            ["user: go", "ann: waited"],
            "Timeout of 5 seconds reached, Maximum number of messages 2 reached, current message count: 2",
        )

    simulate(play)


async def test_a_team_leaves_no_task_behind() -> None:
    items = await collected(RoundRobinGroupChat([Member("ann")], max_turns=1).run_stream(task="go"))

    assert len(items) == 3
    assert [task for task in asyncio.all_tasks() if task is not asyncio.current_task()] == []


class Cleaner(Member):
    """Its first turn, once it is cancelled, lasts until `cleaned_up` is set, and ends with `error` if there is one."""

    def __init__(self, name: str, error: Exception | None = None) -> None:
        super().__init__(name, asyncio.Event(), "fine")
        self.cleaned_up = asyncio.Event()
        self._error = error

    async def on_messages_stream(
        self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken
    ) -> AsyncGenerator[BaseAgentEvent | BaseChatMessage | Response, None]:
        try:
            async for item in super().on_messages_stream(messages, cancellation_token):
                yield item
        except asyncio.CancelledError:
            await self.cleaned_up.wait()
            if self._error is not None:
                raise self._error from None
            raise


async def test_a_stream_that_is_cancelled_twice_keeps_the_team_until_its_turn_has_ended(runtime: Where) -> None:
    ann = Cleaner("ann")
    team = RoundRobinGroupChat([ann], runtime=runtime, max_turns=1)
    reader = asyncio.create_task(collected(team.run_stream(task="go")))
    await spoken_to(ann)

    for _ in range(2):
        reader.cancel()
        await let_others_run()
    with pytest.raises(TeamRunningError):
        await team.run(task="too early")
    ann.cleaned_up.set()
    with pytest.raises(asyncio.CancelledError):
        await reader
    assert lines((await team.run(task="on")).messages) == ["user: on", "ann: fine"]


@pytest.mark.parametrize("runtime", IN_MEMORY, indirect=True)  # another drops the error with the request
async def test_the_error_of_an_agent_whose_stream_was_left_is_raised_where_it_is_closed(runtime: Where) -> None:
    ann = Cleaner("ann", ValueError("boom"))
    ann.cleaned_up.set()
    team = RoundRobinGroupChat([ann], runtime=runtime, max_turns=1)
    stream = team.run_stream(task="go")
    await anext(stream)
    await spoken_to(ann)

    with pytest.raises(ValueError, match="boom"):
        await stream.aclose()
    assert lines((await team.run()).messages) == ["ann: fine"]


async def test_a_rule_that_cannot_be_put_back_is_a_note_and_what_was_answered_is_kept(runtime: Where) -> None:
    class Stubborn(Script):
        def load_state(self, state: Mapping[str, Any], /) -> None:
            raise LookupError("no way back")

    together = Speak(("ann", "bob"))
    bob = Member("bob", ValueError("boom"), "fine")
    team = GroupChat([Member("ann"), bob], rule=Stubborn(together, together), max_turns=1, runtime=runtime)

    with pytest.raises(ValueError, match="boom") as caught:
        await team.run(task="go")
    assert any("could not be put back: LookupError('no way back')" in note for note in caught.value.__notes__)
    await team.run()
    assert lines(team.transcript) == ["user: go", "ann: hello", "ann: hello", "bob: fine"]


async def test_a_nested_team_whose_turn_is_overdue_is_not_heard_twice(runtime: Where) -> None:
    """What the clock has cut was shown, and belongs to the turn in which it is finished."""
    ann, bob, cleo = Member("ann"), Member("bob", asyncio.Event(), "fine"), Member("cleo")
    innermost = RoundRobinGroupChat([ann, bob], max_turns=2, name="innermost")
    middle = RoundRobinGroupChat([innermost], max_turns=1, turn_timeout=0.05, name="middle")
    outer = RoundRobinGroupChat([middle, cleo], max_turns=3, runtime=runtime)

    result = await outer.run(task="go")

    expected = ["user: go", "cleo: hello", "ann: hello", "bob: fine", "ann: hello"]
    assert lines(outer.transcript) == lines(result.messages) == expected
    assert cleo.heard == [["user: go"]]
    assert lines(middle.transcript) == expected
