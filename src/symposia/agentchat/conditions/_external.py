"""Conditions on something other than the messages: the clock, the program that runs the team, a function."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from typing_extensions import override

from symposia.agentchat import base
from symposia.agentchat._arguments import check_number
from symposia.agentchat.conditions._condition import Condition, StatefulCondition
from symposia.agentchat.messages import Messages, StopMessage
from symposia.core.changes import SavedState
from symposia.core.exceptions import ArgumentTypeError, InvalidArgumentError


@dataclass
class _Elapsed:
    """How long a run has taken before its team was loaded, in seconds."""

    elapsed: float = 0


class TimeoutTermination(StatefulCondition[_Elapsed]):
    """Ends a run after a time, in the middle of a turn if need be. The clock starts with the run.

    The clock stands still between saving a team in the middle of a run and the next run of the team that was loaded:
    the time in which no process had the run does not count.

    Args:
        timeout_seconds: Seconds, or a `timedelta`.

    Raises:
        ArgumentTypeError: It is no number.
        InvalidArgumentError: A negative time, or NaN.
    """

    def __init__(self, timeout_seconds: float | timedelta) -> None:
        super().__init__(_Elapsed)
        self._seconds = timeout_seconds.total_seconds() if isinstance(timeout_seconds, timedelta) else timeout_seconds
        check_number("timeout_seconds", self._seconds)
        if self._seconds < 0:
            raise InvalidArgumentError(f"timeout_seconds is {self._seconds}: give the seconds that a run may take.")
        self._ends: float | None = None

    async def start(self, task: Messages) -> StopMessage | None:
        """Start the clock."""
        self._start_clock()
        return await super().start(task)

    def check_outline(self, team: base.TeamProfile) -> base.ConditionOutline:  # noqa: ARG002 - the clock runs for all
        """Met when the time is over, after an unknown number of turns."""
        return base.ConditionOutline(is_certain=True)

    @override
    async def look(self, messages: Messages) -> str | None:
        """Look at the clock, which starts now if `start` was not called."""
        now = asyncio.get_running_loop().time()
        return f"Timeout of {self._seconds} seconds reached" if now >= self._start_clock() else None

    def due_in(self) -> float | None:
        """The seconds that are left; None while the clock stands still."""
        return None if self._ends is None else max(0.0, self._ends - asyncio.get_running_loop().time())

    async def reset(self) -> None:
        """Stop the clock and set it to zero."""
        await super().reset()
        self._ends = None

    def save_state(self) -> SavedState:
        """The seconds that the run has taken so far."""
        left = self.due_in()
        return super().save_state() if left is None else {**super().save_state(), "elapsed": self._seconds - left}

    def load_state(self, state: SavedState, /) -> None:
        """Stop the clock at the seconds that the run had taken; it continues with the next run."""
        super().load_state(state)
        self._ends = None

    def _start_clock(self) -> float:
        """Start the clock, if it stands still, and return the time at which the run ends."""
        if self._ends is None:
            self._ends = asyncio.get_running_loop().time() + self._seconds - self.state.elapsed
        return self._ends


@dataclass
class _Requested:
    """Whether the end of the run was requested."""

    is_set: bool = False


class ExternalTermination(StatefulCondition[_Requested]):
    """Ends a run after the turn during which `set` was called."""

    def __init__(self) -> None:
        super().__init__(_Requested)

    def set(self) -> None:
        """End the run after the present turn; before the first one, if there is none."""
        self.state.is_set = True

    @override
    async def look(self, messages: Messages) -> str | None:
        """Look whether it was set."""
        return "External termination requested" if self.state.is_set else None


class FunctionalTermination(Condition):
    """Ends a run when a function says so.

    Args:
        func: Takes the new messages and returns whether the run ends. It is called in the event loop: one that
            waits is a coroutine function.

    Raises:
        ArgumentTypeError: It cannot be called.
    """

    def __init__(self, func: Callable[[Messages], bool] | Callable[[Messages], Awaitable[bool]]) -> None:
        super().__init__()
        if not callable(func):
            raise ArgumentTypeError(f"func of a FunctionalTermination has to be a function, not {func!r}")
        self._func = func

    async def look(self, messages: Messages) -> str | None:
        """Ask the function, if there is something new."""
        if not messages:
            return None
        answer = self._func(messages)
        met = await answer if inspect.isawaitable(answer) else answer
        return "Functional termination condition met" if met else None
