"""Worker threads in a simulation: real threads, yet in an order that the seed decides.

The loop stands still while a thread works, so a thread that only computes is one step of the simulation, and virtual
time does not pass meanwhile. What a thread schedules on the loop (`run_coroutine_threadsafe`, a token that it cancels)
is accepted one callback at a time, each when nothing else can run.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from queue import Empty, SimpleQueue
from typing import Any

from symposia.core import ROOT_LOGGER_NAME

logger = logging.getLogger(ROOT_LOGGER_NAME)

PATIENCE = 1.0
"""Real seconds that the loop pauses for a thread. A thread that takes longer runs beside the loop, which it may be
waiting for. From then on the seed alone does not decide the order."""

GRACE = 0.05
"""Real seconds that virtual time stands still for a thread that has scheduled a callback, and may wait for timers."""

NOTICE = 5.0
"""Real seconds after which a thread that everything waits for is mentioned in the log."""


class Threads:
    """The threads of a simulation, and the callbacks that they have scheduled on the loop.

    Attributes:
        at_work: How many calls run.

    Args:
        accept: Called in the loop with each callback that a thread has scheduled.
    """

    def __init__(self, accept: Callable[[asyncio.Handle], None]) -> None:
        self.at_work = 0
        self._accept = accept
        self._scheduled: SimpleQueue[asyncio.Handle] = SimpleQueue()
        self._has_scheduled = False
        self._own: ThreadPoolExecutor | None = None

    def schedule(self, callback: asyncio.Handle) -> None:
        """Called in a thread: run a callback in the loop."""
        self._scheduled.put(callback)

    def run(
        self, executor: Executor | None, job: Future[Any], function: Callable[..., Any], args: tuple[Any, ...]
    ) -> None:
        """Call a function in a thread, and wait for the thread to end, or to schedule something."""
        if not job.set_running_or_notify_cancel():
            return
        loop = asyncio.get_running_loop()
        try:
            work = (executor or self._executor()).submit(function, *args)
        except RuntimeError as error:  # the executor was shut down, or is broken
            job.set_exception(error)
            return
        self.at_work += 1
        work.add_done_callback(lambda done: self.schedule(asyncio.Handle(self._end, (done, job), loop)))
        self.accept_one(PATIENCE)

    def accept_one(self, seconds: float) -> bool:
        """Wait for one callback.

        Returns:
            Whether one came.
        """
        try:
            callback = self._scheduled.get(timeout=seconds) if seconds else self._scheduled.get_nowait()
        except Empty:
            return False
        self._has_scheduled = True
        self._accept(callback)
        return True

    def accept_before_time_passes(self) -> bool:
        """Wait for one callback, for as long as virtual time may stand still for the threads at work.

        Returns:
            Whether one came.
        """
        if not self.at_work:
            return self.accept_one(0)
        return self.accept_one(GRACE) if self._has_scheduled else self.accept_for_ever()

    def accept_for_ever(self) -> bool:
        """Wait for one callback, which must come some time: threads are at work."""
        if not self.accept_one(NOTICE):
            logger.warning("The simulation stands still: it waits for %d worker threads to end.", self.at_work)
            self._accept(self._scheduled.get())
        return True

    def close(self) -> None:
        """Let the threads end, and wait for them unless some are still at work."""
        if self._own is not None:
            self._own.shutdown(wait=self.at_work == 0)

    def _end(self, work: Future[Any], job: Future[Any]) -> None:
        self.at_work -= 1
        self._has_scheduled = self._has_scheduled and self.at_work > 0
        try:
            job.set_result(work.result())
        except BaseException as error:  # noqa: BLE001 - whatever the function raised is raised again where it is awaited
            job.set_exception(error)

    def _executor(self) -> Executor:
        if self._own is None:
            self._own = ThreadPoolExecutor(thread_name_prefix="symposia-simulation")
        return self._own
