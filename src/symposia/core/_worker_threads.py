"""Plain functions among the coroutines: handlers, tools and callbacks written as a ``def`` run in threads of this pool.

Why not `asyncio.to_thread`, that is, the event loop's own executor:

- It never settles when a function raises `StopIteration`: up to Python 3.11 asyncio's futures refuse that exception,
  and the caller waits for ever.
- A function whose caller was cancelled keeps its thread. Some dozens of tools that hang, or of questions that a person
  never answers, take every thread, and all of the program's `asyncio.to_thread` waits silently.
- The interpreter waits for such threads before it exits. The threads here are daemons.

A thread for each call was rejected: it has no bound, and starting a thread takes longer than most of the functions.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
import logging
import os
import sys
import threading
from collections import Counter, deque
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor, Future
from contextvars import copy_context
from typing import Final, Generic, ParamSpec, TypeVar, cast

from symposia.core._handler_context import current_handler_context
from symposia.core._logging import ROOT_LOGGER_NAME

logger = logging.getLogger(ROOT_LOGGER_NAME)

P = ParamSpec("P")
T = TypeVar("T")

MAX_THREADS: Final = 64
"""Twice the most that asyncio's own executor takes: these functions mostly wait, for networks and people."""

IDLE_SECONDS: Final = 30.0
"""How long a thread waits for its next function before it ends."""


class WorkerThreads(Executor):
    """A bounded pool of daemon threads, which are started when needed and end when idle.

    What exceeds the bound waits, and a warning in the log says which functions occupy the threads.

    Args:
        max_threads: How many functions may run at the same time.

    Attributes:
        max_threads: The same; may be changed at any time.
    """

    def __init__(self, max_threads: int = MAX_THREADS) -> None:
        self.max_threads = max_threads
        self._forget_threads()

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Call a function in a thread, as soon as one is free.

        Raises:
            RuntimeError: The operating system gives no more threads, and there is none yet.
        """
        future: Future[T] = Future()
        job = functools.partial(_settle, future, functools.partial(fn, *args, **kwargs))
        with self._changed:
            self._jobs.append((_name(fn), job))
            # An idle thread that was notified counts as idle until it has woken, so idle threads are compared with all
            # jobs that wait. Asking only whether a thread is idle, two jobs in a row waited for the same one.
            if self._idle >= len(self._jobs):
                self._changed.notify()
            elif self._threads < self.max_threads:
                self._start_thread()
            elif not self._was_full:
                self._was_full = True
                self._warn(_name(fn))
        return future

    def _start_thread(self) -> None:
        name = f"symposia-worker-{self._threads}"
        self._threads += 1
        try:
            threading.Thread(target=self._serve, name=name, daemon=True).start()
        except RuntimeError:
            self._threads -= 1
            # The job is not lost while a thread lives, which takes it next. Without any, its caller would wait for
            # ever.
            if self._threads == 0:
                self._jobs.pop()
                raise

    def _serve(self) -> None:
        # A function may wait in `input` when the interpreter exits. Without a reference in a frame of this thread, the
        # exit closes standard input, and Python aborts since the thread holds its lock.
        _stdin = sys.stdin
        while self._run_next():
            """One job after another."""

    def _run_next(self) -> bool:
        """Run a job.

        Returns:
            False if there was none for so long that the thread is to end.
        """
        with self._changed:
            self._idle += 1
            self._changed.wait_for(lambda: self._jobs, IDLE_SECONDS)
            self._idle -= 1
            if not self._jobs:
                self._threads -= 1
                return False
            name, job = self._jobs.popleft()
            self._running[name] += 1
            self._was_full = self._was_full and bool(self._jobs)
        job()  # outside of the lock, and it raises nothing: see `_settle`
        with self._changed:
            self._running[name] -= 1
        return True

    def _warn(self, name: str) -> None:
        running = ", ".join(f"{name} ({count})" for name, count in self._running.most_common(5) if count)
        logger.warning(
            "All %d worker threads are busy, so %s waits for one. They run: %s. A function whose caller was cancelled "
            "keeps its thread until it returns: give it a time limit of its own, or allow more threads with "
            "symposia.core.worker_threads.max_threads.",
            self._threads,
            name,
            running,
        )

    def _forget_threads(self) -> None:
        """Begin without threads: at first, and in a forked process, which has none of its parent's."""
        self._changed = threading.Condition()
        self._jobs: deque[tuple[str, Callable[[], None]]] = deque()
        self._running: Counter[str] = Counter()
        self._threads = 0
        self._idle = 0
        self._was_full = False


