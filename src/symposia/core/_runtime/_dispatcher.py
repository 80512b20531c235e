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
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from contextvars import Context, copy_context
from typing import TypeAlias, TypeVar, cast

from symposia.core._agent_runtime import Agent, AgentRuntime
from symposia.core._logging import ROOT_LOGGER_NAME
from symposia.core._runtime._call import (
    ENDED,
    Call,
    CallMailbox,
    awaiting_call,
    begin,
    begin_maintenance,
    resume,
    run_maintenance,
    running_loop,
)
from symposia.core._runtime._eviction import Eviction
from symposia.core._runtime._mailbox import Mailbox, Publication
from symposia.core._runtime._observer import Observer, tell_construction_failed
from symposia.core._runtime._supervision import Supervisor
from symposia.core._runtime._wait_graph import UndecidedWaits
from symposia.core.exceptions import RuntimeStoppedError
from symposia.core.runtimes import DeadLetters, DeliveredContext, Failures

T = TypeVar("T")
logger = logging.getLogger(ROOT_LOGGER_NAME)

Admission: TypeAlias = "asyncio.Future[asyncio.Future[None] | None]"
"""Done when a held message gets in, with what `Mailbox.take_turn` returned then."""

FAIR_SHARE = 128
"""How many messages may be handled without a wait before other tasks get their chance; tokio's budget is the same."""


