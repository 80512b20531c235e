"""Delivering messages to agents: requests in their caller's task, published messages by workers.

A request is handled in the task of its caller, which waits for it anyway. A published message has no such task, so it
is handled by a worker: a task that takes one ready mailbox after the other. As soon as a handler waits for something,
its worker is left to it, and another one takes over. So handlers that never wait, which are most, share one task, and
those that wait do not keep each other waiting.

Rejected: a task for each message costs ten times what most messages do; a task for each agent costs memory as long as
the agent lives and a switch for each message; one central queue, as AutoGen has, makes the order between two agents
depend on all the others.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Iterable
from contextvars import Context, copy_context
from typing import cast

from symposia.core._agent_runtime import Agent, AgentRuntime
from symposia.core._logging import ROOT_LOGGER_NAME
from symposia.core._runtime._activation import Activation, Admission
from symposia.core._runtime._eviction import Eviction
from symposia.core._runtime._home_loop import running_loop
from symposia.core._runtime._mailbox import Call, Mailbox, Publication
from symposia.core._runtime._observer import Observer
from symposia.core._runtime._steps import ENDED, begin, resume
from symposia.core._runtime._supervision import Supervisor
from symposia.core.runtimes import DeadLetters, DeliveredContext, Failures

logger = logging.getLogger(ROOT_LOGGER_NAME)

FRESH_STACK_EVERY = 20
"""Requests inside requests run on one stack, about 8 frames each; the interpreter stops at 1,000 by default. The rest
is left to the frames of handlers, and to the program below the first request."""

FAIR_SHARE = 128
"""How many messages may be handled without a wait before other tasks get their chance; tokio's budget is the same."""


