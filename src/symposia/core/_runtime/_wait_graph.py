"""Finding agents that wait for each other in a circle.

A call waits for a mailbox; the mailbox for the call whose turn it is; that one for the requests that its handler
awaits, and so on. Each wait is looked at when it begins, since it is the last one that closes a circle.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, cast

from symposia.core._agent_id import AgentId
from symposia.core.exceptions import DeadlockError

if TYPE_CHECKING:
    from symposia.core._runtime._call import Call

Circle = list[AgentId]


def refuse_deadlock(call: Call) -> None:
    """Raise if `call` could only get its turn after it has ended.

    Raises:
        DeadlockError: With the circle in its text.
    """
    ancestors = list(_those_who_await(call))
    circle = _behind(call, ancestors, set())
    if circle is None:
        return
    last = next(i for i, ancestor in enumerate(ancestors) if ancestor.mailbox.id == circle[-1])
    way_down = [ancestor.mailbox.id for ancestor in reversed(ancestors[: last + 1])]
    drawn = " → ".join(str(agent) for agent in (*way_down, *circle))
    raise DeadlockError(
        f"Agents wait for each other: {drawn}. Let one of them publish its message instead of awaiting an answer, "
        "or let its class handle messages concurrently."
    )


def _those_who_await(call: Call) -> Iterator[Call]:
    """The calls that cannot end before this one."""
    below, above = call, call.parent
    while above is not None and _is_awaited(above, below):
        yield above
        below, above = above, above.parent


def _behind(waiting: Call, ancestors: list[Call], seen: set[Call]) -> Circle | None:
    """The way from the calls that a waiting one waits for, back to `ancestors`."""
    blocker = waiting.mailbox.running
    while blocker is not None and not waiting.descends_from(blocker):
        circle = _through(blocker, ancestors, seen)
        if circle is not None:
            return circle
        blocker = blocker.outer
    return None


def _through(blocker: Call, ancestors: list[Call], seen: set[Call]) -> Circle | None:
    """The way from a call that must end first, back to `ancestors`."""
    if blocker in ancestors:
        return [blocker.mailbox.id]
    for child in blocker.children or ():
        if child in seen or not _is_awaited(blocker, child):
            continue
        seen.add(child)
        rest = _through(child, ancestors, seen) if child.active else _behind(child, ancestors, seen)
        if rest is not None:
            return [blocker.mailbox.id, *rest]
    return None


def _is_awaited(call: Call, request: Call) -> bool:
    """Whether the call's handler cannot end before the request that it made: it may have put it into the background."""
    if call.task is None or call.task is request.task:
        return True  # a handler that has not waited for anything yet is in the midst of making this request
    return request.task is not None and _task_awaits(call.task, request.task)


def _task_awaits(waiter: asyncio.Task[Any], awaited: asyncio.Future[Any]) -> bool:
    """Whether a task waits for another one: directly, by `asyncio.gather` or in an `asyncio.TaskGroup`.

    asyncio shows this in attributes that it does not document; where they are missing the answer is no, and a circle
    through such a wait goes unreported rather than wrongly reported.
    """
    target: object = getattr(waiter, "_fut_waiter", None)
    gathered: Sequence[object] = getattr(target, "_children", ())
    group = next((owner for owner in _callback_owners(awaited) if isinstance(owner, asyncio.TaskGroup)), None)
    return (
        target is awaited
        or awaited in gathered
        or (group is not None and getattr(group, "_parent_task", None) is waiter)
        or any(
            _task_awaits(cast("asyncio.Task[Any]", one), awaited)
            for one in (target, *gathered)
            if isinstance(one, asyncio.Task)
        )
    )


def _callback_owners(future: asyncio.Future[Any]) -> list[object]:
    callbacks = getattr(future, "_callbacks", None) or ()
    return [getattr(callback, "__self__", None) for callback, _ in callbacks]
