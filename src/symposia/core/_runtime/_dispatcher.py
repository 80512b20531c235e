"""Bringing messages to agents: requests in their caller's task, published ones by workers."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Coroutine, Iterable
from contextvars import Context, copy_context
from typing import Any, TypeAlias, cast

from symposia.core._agent_runtime import Agent, AgentRuntime
from symposia.core._logging import ROOT_LOGGER_NAME
from symposia.core._runtime._call import Call, awaiting_call
from symposia.core._runtime._dead_letters import DeadLetters
from symposia.core._runtime._delivered_context import DeliveredContext
from symposia.core._runtime._driver import begin, resume
from symposia.core._runtime._eviction import Eviction
from symposia.core._runtime._failures import Failures
from symposia.core._runtime._mailbox import Mailbox, Publication
from symposia.core._runtime._observer import tell_construction_failed
from symposia.core._runtime._supervision import Supervisor

logger = logging.getLogger(ROOT_LOGGER_NAME)

Admission: TypeAlias = "asyncio.Future[asyncio.Future[None] | None]"
"""Done when a held message gets in, with what `Mailbox.take_turn` returned then."""

FAIR_SHARE = 128
"""How many messages may be handled without a wait before other tasks get their chance; tokio's budget is the same."""


class Dispatcher:
    """What brings messages to agents.

    Attributes:
        dead_letters: Where messages go that nobody takes.
        failures: What went wrong where no sender waits.
        eviction: Lets go of idle agents, if anything does.
        supervisor: Knows what is under way.
        ready: Mailboxes that have a published message at the head of their queue and nobody running. While there are
            any, a worker is on its feet.
    """

    def __init__(self, runtime: AgentRuntime, dead_letters: DeadLetters, failures: Failures) -> None:
        self.dead_letters = dead_letters
        self.failures = failures
        self.eviction: Eviction | None = None
        self.supervisor = Supervisor(self._release)
        self.ready: deque[Mailbox] = deque()
        self._runtime = runtime
        self._tasks: set[asyncio.Task[None]] = set()
        self._share = FAIR_SHARE

    async def handle_now(self, call: Call, message: Any, ctx: DeliveredContext) -> Any:
        """Carry out a request that can have its turn at once, in this task. What never waits is not supervised."""
        call.mailbox.grant_turn(call)
        if call.mailbox.agent is None and (making := self._begin_to_make(call)) is not None:
            return await self.supervisor.supervise(call, self._handle_once_made(making, call, message, ctx))
        context = copy_context()
        try:
            handler, waits_for = self._begin(call, message, ctx, context)
        except StopIteration as done:
            return done.value
        return await self.supervisor.supervise(call, resume(handler, context, waits_for))

    async def handle_in_turn(
        self, call: Call, message: Any, ctx: DeliveredContext, admission: Admission | None = None
    ) -> Any:
        """Carry out a request that may have to wait for its admission, its turn or its agent to be made."""
        work = self.supervisor.supervise(call, self._wait_and_handle(call, message, ctx, admission))
        if call.needs_fresh_stack:
            return await asyncio.create_task(work)
        return await work

    def publish(self, publication: Publication, mailboxes: Iterable[Mailbox]) -> None:
        """Accept a published message for several agents."""
        for mailbox in mailboxes:
            mailbox.post(publication)
        self._ensure_worker()

    async def activate(self, mailbox: Mailbox) -> Agent:
        """The mailbox's agent, made now if need be, in a turn of its own."""
        if mailbox.agent is None:
            call = Call(self, mailbox, awaiting_call(), None, None)
            await self.supervisor.supervise(call, self._wait_and_make(call, None))
        return cast("Agent", mailbox.agent)

    def evict(self, mailbox: Mailbox) -> None:
        """Save the state of an agent that is free and let go of it, in a turn of its own."""
        call = Call(self, mailbox, None, None, None)
        mailbox.grant_turn(call)
        self.supervisor.live[call] = None  # before its task begins, since the runtime is not idle meanwhile
        self._start(self.supervisor.supervise(call, self._save_and_close(call)))

    def fair_pause_due(self) -> bool:
        """Whether so many messages were handled at a stretch that other tasks should get their chance."""
        self._share -= 1
        if self._share > 0:
            return False
        self._share = FAIR_SHARE
        return True

    def _begin_to_make(self, call: Call) -> Awaitable[None] | None:
        """Make the call's agent as far as that goes without a wait.

        Returns:
            The rest of it; None if the agent is made.
        """
        context = copy_context()
        making = self._make(call.mailbox)
        try:
            return resume(making, context, context.run(making.send, None))
        except StopIteration:
            return None
        except BaseException:
            self._release(call)
            raise

    def _begin(
        self, call: Call, message: Any, ctx: DeliveredContext, context: Context
    ) -> tuple[Coroutine[Any, Any, Any], Any]:
        """Run a handler to its first wait.

        Returns:
            The handler, and what it waits for.

        Raises:
            StopIteration: It is over already, with this result.
        """
        try:
            handler = cast("Agent", call.mailbox.agent).on_message(message, ctx)
            if ctx.observer is not None:
                handler = ctx.observer.handle(handler, message, call.mailbox.id, ctx)
            return handler, context.run(begin, call, handler)
        except BaseException:
            self._release(call)
            raise

    def _release(self, call: Call) -> None:
        """End a call's turn and hand it on."""
        mailbox = call.mailbox
        if not call.active:
            return
        mailbox.release(call)
        if self.ready:
            self._ensure_worker()
        if self.eviction is not None and mailbox.is_free:
            self.eviction.note_idle(mailbox)

    async def _wait_and_handle(
        self, call: Call, message: Any, ctx: DeliveredContext, admission: Admission | None
    ) -> Any:
        await self._wait_and_make(call, admission)
        return await self._handle(call, message, ctx, copy_context())

    async def _handle_once_made(self, making: Awaitable[None], call: Call, message: Any, ctx: DeliveredContext) -> Any:
        await making
        return await self._handle(call, message, ctx, copy_context())

    async def _wait_and_make(self, call: Call, admission: Admission | None) -> None:
        """Get the call its turn, and its agent made."""
        turn = call.mailbox.take_turn(call) if admission is None else await admission
        if turn is not None:
            await turn
        await self._make(call.mailbox)

    async def _make_and_handle(self, call: Call, publication: Publication, context: Context) -> None:
        await self._make(call.mailbox)
        await self._handle(call, publication.message, publication.ctx, context)

    async def _make(self, mailbox: Mailbox) -> None:
        if mailbox.agent is not None:
            return
        try:
            agent = await mailbox.kind.make(mailbox.id, self._runtime)
        except Exception as error:
            tell_construction_failed(mailbox.id, error)
            raise
        if mailbox.evicted_state is not None:
            await agent.load_state(mailbox.evicted_state)
        mailbox.settle_in(agent)
        self._ensure_worker()

    async def _handle(self, call: Call, message: Any, ctx: DeliveredContext, context: Context) -> Any:
        try:
            handler, waits_for = self._begin(call, message, ctx, context)
        except StopIteration as done:
            return done.value
        return await resume(handler, context, waits_for)

    async def _save_and_close(self, call: Call) -> None:
        mailbox = call.mailbox
        agent = cast("Agent", mailbox.agent)
        try:
            mailbox.evict(await agent.save_state())
            await agent.close()
        except Exception as error:
            self.failures.add(error)
            logger.exception("Agent %s could not be evicted", mailbox.id)
        finally:
            mailbox.release(call)  # not `self._release`: an agent that cannot be evicted is not tried again at once
            self._ensure_worker()

    def _ensure_worker(self) -> None:
        """See to it that somebody takes the ready mailboxes on: one worker, until its handler has to wait."""
        if self.ready and self.supervisor.awake == 0:
            self.supervisor.awake = 1
            self._start(self._work())

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        """Run something in a task of its own, which is kept until it ends."""
        task = asyncio.get_running_loop().create_task(work, context=Context())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _work(self) -> None:
        try:
            while self.ready:
                mailbox = self.ready.popleft()
                publication = mailbox.next_publication()
                if publication is not None:
                    await self._deliver(mailbox, publication)
                if self.fair_pause_due():
                    await asyncio.sleep(0)
        finally:
            self.supervisor.awake -= 1
            self.supervisor.wake_if_idle()

    async def _deliver(self, mailbox: Mailbox, publication: Publication) -> None:
        """Settle one delivery: handled, failed or cancelled."""
        call = Call(self, mailbox, None, publication.token, None)
        mailbox.grant_turn(call)
        context = publication.context.copy()
        try:
            if mailbox.agent is None:
                await self._hand_over(call, self._make_and_handle(call, publication, context))
                return
            handler, waits_for = self._begin(call, publication.message, publication.ctx, context)
            await self._hand_over(call, resume(handler, context, waits_for))
        except StopIteration:
            """Handled, without a wait."""
        except Exception as error:
            self.failures.add(error)
            logger.exception("Agent %s failed on a published %s", mailbox.id, type(publication.message).__name__)
        except asyncio.CancelledError:
            if cast("asyncio.Task[Any]", asyncio.current_task()).cancelling():
                raise

    async def _hand_over(self, call: Call, work: Awaitable[Any]) -> None:
        """Await the rest of a delivery while another worker takes over the other mailboxes."""
        self.supervisor.awake -= 1
        self._ensure_worker()
        try:
            await self.supervisor.supervise(call, work)
        finally:
            self.supervisor.awake += 1
