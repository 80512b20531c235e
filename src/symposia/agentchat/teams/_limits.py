from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta

from symposia.agentchat.base import TerminationCondition
from symposia.agentchat.messages import BaseChatMessage
from symposia.agentchat.teams._participant import Item
from symposia.core.exceptions import InvalidArgumentError


class TeamLimits:
    """What ends a run of a team, besides its rule. Each method that may end it gives the reason, or None to go on.

    Args:
        condition: Sees every message of the run.
        max_turns: The number of turns.
        turn_timeout: How long one turn may take, in seconds.

    Raises:
        InvalidArgumentError: A limit of zero or less.
    """

    def __init__(
        self, condition: TerminationCondition | None, max_turns: int | None, turn_timeout: float | timedelta | None
    ) -> None:
        if max_turns is not None and max_turns <= 0:
            raise InvalidArgumentError("The maximum number of turns must be greater than 0.")
        if isinstance(turn_timeout, timedelta):
            turn_timeout = turn_timeout.total_seconds()
        if turn_timeout is not None and turn_timeout <= 0:
            raise InvalidArgumentError(f"turn_timeout is {turn_timeout}: give the seconds that a turn may take.")
        self._condition = condition
        self._max_turns = max_turns
        self._turn_timeout = turn_timeout
        self._turn_ends = 0.0

    async def start(self, task: Sequence[BaseChatMessage]) -> str | None:
        """A run starts with `task`."""
        stop = await self._condition.start(task) if self._condition else None
        return stop.content if stop else None

    def start_turn(self) -> None:
        """A turn starts."""
        if self._turn_timeout is not None:
            self._turn_ends = asyncio.get_running_loop().time() + self._turn_timeout

    async def after_turn(self, items: Sequence[Item], turns: int) -> str | None:
        """A turn brought `items`; it was the run's `turns`-th."""
        stop = await self._condition(items) if self._condition else None
        if stop is not None:
            return stop.content
        return f"Maximum number of turns {self._max_turns} reached." if turns == self._max_turns else None

    def due_in(self) -> float | None:
        """In how many seconds to ask `overdue`, if the turn takes that long."""
        condition = self._condition.due_in() if self._condition else None
        if self._turn_timeout is None:
            return condition
        turn = max(0.0, self._turn_ends - asyncio.get_running_loop().time())
        return turn if condition is None else min(turn, condition)

    async def overdue(self, speaking: Sequence[str]) -> str | None:
        """The turn has taken that long, and these are still speaking; nobody, if none was chosen yet."""
        if self._condition is not None and self._condition.due_in() == 0:
            stop = await self._condition(())
            if stop is not None:
                return stop.content
        if self._turn_timeout is None or asyncio.get_running_loop().time() < self._turn_ends:
            return None
        who = f"{' and '.join(speaking)} did not answer" if speaking else "No speaker was chosen"
        return f"{who} within {self._turn_timeout:g} seconds."

    async def reset(self) -> None:
        """Make ready for another run."""
        if self._condition is not None:
            await self._condition.reset()
