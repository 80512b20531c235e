"""The futures that asyncio's tasks wait for.

It is found by walking up from a task: whatever its end sets off, if that is asyncio's own doing (`gather`, `shield`,
`wait`, `wait_for`, `as_completed`, a task group, a thread that blocks). Callbacks of programs are not followed: what
they do is unknown. Where several tasks can each end a wait (`wait` for the first of them, `as_completed`), it is
followed only when one of them is left, since the others could end it.

asyncio has no documented way to ask. What is missing in another version of Python reads as "not awaited": a circle then
goes unreported rather than wrongly reported.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
from collections.abc import Iterator
from functools import partial
from typing import Any, TypeAlias

Held: TypeAlias = "asyncio.Future[Any] | concurrent.futures.Future[Any]"


def task_awaits(waiter: asyncio.Task[object], awaited: asyncio.Task[object]) -> bool:
    """Whether a task that waits cannot go on before another one has ended."""
    seen: set[asyncio.Future[Any]] = {awaited}
    todo: list[asyncio.Future[Any]] = [awaited]
    while todo:
        for callback, _context in getattr(todo.pop(), "_callbacks", None) or ():
            for future in _held_up(callback):
                if future is waiter or _blocks_a_thread(future):
                    return True
                if isinstance(future, asyncio.Future) and future not in seen:
                    seen.add(future)
                    todo.append(future)
    return False


def _held_up(callback: Any) -> Iterator[Held]:  # Any: asyncio's own, undocumented
    """What cannot be done before one of asyncio's own callbacks was called."""
    owner = getattr(callback, "__self__", None)
    if isinstance(owner, asyncio.Task):
        yield owner  # the callback that lets a task go on which awaits the future
    elif isinstance(owner, asyncio.TaskGroup):
        yield from _futures(getattr(owner, "_on_completed_fut", None))
    elif isinstance(callback, partial) and _is_asyncios(callback.func):
        yield from _futures(*callback.args)  # wait_for, before Python 3.12
    elif _is_asyncios(callback):
        variables = dict(_variables(callback))
        rivals = variables.get("todo", getattr(owner, "_todo", ()))
        is_first_of_many = variables.get("return_when") == asyncio.FIRST_COMPLETED and variables.get("counter") != 1
        if len(rivals) <= 1 and not is_first_of_many:
            queue = variables.get("done", getattr(owner, "_done", None))
            held = (variables.get(name) for name in ("outer", "waiter", "destination"))
            yield from _futures(*held, *getattr(queue, "_getters", ()))


def _variables(function: Any) -> Iterator[tuple[str, Any]]:  # Any: variables of asyncio's own functions
    names = getattr(getattr(function, "__code__", None), "co_freevars", ())
    for name, cell in zip(names, getattr(function, "__closure__", None) or (), strict=False):
        try:
            yield name, cell.cell_contents
        except ValueError:  # not assigned yet
            continue


def _futures(*candidates: object) -> Iterator[Held]:
    for one in candidates:
        if isinstance(one, asyncio.Future | concurrent.futures.Future):
            yield one


def _blocks_a_thread(future: Held) -> bool:
    """Whether a thread waits for the future: that of the handler, whose context the request has inherited."""
    return isinstance(future, concurrent.futures.Future) and bool(getattr(_condition_of(future), "_waiters", ()))


def _condition_of(future: object) -> object:
    return getattr(future, "_condition", None)


def _is_asyncios(function: Any) -> bool:
    return str(getattr(function, "__module__", "")).startswith("asyncio.")
