"""The embedded runtime: how it sends and publishes messages, and its lifecycle as its users see it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextvars import copy_context
from functools import partial
from math import isnan
from threading import get_ident
from typing import TYPE_CHECKING, Any, TypeVar, cast

from symposia._lazy import lazy_module
from symposia.core._agent_id import AgentId
from symposia.core._agent_runtime import Agent
from symposia.core._cancellation_token import CancellationToken
from symposia.core._handler_context import current_handler
from symposia.core._intervention import InterventionHandler
from symposia.core._runtime._activation import Admission
from symposia.core._runtime._dispatcher import Dispatcher, needs_fresh_stack
from symposia.core._runtime._home_loop import HomeLoop, in_home_loop, run_in
from symposia.core._runtime._lifecycle import Lifecycle
from symposia.core._runtime._loop_guard import LoopGuard
from symposia.core._runtime._mailbox import Call, Mailbox, Publication
from symposia.core._runtime._observer import Observer
from symposia.core._topic import TopicId
from symposia.core.exceptions import DeadlockError, InvalidArgumentError, MessageDroppedException
from symposia.core.runtimes import (
    STOPPED,
    BaseAgentRuntime,
    DeadLetter,
    DeliveredContext,
    Interventions,
    Phase,
    deadline_exceeded,
)

if TYPE_CHECKING:
    from types import CoroutineType

    from opentelemetry import trace as otel
else:  # that of `types` cannot be subscripted before Python 3.13, so annotations with it could not be evaluated
    from collections.abc import Coroutine as CoroutineType

    otel = lazy_module("opentelemetry.trace")

T = TypeVar("T")


class SingleThreadedAgentRuntime(BaseAgentRuntime[Mailbox]):
    """Agents in one event loop: what AutoGen calls its single-threaded runtime.

    Messages sent or published before `start` are kept and handled once started. What publish handlers raise, which no
    sender waits for, is raised to the runtime's owner by `stop`, `stop_when`, `stop_when_idle`, `close` and
    `process_next`: the first error, with a note for each other.

    Args:
        intervention_handlers: Asked in order about every message; each may change or drop it.
        tracer_provider: Makes the spans of the runtime and of everything in it, if not the program's global one.
        ignore_unhandled_exceptions: Only log what publish handlers raise.
        on_dead_letter: Called with each message that no agent takes; else they are logged at level INFO.
        max_idle_agents: Evict the agents that were idle the longest, when more than so many are. An evicted agent's
            state is saved, and its next message makes it again. Agents that do not save their state are kept.
        max_idle_seconds: Evict agents that were idle for so long.
        max_blocking_seconds: Warn when the event loop stands still for so long, and name the handler and its line.

    Raises:
        InvalidArgumentError: A number of seconds is not a number.
    """

    def __init__(
        self,
        *,
        intervention_handlers: Sequence[InterventionHandler] | None = None,
        tracer_provider: otel.TracerProvider | None = None,
        ignore_unhandled_exceptions: bool = False,
        on_dead_letter: Callable[[DeadLetter], None] | None = None,
        max_idle_agents: int | None = None,
        max_idle_seconds: float | None = None,
        max_blocking_seconds: float | None = None,
    ) -> None:
        _refuse_nan("max_idle_seconds", max_idle_seconds)
        _refuse_nan("max_blocking_seconds", max_blocking_seconds)
        super().__init__(
            lambda agent_id, kind: Mailbox(agent_id, kind, self._dispatcher.ready),
            intervention_handlers=intervention_handlers,
            ignore_unhandled_exceptions=ignore_unhandled_exceptions,
            on_dead_letter=on_dead_letter,
        )
        self._observer = Observer(tracer_provider)
        self._is_observed = self._observer.is_wanted
        self._dispatcher = Dispatcher(
            self,
            self._dead_letters,
            self._failures,
            self._observer,
            max_idle_agents=max_idle_agents,
            max_idle_seconds=max_idle_seconds,
        )
        self._calls = self._dispatcher.supervisor
        self._activation = self._dispatcher.activation
        loop_guard = None if max_blocking_seconds is None else LoopGuard(max_blocking_seconds)
        self._lifecycle = Lifecycle(self._agents, self._dispatcher, self._dead_letters, self._failures, loop_guard)
        self._gate = self._lifecycle.gate
        self._home = HomeLoop()

    # Requests

    def _send(
        self, message: object, recipient: AgentId, ctx: DeliveredContext, timeout: float | None
    ) -> CoroutineType[Any, Any, object]:
        is_observed = self._is_observed()
        if self._interventions is None:
            if not is_observed:
                return self._send_plainly(message, recipient, ctx, timeout)
            send = partial(self._request, message, recipient, ctx, timeout)
        else:
            send = partial(self._request_past_interventions, message, recipient, ctx, timeout)
        return self._observer.send(send, message, recipient, ctx) if is_observed else send()

    async def _send_plainly(
        self, message: object, recipient: AgentId, ctx: DeliveredContext, timeout: float | None
    ) -> object:
        """Send a message that nothing observes: one step where its agent is idle, as for most messages."""
        mailbox = self._agents.find(recipient)
        if (
            mailbox is None
            or not mailbox.is_vacant
            or self._gate.phase is not Phase.RUNNING
            or get_ident() != self._home.thread
        ):
            return await self._request(message, recipient, ctx, timeout)
        call = self._new_call(mailbox, ctx.token, timeout)
        if call.depth and needs_fresh_stack(call):
            answer = await self._dispatcher.handle_in_turn(call, message, ctx)
        else:
            rest = self._dispatcher.handle_now(call, message, ctx)
            answer = call.answer if rest is None else await rest
        if self._dispatcher.fair_pause_due():
            await asyncio.sleep(0)
        return answer

    async def _request(
        self,
        message: object,
        recipient: AgentId,
        ctx: DeliveredContext,
        timeout: float | None,
        supervised_by: Call | None = None,
    ) -> object:
        if get_ident() != self._home.thread and (home := self._home.from_elsewhere()) is not None:
            return await run_in(home, self._request(message, recipient, ctx, timeout))
        mailbox = self._agents.find(recipient)
        if mailbox is None:
            raise self._undeliverable(message, recipient, ctx)
        call = self._new_call(mailbox, ctx.token, timeout)
        if supervised_by is not None:
            supervised_by.passed_on, call.passed_on_by = call, supervised_by
        if self._gate.phase is Phase.READY and not self._is_ours(call.parent):
            answer = await self._handle_once_started(call, message, ctx)
        else:
            self._gate.phase.require_messages()
            answer = await self._dispatcher.handle_in_turn(call, message, ctx)
        if self._dispatcher.fair_pause_due():
            await asyncio.sleep(0)
        return answer

    async def _request_past_interventions(
        self, message: object, recipient: AgentId, ctx: DeliveredContext, timeout: float | None
    ) -> object:
        """Supervised as a whole: a handler that asks a person may take long, and can be interrupted as an agent can."""
        if (home := self._home.from_elsewhere()) is not None:
            return await run_in(home, self._request_past_interventions(message, recipient, ctx, timeout))
        mailbox = self._agents.find(recipient)
        if mailbox is None:
            raise self._undeliverable(message, recipient, ctx)
        if self._gate.phase is not Phase.RUNNING:
            return await self._intervene(message, recipient, ctx, timeout, None)
        call = self._new_call(mailbox, ctx.token, timeout)
        return await self._calls.supervise(call, self._intervene(message, recipient, ctx, None, call))

    async def _intervene(
        self, message: object, recipient: AgentId, ctx: DeliveredContext, timeout: float | None, call: Call | None
    ) -> object:
        interventions = cast("Interventions", self._interventions)
        message = await interventions.on_send(message, ctx, recipient)
        answer = await self._request(message, recipient, ctx, timeout, call)
        return await interventions.on_response(answer, recipient, ctx.sender)

    def _new_call(self, mailbox: Mailbox, token: CancellationToken | None, timeout: float | None) -> Call:
        if token is not None and token.is_cancelled():
            raise asyncio.CancelledError
        handler = current_handler.get()  # `awaiting_call`, inline: about 1 % of a request
        parent = handler if isinstance(handler, Call) and handler.active else None
        deadline = None if parent is None else parent.deadline
        if timeout is not None or deadline is not None:
            _refuse_nan("timeout", timeout)
            now = asyncio.get_running_loop().time()
            ends = [moment for moment in (deadline, None if timeout is None else now + timeout) if moment is not None]
            deadline = min(ends)
            if deadline <= now:
                raise deadline_exceeded(mailbox.id)
        return Call(self._calls, mailbox, parent, token, deadline)

    def _is_ours(self, call: Call | None) -> bool:
        """Whether a call is of this runtime: what its handler asks belongs to it, and needs no admission."""
        return call is not None and call.supervisor is self._calls

    async def _handle_once_started(self, call: Call, message: object, ctx: DeliveredContext) -> object:
        admission: Admission = asyncio.get_running_loop().create_future()

        def admit() -> None:
            self._end_hold(call)
            if not admission.done():
                try:
                    admission.set_result(call.mailbox.take_turn(call))
                except DeadlockError as error:
                    admission.set_exception(error)

        self._calls.held.add(call)
        self._gate.hold(call, admit)
        self._lifecycle.start_reminder.arm()
        try:
            return await self._dispatcher.handle_in_turn(call, message, ctx, admission)
        finally:
            self._end_hold(call)

    def _end_hold(self, call: Call) -> None:
        """A request waits for the start no longer: it is let in, or given up."""
        self._calls.held.discard(call)
        self._gate.withdraw(call)
        if not self._calls.held:
            self._lifecycle.start_reminder.disarm()

    # Publications

    def _publish(self, message: object, topic_id: TopicId, ctx: DeliveredContext) -> CoroutineType[Any, Any, None]:
        if self._is_observed():
            publish = partial(self._accept, message, topic_id, ctx)
            return self._observer.publish(publish, message, topic_id, ctx)
        return self._accept(message, topic_id, ctx)

    async def _accept(self, message: object, topic_id: TopicId, ctx: DeliveredContext) -> None:
        if get_ident() != self._home.thread and (home := self._home.from_elsewhere()) is not None:
            return await run_in(home, self._accept(message, topic_id, ctx))
        if ctx.token is not None and ctx.token.is_cancelled():
            raise asyncio.CancelledError
        if self._interventions is not None:
            try:
                message = await self._interventions.on_publish(message, ctx)
            except MessageDroppedException:
                return None
        if ctx.token is not None and ctx.token.is_cancelled():
            raise asyncio.CancelledError
        publication = Publication(message, ctx, ctx.token, copy_context())
        if self._gate.phase is Phase.RUNNING:
            self._deliver(publication, topic_id)
        elif self._gate.phase is Phase.READY:
            self._gate.hold(publication, lambda: self._deliver(publication, topic_id))
        else:
            self._dead_letters.report(message, ctx, None, STOPPED)
        return None

    def _deliver(self, publication: Publication, topic: TopicId) -> None:
        """Put a published message into the mailboxes of its recipients."""
        found = self._recipients(publication.message, topic, publication.ctx)
        self._dispatcher.publish(publication, found)

    def _forget(self, mailbox: Mailbox) -> None:
        for publication in mailbox.drain():  # `stop` would not find them
            self._dead_letters.report(publication.message, publication.ctx, mailbox.id, "its type was removed")

    # Agents and their states

    @in_home_loop
    async def _agent(self, agent_id: AgentId) -> Agent:
        return await self._activation.agent(self._agents.mailbox(agent_id))

    @in_home_loop
    async def _in_turns(
        self, agent_ids: Sequence[AgentId], function: Callable[[Agent], Coroutine[object, None, T]]
    ) -> list[T]:
        return await self._activation.in_turns([self._agents.mailbox(agent_id) for agent_id in agent_ids], function)

    @in_home_loop
    async def save_state(self) -> Mapping[str, Any]:  # Any: AutoGen's, as in `AgentRuntime`
        known = [box for box in self._agents.mailboxes() if box.agent is not None or box.evicted_state is not None]
        paged_out = {box.id: box.evicted_state for box in known if box.agent is None and box.is_vacant}
        awake = [box for box in known if box.id not in paged_out]
        states = await self._activation.in_turns(awake, lambda agent: agent.save_state())
        saved = {box.id: state for box, state in zip(awake, states, strict=True)}
        return {str(box.id): dict((saved if box.id in saved else paged_out)[box.id] or {}) for box in known}

    # Lifecycle

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
        self._lifecycle.start()

    @in_home_loop
    async def process_next(self) -> None:
        """Handle the next message that was kept, for a runtime that is not started; waits for one if there is none.

        Raises:
            RuntimeError: The runtime is started, and handles messages by itself.
            Exception: What publish handlers raised.
        """
        await self._lifecycle.process_next()

    @in_home_loop
    async def stop(self) -> None:
        """Stop now: handlers are cancelled, and the senders of unanswered requests get `RuntimeStoppedError`.

        Published messages that wait become dead letters. A handler that stops its own runtime runs to its end. If the
        runtime is being stopped already, this waits for that stop. A stop goes on when its caller is cancelled.

        Raises:
            RuntimeError: The runtime is not started.
            Exception: What publish handlers raised.
        """
        await self._lifecycle.stop()

    @in_home_loop
    async def stop_when_idle(self) -> None:
        """Stop as soon as every message is settled.

        Several callers wait for the same stop. Handlers may be among them: what can be settled only after such a
        handler has ended is not waited for, and ends as `stop` says.

        Raises:
            RuntimeError: The runtime is not started.
            Exception: What publish handlers raised.
        """
        await self._lifecycle.stop_when_idle()

    @in_home_loop
    async def stop_when(self, condition: Callable[[], bool]) -> None:
        """Stop as soon as a condition holds, or a publish handler has raised.

        Raises:
            RuntimeError: The runtime is not started.
            Exception: What publish handlers raised.
        """
        await self._lifecycle.stop_when(condition)

    @in_home_loop
    async def close(self) -> None:
        """Stop now if started, and close every agent. The runtime refuses messages from then on.

        Where the runtime is being closed already, this waits for that.

        Raises:
            Exception: What publish handlers, or the agents' `close`, raised.
        """
        await self._lifecycle.close()


def _refuse_nan(name: str, seconds: float | None) -> None:
    """Refuse NaN. An event loop keeps its timers in order of their times; one without an order breaks the others."""
    if seconds is not None and isnan(seconds):
        raise InvalidArgumentError(f"{name}=nan: give a number of seconds, or None.")