class Dispatcher:
    """What brings messages to agents.

    Attributes:
        dead_letters: Takes the messages without a recipient.
        failures: What went wrong where no sender waits.
        eviction: Evicts idle agents; None if none are evicted.
        supervisor: Keeps the calls that are under way.
        ready: Mailboxes that have a published message at the head of their queue and no call running. While there are
            any, a worker runs.
        undecided: The waits that may turn into circles.
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
        self.dead_letters = dead_letters
        self.failures = failures
        self.eviction: Eviction | None = None
        if max_idle_agents is not None or max_idle_seconds is not None:
            self.eviction = Eviction(max_idle_agents, max_idle_seconds, self.maintain)
        self.supervisor = Supervisor(self._release)
        self.ready: deque[Mailbox] = deque()
        self.undecided = UndecidedWaits()
        self._runtime = runtime
        self._observer = observer
        self._tasks: set[asyncio.Task[None]] = set()
        self._share = FAIR_SHARE

    def handle_now(self, call: Call, message: object, ctx: DeliveredContext) -> Awaitable[object] | None:
        """Carry out a request that can have its turn at once, in this task, as far as that goes without a wait.

        Returns:
            The rest of it; None if it is over, and `call.answer` its answer. What never waits is not supervised.
        """
        # The turn comes first, the agent second: what else comes for a new agent waits behind the call that makes it.
        # With the agent made outside of any turn, five requests at once made five agents.
        call.mailbox.grant_turn(call)
        if call.mailbox.agent is None and (making := self._begin_to_make(call)) is not None:
            return self.supervisor.supervise(call, self._handle_once_made(making, call, message, ctx))
        rest = self._begin(call, message, ctx, copy_context())
        return None if rest is None else self.supervisor.supervise(call, rest)

    async def handle_in_turn(
        self, call: Call, message: object, ctx: DeliveredContext, admission: Admission | None = None
    ) -> object:
        """Carry out a request that may have to wait for its admission, its turn or its agent to be made."""
        work = self.supervisor.supervise(call, self._wait_and_handle(call, message, ctx, admission))
        if call.needs_fresh_stack:
            # Awaiting keeps all callers on the interpreter's stack; a task begins with an empty one. Not for every
            # call: a task costs more than the rest of a request.
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

    async def in_turns(
        self, mailboxes: Iterable[Mailbox], work: Callable[[Agent], Coroutine[object, None, T]]
    ) -> list[T]:
        """Do something with each of some agents, between two of its messages; agents are made if need be.

        Each agent's turn is asked for now, and comes after the messages that the agent has by now. What handlers send
        afterwards comes to its recipients after their turns, so states that are saved like this belong together: none
        has seen the effect of a message whose cause is not in its sender's state. (Agents that are asked one after the
        other differ by what happened in between; if all are held until the last one is free, they wait for each other.)
        """
        parent = awaiting_call()
        calls = [Call(self, mailbox, parent, None, None) for mailbox in mailboxes]
        tasks: list[asyncio.Task[T]] = []
        try:
            turns = [call.mailbox.take_turn(call) for call in calls]  # without a wait: no message gets in between
            tasks += [asyncio.create_task(self._in_turn(*each, work)) for each in zip(calls, turns, strict=True)]
            return await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            if tasks:
                await asyncio.wait(tasks)
            for call in calls:
                self._release(call)  # nothing, unless its task was cancelled before it began

    def maintain(self, mailbox: Mailbox, work: Callable[[], Coroutine[object, None, None]]) -> None:
        """Do something with an agent that is free, in a turn of its own. Its errors go to the runtime's owner."""
        call = Call(self, mailbox, None, None, None)
        mailbox.grant_turn(call)
        self.supervisor.live[call] = None  # before its task begins, since the runtime is not idle meanwhile
        self._start(self._maintain(call, work))

    async def _in_turn(
        self, call: Call, turn: asyncio.Future[None] | None, work: Callable[[Agent], Coroutine[object, None, T]]
    ) -> T:
        async def wait_and_work() -> T:
            if turn is not None:
                await turn
            if call.mailbox.agent is None:
                await run_maintenance(call, self._make(call))
            return await run_maintenance(call, work(cast("Agent", call.mailbox.agent)))

        return cast("T", await self.supervisor.supervise(call, wait_and_work()))

    def fair_pause_due(self) -> bool:
        """Whether so many messages were handled at a stretch that other tasks should get their chance."""
        self._share -= 1
        if self._share > 0:
            return False
        self._share = FAIR_SHARE
        return True

    def _begin_to_make(self, call: Call) -> Awaitable[object] | None:
        """Make the call's agent as far as that goes without a wait.

        Returns:
            The rest of it; None if the agent is made.
        """
        context = copy_context()
        making = self._make(call)
        try:
            waits_for = context.run(begin_maintenance, call, making)
        except BaseException:
            self._release(call)
            raise
        return None if waits_for is ENDED else resume(call, making, context, waits_for)

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
            self.eviction.note_idle(_whole(mailbox))

    async def _wait_and_handle(
        self, call: Call, message: object, ctx: DeliveredContext, admission: Admission | None
    ) -> object:
        await self._wait_and_make(call, admission)
        return await self._handle(call, message, ctx, copy_context())

    async def _handle_once_made(
        self, making: Awaitable[object], call: Call, message: object, ctx: DeliveredContext
    ) -> object:
        await making
        return await self._handle(call, message, ctx, copy_context())

    async def _wait_and_make(self, call: Call, admission: Admission | None) -> None:
        """Get the call its turn, and its agent made."""
        turn = call.mailbox.take_turn(call) if admission is None else await admission
        if turn is not None:
            await turn
        if call.mailbox.agent is None:
            await run_maintenance(call, self._make(call))

    async def _make_and_handle(self, call: Call, publication: Publication, context: Context) -> None:
        await run_maintenance(call, self._make(call))
        await self._handle(call, publication.message, publication.ctx, context)

    async def _make(self, call: Call) -> None:
        mailbox = _whole(call.mailbox)
        try:
            agent = await mailbox.kind.make(mailbox.id, self._runtime)
        except Exception as error:
            tell_construction_failed(mailbox.id, error)
            raise
        if mailbox.evicted_state is not None:
            await agent.load_state(mailbox.evicted_state)
        # Only now, with its state: an agent that handles several messages at once begins with all that wait for it. If
        # loading fails, the state stays in the mailbox for the next try.
        mailbox.set_agent(agent)
        self._ensure_worker()

    async def _handle(self, call: Call, message: object, ctx: DeliveredContext, context: Context) -> object:
        rest = self._begin(call, message, ctx, context)
        return call.answer if rest is None else await rest

    async def _maintain(self, call: Call, work: Callable[[], Coroutine[object, None, None]]) -> None:
        async def work_and_release() -> None:
            try:
                await work()
            finally:
                # Not `self._release`, which would count the agent as idle: one that cannot be evicted would be tried
                # again at once.
                call.mailbox.release(call)
                self._ensure_worker()

        try:
            await self.supervisor.supervise(call, run_maintenance(call, work_and_release()))
        except RuntimeStoppedError:
            pass  # the work ends with the runtime
        except Exception as error:
            self.failures.add(error)
            logger.exception("Agent %s could not be evicted", call.mailbox.id)

    def _ensure_worker(self) -> None:
        """Start a worker if none runs: one at a time, until its handler has to wait.

        A second one would do nothing that the first does not do as well, since both run in one thread. None is started
        when the loop ends: its task would be destroyed before it has run, with a warning and the messages lost.
        """
        if self.ready and self.supervisor.awake == 0 and not _loop_is_ending():
            self.supervisor.awake = 1
            self._start(self._work())

    def _start(self, work: Coroutine[object, None, None]) -> None:
        """Run something in a task of its own, which is kept until it ends."""
        # In an empty context: by default a task takes a copy of the present one. A worker would keep alive what the
        # variables of the first publisher hold, and make agents under that one's deadline, scope and trace.
        task = asyncio.get_running_loop().create_task(work, context=Context())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

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
        call = Call(self, mailbox, None, publication.token, None)
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
            self.failures.add(error)
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


def _loop_is_ending() -> bool:
    """Whether no new task would be run to its end: the loop has stopped, or every task in it is being cancelled."""
    loop = running_loop()
    if loop is None:
        return True
    task = asyncio.current_task(loop)
    return task is not None and task.cancelling() > 0 and all(one.cancelling() for one in asyncio.all_tasks(loop))


def _whole(mailbox: CallMailbox) -> Mailbox:
    """The mailbox of a call, all of it: a call only knows what concerns calls."""
    return cast("Mailbox", mailbox)
