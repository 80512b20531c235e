"""Coroutines of plain calls, which wait for nothing, and plain functions that coroutines wait for.

The logic of plain calls is that of the asynchronous ones. `StopIteration` passes neither coroutines nor futures, so it
is carried through them as the error that Python makes of it.

Chats within chats are recursion, and a level of it has many calls. So the logic of a plain method is known
(`logic_of`), and logic awaits that instead of calling the method, unless the program has overridden it. A coroutine
that is awaited on a stack of its own (`on_own_stack`) is run by `run_plain` itself, while those that wait for it are
suspended: they do not count towards Python's recursion limit.
"""

from __future__ import annotations

import asyncio
import sys
import types
from collections.abc import Callable, Coroutine, Generator
from typing import Any, Final, TypeAlias, TypeVar, cast

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])  # Any: a method

Logic: TypeAlias = Callable[..., Coroutine[Any, Any, Any]]  # Any: of many methods
"""What a method does: takes its object, the form of the call, and the arguments."""

STOPPED: Final = "coroutine raised StopIteration"
"""The text of the `RuntimeError` that Python makes of a `StopIteration` on its way out of a coroutine."""
SUSPENDED: Final = "A coroutine of the plain form was suspended. Await nothing in it but the methods of its form."

TOO_DEEP: Final = (
    "Replies wait for each other's chats and functions, {depth} deep, and would for ever if a nested chat triggers "
    "itself. Check the triggers of register_nested_chats, or allow more levels by sys.setrecursionlimit."
)


def run_plain(coroutine: Coroutine[Any, Any, T]) -> T:  # noqa: C901 - one function, since each takes a level of the stack
    """Run a coroutine of the plain form, which does not suspend but for `on_own_stack`.

    Raises:
        RuntimeError: It suspended: something in it was awaited that was not of the plain form.
        StopIteration: A function of the program raised it, as `next` does.
    """
    waiting: list[Coroutine[Any, Any, Any]] = [coroutine]  # each for the one behind it
    value: Any = None  # Any: what the last one returned
    failed: BaseException | None = None
    try:
        while True:
            try:
                awaited: object = waiting[-1].send(value) if failed is None else waiting[-1].throw(failed)
            except StopIteration as end:
                del waiting[-1]
                if not waiting:
                    return end.value
                value, failed = end.value, None
            except BaseException as error:
                del waiting[-1]
                if not waiting:
                    failed = None  # no circle of the error and this frame
                    raise
                failed = error
            else:
                value, failed = None, _refusal(awaited, len(waiting))
                if failed is None:
                    waiting.append(cast("Coroutine[Any, Any, Any]", awaited))
    except RuntimeError as error:
        if (stop := carried_stop(error)) is None:
            raise
    finally:
        while waiting:  # an interruption came between two of them
            waiting.pop().close()
    raise stop


def _refusal(awaited: object, depth: int) -> RuntimeError | None:
    """Why something is not run that a coroutine awaits, for which others wait already; None if it is."""
    if not isinstance(awaited, types.CoroutineType):
        return RuntimeError(SUSPENDED)
    if depth >= sys.getrecursionlimit():
        awaited.close()
        return RecursionError(TOO_DEEP.format(depth=depth))
    return None


@types.coroutine
def on_own_stack(coroutine: Coroutine[Any, Any, T]) -> Generator[Coroutine[Any, Any, T], T, T]:
    """Await a coroutine of the plain form, which `run_plain` runs while those that wait for it are suspended."""
    return (yield coroutine)


def plain_form_of(logic: Logic) -> Callable[[F], F]:
    """Mark a plain method as one that runs this logic in the plain form, and does nothing else."""

    def mark(method: F) -> F:
        _logic[method] = logic
        return method

    return mark


def logic_of(method: object) -> Logic | None:
    """The logic of a plain method, as a function or bound to its object; None if the program has overridden it."""
    kind = type(method)
    if kind is types.MethodType:
        return _logic.get(cast("types.MethodType", method).__func__)
    return _logic.get(method) if kind is types.FunctionType else None


_logic: Final[dict[object, Logic]] = {}


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
