"""What cancelling ends, and what it must not: waiting ends at once, putting a conversation in order does not."""

import asyncio
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Self

from symposia.core import CancellationToken


class cancelled_by:  # noqa: N801 - reads as a phrase: `with cancelled_by(token):`
    """Inside, cancelling the token cancels the current task; what is awaited there raises `asyncio.CancelledError`.

    It must not be held open over a ``yield``: whoever asks an async generator for its next item may be another task.
    """

    __slots__ = ("_loop", "_requested", "_task", "_token")

    def __init__(self, token: CancellationToken) -> None:
        self._token = token
        self._requested = False
        self._task: asyncio.Task[Any] | None = None

    def __enter__(self) -> Self:
        if self._token.is_cancelled():
            raise asyncio.CancelledError
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.current_task()
        self._token.link(self, self._on_cancel)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        task, self._task = self._task, None
        self._token.unlink(self)
        if self._requested and task is not None:
            task.uncancel()  # the token asked for it, so it does not count as a request to the task itself

    def _on_cancel(self) -> None:
        """Called by whichever thread cancels the token."""
        self._loop.call_soon_threadsafe(self._cancel)

    def _cancel(self) -> None:
        if self._task is not None:
            self._requested = True
            self._task.cancel()


async def to_the_end(work: Coroutine[Any, Any, None]) -> None:
    """Await `work`, which ends even if this is cancelled meanwhile; the cancellation is passed on after that."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise
