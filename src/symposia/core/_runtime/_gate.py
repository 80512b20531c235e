"""Whether a runtime takes messages on, keeps them for later or refuses them."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from enum import Enum, auto

from symposia.core._runtime._call import Call
from symposia.core.exceptions import RuntimeStoppedError


class Phase(Enum):
    """The life of a runtime. `ALLOWED` says what can follow what."""

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
    """What stands before the mailboxes.

    Attributes:
        phase: What the runtime does with messages.
        held: How those that came while it was not started get in, oldest first.
        waiting: The requests among them.
    """

    def __init__(self) -> None:
        self.phase = Phase.READY
        self.waiting: set[Call] = set()
        self.held: deque[Callable[[], None]] = deque()
        self._arrivals: list[asyncio.Future[None]] = []

    def move_to(self, phase: Phase) -> None:
        """Begin another phase.

        Raises:
            RuntimeError: It cannot follow the present one.
        """
        if phase not in ALLOWED[self.phase]:
            raise RuntimeError(f"The runtime is {PLAIN_WORDS[self.phase]}.")
        self.phase = phase
        while self.phase is Phase.RUNNING and self.held:
            self.admit_next()

    def require(self, phase: Phase) -> None:
        """Raise in another phase.

        Raises:
            RuntimeError: The runtime is in another phase.
        """
        if self.phase is not phase:
            raise RuntimeError(f"The runtime is {PLAIN_WORDS[self.phase]}, it would have to be {PLAIN_WORDS[phase]}.")

    def admit_next(self) -> None:
        """Let in the oldest message that is held."""
        self.held.popleft()()

    def refuse_if_closed(self) -> None:
        """Raise unless messages are accepted.

        Raises:
            RuntimeStoppedError: The runtime is being stopped, or was closed.
        """
        if self.phase in (Phase.STOPPING, Phase.CLOSED):
            raise RuntimeStoppedError(f"The runtime is {PLAIN_WORDS[self.phase]} and takes no messages.")

    def hold(self, admit: Callable[[], None]) -> None:
        """Keep a message until the runtime is started, or is told to process one."""
        self.held.append(admit)
        for arrival in self._arrivals:
            if not arrival.done():
                arrival.set_result(None)

    def withdraw(self, admit: Callable[[], None]) -> None:
        """Keep a message no longer, whose sender has given up."""
        self.held.remove(admit)

    async def wait_held(self) -> None:
        """Wait until a message is held."""
        while not self.held:
            arrival = asyncio.get_running_loop().create_future()
            self._arrivals.append(arrival)
            try:
                await arrival
            finally:
                self._arrivals.remove(arrival)
