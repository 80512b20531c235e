"""A lock that can be used in one event loop after another."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager
from types import TracebackType

from symposia.core.exceptions import UsageError


class AnyLoopLock(AbstractAsyncContextManager[None]):
    """A lock. One that is held in a loop that does not run any more is free.

    A team or a tool may be used in one event loop after another, as by a script or a test that calls `asyncio.run`
    several times. Asyncio's own locks belong to the loop in which a task first waited for them, and raise an error in
    the next.

    To use it in two loops at once, each in a thread of its own, is an error. A lock between threads would not help:
    what it guards is not made for threads. With asyncio's lock the second loop would never resume, since the lock is
    released in the thread of the first one.
    """

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._users = 0  # how many tasks of that loop hold it or wait for it

    def locked(self) -> bool:
        """Whether it is held."""
        return self._lock.locked()

    async def __aenter__(self) -> None:
        """Wait until it is free, and hold it.

        Raises:
            UsageError: A task of a loop in another thread holds it or waits for it.
        """
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            if self._users and self._loop is not None and self._loop.is_running():
                raise UsageError(
                    "An agent, a team or a tool is in use in the event loop of another thread: use it in one event "
                    "loop at a time, or make one for each thread."
                )
            self._lock, self._loop, self._users = asyncio.Lock(), loop, 0
        self._users += 1
        try:
            await self._lock.acquire()
        except BaseException:
            self._leave(loop)
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Free it."""
        loop = asyncio.get_running_loop()
        if self._loop is loop:  # otherwise another loop has taken it, while the one that held it did not run
            self._lock.release()
        self._leave(loop)

    def _leave(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._loop is loop:
            self._users -= 1
