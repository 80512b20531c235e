"""What the tasks of a team wait for besides its participants: a lock, and the end of a pause.

A team may be used in one event loop after another, as by a script or a test that calls `asyncio.run` several times.
Asyncio's own locks and events belong to the loop in which a task first waited for them, and raise an error in the next.
"""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager
from types import TracebackType


class TeamLock(AbstractAsyncContextManager[None]):
    """A lock. One that is held in a loop that does not run any more is free."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None

    def locked(self) -> bool:
        """Whether it is held."""
        return self._lock.locked()

    async def __aenter__(self) -> None:
        """Wait until it is free, and hold it."""
        loop = asyncio.get_running_loop()
        if self._loop is not loop and not (self._loop is not None and self._loop.is_running()):
            self._lock, self._loop = asyncio.Lock(), loop
        await self._lock.acquire()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Free it."""
        self._lock.release()


class Pause:
    """Whether a team is paused, and the tasks that wait for the end of it.

    Attributes:
        is_on: Whether it is paused.
    """

    def __init__(self) -> None:
        self.is_on = False
        self._waiting: set[asyncio.Future[None]] = set()

    def begin(self) -> None:
        """Begin a pause, if there is none."""
        self.is_on = True

    def end(self) -> None:
        """End the pause, if there is one."""
        self.is_on = False
        for waiting in self._waiting:
            if not (waiting.done() or waiting.get_loop().is_closed()):
                waiting.set_result(None)

    async def wait(self) -> None:
        """Wait until there is no pause."""
        while self.is_on:
            ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.add(ended)
            try:
                await ended
            finally:
                self._waiting.discard(ended)
