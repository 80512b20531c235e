"""An event that tasks of any event loop wait for: a test and a server in a thread have a loop each."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress


class Signal:
    """As `asyncio.Event`, and `set` may be called by any thread.

    No lock is held: a waiter is listed before it looks at the flag, and `set` raises the flag before it takes the
    waiters off the list, so one of the two always sees the other. `asyncio.Event` wakes only waiters of the thread
    that sets it, and waiting for a `threading.Event` blocks the loop.
    """

    def __init__(self) -> None:
        self._is_set = False
        self._waiters: deque[tuple[asyncio.AbstractEventLoop, asyncio.Future[None]]] = deque()

    def is_set(self) -> bool:
        return self._is_set

    def set(self) -> None:
        """Wake all who wait, now and from now on."""
        self._is_set = True
        while True:
            try:
                loop, waiter = self._waiters.popleft()
            except IndexError:
                return
            with suppress(RuntimeError):  # the loop is closed, so nothing waits on it any more
                loop.call_soon_threadsafe(_wake, waiter)

    async def wait(self) -> None:
        """Wait until `set` is called. Returns at once if it was."""
        loop = asyncio.get_running_loop()
        waiter = loop.create_future()
        self._waiters.append((loop, waiter))
        if not self._is_set:
            await waiter


def _wake(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():  # a wait that was cancelled leaves its waiter in the list
        waiter.set_result(None)
