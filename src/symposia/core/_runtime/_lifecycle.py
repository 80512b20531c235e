"""The lifecycle of the embedded runtime: starting, stopping at once or when idle, and closing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from functools import partial
from math import isnan

from symposia.core._intervention import InterventionHandler
from symposia.core._runtime._call import Call, awaiting_call
from symposia.core._runtime._dispatcher import Dispatcher
from symposia.core._runtime._gate import Gate
from symposia.core._runtime._home_loop import HomeLoop, at_home
from symposia.core._runtime._loop_guard import LoopGuard
from symposia.core._runtime._mailbox import Mailbox
from symposia.core._runtime._observer import Observer
from symposia.core.exceptions import InvalidArgumentError
from symposia.core.runtimes import STOPPED, BaseAgentRuntime, DeadLetter, Failures, Phase

STOP_POLL = 0.01
"""Seconds between two looks at the condition of `stop_when`.

The condition is a plain function over the program's own variables, and nothing tells when those change. Asking it after
each handled message was rejected: it may come to hold without one (a timer, another task), and each message would pay.
"""


class RuntimeLifecycle(BaseAgentRuntime[Mailbox]):
    """The embedded runtime without its messages: the base class of `SingleThreadedAgentRuntime`."""

    def __init__(
        self,
        *,
        observer: Observer,
        intervention_handlers: Sequence[InterventionHandler] | None,
        ignore_unhandled_exceptions: bool,
        on_dead_letter: Callable[[DeadLetter], None] | None,
        max_idle_agents: int | None,
        max_idle_seconds: float | None,
        max_blocking_seconds: float | None,
    ) -> None:
        refuse_nan("max_idle_seconds", max_idle_seconds)
        refuse_nan("max_blocking_seconds", max_blocking_seconds)
        super().__init__(
            lambda agent_id, kind: Mailbox(agent_id, kind, self._dispatcher.ready),
            intervention_handlers=intervention_handlers,
            ignore_unhandled_exceptions=ignore_unhandled_exceptions,
            on_dead_letter=on_dead_letter,
        )
        self._dispatcher = Dispatcher(
            self,
            self._dead_letters,
            self._failures,
            observer,
            max_idle_agents=max_idle_agents,
            max_idle_seconds=max_idle_seconds,
        )
        self._calls = self._dispatcher.supervisor
        self._activation = self._dispatcher.activation
        self._home = HomeLoop()
        self._gate = Gate()
        self._closed: asyncio.Future[None] | None = None
        self._closer: asyncio.Task[object] | None = None
        self._loop_guard = None if max_blocking_seconds is None else LoopGuard(max_blocking_seconds)

    @property
    def unprocessed_messages_count(self) -> int:
        """How many messages were accepted and wait for an agent to take them up."""
        return len(self._gate.held) + sum(mailbox.waiting_count for mailbox in self._agents.mailboxes())

    def start(self) -> None:
        """Start handling messages, beginning with those that were kept.

        Raises:
            RuntimeError: The runtime is started already, or closed, or lives in another event loop that is running.
        """
        if self._home.from_elsewhere() is not None:
            raise RuntimeError("The runtime lives in another event loop, which is running: start it in that one.")
        self._gate.move_to(Phase.RUNNING)
        if self._loop_guard is not None:
            self._loop_guard.start()

    @at_home
    async def process_next(self) -> None:
        """Handle the next message that was kept, for a runtime that is not started; waits for one if there is none.

        Raises:
            RuntimeError: The runtime is started, and handles messages by itself.
            Exception: What publish handlers raised.
        """
        if self._gate.phase is not Phase.READY:
            raise RuntimeError("process_next() is for a runtime that is not started; a started one needs no help.")
        await self._gate.wait_held()
        self._gate.admit_next()
        await self._calls.wait_idle(self._calls.is_idle, _calls_here())
        self._failures.raise_first()

    @at_home
    async def stop(self) -> None:
        """Stop now: handlers are cancelled, and the senders of unanswered requests get `RuntimeStoppedError`.

        Published messages that wait become dead letters. A handler that stops its own runtime runs to its end. If the
        runtime is being stopped already, this waits for that stop. A stop goes on when its caller is cancelled.

        Raises:
            RuntimeError: The runtime is not started.
            Exception: What publish handlers raised.
        """
        self._gate.phase.require(Phase.RUNNING, Phase.STOPPING)
        here = _calls_here()
        stops = self._gate.stops
        if self._gate.phase is Phase.RUNNING:
            self._gate.move_to(Phase.STOPPING)
            # Whatever becomes of this caller, the last call that ends makes the runtime one that can be started again.
            # (When the caller did that after its wait, a `stop` with a timeout left a runtime that could not be used
            # any more.)
            self._calls.when_idle = partial(self._gate.move_to, Phase.READY)
        self._interrupt(here)
        await self._calls.wait_idle(lambda: self._gate.stops != stops, here)
        self._failures.raise_first()

    @at_home
    async def stop_when_idle(self) -> None:
        """Stop as soon as every message is settled.

        Several callers wait for the same stop. Handlers may be among them: what can be settled only after such a
        handler has ended is not waited for, and ends as `stop` says.

        Raises:
            RuntimeError: The runtime is not started.
            Exception: What publish handlers raised.
        """
        self._gate.phase.require(Phase.RUNNING, Phase.STOPPING)
        stops = self._gate.stops
        await self._calls.wait_idle(lambda: self._gate.stops != stops or self._calls.is_idle(), _calls_here())
        await self._stop_unless_stopped(stops)

    @at_home
    async def stop_when(self, condition: Callable[[], bool]) -> None:
        """Stop as soon as a condition holds, or a publish handler has raised.

        Raises:
            RuntimeError: The runtime is not started.
            Exception: What publish handlers raised.
        """
        self._gate.phase.require(Phase.RUNNING, Phase.STOPPING)
        stops = self._gate.stops
        while self._gate.stops == stops and not condition() and not self._failures:  # noqa: ASYNC110 - see `STOP_POLL`
            await asyncio.sleep(STOP_POLL)
        await self._stop_unless_stopped(stops)

    async def _stop_unless_stopped(self, stops: int) -> None:
        """Stop, unless the runtime has stopped since there were `stops` stops."""
        if self._gate.stops == stops:
            await self.stop()
        else:
            self._failures.raise_first()

    @at_home
    async def close(self) -> None:
        """Stop now if started, and close every agent. The runtime refuses messages from then on.

        Where the runtime is being closed already, this waits for that.

        Raises:
            Exception: What publish handlers, or the agents' `close`, raised.
        """
        failures = Failures()
        # A loop: the runtime may be started again by another task, between the end of the stop and this task's next
        # step.
        while self._gate.phase in (Phase.RUNNING, Phase.STOPPING):
            try:
                await self.stop()
            except Exception as error:  # noqa: BLE001 - raised once everything is closed
                failures.add(error)
        if self._closed is None:
            self._gate.move_to(Phase.CLOSED)
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
        if self._dispatcher.eviction is not None:
            self._dispatcher.eviction.stop()
        # In the same step in which handlers are cancelled: a handler that ends hands its turn on, and would begin with
        # the next publication of its agent.
        for mailbox in self._agents.mailboxes():
            for publication in mailbox.drain():
                self._dead_letters.report(publication.message, publication.ctx, mailbox.id, STOPPED)
        self._calls.interrupt_all(here)


def refuse_nan(name: str, seconds: float | None) -> None:
    """Refuse NaN. An event loop keeps its timers in order of their times; one without an order breaks the others."""
    if seconds is not None and isnan(seconds):
        raise InvalidArgumentError(f"{name}=nan: give a number of seconds, or None.")


def _calls_here() -> frozenset[Call]:
    """The calls inside which this code runs: they cannot end before it."""
    here = awaiting_call()
    if here is None:
        return frozenset()
    chain = frozenset(here.chain())
    return chain | {call.passed_on_by for call in chain if call.passed_on_by is not None}
