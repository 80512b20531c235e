"""Conditions on something other than the messages: the clock, the program around the team, a function."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from datetime import timedelta

from typing_extensions import override

from symposia.agentchat.conditions._condition import Condition, Messages
from symposia.agentchat.messages import StopMessage
from symposia.core.exceptions import InvalidArgumentError


class TimeoutTermination(Condition):
    """Ends a run after a time, in the middle of a turn if need be. The clock starts with the run.

    Args:
        timeout_seconds: Seconds, or a `timedelta`.

    Raises:
        InvalidArgumentError: A negative time.
    """

    def __init__(self, timeout_seconds: float | timedelta) -> None:
        super().__init__()
        self._seconds = timeout_seconds.total_seconds() if isinstance(timeout_seconds, timedelta) else timeout_seconds
        if self._seconds < 0:
            raise InvalidArgumentError(f"timeout_seconds is {self._seconds}: give the seconds that a run may take.")
        self._ends: float | None = None

    @override
    async def start(self, task: Messages) -> StopMessage | None:
        """Start the clock."""
        self._ends = asyncio.get_running_loop().time() + self._seconds
        return await super().start(task)

    @override
    async def look(self, messages: Messages) -> str | None:
        """Look at the clock, which starts now if `start` was not called."""
        now = asyncio.get_running_loop().time()
        if self._ends is None:
            self._ends = now + self._seconds
        return f"Timeout of {self._seconds} seconds reached" if now >= self._ends else None

    def due_in(self) -> float | None:
        """The seconds that are left."""
        return None if self._ends is None else max(0.0, self._ends - asyncio.get_running_loop().time())

    async def reset(self) -> None:
        """Stop the clock."""
        await super().reset()
        self._ends = None


class ExternalTermination(Condition):
    """Ends a run after the turn during which `set` was called."""

    def __init__(self) -> None:
        super().__init__()
        self._is_set = False

    def set(self) -> None:
        """End the run after the present turn; before the first one, if there is none."""
        self._is_set = True

    @override
    async def look(self, messages: Messages) -> str | None:
        """Look whether it was set."""
        return "External termination requested" if self._is_set else None

    async def reset(self) -> None:
        """Take `set` back."""
        await super().reset()
        self._is_set = False


class FunctionalTermination(Condition):
    """Ends a run when a function says so.

    Args:
        func: Takes the new messages and says whether the run ends; may be a coroutine function.
    """

    def __init__(self, func: Callable[[Messages], bool] | Callable[[Messages], Awaitable[bool]]) -> None:
        super().__init__()
        self._func = func

    @override
    async def look(self, messages: Messages) -> str | None:
        """Ask the function, if there is something new."""
        if not messages:
            return None
        answer = self._func(messages)
        met = await answer if inspect.isawaitable(answer) else answer
        return "Functional termination condition met" if met else None
