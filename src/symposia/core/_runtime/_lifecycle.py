"""The lifecycle of the embedded runtime: starting, stopping at once or when idle, and closing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from functools import partial

from symposia.core._runtime._dispatcher import Dispatcher
from symposia.core._runtime._gate import Gate
from symposia.core._runtime._loop_guard import LoopGuard
from symposia.core._runtime._mailbox import Call, Mailbox
from symposia.core._runtime._steps import awaiting_call
from symposia.core.runtimes import STOPPED, AgentTable, DeadLetters, Failures, Phase, StartReminder

STOP_POLL = 0.01
"""Seconds between two looks at the condition of `stop_when`.

The condition is a plain function over the program's own variables, and nothing tells when those change. Asking it after
each handled message was rejected: it may come to hold without one (a timer, another task), and each message would pay.
"""


class Lifecycle:
    """Moves a runtime from phase to phase.

    Args:
        agents: Closed with the runtime.
        dispatcher: Its calls are ended with the runtime, which is idle when there are none.
        dead_letters: Takes the publications that are not handled before an end.
        failures: Raised at each end.
        loop_guard: Watches the event loop while the runtime is started; None if nothing does.

    Attributes:
        gate: The runtime's phase, and the messages that wait for its start.
        start_reminder: Warns of requests that wait long for the start.
    """

    def __init__(
        self,
        agents: AgentTable[Mailbox],
        dispatcher: Dispatcher,
        dead_letters: DeadLetters,
        failures: Failures,
        loop_guard: LoopGuard | None,
    ) -> None:
        self.gate = Gate()
        self._agents = agents
        self._calls = dispatcher.supervisor
        self.start_reminder = StartReminder()
        self._eviction = dispatcher.eviction
        self._dead_letters = dead_letters
        self._failures = failures
        self._loop_guard = loop_guard
        self._closed: asyncio.Future[None] | None = None
        self._closer: asyncio.Task[object] | None = None

    def start(self) -> None:
        """See `SingleThreadedAgentRuntime.start`."""
        self.gate.move_to(Phase.RUNNING)
        if self._loop_guard is not None:
            self._loop_guard.start()

    async def process_next(self) -> None:
        """See `SingleThreadedAgentRuntime.process_next`."""
        if self.gate.phase is not Phase.READY:
            raise RuntimeError("process_next() is for a runtime that is not started; a started one needs no help.")
        self.start_reminder.end()
        await self.gate.wait_held()
        self.gate.admit_next()
        await self._calls.wait_idle(self._calls.is_idle, _calls_here())
        self._failures.raise_first()

    async def stop(self) -> None:
        """See `SingleThreadedAgentRuntime.stop`."""
        self.gate.phase.require(Phase.RUNNING, Phase.STOPPING)
        here = _calls_here()
        stops = self.gate.stops
        if self.gate.phase is Phase.RUNNING:
            self.gate.move_to(Phase.STOPPING)
            # Whatever becomes of this caller, the last call that ends makes the runtime one that can be started again.
            # (When the caller did that after its wait, a `stop` with a timeout left a runtime that could not be used
            # any more.)
            self._calls.when_idle = partial(self.gate.move_to, Phase.READY)
        self._interrupt(here)
        await self._calls.wait_idle(lambda: self.gate.stops != stops, here)
        self._failures.raise_first()

    async def stop_when_idle(self) -> None:
        """See `SingleThreadedAgentRuntime.stop_when_idle`."""
        self.gate.phase.require(Phase.RUNNING, Phase.STOPPING)
        stops = self.gate.stops
        await self._calls.wait_idle(lambda: self.gate.stops != stops or self._calls.is_idle(), _calls_here())
        await self._stop_unless_stopped(stops)

    async def stop_when(self, condition: Callable[[], bool]) -> None:
        """See `SingleThreadedAgentRuntime.stop_when`."""
        self.gate.phase.require(Phase.RUNNING, Phase.STOPPING)
        stops = self.gate.stops
        while self.gate.stops == stops and not condition() and not self._failures:  # noqa: ASYNC110 - see `STOP_POLL`
            await asyncio.sleep(STOP_POLL)
        await self._stop_unless_stopped(stops)

    async def _stop_unless_stopped(self, stops: int) -> None:
        """Stop, unless the runtime has stopped since there were `stops` stops."""
        if self.gate.stops == stops:
            await self.stop()
        else:
            self._failures.raise_first()

    async def close(self) -> None:
        """See `SingleThreadedAgentRuntime.close`."""
        failures = Failures()
        # A loop: the runtime may be started again by another task, between the end of the stop and this task's next
        # step.
        while self.gate.phase in (Phase.RUNNING, Phase.STOPPING):
            try:
                await self.stop()
            except Exception as error:  # noqa: BLE001 - raised once everything is closed
                failures.add(error)
        if self._closed is None:
            self.gate.move_to(Phase.CLOSED)
            if self._eviction is not None:
                self._eviction.end()
            self._closed, self._closer = asyncio.get_running_loop().create_future(), asyncio.current_task()
            self._calls.interrupt_all(_calls_here())
            await self._agents.close_agents(failures)
            if not self._closed.done():
                self._closed.set_result(None)
        elif self._closer is not asyncio.current_task():  # an agent that closes the runtime as it is closed
            await asyncio.shield(self._closed)
        failures.raise_first()

    def _interrupt(self, here: Collection[Call]) -> None:
        """Settle everything that is under way, but for the calls `here`."""
        if self._loop_guard is not None:
            self._loop_guard.stop()
        if self._eviction is not None:
            self._eviction.stop()
        # In the same step in which handlers are cancelled: a handler that ends hands its turn on, and would begin with
        # the next publication of its agent.
        for mailbox in self._agents.mailboxes():
            for publication in mailbox.drain():
                self._dead_letters.report(publication.message, publication.ctx, mailbox.id, STOPPED)
        self._calls.interrupt_all(here)


def _calls_here() -> frozenset[Call]:
    """The calls inside which this code runs: they cannot end before it."""
    here = awaiting_call()
    if here is None:
        return frozenset()
    chain = frozenset(here.chain())
    return chain | {call.passed_on_by for call in chain if call.passed_on_by is not None}
