"""The calls of tools that are made of agents: those of one agent or team take place one after another."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from contextvars import ContextVar
from typing import Final, TypeAlias
from weakref import WeakValueDictionary

from symposia.agentchat._any_loop_lock import AnyLoopLock
from symposia.agentchat.base import ChatAgent, Team
from symposia.core.exceptions import DeadlockError, UsageError


class RunnerCalls:
    """The calls of all tools of one agent or team: see `calls_of`.

    A call that would wait for its own end raises an error, which the model reads as the result: a call inside another
    one of the same agent, and the last of several calls that wait for each other, such as one of A inside a call of B
    and at the same time one of B inside a call of A. A context variable holds the enclosing calls. A runtime that sends
    messages to other processes does not pass it on, and such a deadlock is not detected there.

    The calls in one answer of a model are made in their order. Those of several agents that speak at the same time come
    in the order in which their models have answered, which journals do not record: a resumed run may call the models
    inside of such a tool again.

    Rejected: concurrent calls. The conversation of an agent has one turn at a time.

    Args:
        runner: The agent or the team.

    Attributes:
        runner: As given.
    """

    def __init__(self, runner: ChatAgent | Team) -> None:
        self.runner = runner
        self._lock = AnyLoopLock()

    def nested(self, tool: str) -> Nested:
        """The calls in which a call of `tool` is made here, and these calls.

        Raises:
            UsageError: These are among them.
        """
        around = running_calls.get() or ()
        if self in around:
            raise UsageError(f"The tool {tool!r} cannot be called in its own run.")
        return (*around, self)

    @asynccontextmanager
    async def one(self, tool: str, nested: Nested) -> AsyncGenerator[None]:
        """One call of `tool`, which waits for those before it.

        Raises:
            DeadlockError: One of those waits for a call in which this one is made.
        """
        around = nested[:-1]
        if circle := self._path_to(around):
            names = " -> ".join(calls.runner.name for calls in (*circle, self))
            raise DeadlockError(f"The tool {tool!r} cannot be called here, since calls wait for each other: {names}.")
        wait = around, self
        async with AsyncExitStack() as held:
            # Also for a lock that is free: another call may be about to take it.
            _waits.append(wait)
            try:
                await held.enter_async_context(self._lock)
            finally:
                _waits.remove(wait)
            yield

    def _path_to(self, around: Nested) -> Sequence[RunnerCalls]:
        """From these calls, each waiting for the next, to one of `around`; empty if they wait for none of them.

        A call waits for the calls that are made in it, and so for what those wait for.
        """
        paths: dict[RunnerCalls, Nested] = {self: (self,)}
        new: list[RunnerCalls] = [self]
        while new:
            waiting = new.pop()
            for calls, awaited in _waits:
                if waiting in calls and awaited not in paths:
                    paths[awaited] = (*paths[waiting], awaited)
                    new.append(awaited)
        return next((paths[calls] for calls in around if calls in paths), ())


Nested: TypeAlias = tuple[RunnerCalls, ...]
"""Calls of which each is made in the one before it, each given by its agent or team."""

running_calls: ContextVar[Nested | None] = ContextVar("symposia_running_calls", default=None)

_waits: Final[list[tuple[Nested, RunnerCalls]]] = []
"""The calls that wait: in which calls each is made, and for which it waits."""

# By the id of the runner, which is kept as long as its calls are. A runner need not be hashable.
_known: Final[WeakValueDictionary[int, RunnerCalls]] = WeakValueDictionary()


def calls_of(runner: ChatAgent | Team) -> RunnerCalls:
    """The calls of an agent or a team, the same for all tools that are made of it."""
    calls = _known.get(id(runner))
    if calls is None:
        calls = _known[id(runner)] = RunnerCalls(runner)
    return calls
