"""The wait graph: which agents wait for which, and the circles in it.

The nodes are calls. A call that waits for its turn waits for the calls that have the turn (`blockers`); a call whose
handler runs waits for the requests that the handler awaits (`Call.is_awaited`). A circle can only be closed by a new
wait, so each wait is examined when it begins, and nothing is looked for meanwhile.

A request is not always awaited by the handler that made it: it may have been put into a task of its own, to be awaited
later or never. Such a wait begins unseen, since asyncio announces nowhere that a task awaits another one. A request
that would be in a circle if the handlers on the way awaited what they have in the background is therefore *undecided*:
it is examined again whenever one of these handlers suspends, and by a timer, for the tasks between a handler and its
request whose suspensions are not seen.

Circles through the event loop of another thread are not found. The handler waits for the future of a thread, and which
tasks that thread's loop runs, and what they wait for, can only be read while it changes them. A deadline ends those.

What was tried and rejected: taking every request of a handler for awaited reports circles that are none, and lets
requests into the middle of a handler that does not expect them; taking none but those in the handler's own task for
awaited hangs on `asyncio.gather`; a thread or a timer that looks at everything from time to time costs all programs for
the mistake of a few, and reports late.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable, Iterator

from symposia.core._agent_id import AgentId
from symposia.core._runtime._mailbox import Call
from symposia.core.runtimes import circular_wait

FIRST_LOOK = 0.05
"""Seconds until an undecided wait is examined again. Each later pause is twice as long."""

LAST_LOOK = 3600.0
"""The longest pause between two looks, in seconds. A wait that is undecided for longer is left alone, so that a
simulation in which nothing can run any more is noticed."""


def blockers(waiting: Call) -> Iterator[Call]:
    """The calls that must end before a call that waits for its turn gets it, the innermost first."""
    blocker = waiting.mailbox.running
    while blocker is not None and blocker is not waiting.host:
        yield blocker
        blocker = blocker.outer


def _handlers_above(call: Call) -> Iterator[Call]:
    """The calls whose handlers made `call`, one through the other, whether or not they await it."""
    above = call.parent
    while above is not None and above.active and not above.ended:
        yield above
        above = above.parent


def calls_behind(calls: Iterable[Call]) -> set[Call]:
    """Some calls, and all others that cannot end before one of them does."""
    found = set(calls)
    todo = list(found)
    while todo:
        call = todo.pop()
        behind = [call.parent] if call.parent is not None and call.is_awaited else []
        # Handlers of a concurrent agent hold up only those that await them.
        if call.active and not call.mailbox.concurrent:
            behind += [one for one in call.mailbox.waiting_requests() if call in blockers(one)]
        if call.passed_on_by is not None:
            behind.append(call.passed_on_by)
        new = [one for one in behind if one not in found]
        found.update(new)
        todo += new
    return found


def _is_awaited(request: Call) -> bool:
    return request.is_awaited


def _anyway(_request: Call) -> bool:
    return True


class _Search:
    """A walk from what a waiting call waits for to the calls that wait for it.

    It keeps its own stack: chains of calls are thousands long, and Python's stack is not.

    Attributes:
        goals: The calls that wait for the one searched from.
        found: The goal that was reached, if one was.
        seen: Every visited call, and the one before it.
        passed_by: Whether links were left out because `follows` said so.
    """

    def __init__(self, call: Call, goals: list[Call], follows: Callable[[Call], bool]) -> None:
        self.goals = goals
        self.found: Call | None = None
        self.seen: dict[Call, Call | None] = {}
        self.passed_by = False
        targets = set(goals)
        todo = list[Call]()
        self._add(blockers(call), None, todo)
        while todo:
            here = todo.pop()
            if here in targets:
                self.found = here
                return
            if here.is_queued:
                self._add(blockers(here), here, todo)
            elif here.children:
                followed = [child for child in here.children if follows(child)]
                self.passed_by = self.passed_by or len(followed) < len(here.children)
                self._add(followed, here, todo)

    def circle(self) -> list[AgentId]:
        """The circle: from the goal down to the call, and on to the goal."""
        down, way = list[Call](), list[Call]()
        for ancestor in self.goals:
            down.append(ancestor)
            if ancestor is self.found:
                break
        here = self.found
        while here is not None:
            way.append(here)
            here = self.seen[here]
        return [call.mailbox.id for call in (*reversed(down), *reversed(way)) if call.active]

    def _add(self, calls: Iterable[Call], before: Call | None, todo: list[Call]) -> None:
        for call in calls:
            if call not in self.seen:
                self.seen[call] = before
                todo.append(call)


def _undecided_handlers(call: Call) -> Collection[Call]:
    """Look for a circle that a call closes by waiting for its turn.

    Returns:
        The handlers that close a circle, or can take the call in, if they come to await what they have in the
        background.

    Raises:
        DeadlockError: There is a circle; its text draws it.
    """
    if call.parent is None:  # nothing waits for this call that another one could wait for
        return ()
    # Twice. The first search follows what is awaited now, and what it finds is a circle for certain. The second follows
    # every request: if even that finds nothing, nothing that the handlers do later can close a circle through this
    # wait.
    search = _Search(call, list(call.awaiting_chain()), _is_awaited)
    if search.found is not None:
        raise circular_wait(search.circle())
    chain = list(_handlers_above(call))
    if len(search.goals) == len(chain) and not search.passed_by:
        return ()
    possible = _Search(call, chain, _anyway)
    if possible.found is None:
        return ()
    links = [(above, below) for below, above in zip(call.chain(), chain, strict=False)]
    links += [(above, below) for above in possible.seen for below in above.children or ()]
    return {above: None for above, below in links if not below.is_awaited}.keys()


class WaitGraph:
    """Examines the waits of a runtime, and keeps those that are undecided."""

    def __init__(self) -> None:
        self._waits: dict[Call, None] = {}
        self._pause = FIRST_LOOK
        self._timer: asyncio.TimerHandle | None = None

    def examine(self, call: Call) -> None:
        """Look for a circle that a call closes by waiting for its turn.

        If it may close one later, it is examined again when one of the handlers concerned suspends, and after a while.

        Raises:
            DeadlockError: There is a circle; its text draws it.
        """
        handlers = _undecided_handlers(call)
        if not handlers:
            return
        for handler in handlers:
            if handler.undecided is None:
                handler.undecided = {}
            handler.undecided[call] = None
        if call not in self._waits:
            self._waits[call] = None
            self._pause = FIRST_LOOK
            self._set_timer()

    def look_again_soon(self, handler: Call) -> None:
        """Examine the undecided waits of a handler that suspends: it may now await what it had in the background.

        Not at once: its task is registered with what it awaits only after this step.
        """
        waits, handler.undecided = handler.undecided or {}, None
        asyncio.get_running_loop().call_soon(_look_at, list(waits))

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(self._pause, self._look_again)

    def _look_again(self) -> None:
        # The waits are taken out first: `reconsider` adds those again that stay undecided, and they alone keep the
        # timer.
        self._timer = None
        waits, self._waits = [call for call in self._waits if call.is_queued], {}
        pause = 2 * self._pause
        for call in waits:
            call.mailbox.reconsider(call)
        if self._waits and pause <= LAST_LOOK:
            self._pause = pause
            self._set_timer()


def _look_at(waits: list[Call]) -> None:
    for call in waits:
        if call.is_queued:
            call.mailbox.reconsider(call)
