"""What ends a run of a team, besides its rule: a condition, a number of turns, the time that a turn may take."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from datetime import timedelta
from typing import NamedTuple, TypeAlias, TypeVar

from symposia.agentchat._answers import ask, ask_at_start, checked_stop
from symposia.agentchat._arguments import check_condition, check_number
from symposia.agentchat.base import TerminationCondition
from symposia.agentchat.messages import BaseChatMessage, Item, SelectSpeakerEvent
from symposia.agentchat.teams._log_entries import TurnEnded
from symposia.core import cancel_and_wait, uninterrupted
from symposia.core.changes import SavedState, copy_state
from symposia.core.exceptions import InvalidArgumentError
from symposia.core.models import RequestUsage

T = TypeVar("T")
_Look: TypeAlias = Callable[[TerminationCondition, Sequence[Item]], Awaitable[object]]


class TurnOverdueError(Exception):
    """A turn has taken too long.

    Args:
        reason: Why the run ends.

    Attributes:
        reason: As given.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class _Asked(NamedTuple):
    """What a condition was asked that has not answered yet.

    Attributes:
        before: Its state before, as `TeamLimits.save` gives it.
        unseen: What it looks at.
        task: The messages of the task that it looks at. They are kept apart: not every condition looks at those.
    """

    before: SavedState | None
    unseen: Sequence[Item] = ()
    task: Sequence[BaseChatMessage] = ()


class TeamLimits:
    """What ends a run of a team, besides its rule. Each method that may end it gives the reason, or None to continue.

    Args:
        condition: Sees every message of the run.
        max_turns: The number of turns.
        turn_timeout: How long one turn may take, in seconds.

    Attributes:
        turns: The number of turns that the present run has taken.

    Raises:
        ArgumentTypeError: `condition` is no termination condition, or a limit is no number.
        InvalidArgumentError: A limit of zero or less, or NaN.
    """

    def __init__(
        self, condition: TerminationCondition | None, max_turns: int | None, turn_timeout: float | timedelta | None
    ) -> None:
        if condition is not None:
            check_condition(condition)
        if max_turns is not None:
            check_number("max_turns", max_turns)
        if max_turns is not None and max_turns <= 0:
            raise InvalidArgumentError("The maximum number of turns must be greater than 0.")
        if isinstance(turn_timeout, timedelta):
            turn_timeout = turn_timeout.total_seconds()
        if turn_timeout is not None:
            check_number("turn_timeout", turn_timeout)
        if turn_timeout is not None and turn_timeout <= 0:
            raise InvalidArgumentError(f"turn_timeout is {turn_timeout}: give the seconds that a turn may take.")
        self.turns = 0
        self._condition = condition
        self._max_turns = max_turns
        self._turn_timeout = turn_timeout
        self._turn_left: float | None = None  # what the turn under way has left of its time
        self._turn_ends = 0.0
        self._can_be_overdue = False
        self._is_reset = True  # whether the condition was told to begin anew, or is to go on where it was saved
        self._asked: _Asked | None = None

    async def start(self, task: Sequence[BaseChatMessage]) -> str | None:
        """Start or continue a run, and let the condition see its `task`."""
        if not self._is_reset:  # it failed at the end of the run before, and the condition may still be met
            await self.reset()
        return await self._ask(ask_at_start, task, task=task)

    async def show(self, items: Sequence[Item]) -> str | None:
        """Let the condition see messages and events."""
        return await self._ask(ask, items, unseen=items)

    async def after_turn(self, ended: TurnEnded, manager: str) -> str | None:
        """Count a turn of speakers, and let the condition see its `items_for_condition`.

        Args:
            ended: The turn.
            manager: The name under which the team itself speaks.
        """
        if not ended.said:
            self.turns += 1
        if self._condition is not None:  # to make the items takes a tenth of a turn
            items = items_for_condition(ended, manager)
            met = await self._ask(ask, items, unseen=items)
            if met is not None:  # a reason may be an empty text
                return met
        return None if ended.said else self.turns_reached()

    def begin_turn(self) -> None:
        """Start the time of a turn, which only what is waited for `within_time` uses up."""
        self._turn_left = self._turn_timeout
        self._can_be_overdue = self._turn_timeout is not None or (
            self._condition is not None and self._condition.due_in() is not None
        )

    def within_time(self, work: Coroutine[None, None, T], speaking: Callable[[], Sequence[str]]) -> Awaitable[T]:
        """Wait for a part of a turn, or cancel it when the turn is overdue. Most turns cannot be, and need no task.

        Args:
            work: The part of the turn.
            speaking: Gives the names of those that have not answered yet.

        Raises:
            TurnOverdueError: The turn is overdue.
        """
        return self._within_time(work, speaking) if self._can_be_overdue else work

    def turns_reached(self) -> str | None:
        """Whether the run has taken its number of turns. One that is continued may have."""
        # A run that another team began, with more turns allowed, may be beyond the maximum.
        if self._max_turns is not None and self.turns >= self._max_turns:
            return f"Maximum number of turns {self._max_turns} reached."
        return None

    @property
    def unseen(self) -> Sequence[Item]:
        """The messages and events that the condition is looking at: in the state that `save` gives, it has not."""
        return () if self._asked is None else self._asked.unseen

    @property
    def unseen_task(self) -> Sequence[BaseChatMessage]:
        """The messages of the task that the condition is looking at."""
        return () if self._asked is None else self._asked.task

    def save(self) -> SavedState | None:
        """The state of the condition, with the name of its class; while it looks at something, that from before."""
        return self._save_condition() if self._asked is None else self._asked.before

    def _save_condition(self) -> SavedState | None:
        if self._condition is None:
            return None
        return {"condition": type(self._condition).__name__, "state": copy_state(self._condition.save_state())}

    async def load(self, saved: SavedState | None, turns: int) -> None:
        """Continue from the saved state of a condition; from the beginning, if it is None.

        Raises:
            InvalidArgumentError: It was saved by a condition of another class, or says that the run is over.
            Exception: Whatever the condition raised.
        """
        if self._condition is not None:
            here = type(self._condition).__name__
            if saved is not None and saved["condition"] != here:
                raise InvalidArgumentError(
                    f"The team was saved in the middle of a run that a {saved['condition']} ends, and this team has a "
                    f"{here}. Load it into a team with the same termination condition."
                )
            self._asked = None
            await self._condition.reset()
            self._is_reset = True
            if saved is not None:
                try:
                    self._condition.load_state(saved["state"])
                except Exception as error:
                    error.add_note(f"It is the state of the {here}, at progress.condition.state.")
                    raise
                # A team whose condition is met is saved without the condition. If this were taken, the next run would
                # end in a `TerminatedException`.
                if self._condition.terminated:
                    raise InvalidArgumentError(
                        "The saved state contradicts itself: by progress.running it is in the middle of a run, and by "
                        f"the terminated in progress.condition, of a {here}, the run has ended. Load a state as "
                        "save_state() gave it, or leave out progress to begin another run."
                    )
        self.turns = turns

    async def reset(self) -> None:
        """Make ready for another run."""
        self.turns = 0
        self._asked = None
        self._is_reset = self._condition is None
        if self._condition is not None:
            try:
                await self._condition.reset()
            except asyncio.CancelledError:
                # Once more, and to its end: a condition that stays met would refuse the next run. Uninterrupted from
                # the start, it would take a task of its own in each run, though hardly any condition waits here.
                await uninterrupted(self._condition.reset())
                self._is_reset = True
                raise
            self._is_reset = True

    async def _ask(
        self,
        look: _Look,
        messages: Sequence[Item],
        *,
        unseen: Sequence[Item] = (),
        task: Sequence[BaseChatMessage] = (),
    ) -> str | None:
        condition = self._condition
        if condition is None:
            return None
        # Its state is taken each time, though hardly ever needed: afterwards it is too late. If the condition fails or
        # is interrupted, it stays the one that is saved, until `reset`: how much the condition has seen is unknown. So
        # it does if the condition is met: the engine may have to end a turn before the run is over.
        self._asked = _Asked(self._save_condition(), unseen, task)
        stop = checked_stop(condition, await look(condition, messages))
        if stop is None:
            self._asked = None
            return None
        return stop.content

    async def _within_time(self, work: Coroutine[None, None, T], speaking: Callable[[], Sequence[str]]) -> T:
        clock = asyncio.get_running_loop().time
        began = clock()
        if self._turn_left is not None:
            self._turn_ends = began + self._turn_left
        try:
            return await _unless_overdue(work, self._due_in, lambda: self._overdue(speaking()))
        finally:
            if self._turn_left is not None:
                self._turn_left -= clock() - began

    def _due_in(self) -> float | None:
        """In how many seconds to ask `_overdue`, if the turn takes that long."""
        condition = self._condition.due_in() if self._condition else None
        if self._turn_left is None:
            return condition
        turn = max(0.0, self._turn_ends - asyncio.get_running_loop().time())
        return turn if condition is None else min(turn, condition)

    async def _overdue(self, speaking: Sequence[str]) -> str | None:
        """Check the condition and the time of the turn, once one of them is due.

        Args:
            speaking: The names of those that have not answered yet; none, if no speaker was chosen yet.
        """
        if self._condition is not None and self._condition.due_in() == 0:
            stop = await self._ask(ask, ())
            if stop is not None:
                return stop
        if self._turn_timeout is None or asyncio.get_running_loop().time() < self._turn_ends:
            return None
        who = f"{' and '.join(speaking)} did not answer" if speaking else "No speaker was chosen"
        return f"{who} within {self._turn_timeout:g} seconds."


