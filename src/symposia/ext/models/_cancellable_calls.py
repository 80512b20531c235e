"""Calls of an SDK: they end when a token is cancelled, and their tracebacks hold no secrets."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from traceback import clear_frames
from typing import Self, TypeVar

from symposia.core import CancellationToken

T = TypeVar("T")


class CancellableCalls:
    """Runs calls until its token is cancelled, which raises `asyncio.CancelledError` from the call that is running.

    The running task itself is cancelled, and that is undone when the call has ended, as `asyncio.timeout` does. So a
    stream of thousands of pieces needs one link to the token, and neither a task nor a callback for each piece. Between
    two calls, while the caller's own code runs, a cancelled token cancels nothing.

    The cancellation is raised inside of the SDK's own await, whose clean-up closes the connection. Rejected: to await
    the call in a task of its own and race it against the token, which costs a task a chunk and leaves, for one turn of
    the loop, a call that runs on after its caller was cancelled.
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
        handled = sys.exception()
        self._task = task = asyncio.current_task()
        self._interrupted = False
        try:
            return await start()
        except BaseException as error:
            _clear_locals(error, handled)
            raise
        finally:
            self._task = None
            if self._interrupted and task is not None:
                task.uncancel()

    def _on_done(self, live: asyncio.Future[None]) -> None:
        if live.cancelled() and self._task is not None:
            self._interrupted = True
            self._task.cancel()


def _clear_locals(error: BaseException, handled: BaseException | None) -> None:
    """Clear the local variables of the functions that an error ended: SDKs have headers with keys in theirs.

    Tools that show tracebacks with local variables, and services that collect them, would show the keys too. To give
    the SDKs keys that hide in a ``repr`` was rejected: what they make of them, does not.

    Args:
        error: The error. What still runs keeps its variables.
        handled: What the caller was handling before, whose variables are the program's.
    """
    seen = {id(handled)}
    errors: list[BaseException | None] = [error]
    while errors:
        each = errors.pop()
        if each is not None and id(each) not in seen:
            seen.add(id(each))
            clear_frames(each.__traceback__)
            errors += (each.__cause__, each.__context__)
