"""Coroutines for synchronous callers: they run in an event loop of another thread, and the caller's thread waits.

So a synchronous method works where there is no event loop, inside a running one (a notebook), and in any thread, and
what belongs to a loop, such as the connections of a model client, lives as long as the process. While the caller waits,
its thread makes the calls that the coroutine asks for with `call_in_caller`: plain functions of the program run in the
thread that the program chose.

A coroutine of a loop may itself call synchronous code that waits for another coroutine. Its thread is occupied then, so
the other coroutine runs in a further loop: a thread of loop number n waits for loop number n + 1 only, and all other
threads for the first.

The loops end with the process, when all threads of the program have ended that are no daemons. What the program calls
later, as functions of `atexit` do, runs in the thread that calls (`_exit_loop.py`).
"""

from __future__ import annotations

import asyncio
import atexit
import multiprocessing
import os
import threading
import weakref
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from contextvars import Context, ContextVar, copy_context
from queue import SimpleQueue
from typing import Any, Final, Generic, TypeVar

from symposia.v02._exit_loop import DaemonThreads, end_tasks, run_in_this_thread
from symposia.v02._plain import call_for_future

__all__ = ["await_in_home_loop", "call_in_caller", "close_in_background", "run_in_background"]

T = TypeVar("T")

HOME: Final = -1
"""The number of the loop of `await_in_home_loop`, whose thread waits for no other one."""
EXIT_SECONDS: Final = 2.0
"""How long the interpreter waits at its exit for the coroutines of a loop to be cancelled."""


