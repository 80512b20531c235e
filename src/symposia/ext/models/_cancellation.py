"""Calls that a `CancellationToken` ends."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Self, TypeVar

if TYPE_CHECKING:
    from symposia.core import CancellationToken

T = TypeVar("T")


class CancellableCalls:
    """Runs calls until its token is cancelled, which raises `asyncio.CancelledError` from the call that is running.

    The running task itself is cancelled, and that is undone when the call has ended, as `asyncio.timeout` does. So a
    stream of thousands of pieces needs one link to the token, and neither a task nor a callback for each piece. Between
    two calls, while the caller's own code runs, a cancelled token cancels nothing.
    """

    def __init__(self, token: CancellationToken | None) -> None:
        self._task: asyncio.Task[object] | None = None
        self._interrupted = False
        self._live: asyncio.Future[None] | None = None
        if token is not None:
            self._live = asyncio.get_running_loop().create_future()
            self._live.add_done_callback(self._on_done)
            token.link_future(self._live)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None and not self._live.done():
            self._live.set_result(None)

    async def run(self, start: Callable[[], Awaitable[T]]) -> T:
        """Start a call and await it, unless the token is cancelled already.

        Raises:
            asyncio.CancelledError: The token or the task was cancelled; the call has been cancelled too.
        """
        if self._live is not None and self._live.cancelled():
            raise asyncio.CancelledError
        self._task = task = asyncio.current_task()
        self._interrupted = False
        try:
            return await start()
        finally:
            self._task = None
            if self._interrupted and task is not None:
                task.uncancel()

    def _on_done(self, live: asyncio.Future[None]) -> None:
        if live.cancelled() and self._task is not None:
            self._interrupted = True
            self._task.cancel()
