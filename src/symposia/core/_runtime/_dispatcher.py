"""Carrying calls out: turns, the making of agents, workers for published messages, and settling each call once."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from collections.abc import Set as AbstractSet
from contextlib import suppress
from contextvars import Context, copy_context
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from symposia.core._agent import Agent
from symposia.core._logging import ROOT_LOGGER_NAME
from symposia.core._message_context import MessageContext
from symposia.core._runtime._call import Call, awaiting_call
from symposia.core._runtime._dead_letters import DeadLetters
from symposia.core._runtime._driver import begin, resume
from symposia.core._runtime._eviction import Eviction
from symposia.core._runtime._mailbox import Mailbox, Publication

if TYPE_CHECKING:
    from symposia.core._runtime._protocol import AgentRuntime

logger = logging.getLogger(ROOT_LOGGER_NAME)

Admission: TypeAlias = "asyncio.Future[asyncio.Future[None] | None]"
"""Done when a held message gets in, with what `Mailbox.take_turn` returned then."""

FAIR_SHARE = 128
"""How many messages may be handled without a wait before other tasks get their chance; tokio's budget is the same."""


class Dispatcher:
    """What brings messages to agents.

    Attributes:
        dead_letters: Where messages go that nobody takes.
        ready: Mailboxes that have a published message at the head of their queue and nobody running.
        live: Every call that waits for something.
        failures: What publish handlers raised and nobody was told yet.
        eviction: Told of every agent that has become idle, if any are to be evicted.
    """

    def __init__(self, runtime: AgentRuntime, dead_letters: DeadLetters) -> None:
        self.dead_letters = dead_letters
        self.ready: deque[Mailbox] = deque()
        self.live: set[Call] = set()
        self.failures: list[Exception] = []
        self.eviction: Eviction | None = None
        self._runtime = runtime
        self._workers: set[asyncio.Task[None]] = set()
        self._unsuspended = 0
        self._idle_waiters: list[tuple[asyncio.Future[None], AbstractSet[Call]]] = []
        self._share = FAIR_SHARE

    async def request(self, call: Call, message: Any, ctx: MessageContext, gate: Admission | None = None) -> Any:
        """Carry out a request that may have to wait for `gate`, for its turn or for its agent to be made."""
        work = self._supervise(call, self._carry_out(call, message, ctx, gate))
        if call.needs_fresh_stack:
            return await asyncio.create_task(work)
        return await work

    async def finish(self, call: Call, handler: Coroutine[Any, Any, Any], context: Context, waits_for: Any) -> Any:
        """Carry out the rest of a request whose handler has begun, and had to wait."""
        try:
            return await self._supervise(call, resume(handler, context, waits_for))
        finally:
            self.release(call)

    async def activate(self, mailbox: Mailbox) -> Agent:
        """The mailbox's agent, made now if need be, in a turn of its own."""
        if mailbox.agent is None:
            call = Call(self, mailbox, awaiting_call(), None, None)
            await self._supervise(call, self._carry_out_activation(call))
        return cast("Agent", mailbox.agent)

    def evict(self, mailbox: Mailbox) -> None:
        """Save the state of an agent that is free and let go of it, in a turn of its own."""
        call = Call(self, mailbox, None, None, None)
        mailbox.grant_turn(call)
        self.live.add(call)
        self._start(self._supervise(call, self._carry_out_eviction(call)))

    def publish(self, publication: Publication, mailboxes: Iterable[Mailbox]) -> None:
        """Accept a published message for several agents."""
        for mailbox in mailboxes:
            mailbox.post(publication)
        self._ensure_worker()

    def release(self, call: Call) -> None:
        """End a call's turn, as soon as nothing of it goes on."""
        if call.lingering is not None and not call.lingering.done():
            self.live.add(call)
            call.lingering.add_done_callback(lambda _: self._release_late(call))
            return
        if call.active:
            call.mailbox.release(call)
            if self.ready:
                self._ensure_worker()
            if self.eviction is not None and call.mailbox.is_free:
                self.eviction.note_idle(call.mailbox)

    def is_idle(self, besides: AbstractSet[Call] = frozenset()) -> bool:
        """Whether nothing is under way, besides some calls."""
        return not self.ready and self._unsuspended == 0 and self.live <= besides

    async def wait_idle(self, besides: AbstractSet[Call] = frozenset()) -> None:
        """Wait until nothing is under way, besides some calls."""
        while not self.is_idle(besides):
            waiter = asyncio.get_running_loop().create_future()
            self._idle_waiters.append((waiter, besides))
            await waiter

    def interrupt_all(self, reason: Callable[[Call], BaseException], besides: AbstractSet[Call]) -> None:
        """Cut every call short, besides some. A call inside another one's task ends with that one."""
        for call in self.live - besides:
            if call.parent is None or call.parent.task is not call.task:
                call.interrupt(reason(call))

    def fair_pause_due(self) -> bool:
        """Whether so many messages were handled at a stretch that other tasks should get their chance."""
        self._share -= 1
        if self._share > 0:
            return False
        self._share = FAIR_SHARE
        return True

    async def _carry_out(self, call: Call, message: Any, ctx: MessageContext, gate: Admission | None) -> Any:
        try:
            await self._prepare(call, gate)
            return await self._handle(call, message, ctx, copy_context())
        finally:
            self.release(call)

    async def _make_and_handle(self, call: Call, publication: Publication, context: Context) -> None:
        await self._settle_agent(call.mailbox)
        await self._handle(call, publication.message, publication.ctx, context)

    async def _carry_out_activation(self, call: Call) -> None:
        try:
            await self._prepare(call, None)
        finally:
            self.release(call)

    async def _carry_out_eviction(self, call: Call) -> None:
        mailbox = call.mailbox
        agent = cast("Agent", mailbox.agent)
        try:
            mailbox.evict(await agent.save_state())
            await agent.close()
        except Exception as error:
            self.failures.append(error)
            logger.exception("Agent %s could not be evicted", mailbox.id)
        finally:
            mailbox.release(call)  # not `self.release`: an agent that cannot be evicted is not tried again at once
            self._ensure_worker()

    async def _handle(self, call: Call, message: Any, ctx: MessageContext, context: Context) -> Any:
        handler = cast("Agent", call.mailbox.agent).on_message(message, ctx)
        try:
            waits_for = context.run(begin, call, handler)
        except StopIteration as done:
            return done.value
        return await resume(handler, context, waits_for)

    async def _prepare(self, call: Call, gate: Admission | None) -> None:
        """Get the call its turn, and its agent made."""
        mailbox = call.mailbox
        turn = mailbox.take_turn(call) if gate is None else await gate
        if turn is not None:
            await turn
        await self._settle_agent(mailbox)

    async def _settle_agent(self, mailbox: Mailbox) -> None:
        if mailbox.agent is None:
            agent = await mailbox.kind.make(mailbox.id, self._runtime)
            if mailbox.evicted_state is not None:
                await agent.load_state(mailbox.evicted_state)
            mailbox.settle_in(agent)

    async def _supervise(self, call: Call, work: Awaitable[Any]) -> Any:
        """Await work that can be interrupted: if it is, its outcome is the reason, whatever became of the work."""
        cause: BaseException | None = None
        self.live.add(call)
        call.enlist()
        try:
            answer = await work
        except BaseException as error:
            if call.reason is None:
                raise
            cause = error
        else:
            if call.reason is None:
                return answer
        finally:
            call.delist()
            self.live.discard(call)
            self._wake_if_idle()
        await self._absorb_cancellation(call, cause)
        raise call.reason from None if isinstance(cause, asyncio.CancelledError) else cause

    async def _absorb_cancellation(self, call: Call, cause: BaseException | None) -> None:
        """Take back the cancellation that interrupted the call, unless somebody else cancelled the task too."""
        if not isinstance(cause, asyncio.CancelledError):
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(0)  # the work ended before the cancellation reached it
        task = cast("asyncio.Task[Any]", asyncio.current_task())
        if task.uncancel() > call.cancelling:
            raise asyncio.CancelledError

    def _release_late(self, call: Call) -> None:
        self.live.discard(call)
        self.release(call)
        self._wake_if_idle()

    def _ensure_worker(self) -> None:
        """See to it that somebody takes the ready mailboxes on: one worker, until its handler has to wait."""
        if self.ready and self._unsuspended == 0:
            self._unsuspended = 1
            self._start(self._work())

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        """Run something in a task of its own, which is kept until it ends."""
        worker = asyncio.get_running_loop().create_task(work, context=Context())
        self._workers.add(worker)
        worker.add_done_callback(self._workers.discard)

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
            self._unsuspended -= 1
            self._wake_if_idle()

    async def _deliver(self, mailbox: Mailbox, publication: Publication) -> None:
        """Settle one delivery: handled, failed or cancelled."""
        call = Call(self, mailbox, None, publication.token, None)
        context = publication.context.copy()
        try:
            mailbox.grant_turn(call)
            agent = mailbox.agent
            if agent is None:
                await self._suspended(call, self._make_and_handle(call, publication, context))
                return
            handler = agent.on_message(publication.message, publication.ctx)
            try:
                waits_for = context.run(begin, call, handler)
            except StopIteration:
                pass
            else:
                await self._suspended(call, resume(handler, context, waits_for))
        except Exception as error:
            self.failures.append(error)
            logger.exception("Agent %s failed on a published %s", mailbox.id, type(publication.message).__name__)
        except asyncio.CancelledError:
            if cast("asyncio.Task[Any]", asyncio.current_task()).cancelling():
                raise
        finally:
            self.release(call)

    async def _suspended(self, call: Call, work: Awaitable[Any]) -> None:
        """Await the rest of a delivery while another worker takes over the other mailboxes."""
        self._unsuspended -= 1
        self._ensure_worker()
        try:
            await self._supervise(call, work)
        finally:
            self._unsuspended += 1

    def _wake_if_idle(self) -> None:
        for waiter, besides in self._idle_waiters:
            if not waiter.done() and self.is_idle(besides):
                waiter.set_result(None)
        self._idle_waiters = [entry for entry in self._idle_waiters if not entry[0].done()]
