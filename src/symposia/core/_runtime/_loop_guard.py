"""Naming the handler that blocks the event loop.

A thread watches a beat in the loop. When the beat is late, whatever the loop's thread is doing at that moment is what
blocks it, and its stack says where. Nothing is measured per message, so the guard costs the same however busy the loop.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import sysconfig
import threading
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from symposia.core._handler_context import current_handler
from symposia.core._logging import ROOT_LOGGER_NAME
from symposia.core._runtime._mailbox import Call
from symposia.core._runtime._steps import begin, resume

logger = logging.getLogger(ROOT_LOGGER_NAME)

BEATS_A_LIMIT = 4
"""How often the loop is checked within the limit: a blocked loop is reported a quarter of the limit late at most."""

_NOT_THE_USERS = (str(Path(__file__).parents[2]), sysconfig.get_path("stdlib"), sysconfig.get_path("purelib"))


class LoopGuard:
    """Warns once about each stretch of time in which the event loop stood still.

    Args:
        limit: Seconds that the loop may stand still.
    """

    def __init__(self, limit: float) -> None:
        self._limit = limit
        self._beat = threading.Event()
        self._stopped = threading.Event()
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Watch the running loop."""
        self._stopped.clear()
        self._strike(asyncio.get_running_loop())
        name = "symposia-loop-guard"
        threading.Thread(target=self._watch, args=(threading.get_ident(),), name=name, daemon=True).start()

    def stop(self) -> None:
        """Watch no longer."""
        self._stopped.set()
        self._beat.set()
        if self._timer is not None:
            self._timer.cancel()

    def _strike(self, loop: asyncio.AbstractEventLoop) -> None:
        self._beat.set()
        self._timer = loop.call_later(self._limit / BEATS_A_LIMIT, self._strike, loop)

    def _watch(self, loop_thread: int) -> None:
        while not self._stopped.is_set():
            self._beat.clear()
            if not self._beat.wait(self._limit):
                self._warn(sys._current_frames().get(loop_thread))  # noqa: SLF001 - the documented way to see another thread
                self._beat.wait()

    def _warn(self, innermost: FrameType | None) -> None:
        frames = list(_outwards(innermost))
        call = next((found for frame in frames if (found := _call_of(frame)) is not None), None)
        theirs = next((f for f in frames if not f.f_code.co_filename.startswith(_NOT_THE_USERS)), innermost)
        if theirs is None or self._stopped.is_set():
            return
        logger.warning(
            "%s blocks the event loop for more than %g s, in %s (%s, line %d). Await something, make the handler "
            "a plain `def`, or use asyncio.to_thread.",
            "Code outside of any handler" if call is None else f"Agent {call.mailbox.id}",
            self._limit,
            theirs.f_code.co_qualname,
            theirs.f_code.co_filename,
            theirs.f_lineno,
        )


def _outwards(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back


def _call_of(frame: FrameType) -> Call | None:
    """The call whose handler this frame runs, if it is one of the two that do."""
    if frame.f_code is begin.__code__:
        return frame.f_locals["call"]
    if frame.f_code is resume.__code__:
        handler = frame.f_locals["context"].get(current_handler)
        return handler if isinstance(handler, Call) else None
    return None
