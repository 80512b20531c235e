"""A lock that can be used in one event loop after another."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager
from types import TracebackType


class AnyLoopLock(AbstractAsyncContextManager[None]):
    """A lock. One that is held in a loop that does not run any more is free.

    A team or a tool may be used in one event loop after another, as by a script or a test that calls `asyncio.run`
    several times. Asyncio's own locks belong to the loop in which a task first waited for them, and raise an error in
    the next.
    """

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