worker_threads: Final = WorkerThreads()
"""The pool in which plain handlers, tools and callbacks run."""

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=worker_threads._forget_threads)  # noqa: SLF001 - of this module


async def run_in_worker_thread(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call a plain function in a worker thread, with this context's variables.

    A thread cannot be stopped: when the caller is cancelled it leaves at once, and the function runs on
    unattended. A function that has not begun by then is not called.

    Raises:
        RuntimeError: The function raised `StopIteration`, which no coroutine can raise (PEP 479); it is the cause.
        Exception: Whatever else the function raised.
    """
    call = _Call(function, functools.partial(function, *args, **kwargs))
    return await asyncio.get_running_loop().run_in_executor(worker_threads, call)


async def run_handler_in_worker_thread(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call a plain function that is an agent's message handler: `run_in_worker_thread`, and the agent stays busy.

    When the caller is cancelled, the agent takes its next message only after the function has returned, so that no two
    handlers of one agent run at the same time.
    """
    call = _Call(function, functools.partial(function, *args, **kwargs))
    work = asyncio.get_running_loop().run_in_executor(worker_threads, call)
    try:
        return await asyncio.shield(work)  # else cancelling would mark `work` as done while the function still runs
    except asyncio.CancelledError:
        # `give_up` decides under a lock whether the function has begun. Asking the future instead would leave a moment
        # in which the thread begins after the answer "not yet", and the agent would take its next message beside it.
        handler = current_handler_context()
        if call.give_up() and handler is not None and not work.done():
            handler.hold_until(work)
        raise


def as_coroutine_function(
    function: Callable[P, T | Awaitable[T]],
    run_plain: Callable[..., Awaitable[T | Awaitable[T]]] = run_in_worker_thread,
) -> Callable[P, Awaitable[T]]:
    """A function of the application as one that can be awaited: the rule for handlers, tools and callbacks.

    A coroutine function, or an object whose ``__call__`` is one, is called in the event loop. Anything else is called
    in a worker thread, and what it returns is awaited in the event loop if it can be. So a lambda, a partial or a
    decorated function that hides a coroutine function works too: what it returns belongs to no thread.

    Args:
        function: The function.
        run_plain: Calls a plain function in a thread, given it and its arguments.
    """
    # Decided here and not in each call: message handlers are wrapped once, and called for each message.
    if inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(type(function).__call__):
        return cast("Callable[P, Awaitable[T]]", function)

    async def run(*args: P.args, **kwargs: P.kwargs) -> T:
        answer = await run_plain(function, *args, **kwargs)
        return await cast("Awaitable[T]", answer) if inspect.isawaitable(answer) else cast("T", answer)

    return run


async def call_function(function: Callable[P, T | Awaitable[T]], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Call a function of the application: a coroutine function right here, a plain one in a worker thread.

    What a plain function returns is awaited if it can be, as of a lambda that calls a coroutine function.
    """
    return await as_coroutine_function(function)(*args, **kwargs)


class _Call(Generic[T]):
    """A function to be called in a thread, unless it is given up before it begins."""

    __qualname__: str

    def __init__(self, function: Callable[..., T], bound: Callable[[], T]) -> None:
        functools.update_wrapper(self, function, updated=())
        self._bound = bound
        self._context = copy_context()
        self._lock = threading.Lock()
        self._began = False
        self._given_up = False

    def __call__(self) -> T:
        with self._lock:
            if self._given_up:
                raise asyncio.CancelledError
            self._began = True
        try:
            return self._context.run(self._bound)
        except StopIteration as error:
            raise RuntimeError(f"{_name(self)} raised StopIteration") from error

    def give_up(self) -> bool:
        """Let the function not begin any more.

        Returns:
            Whether it has begun already.
        """
        with self._lock:
            self._given_up = True
            return self._began


def _settle(future: Future[T], call: Callable[[], T]) -> None:
    """Call a function and put what it returns or raises into a future."""
    if not future.set_running_or_notify_cancel():
        return
    try:
        future.set_result(call())
    except BaseException as error:  # noqa: BLE001 - whatever the function raised is raised again where it is awaited
        future.set_exception(error)
        del future  # the error's traceback holds this frame, and the future the error


def _name(function: Callable[..., object]) -> str:
    return getattr(function, "__qualname__", type(function).__qualname__)
