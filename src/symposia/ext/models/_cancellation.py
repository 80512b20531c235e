"""Waiting for something that a `CancellationToken` may cut short."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Self, TypeVar

if TYPE_CHECKING:
    from symposia.core import CancellationToken

T = TypeVar("T")


class Waiting:
    """Awaits things until its token is cancelled, and then raises `asyncio.CancelledError` from the wait.

    The awaiting task itself is cancelled, and that is taken back when the wait has ended, as `asyncio.timeout` does it.
    So a stream of thousands of pieces needs neither a task nor a callback a piece, and between two pieces, while the
    caller's own code runs, a cancelled token cancels nothing.
    """

    def __init__(self, token: CancellationToken | None) -> None:
        self._task: asyncio.Task[object] | None = None
        self._cut_short = False
        self._token_is_live: asyncio.Future[None] | None = None
        if token is not None:
            self._token_is_live = asyncio.get_running_loop().create_future()
            self._token_is_live.add_done_callback(self._on_done)
            token.link_future(self._token_is_live)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._token_is_live is not None and not self._token_is_live.done():
            self._token_is_live.set_result(None)

    async def on(self, start: Callable[[], Awaitable[T]]) -> T:
        """Start something and await it, unless the token is cancelled already.

        Raises:
            asyncio.CancelledError: The token or the task was cancelled; what was awaited has been told.
        """
        if self._token_is_live is not None and self._token_is_live.cancelled():
            raise asyncio.CancelledError
        self._task = task = asyncio.current_task()
        self._cut_short = False
        try:
            return await start()
        finally:
            self._task = None
            if self._cut_short and task is not None:
                task.uncancel()

    def _on_done(self, token_is_live: asyncio.Future[None]) -> None:
        if token_is_live.cancelled() and self._task is not None:
            self._cut_short = True
            self._task.cancel()
