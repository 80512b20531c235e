"""The gate of a runtime: its phase, and the messages that are kept until it is started."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable

from symposia.core.runtimes import Failures, Phase


class Gate:
    """Lets messages in to the mailboxes, keeps them, or refuses them, depending on the phase.

    Attributes:
        phase: The present phase.
        held: How those that came while it was not started get in, oldest first. Ordered, and found by what asked for
            it: a sender may give up any of many thousands.
        stops: How often the runtime has been stopped: what waits for one stop must not take part in the next.
    """

    def __init__(self) -> None:
        self.phase = Phase.READY
        self.held: OrderedDict[object, Callable[[], None]] = OrderedDict()
        self.stops = 0
        self._arrivals: dict[asyncio.Future[None], None] = {}

    def move_to(self, phase: Phase) -> None:
        """Begin another phase.

        Raises:
            RuntimeError: It cannot follow the present one.
        """
        stopped = self.phase is Phase.STOPPING
        self.phase = self.phase.followed_by(phase)
        if stopped:
            self.stops += 1  # a number and no event: what waits for one stop may look only after the next start
        if phase is Phase.RUNNING:
            self._admit_all()

    def admit_next(self) -> None:
        """Let in the oldest message that is held."""
        _, admit = self.held.popitem(last=False)
        admit()

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
