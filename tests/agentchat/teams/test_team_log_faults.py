"""What listeners of a team's log have is a state of the team, whatever is cancelled, raises or is attached twice."""

import asyncio
import gc
import json
import weakref
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack, suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.team_log import Log
from tests.support.team_members import RUNTIMES, Member, Script, lines, pair

from symposia.agentchat.base import TaskResult
from symposia.agentchat.conditions import MaxMessageTermination
from symposia.agentchat.messages import BaseAgentEvent, BaseChatMessage, StopMessage
from symposia.agentchat.teams import (
    BaseGroupChat,
    DecisionMade,
    GroupChat,
    RoundRobinGroupChat,
    RunEnded,
    Speak,
    TeamLogEntry,
    TurnEnded,
    fold_log,
)
from symposia.core import AgentRuntime
from symposia.core.changes import apply
from symposia.core.exceptions import InvalidArgumentError

Where = AgentRuntime | None


class Faulty(Log):
    """Waits before and after it takes an entry, and fails at some: before it takes the entry, or afterwards."""

    def __init__(self, waits: int = 1, fails: dict[int, bool] | None = None) -> None:
        super().__init__()
        self._waits = waits
        self._fails = fails or {}
        self._count = 0

    def fail_at(self, entries: dict[int, bool]) -> None:
        """Fail at these of the next entries."""
        self._fails, self._count = entries, 0

    async def write(self, entry: TeamLogEntry, /) -> None:
        self._count += 1
        for _ in range(self._waits):
            await asyncio.sleep(0)
        fails_after = self._fails.get(self._count)
        if fails_after is False:
            raise OSError("before")
        await super().write(entry)
        for _ in range(self._waits):
            await asyncio.sleep(0)
        if fails_after:
            raise OSError("after")


class SlowToSave(Member):
    """Counts its turns, and waits when it is asked for the count."""

    turns = 0

    def _items(self, turn: Any) -> Any:  # Any: as of the class
        self.turns += 1
        return super()._items(turn)

    async def save_state(self) -> dict[str, Any]:
        turns = self.turns
        await asyncio.sleep(0)
        return {"turns": turns}

    async def load_state(self, state: Any) -> None:  # Any: JSON
        self.turns = state["turns"]


class SlowToLook(MaxMessageTermination):
    """Waits before and after it counts messages, and before it forgets them."""

    async def __call__(self, messages: Sequence[BaseAgentEvent | BaseChatMessage]) -> StopMessage | None:
        await asyncio.sleep(0)
        stop = await super().__call__(messages)
        await asyncio.sleep(0)
        return stop

    async def reset(self) -> None:
        await asyncio.sleep(0)
        await super().reset()


def in_turn(runtime: Where) -> BaseGroupChat:
    return RoundRobinGroupChat([SlowToSave("ann"), SlowToSave("bob")], max_turns=2, runtime=runtime)


def in_parallel(runtime: Where) -> BaseGroupChat:
    rule = Script(*[Speak(("ann", "bob"))] * 20)
    condition = SlowToLook(5)
    members = [SlowToSave("ann"), SlowToSave("bob")]
    return GroupChat(members, rule=rule, turn_timeout=60, termination_condition=condition, runtime=runtime)


def nested(runtime: Where) -> BaseGroupChat:
    inner = RoundRobinGroupChat([SlowToSave("ann"), SlowToSave("bob")], max_turns=2, name="inner", runtime=runtime)
    rule = Script(*[Speak(("inner", "cid"))] * 20)
    return GroupChat([inner, SlowToSave("cid")], rule=rule, max_turns=1, runtime=runtime)


TEAMS: list[Callable[[Where], BaseGroupChat]] = [in_turn, in_parallel, nested]


def as_json(state: object) -> str:
    return json.dumps(state, sort_keys=True)


async def assert_they_have_the_state(team: BaseGroupChat, *listeners: Log) -> None:
    state = as_json(await team.save_state())
    for listener in listeners:
        assert as_json(fold_log(listener.entries)) == state


async def run_and_cancel(team: BaseGroupChat, ticks: int, again: int | None = None) -> bool:
    """Run, cancel after so many ticks, and once more after further ones; whether the run was still going on."""
    run: asyncio.Task[TaskResult] = asyncio.create_task(team.run(task="go"))
    for _ in range(ticks):
        await asyncio.sleep(0)
    was_running = run.cancel()
    if again is not None:
        for _ in range(again):
            await asyncio.sleep(0)
        run.cancel()
    await asyncio.wait([run])
    return was_running


