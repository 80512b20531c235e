"""The lifecycle of a runtime: starting, stopping at once or when idle, and closing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator
from contextlib import contextmanager

from symposia.core.runtimes import (
    STOPPED,
    AgentTable,
    DeadLetters,
    Failures,
    Phase,
    StartReminder,
    stopped_before_answer,
)
from symposia.testing._serializing_runtime._calls import Calls
from symposia.testing._serializing_runtime._delivery import Delivery, Mailbox, held_up_by


class Lifecycle:
    """Moves a runtime from phase to phase.

    Attributes:
        start_reminder: Warns of requests that wait long for the start.

    Args:
        agents: Closed with the runtime.
        calls: Ended with the runtime, which is idle when there are none.
        dead_letters: Takes the publications that are not handled before an end.
        failures: Raised at each end.
    """

    def __init__(
        self, agents: AgentTable[Mailbox], calls: Calls, dead_letters: DeadLetters, failures: Failures
    ) -> None:
        self._agents = agents
        self._calls = calls
        self._dead_letters = dead_letters
        self._failures = failures
        self.start_reminder = StartReminder()
        self._held: list[Callable[[], None]] = []
        self._enders: list[Delivery] = []
        self._run_number = 0
        self._stopped: asyncio.Future[None] | None = None
        self._idle: list[asyncio.Future[None]] = []
        self._closed: asyncio.Future[None] | None = None
        self._closer: asyncio.Task[object] | None = None
        calls.on_end = self._notice_end

    def hold(self, admit: Callable[[], None]) -> None:
        """Keep a message until the runtime starts."""
        self._held.append(admit)

    def start(self) -> None:
        """See `SerializingRuntime.start`."""
        self.start_reminder.disarm()
        self._calls.phase = self._calls.phase.followed_by(Phase.RUNNING)
        self._run_number += 1
        self._admit_held()

    def _admit_held(self) -> None:
        held, self._held = self._held, []
        for admit in held:
            admit()

    async def stop(self) -> None:
        """See `SerializingRuntime.stop`."""
        self._calls.phase.require(Phase.RUNNING, Phase.STOPPING)
        with self._ending():
            if self._calls.phase is Phase.RUNNING:
                self._calls.phase = Phase.STOPPING
                self._stopped = asyncio.get_running_loop().create_future()
                self._interrupt_all()
                self._notice_end()
            if self._stopped is not None:
                await asyncio.shield(self._stopped)  # the stop goes on without this caller
        self._failures.raise_first()

    async def stop_when_idle(self) -> None:
        """See `SerializingRuntime.stop_when_idle`."""
        self._calls.phase.require(Phase.RUNNING, Phase.STOPPING)
        run = self._run_number
        with self._ending():
            while self._is_in_run(run) and not self._is_idle():
                waiter = asyncio.get_running_loop().create_future()
                self._idle.append(waiter)
                await waiter
            if self._is_in_run(run):
                await self.stop()
            elif self._calls.phase is Phase.STOPPING and self._stopped is not None:
                await asyncio.shield(self._stopped)

    async def close(self) -> None:
        """See `SerializingRuntime.close`."""
        failures = Failures()  # of its own: what `close` raises is never ignored
        with self._ending():
            while self._calls.phase in (Phase.RUNNING, Phase.STOPPING):  # it may be started again after the stop
                try:
                    await self.stop()
                except Exception as error:  # noqa: BLE001 - raised once everything is closed
                    failures.add(error)
            if self._closed is None:
                self._calls.phase = self._calls.phase.followed_by(Phase.CLOSED)
                self._closed, self._closer = asyncio.get_running_loop().create_future(), asyncio.current_task()
                self._interrupt_all()
                self._admit_held()  # now that the runtime is closed, they become dead letters
                self._calls.stop_looking()
                await self._agents.close_agents(failures)
                self._closed.set_result(None)
            elif self._closer is not asyncio.current_task():  # an agent that closes the runtime as it is closed
                await asyncio.shield(self._closed)
        failures.raise_first()
        self._failures.raise_first()

    @contextmanager
    def _ending(self) -> Generator[None]:
        """Inside, the handler that runs here waits for the runtime's end, which therefore cannot wait for it."""
        here = self._calls.handling()
        if here is None:
            yield
            return
        self._enders.append(here)
        try:
            yield
        finally:
            self._enders.remove(here)

    def _kept(self) -> set[Delivery]:
        """The deliveries that `stop` does not interrupt: its callers, and the deliveries that await them."""
        kept = set[Delivery]()
        for ender in self._enders:
            delivery: Delivery | None = ender
            while delivery is not None:
                kept.add(delivery)
                delivery = delivery.parent
        return kept

    def _interrupt_all(self) -> None:
        # Requests first: a delivery that is cancelled answers its request, and the sender would see a cancellation
        # where the runtime has stopped.
        kept = self._kept()
        for request in list(self._calls.requests):
            is_inside = request.parent is not None and request.parent not in kept and request.is_awaited()
            if request.delivery not in kept and not is_inside:  # what is inside is cancelled with its handler
                request.interrupt(stopped_before_answer(request.recipient))
        for delivery in list(self._calls.deliveries):
            if delivery.request is None and delivery not in kept:
                if delivery.task is None and delivery.context is not None:
                    self._dead_letters.report(delivery.message, delivery.context, delivery.mailbox.id, STOPPED)
                self._calls.cancel(delivery)

    def _is_in_run(self, number: int) -> bool:
        return self._calls.phase is Phase.RUNNING and self._run_number == number

    def _is_idle(self) -> bool:
        """Whether nothing is under way but what waits for the runtime's end."""
        return self._is_only(held_up_by(self._kept(), list(self._calls.deliveries)))

    def _is_only(self, deliveries: set[Delivery]) -> bool:
        return self._calls.deliveries.keys() <= deliveries and all(
            one.delivery in deliveries for one in self._calls.requests
        )

    def _notice_end(self) -> None:
        """Something has ended, or waits: the runtime may be idle by that, or stopped."""
        if not self._calls.requests:
            self.start_reminder.disarm()
        if self._calls.phase is Phase.STOPPING and self._stopped is not None and self._is_only(self._kept()):
            self._calls.phase = Phase.READY
            self._stopped.set_result(None)
        if self._idle and (self._calls.phase is not Phase.RUNNING or self._is_idle()):
            waiters, self._idle = self._idle, []
            for waiter in waiters:
                if not waiter.done():
                    waiter.set_result(None)
