"""Waits that are too long or endless: the errors for their senders, and the warning of a missing start."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable
from typing import Final

from symposia.core._agent_id import AgentId
from symposia.core._logging import ROOT_LOGGER_NAME
from symposia.core.exceptions import DeadlineExceededError, DeadlockError

logger = logging.getLogger(ROOT_LOGGER_NAME)

START_GRACE: Final = 2.0
"""Seconds for which a request may wait for the start of its runtime before that is logged. Programs that send first
and start afterwards do so at once; a person who waits for a program that hangs looks after a few seconds."""


def deadline_exceeded(agent: AgentId, waits_for: Iterable[AgentId] = ()) -> DeadlineExceededError:
    """The error that names an agent that is too slow, and the ones that it was waiting for."""
    below = " → ".join(map(str, waits_for))
    because = f", waiting for {below}" if below else ""
    return DeadlineExceededError(f"Agent {agent} did not answer before its deadline{because}.")


def circular_wait(circle: Iterable[AgentId]) -> DeadlockError:
    """The error that names agents of which each waits for the next; the first is also the last."""
    return DeadlockError(
        f"Agents wait for each other: {' → '.join(map(str, circle))}. Let one of them publish its message instead of "
        "awaiting an answer, or let its class handle messages concurrently."
    )


class StartReminder:
    """Logs a warning, once, when requests wait long for a runtime that is not started.

    Without it, a program that has forgotten to start its runtime waits for ever and says nothing. The wait itself is
    allowed, and no error: another task may start the runtime at any time.
    """

    def __init__(self) -> None:
        self._timer: asyncio.TimerHandle | None = None
        self._has_reminded = False

    def arm(self) -> None:
        """A request waits for the start."""
        if self._timer is None and not self._has_reminded:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(START_GRACE, self._remind, time.monotonic())

    def disarm(self) -> None:
        """No request waits for the start any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def end(self) -> None:
        """Warn no more: the program handles messages without starting the runtime."""
        self.disarm()
        self._has_reminded = True

    def _remind(self, since: float) -> None:
        self._timer = None
        # In a simulation the timer fires as soon as nothing else can run, so the time that has really passed counts.
        if time.monotonic() - since >= START_GRACE / 2:
            self._has_reminded = True
            logger.warning("Requests wait for a runtime that is not started: call its start() method.")
