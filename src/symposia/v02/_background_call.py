"""A coroutine of a background loop, and the thread that waits for it and makes the calls that it asks for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from contextvars import ContextVar, copy_context
from queue import SimpleQueue
from typing import Any, Final, Generic, TypeVar

from symposia.v02._plain import call_for_future

T = TypeVar("T")


class Call:
    """One coroutine, and the thread that waits for it.

    Args:
        make_coroutine: Makes the coroutine.
    """

    def __init__(self, make_coroutine: Callable[[], Coroutine[Any, Any, Any]]) -> None:
        self.outcome: Future[Any] = Future()  # Any: of the coroutine's type, which `run_in_background` says
        self.loop: asyncio.AbstractEventLoop | None = None
        self._make_coroutine = make_coroutine
        self._task: asyncio.Task[None] | None = None
        self._is_cancelled = False
        self._is_abandoned = False
        self._errands: SimpleQueue[_Errand[Any] | None] = SimpleQueue()

    def start(self) -> None:
        """Begin, in the loop's thread."""
        self.loop = asyncio.get_running_loop()
        if not self._is_cancelled:
            self._task = self.loop.create_task(self._run(), name="symposia-background-call")
            self._task.add_done_callback(self._end)

    async def _run(self) -> None:
        try:
            result = await self._make_coroutine()
        except BaseException as error:  # noqa: BLE001 - raised in the thread that waits; KeyboardInterrupt ends no loop
            self.outcome.set_exception(error)
        else:
            self.outcome.set_result(result)

    def _end(self, _task: asyncio.Task[None] | None = None) -> None:
        if not self.outcome.done():  # a task that is cancelled before its first step does not run at all
            self.outcome.set_exception(asyncio.CancelledError())
        self._errands.put(None)

    def cancel(self) -> None:
        """Cancel the coroutine, in the loop's thread. One that has not begun does not begin."""
        self._is_cancelled = True
        if self._task is None:
            self._end()
        else:
            self._task.cancel()

    def abandon(self) -> None:
        """Cancel what the coroutine does to clean up, in the loop's thread: the thread that waited has gone on."""
        self._is_abandoned = True
        while not self._errands.empty():
            if (errand := self._errands.get()) is not None:
                errand.answer.cancel()
        self.cancel()

    def serve(self) -> None:
        """Make the coroutine's calls in this thread, until it ends."""
        while (errand := self._errands.get()) is not None:
            errand.run()

    def wait(self) -> None:
        """Wait for the end of a coroutine that was cancelled, and make the calls of its clean-up."""
        # The None of the end may have been taken already, when the interruption came right after it.
        while not (self.outcome.done() and self._errands.empty()) and (errand := self._errands.get()) is not None:
            if errand.is_cleanup:
                errand.run()
            else:
                errand.answer.cancel()

    async def ask_caller(self, function: Callable[[], T]) -> T:
        """Have a function called in the thread that waits, or here if that has gone on."""
        if self._is_abandoned or self.outcome.done():
            return function()
        errand = _Errand(function, is_cleanup=self._is_cancelled)
        self._errands.put(errand)
        return await asyncio.wrap_future(errand.answer)


class _Errand(Generic[T]):
    """A function that a coroutine has called in the thread that waits for it.

    Args:
        function: The function, which is called in this context.
        is_cleanup: Whether the coroutine had been cancelled when it asked.

    Attributes:
        answer: The function's result.
    """

    def __init__(self, function: Callable[[], T], *, is_cleanup: bool) -> None:
        self.answer: Future[T] = Future()
        self.is_cleanup = is_cleanup
        self._function = function
        self._context = copy_context()

    def run(self) -> None:
        """Call the function, unless nothing waits for it any more."""
        if not self.answer.set_running_or_notify_cancel():
            return
        try:
            self.answer.set_result(self._context.run(call_for_future, self._function))
        except Exception as error:  # noqa: BLE001 - raised in the coroutine
            self.answer.set_exception(error)


current_call: Final[ContextVar[Call | None]] = ContextVar("symposia_background_call", default=None)


async def call_in_caller(function: Callable[[], T]) -> T:
    """Call a plain function in the thread that waits for this coroutine in `run_in_background`, in this context.

    Elsewhere, as in a loop of the program, it is called at once. So it is in a task that outlives the coroutine, as no
    thread waits any more. A coroutine that is cancelled may have functions called to clean up.

    Raises:
        BaseException: The function's; `RuntimeError` for `StopIteration`. One that is no `Exception`, such as
            `KeyboardInterrupt`, cancels the coroutine, and is raised by `run_in_background`.
    """
    call = current_call.get()
    if call is None or call.loop is not asyncio.get_running_loop():
        return function()
    return await call.ask_caller(function)
