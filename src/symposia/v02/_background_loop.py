"""Coroutines for synchronous callers: they run in an event loop of another thread, and the caller's thread waits.

So a synchronous method works where there is no event loop, inside a running one (a notebook), and in any thread, and
what belongs to a loop, such as the connections of a model client, lives as long as the process. While the caller waits,
its thread makes the calls that the coroutine asks for (`_background_call.py`): plain functions of the program run in
the thread that the program chose.

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
from contextvars import Context, copy_context
from typing import Any, Final, TypeVar

from symposia.v02._background_call import Call, current_call
from symposia.v02._exit_loop import DaemonThreads, end_tasks, run_in_this_thread

__all__ = ["await_in_home_loop", "close_in_background", "run_in_background"]

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
    call = Call(make_coroutine)
    context.run(current_call.set, call)
    background = _loop_number(_of_thread.number + 1)
    if background is None or not _is_run_in(background, call, context):
        context.run(current_call.set, None)
        return context.run(run_in_this_thread, make_coroutine)
    return call.outcome.result()


def _is_run_in(background: _BackgroundLoop, call: Call, context: Context) -> bool:
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
