"""Cancellation: one switch for everything that a caller may want to stop, and work that is not to be stopped."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from types import TracebackType
from typing import Any, Self, TypeVar

T = TypeVar("T")
FutureT = TypeVar("FutureT", bound="asyncio.Future[Any]")


class CancellationToken:
    """Cancels the futures that are linked to it and calls the linked callbacks, once.

    Safe to cancel from any thread and any event loop: futures are cancelled on the loop that they belong to. Whatever
    finishes is unlinked, so a token may live as long as the program.
    """

    # There is no lock: streams link and unlink something for each chunk. A callback belongs to the thread that takes it
    # out of the dictionary, which is one atomic step. `cancel` sets the flag before it looks, `link` looks at the flag
    # after it has put its callback in: so at least one of the two finds the callback, and only one gets it.
    __slots__ = ("__weakref__", "_callbacks", "_cancelled")

    def __init__(self) -> None:
        self._cancelled = False
        self._callbacks: dict[object, Callable[[], None]] = {}

    def cancel(self) -> None:
        """Cancel everything that is linked, and everything that will be. Later calls do nothing.

        Callbacks run in the calling thread, each of them even if an earlier one raises.

        Raises:
            ExceptionGroup: Callbacks raised.
        """
        self._cancelled = True
        callbacks = [self._callbacks.pop(key, None) for key in list(self._callbacks)]
        errors = [error for callback in callbacks if callback is not None and (error := _outcome(callback)) is not None]
        if errors:
            raise ExceptionGroup("callbacks of a CancellationToken failed", errors)

    def is_cancelled(self) -> bool:
        """Whether `cancel` was called."""
        return self._cancelled

    def add_callback(self, callback: Callable[[], None]) -> None:
        """Call `callback` when cancelled, or now if that was before."""
        self.link(object(), callback)

    def link_future(self, future: FutureT) -> FutureT:
        """Cancel `future` when cancelled, or now if that was before, and forget it once it is done.

        Returns:
            The same future.
        """
        if future.done():
            return future
        loop = future.get_loop()
        self.link(future, lambda: _cancel_on_its_loop(future, loop))
        future.add_done_callback(self.unlink)
        return future

    def link(self, key: object, callback: Callable[[], None]) -> None:
        """Call `callback` when cancelled, or now if that was before, unless `unlink` is given the same key first."""
        self._callbacks[key] = callback
        if self._cancelled and self._callbacks.pop(key, None) is not None:
            callback()

    def unlink(self, key: object) -> None:
        """Remove the link of `key`, if there is one."""
        self._callbacks.pop(key, None)


class cancelled_by:  # noqa: N801 - reads as a phrase: `with cancelled_by(token):`
    """Inside, cancelling the token cancels the current task; what is awaited there raises `asyncio.CancelledError`.

    It links a token to part of a task, where `CancellationToken.link_future` needs a task of its own. Do not hold it
    open over a ``yield``: the consumer may ask an async generator for its next item in another task.

    Args:
        token: The token; None cancels nothing.

    Raises:
        asyncio.CancelledError: On entering, the token was cancelled before.
    """

    __slots__ = ("_loop", "_requested", "_task", "_token")

    def __init__(self, token: CancellationToken | None) -> None:
        self._token = token
        self._requested = False
        self._task: asyncio.Task[object] | None = None

    def __enter__(self) -> Self:
        if self._token is None:
            return self
        if self._token.is_cancelled():
            raise asyncio.CancelledError
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.current_task(self._loop)  # without it the loop is looked up again, which is a system call
        self._token.link(self, self._on_cancel)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._token is None:
            return
        task, self._task = self._task, None
        self._token.unlink(self)
        if self._requested and task is not None:
            # Without this, an `asyncio.timeout` or a task group around it would take the token's cancellation for its
            # own.
            task.uncancel()  # the token asked for it, so it does not count as a request to the task itself

    def _on_cancel(self) -> None:
        """Called in the thread that cancels the token."""
        # Never at once, not even in the loop's own thread: the code that cancels may be that of the task itself, and a
        # cancellation of the running task would hit its next wait, which may be outside of the block.
        self._loop.call_soon_threadsafe(self._cancel)

    def _cancel(self) -> None:
        if self._task is not None:
            self._requested = True
            self._task.cancel()


async def uninterrupted(work: Awaitable[T]) -> T:
    """Await `work` to its end, however often the caller is cancelled meanwhile; it is cancelled once `work` has ended.

    Returns:
        The result of `work`.

    Raises:
        asyncio.CancelledError: The caller was cancelled, and `work` has ended.
        Exception: Whatever `work` raises; where the caller was cancelled too, it is the cause of the `CancelledError`.
    """
    # `asyncio.shield` alone lets the caller go on at the first cancellation, with the work still running behind it. A
    # single wait after that ends at the second one, as a timeout and a token may both cancel.
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        # As `asyncio.wait`, in half of the time.
        ended = task.get_loop().create_future()
        task.add_done_callback(partial(_end, ended))
        try:
            await ended
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        raise cancelled from (None if task.cancelled() else task.exception())
    return task.result()


def _end(waiting: asyncio.Future[None], _task: object) -> None:
    if not waiting.done():
        waiting.set_result(None)


async def cancel_and_wait(*tasks: asyncio.Future[Any]) -> None:
    """Cancel tasks and wait until all of them have ended, however often the caller is cancelled meanwhile.

    What they raise is left to the caller: it is not raised here, nor reported by the event loop.

    Raises:
        asyncio.CancelledError: The caller was cancelled, and the tasks have ended.
    """
    pending = [task for task in tasks if not task.done()]
    for task in pending:
        task.cancel()
    try:
        if pending:
            await uninterrupted(asyncio.wait(pending))
    finally:
        for task in tasks:
            if task.done() and not task.cancelled():
                task.exception()


def _outcome(callback: Callable[[], None]) -> Exception | None:
    try:
        callback()
    except Exception as error:  # noqa: BLE001 - collected, and raised when every callback has run
        return error
    return None


def _cancel_on_its_loop(future: asyncio.Future[Any], loop: asyncio.AbstractEventLoop) -> None:
    try:
        here = asyncio.get_running_loop()
    except RuntimeError:
        here = None
    if here is loop:
        future.cancel()
    elif not loop.is_closed():  # a future of a closed loop will never run again
        loop.call_soon_threadsafe(future.cancel)
