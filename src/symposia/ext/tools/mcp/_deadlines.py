"""The deadlines of the calls of a session, which stand still while the server waits for this program.

A tool that asks a person may take hours, of which the server does nothing. Its call is not late for that.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager


class Deadlines:
    """The deadlines of the calls under way."""

    def __init__(self) -> None:
        self._seconds: dict[asyncio.Timeout, float] = {}  # left at the moment, while they stand still
        self._pauses = 0

    @asynccontextmanager
    async def within(self, seconds: float) -> AsyncGenerator[asyncio.Timeout]:
        """Cancel the current task after `seconds`, which becomes a `TimeoutError`."""
        async with asyncio.timeout(None if self._pauses else seconds) as timeout:
            self._seconds[timeout] = seconds
            try:
                yield timeout
            finally:
                del self._seconds[timeout]

    @contextmanager
    def paused(self) -> Generator[None]:
        """Let all stand still."""
        now = asyncio.get_running_loop().time
        if self._pauses == 0:
            for timeout in self._waiting():
                self._seconds[timeout] = (timeout.when() or now()) - now()
                timeout.reschedule(None)
        self._pauses += 1
        try:
            yield
        finally:
            self._pauses -= 1
            if self._pauses == 0:
                for timeout in self._waiting():
                    timeout.reschedule(now() + self._seconds[timeout])

    def restart(self, timeout: asyncio.Timeout, seconds: float) -> None:
        """Give a call all its time again."""
        if timeout in self._seconds and not timeout.expired():
            self._seconds[timeout] = seconds
            if not self._pauses:
                timeout.reschedule(asyncio.get_running_loop().time() + seconds)

    def expire(self) -> None:
        """End all waiting now."""
        for timeout in self._waiting():
            timeout.reschedule(0)

    def _waiting(self) -> list[asyncio.Timeout]:
        return [timeout for timeout in self._seconds if not timeout.expired()]
