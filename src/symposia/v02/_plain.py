"""Coroutines that never suspend, and plain functions that coroutines wait for.

The logic of plain calls is that of the asynchronous ones. `StopIteration` passes neither coroutines nor futures, so it
is carried through them as the error that Python makes of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final, TypeVar, cast

T = TypeVar("T")

STOPPED: Final = "coroutine raised StopIteration"
"""The text of the `RuntimeError` that Python makes of a `StopIteration` on its way out of a coroutine."""


def run_plain(coroutine: Coroutine[Any, Any, T]) -> T:  # Any: it yields and is sent nothing
    """Run a coroutine of the plain form, which does not suspend.

    Raises:
        RuntimeError: It suspended: something in it was awaited that was not of the plain form.
        StopIteration: A function of the program raised it, as `next` does.
    """
    try:
        coroutine.send(None)
    except StopIteration as end:
        return cast("T", end.value)
    except RuntimeError as error:
        if (stop := carried_stop(error)) is None:
            raise
    else:
        coroutine.close()
        raise RuntimeError(
            "A coroutine of the plain form was suspended. Await nothing in it but the methods of its form."
        )
    raise stop


def carried_stop(error: Exception) -> StopIteration | None:
    """The `StopIteration` of a function of the program that an error was made of; None for another error."""
    stop = error.__cause__
    return stop if str(error) == STOPPED and isinstance(stop, StopIteration) else None


def call_for_future(function: Callable[[], T]) -> T:
    """Call a function whose result a coroutine awaits in a future, which takes no `StopIteration`.

    Raises:
        RuntimeError: The function raised `StopIteration`. This is the error that a coroutine makes of it, so that
            `run_plain` raises `StopIteration` again.
    """
    try:
        return function()
    except StopIteration as stop:
        raise RuntimeError(STOPPED) from stop


async def call_in_thread(function: Callable[..., T], *args: object) -> T:
    """Call a function of the program in a thread.

    Raises:
        Exception: The function's; `RuntimeError` for `StopIteration`.
    """
    return await asyncio.to_thread(call_for_future, lambda: function(*args))
