"""Worker threads in a simulation: real threads, yet in an order that the seed decides.

The loop stands still while a thread works, so a thread that only computes is one step of the simulation, and virtual
time does not pass meanwhile. A thread that talks back to the loop (`run_coroutine_threadsafe`, a token that it cancels)
is heard one word at a time, each when nothing else can run.
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
"""Real seconds that the loop stands still for a thread. One that takes longer goes on beside the loop: it may wait for
something that only the loop can do. From then on the seed alone does not decide the order."""

GRACE = 0.05
"""Real seconds that virtual time stands still for a thread that has talked to the loop, and may wait for its timers."""

NOTICE = 5.0
"""Real seconds after which a thread that everything waits for is mentioned in the log."""


class Threads:
    """The threads of a simulation, and what they have said to the loop.

    Attributes:
        at_work: How many calls run.

    Args:
        hear: Called in the loop with each word.
    """

    def __init__(self, hear: Callable[[asyncio.Handle], None]) -> None:
        self.at_work = 0
        self._hear = hear
        self._words: SimpleQueue[asyncio.Handle] = SimpleQueue()
        self._talkative = False
        self._own: ThreadPoolExecutor | None = None

    def say(self, word: asyncio.Handle) -> None:
        """Called in a thread: have something run in the loop."""
        self._words.put(word)

    def run(
        self, executor: Executor | None, job: Future[Any], function: Callable[..., Any], args: tuple[Any, ...]
    ) -> None:
        """Call a function in a thread, and wait for the thread to end, or to say something."""
        if not job.set_running_or_notify_cancel():
            return
        loop = asyncio.get_running_loop()
        try:
            work = (executor or self._executor()).submit(function, *args)
        except RuntimeError as error:  # the executor was shut down, or is broken
            job.set_exception(error)
            return
        self.at_work += 1
        work.add_done_callback(lambda done: self.say(asyncio.Handle(self._end, (done, job), loop)))
        self.listen(PATIENCE)

    def listen(self, seconds: float) -> bool:
        """Wait for one word.

        Returns:
            Whether one came.
        """
        try:
            word = self._words.get(timeout=seconds) if seconds else self._words.get_nowait()
        except Empty:
            return False
        self._talkative = True
        self._hear(word)
        return True

    def listen_before_time_passes(self) -> bool:
        """Wait for one word, for as long as virtual time may stand still for the threads at work.

        Returns:
            Whether one came.
        """
        if not self.at_work:
            return self.listen(0)
        return self.listen(GRACE) if self._talkative else self.listen_for_ever()

    def listen_for_ever(self) -> bool:
        """Wait for one word, which must come some time: threads are at work."""
        if not self.listen(NOTICE):
            logger.warning("The simulation stands still: it waits for %d worker threads to end.", self.at_work)
            self._hear(self._words.get())
        return True

    def close(self) -> None:
        """Let the threads end, and wait for them unless some are still at work."""
        if self._own is not None:
            self._own.shutdown(wait=self.at_work == 0)

    def _end(self, work: Future[Any], job: Future[Any]) -> None:
        self.at_work -= 1
        self._talkative = self._talkative and self.at_work > 0
        try:
            job.set_result(work.result())
        except BaseException as error:  # noqa: BLE001 - whatever the function raised belongs to whoever awaits it
            job.set_exception(error)

    def _executor(self) -> Executor:
        if self._own is None:
            self._own = ThreadPoolExecutor(thread_name_prefix="symposia-simulation")
        return self._own