def run_in_background(make_coroutine: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a coroutine in the loop, in a copy of this context, and wait for it.

    An interruption of this thread, such as Ctrl-C, cancels the coroutine, and is raised when the coroutine has ended. A
    second one is raised at once.

    Args:
        make_coroutine: Is called in the loop.

    Raises:
        BaseException: The coroutine's error.
    """
    context = copy_context()
    call = _Call(make_coroutine)
    context.run(_current_call.set, call)
    background = _loop_number(_of_thread.number + 1)
    if background is None or not _is_run_in(background, call, context):
        context.run(_current_call.set, None)
        return context.run(run_in_this_thread, make_coroutine)
    return call.outcome.result()


def _is_run_in(background: _BackgroundLoop, call: _Call, context: Context) -> bool:
    """Run a call and wait for its end.

    Returns:
        False if the loop takes no calls any more.
    """
    try:
        if background.schedule(lambda: background.loop.call_soon_threadsafe(context.run, call.start)) is None:
            return False
        call.serve()
    except BaseException:
        if background.schedule(lambda: background.loop.call_soon_threadsafe(call.cancel)) is not None:
            try:
                call.wait()
            except BaseException:
                background.schedule(lambda: background.loop.call_soon_threadsafe(call.abandon))
                raise
        raise
    return True


async def call_in_caller(function: Callable[[], T]) -> T:
    """Call a plain function in the thread that waits for this coroutine in `run_in_background`, in this context.

    Elsewhere, as in a loop of the program, it is called at once. So it is in a task that outlives the coroutine, as no
    thread waits any more. A coroutine that is cancelled may have functions called to clean up.

    Raises:
        BaseException: The function's; `RuntimeError` for `StopIteration`. One that is no `Exception`, such as
            `KeyboardInterrupt`, cancels the coroutine, and is raised by `run_in_background`.
    """
    call = _current_call.get()
    if call is None or call.loop is not asyncio.get_running_loop():
        return function()
    return await call.ask_caller(function)


async def await_in_home_loop(make_coroutine: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a coroutine in a loop of its own, and wait for it in this one.

    What is used from several loops, and belongs to one, such as the sandbox of an executor, is always used there. The
    coroutine calls nothing of the program: no other thread's loop is reached from it.

    Args:
        make_coroutine: Makes the coroutine, which is cancelled with this one.

    Raises:
        BaseException: The coroutine's error.
    """
    home = _loop_number(HOME)
    if home is None or (running := home.submit(make_coroutine)) is None:
        return await make_coroutine()
    return await asyncio.wrap_future(running)


def close_in_background(owner: object, close: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Have a coroutine run in the first loop when nothing refers to an object any more, or when the process ends.

    Args:
        owner: The object, which `close` must not refer to.
        close: Makes the coroutine. It is not called in a process without a loop, where nothing was opened in it.
    """
    finalizer = weakref.finalize(owner, _close_soon, close)
    finalizer.atexit = False
    _finalizers.add(finalizer)


def _close_soon(close: Callable[[], Coroutine[Any, Any, None]]) -> None:
    _finalizers.difference_update([each for each in _finalizers.copy() if not each.alive])
    if (background := _loops.get(0)) is not None:
        background.submit(close)


async def _close_all() -> None:
    closes = [found[2][0]() for each in _finalizers.copy() if (found := each.detach()) is not None]
    await asyncio.gather(*closes, return_exceptions=True)


class _Call:
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


_current_call: Final[ContextVar[_Call | None]] = ContextVar("symposia_background_call", default=None)


class _BackgroundLoop:
    """An event loop in a daemon thread.

    Args:
        number: Of how many loops' threads wait for this one.
    """

    def __init__(self, number: int) -> None:
        self._process = os.getpid()
        self._lock = threading.RLock()  # a finalizer may run in a thread that holds it
        self._is_stopping = False
        self.loop = asyncio.new_event_loop()
        self.loop.set_default_executor(DaemonThreads())  # asyncio's own takes nothing once the main thread has ended
        self._thread = threading.Thread(
            target=self._run, args=(number,), name=f"symposia-background-loop-{number}", daemon=True
        )
        try:
            self._thread.start()
        except RuntimeError:
            self.loop.close()
            raise

    @property
    def is_running(self) -> bool:
        """Whether it takes calls: a forked process has none of its parent's threads."""
        return self._process == os.getpid() and self._thread.is_alive()

    def _run(self, number: int) -> None:
        _of_thread.number = number
        asyncio.set_event_loop(self.loop)
        try:
            self.loop.run_forever()
            end_tasks(self.loop)
            if number == 0:
                self.loop.run_until_complete(_close_all())
                end_tasks(self.loop)
        finally:
            self.loop.close()

    def schedule(self, function: Callable[[], T]) -> T | None:
        """Call a function that schedules something in the loop; None if the loop takes nothing any more."""
        if not self.is_running:  # asked first: in a forked process, a thread that is not there may hold the lock
            return None
        with self._lock:
            return None if self._is_stopping else function()

    def submit(self, make_coroutine: Callable[[], Coroutine[Any, Any, T]]) -> Future[T] | None:
        """Run a coroutine; None if the loop takes nothing any more."""
        return self.schedule(lambda: asyncio.run_coroutine_threadsafe(make_coroutine(), self.loop))

    def stop(self) -> None:
        """Cancel its coroutines, and end its thread. What was scheduled before still begins."""
        with self._lock:
            if self.schedule(lambda: self.loop.call_soon_threadsafe(self.loop.stop)) is None:
                return
            self._is_stopping = True
        self._thread.join(EXIT_SECONDS)


class _OfThread(threading.local):
    number: int = -1
    """The number of the loop whose thread this is."""


_of_thread: Final = _OfThread()
_loops: Final[dict[int, _BackgroundLoop]] = {}
_lock: Final = threading.Lock()
_is_exiting: Final = threading.Event()
_finalizers: Final[set[weakref.finalize[..., object]]] = set()


def _loop_number(number: int) -> _BackgroundLoop | None:
    """The loop, which is started if need be; None while the interpreter exits, and where no thread starts."""
    with _lock:
        if _is_exiting.is_set():
            return None
        if number not in _loops or not _loops[number].is_running:
            try:
                _loops[number] = _BackgroundLoop(number)
            except RuntimeError:  # until Python 3.12.2, no thread starts once the main thread has ended
                return None
        return _loops[number]


def _stop_loops() -> None:
    with _lock:
        _is_exiting.set()
    for each in _loops.values():
        each.stop()


def _stop_in_child() -> None:
    """Stop the loops in a process of `multiprocessing`, which calls no functions of `atexit`."""
    if multiprocessing.parent_process() is not None:
        threading.Thread(target=_stop_after_threads, name="symposia-end-of-loops").start()


def _stop_after_threads() -> None:
    kept_out = (threading.current_thread(), threading.main_thread())
    while others := [each for each in threading.enumerate() if not each.daemon and each not in kept_out]:
        for each in others:
            each.join()
    _stop_loops()


atexit.register(_stop_loops)
threading._register_atexit(_stop_in_child)  # type: ignore[attr-defined]  # noqa: SLF001 - as concurrent.futures does