class Dispatcher:
    """What brings messages to agents.

    Attributes:
        activation: Makes the agents.
        eviction: Evicts idle agents; None if none are evicted.
        supervisor: Keeps the calls that are under way.
        ready: Mailboxes that have a published message at the head of their queue and no call running. While there are
            any, a worker runs.
    """

    def __init__(
        self,
        runtime: AgentRuntime,
        dead_letters: DeadLetters,
        failures: Failures,
        observer: Observer,
        *,
        max_idle_agents: int | None,
        max_idle_seconds: float | None,
    ) -> None:
        self.supervisor = Supervisor(dead_letters, self._release)
        self.activation = Activation(runtime, self.supervisor, failures, self._ensure_worker)
        self.eviction: Eviction | None = None
        if max_idle_agents is not None or max_idle_seconds is not None:
            self.eviction = Eviction(max_idle_agents, max_idle_seconds, self.activation.maintain)
        self.ready: deque[Mailbox] = deque()
        self._failures = failures
        self._observer = observer
        self._share = FAIR_SHARE

    def handle_now(self, call: Call, message: object, ctx: DeliveredContext) -> Awaitable[object] | None:
        """Carry out a request that can have its turn at once, in this task, as far as that goes without a wait.

        Returns:
            The rest of it; None if it is over, and `call.answer` its answer. What never waits is not supervised.
        """
        # The turn comes first, the agent second: what else comes for a new agent waits behind the call that makes it.
        # With the agent made outside of any turn, five requests at once made five agents.
        call.mailbox.grant_turn(call)
        if call.mailbox.agent is None and (making := self.activation.begin(call)) is not None:
            return self.supervisor.supervise(call, self._handle_once_made(making, call, message, ctx))
        rest = self._begin(call, message, ctx, copy_context())
        return None if rest is None else self.supervisor.supervise(call, rest)

    async def handle_in_turn(
        self, call: Call, message: object, ctx: DeliveredContext, admission: Admission | None = None
    ) -> object:
        """Carry out a request that may have to wait for its admission, its turn or its agent to be made."""
        work = self.supervisor.supervise(call, self._wait_and_handle(call, message, ctx, admission))
        if needs_fresh_stack(call):
            # Awaiting keeps all callers on the interpreter's stack; a task begins with an empty one. Not for every
            # call: a task costs more than the rest of a request.
            return await asyncio.create_task(work)
        return await work

    def publish(self, publication: Publication, mailboxes: Iterable[Mailbox]) -> None:
        """Accept a published message for several agents."""
        for mailbox in mailboxes:
            mailbox.post(publication)
        self._ensure_worker()

    def fair_pause_due(self) -> bool:
        """Whether so many messages were handled at a stretch that other tasks should get their chance."""
        self._share -= 1
        if self._share > 0:
            return False
        self._share = FAIR_SHARE
        return True

    def _begin(self, call: Call, message: object, ctx: DeliveredContext, context: Context) -> Awaitable[object] | None:
        """Run a handler to its first wait.

        Returns:
            The rest of it; None if it is over, and `call.answer` its answer.
        """
        # No `finally`: a handler that waits keeps its turn. And no `supervise` yet: nothing can interrupt a step.
        try:
            handler = cast("Agent", call.mailbox.agent).on_message(message, ctx)
            if ctx.is_observed:
                handler = self._observer.handle(handler, message, call.mailbox.id, ctx)
            waits_for = context.run(begin, call, handler)
        except BaseException:
            self._release(call)
            raise
        if waits_for is ENDED:
            self._release(call)
            return None
        return resume(call, handler, context, waits_for)

    def _release(self, call: Call) -> None:
        """End a call's turn and hand it on, or its wait for one."""
        mailbox = call.mailbox
        if not call.active:
            if call.turn is not None:
                mailbox.withdraw(call)
            return
        mailbox.release(call)
        if self.ready:
            self._ensure_worker()
        if self.eviction is not None and mailbox.is_free:
            self.eviction.note_idle(mailbox)

    async def _wait_and_handle(
        self, call: Call, message: object, ctx: DeliveredContext, admission: Admission | None
    ) -> object:
        await self.activation.wait_ready(call, admission)
        return await self._handle(call, message, ctx, copy_context())

    async def _handle_once_made(
        self, making: Awaitable[object], call: Call, message: object, ctx: DeliveredContext
    ) -> object:
        await making
        return await self._handle(call, message, ctx, copy_context())

    async def _make_and_handle(self, call: Call, publication: Publication, context: Context) -> None:
        await self.activation.make(call)
        await self._handle(call, publication.message, publication.ctx, context)

    async def _handle(self, call: Call, message: object, ctx: DeliveredContext, context: Context) -> object:
        rest = self._begin(call, message, ctx, context)
        return call.answer if rest is None else await rest

    def _ensure_worker(self) -> None:
        """Start a worker if none runs: one at a time, until its handler has to wait.

        A second one would do nothing that the first does not do as well, since both run in one thread. None is started
        when the loop ends: its task would be destroyed before it has run, with a warning and the messages lost.
        """
        if self.ready and self.supervisor.awake == 0 and not _loop_is_ending():
            self.supervisor.awake = 1
            self.supervisor.start(self._work())

    async def _work(self) -> None:
        """Deliver published messages while there are any.

        A cancelled worker ends: its loop is shut down, or a handler has cancelled its own task, and the two look alike.
        Whatever it leaves is taken on by another worker, so no message waits for one that is gone.
        """
        task = cast("asyncio.Task[object]", asyncio.current_task())
        try:
            while self.ready and not task.cancelling():
                mailbox = self.ready.popleft()
                publication = mailbox.next_publication()
                if publication is not None:
                    await self._deliver(mailbox, publication)
                if self.fair_pause_due():
                    await asyncio.sleep(0)
        finally:
            # In this order: the next worker is started only if none is awake, and it keeps the runtime from being idle.
            self.supervisor.awake -= 1
            self._ensure_worker()
            self.supervisor.wake_if_idle()

    async def _deliver(self, mailbox: Mailbox, publication: Publication) -> None:
        """Settle one delivery: handled, failed or cancelled.

        Raises:
            KeyboardInterrupt: The handler raised it: the program shall end.
            SystemExit: As for KeyboardInterrupt.
        """
        call = Call(self.supervisor, mailbox, None, publication.token, None)
        mailbox.grant_turn(call)
        context = publication.context.copy()  # one for each handler: a context can be entered only once at a time
        try:
            if mailbox.agent is None:
                await self._hand_over(call, self._make_and_handle(call, publication, context))
                return
            rest = self._begin(call, publication.message, publication.ctx, context)
            if rest is not None:
                await self._hand_over(call, rest)
        except asyncio.CancelledError:
            pass  # by its token, by itself, or together with its worker, which sees that in `task.cancelling()`
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:
            if call.interrupted:
                return  # by the stop of the runtime, whose owner knows
            self._failures.add(error)
            logger.exception("Agent %s failed on a published %s", mailbox.id, type(publication.message).__name__)

    async def _hand_over(self, call: Call, work: Awaitable[object]) -> None:
        """Await the rest of a delivery while another worker takes over the other mailboxes.

        The other worker is started before the wait and not after a while: the handler may wait for an answer that comes
        only when another publication is handled.
        """
        self.supervisor.awake -= 1
        self._ensure_worker()
        if self.supervisor.idle_waiting_calls:  # the handler may have begun to wait for the runtime to be idle
            self.supervisor.wake_if_idle()
        try:
            await self.supervisor.supervise(call, work)
        finally:
            self.supervisor.awake += 1


def needs_fresh_stack(call: Call) -> bool:
    """Whether the handler must run in a task of its own, since too many others stand on this one's stack."""
    return call.depth > 0 and call.depth % FRESH_STACK_EVERY == 0


def _loop_is_ending() -> bool:
    """Whether no new task would be run to its end: the loop has stopped, or every task in it is being cancelled."""
    loop = running_loop()
    if loop is None:
        return True
    task = asyncio.current_task(loop)
    return task is not None and task.cancelling() > 0 and all(one.cancelling() for one in asyncio.all_tasks(loop))