def items_for_condition(ended: TurnEnded, manager: str) -> Sequence[Item]:
    """What the condition sees of a turn: what was appended, and the tokens that stand in no message.

    Those are reported as events of the team, so that a condition needs to know messages and events only.

    Args:
        ended: The turn.
        manager: The name under which the team itself speaks.
    """
    items: list[Item] = [] if ended.usage is None else [_cost(ended.usage, manager)]
    items += ended.said
    for name in ended.answered:
        items += ended.shown[name]
        if (usage := ended.answers[name].silent_usage) is not None:
            items.append(_cost(usage, manager))
    return items


def _cost(usage: RequestUsage, manager: str) -> Item:
    return SelectSpeakerEvent(content=[], source=manager, models_usage=usage)


async def _unless_overdue(
    work: Coroutine[None, None, T],
    due_in: Callable[[], float | None],
    overdue: Callable[[], Awaitable[str | None]],
) -> T:
    """Wait for `work`, and look at the clock meanwhile.

    Args:
        work: What is waited for.
        due_in: In how many seconds to ask `overdue`; None: not before `work` is done.
        overdue: Gives the reason to cancel `work`, or None to continue waiting.

    Raises:
        TurnOverdueError: `work` was cancelled, and has ended.
    """
    working = asyncio.ensure_future(work)
    reason: str | None = None
    try:
        while reason is None and not working.done():
            await asyncio.wait([working], timeout=due_in())
            if not working.done():
                reason = await overdue()
    finally:
        # To its end, however often this is cancelled meanwhile: what is left behind would run into the next turn.
        await cancel_and_wait(working)
    if reason is not None:
        raise TurnOverdueError(reason)
    return working.result()