@pytest.mark.parametrize("make", TEAMS)
@pytest.mark.parametrize("where", ["the team's own", "serializing"])
async def test_listeners_have_the_state_at_whichever_tick_a_run_is_cancelled(
    where: str, make: Callable[[Where], BaseGroupChat]
) -> None:
    ticks, was_running = 0, True
    while was_running:
        async with RUNTIMES[where]() as runtime:
            team, log, slow = make(runtime), Log(), Faulty()
            async with team.log_to(log), team.log_to(slow):
                was_running = await run_and_cancel(team, ticks)
                await assert_they_have_the_state(team, log, slow)
                # The log says that the run is over. One that had not begun yet is not in it.
                assert log.kinds()[-1] in ("RunEnded", "StateRecorded")
                assert log.kinds().count("RunStarted") == log.kinds().count("RunEnded")
                await team.run(task="again")
                await assert_they_have_the_state(team, log, slow)
        ticks += 1
    assert ticks > 20


@settings(deadline=None, max_examples=60)
@given(
    st.sampled_from(TEAMS),
    st.sampled_from(["the team's own", "serializing"]),
    st.lists(st.tuples(st.integers(0, 130), st.none() | st.integers(0, 8)), max_size=3),
    st.lists(st.dictionaries(st.integers(1, 12), st.booleans(), max_size=3), min_size=1, max_size=3),
    st.integers(0, 2),
)
def test_listeners_have_the_state_whatever_fails_or_is_cancelled(
    make: Callable[[Where], BaseGroupChat],
    where: str,
    cancellations: list[tuple[int, int | None]],
    fails: list[dict[int, bool]],
    waits: int,
) -> None:
    async def play() -> None:
        async with RUNTIMES[where]() as runtime, AsyncExitStack() as attached:
            team, listeners = make(runtime), [Faulty(waits) for _ in fails]
            for listener in listeners:
                await attached.enter_async_context(team.log_to(listener))
            for listener, its in zip(listeners, fails, strict=True):
                listener.fail_at(its)
            for ticks, again in cancellations:
                await run_and_cancel(team, ticks, again)
            while True:  # until the failures are used up, and every listener has taken an entry since
                try:
                    await team.run(task="again")
                except OSError:
                    continue
                break
            await assert_they_have_the_state(team, *listeners)

    asyncio.run(play())


async def test_the_other_listeners_are_given_an_entry_that_one_of_them_did_not_take(runtime: Where) -> None:
    faulty, log = Faulty(fails={5: False}), Log()
    team = pair(max_turns=2, runtime=runtime)
    async with team.log_to(faulty), team.log_to(log):
        with pytest.raises(OSError, match="before"):
            await team.run(task="go")
        assert log.kinds() == ["StateRecorded", "RunStarted", "DecisionMade", "TurnEnded", "RunEnded"]
        assert faulty.kinds()[-2:] == ["DecisionMade", "RunEnded"]
        await assert_they_have_the_state(team, faulty, log)
        assert log.entries[-1].change is not None
        assert log.entries[-1].change.keys() == {"set"}


async def test_the_errors_of_further_listeners_are_notes_of_the_first() -> None:
    team = pair(max_turns=1)
    async with team.log_to(Faulty(fails={3: True})), team.log_to(Faulty(fails={2: False})):
        with pytest.raises(OSError, match="after") as raised:
            await team.run(task="go")

    assert raised.value.__notes__ == ["Also: OSError: before"]


async def test_a_listener_that_is_attached_twice_is_given_each_entry_once_until_it_is_detached_twice() -> None:
    team, log = pair(max_turns=1), Log()
    async with team.log_to(log):
        async with team.log_to(log):
            await team.run(task="go")
            assert log.kinds().count("RunEnded") == 1
            await assert_they_have_the_state(team, log)
        await team.run(task="again")
        assert log.kinds().count("RunEnded") == 2
        await assert_they_have_the_state(team, log)


async def test_a_listener_whose_first_entry_fails_is_not_attached() -> None:
    team, log = pair(max_turns=1), Log()
    async with team.log_to(log):
        with pytest.raises(OSError, match="before"):
            async with team.log_to(Faulty(fails={1: False})):
                raise AssertionError("it is attached")
        assert lines((await team.run(task="go")).messages) == ["user: go", "ann: hello"]
        await assert_they_have_the_state(team, log)


