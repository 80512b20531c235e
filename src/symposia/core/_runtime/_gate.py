"""The phases of a runtime, and the messages that are kept in those in which none are handled."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from enum import Enum, auto

from symposia.core._runtime._call import Call
from symposia.core.exceptions import RuntimeStoppedError
from symposia.core.runtimes import Failures


class Phase(Enum):
    """The phases of a runtime. `ALLOWED` has the transitions."""

    READY = auto()
    """Not started, or stopped: messages are kept until it is started."""
    RUNNING = auto()
    """Messages are handled."""
    STOPPING = auto()
    """Messages are refused."""
    CLOSED = auto()
    """Likewise, for good."""


ALLOWED = {
    Phase.READY: {Phase.RUNNING, Phase.CLOSED},
    Phase.RUNNING: {Phase.STOPPING},
    Phase.STOPPING: {Phase.READY},
    Phase.CLOSED: {Phase.CLOSED},
}


PLAIN_WORDS = {
    Phase.READY: "not started",
    Phase.RUNNING: "started",
    Phase.STOPPING: "being stopped",
    Phase.CLOSED: "closed",
}


class Gate:
    """Lets messages in to the mailboxes, keeps them, or refuses them, depending on the phase.

    Attributes:
        phase: The present phase.
        held: How those that came while it was not started get in, oldest first. Ordered, and found by what asked for
            it: a sender may give up any of many thousands.
        waiting: The requests among them.
        stops: How often the runtime has been stopped: what waits for one stop must not take part in the next.
    """

    def __init__(self) -> None:
        self.phase = Phase.READY
        self.waiting: set[Call] = set()
        self.held: OrderedDict[object, Callable[[], None]] = OrderedDict()
        self.stops = 0
        self._arrivals: dict[asyncio.Future[None], None] = {}

    def move_to(self, phase: Phase) -> None:
        """Begin another phase.

        Raises:
            RuntimeError: It cannot follow the present one.
        """
        if phase not in ALLOWED[self.phase]:
            raise RuntimeError(f"The runtime is {PLAIN_WORDS[self.phase]}.")
        if self.phase is Phase.STOPPING:
            self.stops += 1  # a number and no event: who waits for one stop may look only after the next start
        self.phase = phase
        if phase is Phase.RUNNING:
            self._admit_all()

    def require(self, *phases: Phase) -> None:
        """Raise in other phases.

        Raises:
            RuntimeError: The runtime is in another phase.
        """
        if self.phase not in phases:
            wanted = PLAIN_WORDS[phases[0]]
            raise RuntimeError(f"The runtime is {PLAIN_WORDS[self.phase]}, it would have to be {wanted}.")

    def admit_next(self) -> None:
        """Let in the oldest message that is held."""
        _, admit = self.held.popitem(last=False)
        admit()

    def refuse_if_closed(self) -> None:
        """Raise unless messages are accepted.

        Raises:
            RuntimeStoppedError: The runtime is being stopped, or was closed.
        """
        if self.phase in (Phase.STOPPING, Phase.CLOSED):
            raise RuntimeStoppedError(f"The runtime is {PLAIN_WORDS[self.phase]} and takes no messages.")

    def hold(self, key: object, admit: Callable[[], None]) -> None:
        """Keep a message until the runtime is started, or processes a single message."""
        self.held[key] = admit
        for arrival in self._arrivals:
            if not arrival.done():
                arrival.set_result(None)

    def withdraw(self, key: object) -> None:
        """Keep a message no longer, whose sender has given up."""
        self.held.pop(key, None)

    async def wait_held(self) -> None:
        """Wait until a message is held."""
        while not self.held:
            arrival = asyncio.get_running_loop().create_future()
            self._arrivals[arrival] = None
            try:
                await arrival
            finally:
                del self._arrivals[arrival]

    def _admit_all(self) -> None:
        """Let in every message that is held, also those behind one that cannot be let in."""
        failures = Failures()
        while self.phase is Phase.RUNNING and self.held:  # asked each time: what is let in may stop the runtime
            try:
                self.admit_next()
            except BaseException as error:  # noqa: BLE001 - raised when the others are in
                failures.add(error)
        failures.raise_first()
