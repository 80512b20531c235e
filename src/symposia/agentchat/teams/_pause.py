"""The end of a pause, for which the tasks of a team wait, in whichever event loop they are: see `AnyLoopLock`."""

from __future__ import annotations

import asyncio


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