async def test_a_listener_whose_beginning_is_cancelled_is_not_attached() -> None:
    team, log = pair(max_turns=1), Faulty(waits=3)

    async def listen() -> None:
        async with team.log_to(log):
            raise AssertionError("it was cancelled")

    for ticks in range(8):
        beginning = asyncio.create_task(listen())
        for _ in range(ticks):
            await asyncio.sleep(0)
        beginning.cancel()
        await asyncio.wait([beginning])
        assert beginning.cancelled()
        taken = len(log.entries)
        await team.run(task="go")
        assert len(log.entries) == taken


async def test_an_entry_is_in_the_log_also_when_the_condition_refuses_the_task() -> None:
    class Refusing(MaxMessageTermination):
        async def __call__(self, messages: object) -> None:
            raise ValueError("no")

    team, log = pair(termination_condition=Refusing(3)), Log()
    async with team.log_to(log):
        with pytest.raises(ValueError, match="no"):
            await team.run(task="go")
        assert log.kinds() == ["StateRecorded", "RunStarted", "RunEnded"]
        await assert_they_have_the_state(team, log)


async def test_a_reader_that_was_cancelled_asks_again_with_its_old_mark(runtime: Where) -> None:
    team = GroupChat(
        [SlowToSave("ann"), SlowToSave("bob")],
        rule=Script(*[Speak(("ann", "bob"))] * 9),
        max_turns=1,
        runtime=runtime,
    )
    change, mark = await team.save_changes(None)
    state = apply(None, change)
    for ticks in range(40):
        await team.run(task="go") if ticks % 5 == 0 else None
        reading = asyncio.create_task(team.save_changes(mark))
        for _ in range(ticks):
            await asyncio.sleep(0)
        reading.cancel()
        with suppress(asyncio.CancelledError):
            await reading
    change, _ = await team.save_changes(mark)

    assert as_json(apply(state, change)) == as_json(await team.save_state())


async def test_the_marks_of_readers_go_with_them() -> None:
    class Kept(dict[str, int]):
        """A state that can be referred to weakly."""

    class Counting(Member):
        async def save_changes(self, since: object | None) -> tuple[Any, object]:
            mark = Kept(n=1)
            marks.append(weakref.ref(mark))
            return (None if since else {"set": {"n": 1}}), mark

        async def save_state(self) -> dict[str, Any]:
            return {"n": 1}

    marks: list[weakref.ref[Kept]] = []
    inner = RoundRobinGroupChat([Counting("ann")], max_turns=1, name="inner")
    team = RoundRobinGroupChat([inner, Counting("bob")], max_turns=2)
    state = await team.save_state()
    async with team.log_to(Log()):
        for _ in range(4):
            await team.run(task="go")
            await team.reset()
            await team.load_state(state)
            async with team.log_to(Log()):
                pass
            await team.save_changes(None)
        await team.run(task="go")
        gc.collect()
        alive = [mark for mark in marks if mark() is not None]
        assert len(marks) > 20
        assert len(alive) == 2  # of the log itself: one for each of the two agents
    gc.collect()

    assert not [mark for mark in marks if mark() is not None]


def test_a_change_of_another_value_is_refused() -> None:
    with pytest.raises(InvalidArgumentError, match="removes 'running'"):
        apply({"turns": 1}, {"remove": ["running"]})


async def test_the_entries_of_a_cancelled_turn_name_what_was_committed() -> None:
    """The answer that is there when the run is cancelled in the write of its turn is in the transcript and the log."""

    class Waiting(Log):
        async def write(self, entry: TeamLogEntry, /) -> None:
            if isinstance(entry, TurnEnded):
                writing.set()
            await asyncio.sleep(0)
            await super().write(entry)

    team, log, writing = in_turn(None), Waiting(), asyncio.Event()
    async with team.log_to(log):
        run = asyncio.create_task(team.run(task="go"))
        await writing.wait()
        run.cancel()
        await asyncio.wait([run])
        assert run.cancelled()
        *_, turn, ended = (entry for entry in log.entries if not isinstance(entry, DecisionMade))
        assert isinstance(turn, TurnEnded)
        assert (turn.answered, turn.error) == (("ann",), None)
        assert isinstance(ended, RunEnded)
        assert lines(team.transcript) == ["user: go", "ann: hello"]
        await assert_they_have_the_state(team, log)
