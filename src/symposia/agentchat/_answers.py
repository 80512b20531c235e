"""Checks of what the methods of a program's own rules, conditions and listeners return.

A wrong answer is an error that names the method: what follows from it otherwise is an error somewhere else, or none.
The checks are plain functions: another coroutine would be waited for in each turn.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable
from types import CoroutineType
from typing import Protocol, cast

from symposia.agentchat.messages import Messages, StopMessage
from symposia.core.exceptions import UsageError


class _Condition(Protocol):
    """What is asked here of a termination condition, whose module imports this one."""

    def __call__(self, messages: Messages, /) -> object: ...

    def start(self, task: Messages, /) -> object: ...


def checked_awaitable(method: str, kind: str, name: str, answer: object) -> Awaitable[object]:
    """The answer of a coroutine function.

    Args:
        method: The method's name.
        kind: Whose method it is, for the error: ``condition``.
        name: The name of the same.
        answer: What the method returned.

    Raises:
        UsageError: It is a plain function.
    """
    # It is nearly always a coroutine, and `isawaitable` takes as long as the rest of this.
    if type(answer) is CoroutineType or inspect.isawaitable(answer):
        return cast("Awaitable[object]", answer)
    raise UsageError(f"{method} of the {kind} {name!r} has to be a coroutine function: write async def {method}.")


def checked_stop(condition: object, answer: object) -> StopMessage | None:
    """The answer of a condition.

    Raises:
        UsageError: It is neither a `StopMessage` nor None.
    """
    if answer is None or isinstance(answer, StopMessage):
        return answer
    name = type(condition).__name__
    raise UsageError(
        f"The condition {name!r} has to return StopMessage(content=..., source={name!r}) to end the run, or None to "
        f"continue, and returned {answer!r}."
    )


def checked_reason(condition: object, answer: object) -> str | None:
    """The answer of the `look` of a condition.

    Raises:
        UsageError: It is neither a text nor None.
    """
    if answer is None or isinstance(answer, str):
        return answer
    raise UsageError(
        f"look of the condition {type(condition).__name__!r} has to return the reason to end the run, as a text, or "
        f"None to continue, and returned {answer!r}."
    )


def ask(condition: _Condition, messages: Messages) -> Awaitable[object]:
    """Let a condition look at new messages. The answer is for `checked_stop`.

    Raises:
        UsageError: Its `__call__` is no coroutine function.
    """
    return checked_awaitable("__call__", "condition", type(condition).__name__, condition(messages))


def ask_at_start(condition: _Condition, task: Messages) -> Awaitable[object]:
    """Let a condition look at the messages of a task. The answer is for `checked_stop`.

    Raises:
        UsageError: Its `start` is no coroutine function.
    """
    return checked_awaitable("start", "condition", type(condition).__name__, condition.start(task))
