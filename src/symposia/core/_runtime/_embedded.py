from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Coroutine, Mapping, Sequence
from contextvars import copy_context
from functools import partial
from math import isnan
from threading import get_ident
from types import CoroutineType
from typing import TYPE_CHECKING, Any, TypeVar, cast

from symposia.core._agent_id import AgentId, AgentType
from symposia.core._agent_metadata import AgentMetadata
from symposia.core._agent_runtime import Agent, AgentRuntime
from symposia.core._cancellation_token import CancellationToken
from symposia.core._handler_context import current_handler
from symposia.core._intervention import InterventionHandler
from symposia.core._runtime._agent_types import AgentTypes, Eviction
from symposia.core._runtime._call import Call, awaiting_call, deadline_exceeded
from symposia.core._runtime._dead_letters import DeadLetter, DeadLetters, Failures, raise_first
from symposia.core._runtime._dispatcher import Admission, Dispatcher, alone
from symposia.core._runtime._interventions import Interventions
from symposia.core._runtime._lifecycle import Gate, HomeLoop, Phase, at_home, run_in
from symposia.core._runtime._loop_guard import LoopGuard
from symposia.core._runtime._mailbox import Mailbox, Publication
from symposia.core._runtime._observer import DeliveredContext, Observer
from symposia.core._runtime._subscriptions import Subscriptions, recipients
from symposia.core._serialization import MessageSerializer, SerializationRegistry
from symposia.core._subscription import Subscription
from symposia.core._topic import TopicId
from symposia.core.exceptions import (
    ArgumentTypeError,
    DeadlockError,
    InvalidArgumentError,
    MessageDroppedException,
    RuntimeStoppedError,
    UndeliverableException,
)

if TYPE_CHECKING:
    from opentelemetry.trace import TracerProvider

T = TypeVar("T", bound=Agent)

STOP_POLL = 0.01
"""Seconds between two looks at the condition of `stop_when`."""


class SingleThreadedAgentRuntime(AgentRuntime):
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
        tracer_provider: TracerProvider | None = None,
        ignore_unhandled_exceptions: bool = False,
        on_dead_letter: Callable[[DeadLetter], None] | None = None,
        max_idle_agents: int | None = None,
        max_idle_seconds: float | None = None,
        max_blocking_seconds: float | None = None,
    ) -> None:
        for name, seconds in (("max_idle_seconds", max_idle_seconds), ("max_blocking_seconds", max_blocking_seconds)):
            _refuse_nan(name, seconds)
        self._interventions = Interventions(intervention_handlers) if intervention_handlers else None
        self._observer = Observer(tracer_provider)
        self._is_observed = self._observer.is_wanted
        self._failures = Failures(ignored=ignore_unhandled_exceptions)
        self._dead_letters = DeadLetters(on_dead_letter, self._failures)
        self._dispatcher = Dispatcher(self, self._dead_letters, self._failures)
        self._calls = self._dispatcher.supervisor
        self._types = AgentTypes(self._dispatcher.ready)
        self._subscriptions = Subscriptions()
        self._home = HomeLoop()
        self._gate = Gate()
        self._calls.held = self._gate.waiting
        self._closed: asyncio.Future[None] | None = None
        self._closer: asyncio.Task[Any] | None = None
        self._eviction: Eviction | None = None
        if max_idle_agents is not None or max_idle_seconds is not None:
            self._eviction = Eviction(max_idle_agents, max_idle_seconds, self._dispatcher.evict)
        self._dispatcher.eviction = self._eviction
        self._loop_guard = None if max_blocking_seconds is None else LoopGuard(max_blocking_seconds)
        self._serialization = SerializationRegistry()

    # Messages

    def send_message(
        self,
        message: Any,
        recipient: AgentId,
        *,
        sender: AgentId | None = None,
        cancellation_token: CancellationToken | None = None,
        message_id: str | None = None,
        timeout: float | None = None,
    ) -> CoroutineType[Any, Any, Any]:
        if not isinstance(recipient, AgentId):  # pyright: ignore[reportUnnecessaryIsInstance] - unchecked programs
            raise ArgumentTypeError(f"A recipient is an AgentId, such as AgentId('type', 'key'), not {recipient!r}.")
        if self._interventions is None and not self._is_observed():
            return self._send_plainly(message, recipient, sender, cancellation_token, message_id, timeout)
        ctx = DeliveredContext(sender, None, True, cancellation_token, message_id)
        send = self._send if self._interventions is None else self._send_past_interventions
        if self._is_observed():
            return self._observer.send(partial(send, message, recipient, ctx, timeout), message, recipient, ctx)
        return send(message, recipient, ctx, timeout)

    async def _send_plainly(
        self,
        message: Any,
        recipient: AgentId,
        sender: AgentId | None,
        token: CancellationToken | None,
        message_id: str | None,
        timeout: float | None,
    ) -> Any:
        """Send a message that nothing observes: one step where its agent is idle, as for most messages.

        Its context is made here and not by `send_message`. Of thousands of requests that wait for their tasks to begin,
        each is one object less, which the garbage collector counts and visits.
        """
        ctx = DeliveredContext(sender, None, True, token, message_id)
        mailbox = self._types.mailbox(recipient)
        if (
            mailbox is None
            or not mailbox.is_vacant
            or self._gate.phase is not Phase.RUNNING
            or get_ident() != self._home.thread
        ):
            return await self._send(message, recipient, ctx, timeout)
        call = self._new_call(mailbox, token, timeout)
        if call.depth and call.needs_fresh_stack:
            answer = await self._dispatcher.handle_in_turn(call, message, ctx)
        else:
            rest = self._dispatcher.handle_now(call, message, ctx)
            answer = call.answer if rest is None else await rest
        if self._dispatcher.fair_pause_due():
            await asyncio.sleep(0)
        return answer

    async def _send(
        self,
        message: Any,
        recipient: AgentId,
        ctx: DeliveredContext,
        timeout: float | None,
        supervised_by: Call | None = None,
    ) -> Any:
        if get_ident() != self._home.thread and (home := self._home.from_elsewhere()) is not None:
            return await run_in(home, self._send(message, recipient, ctx, timeout))
        mailbox = self._types.mailbox(recipient)
        if mailbox is None:
            raise self._undeliverable(message, recipient, ctx)
        call = self._new_call(mailbox, ctx.token, timeout)
        if supervised_by is not None:
            supervised_by.passed_on, call.passed_on_by = call, supervised_by
        if self._gate.phase is Phase.READY and not self._is_ours(call.parent):
            answer = await self._handle_once_started(call, message, ctx)
        else:
            self._gate.refuse_if_closed()
            answer = await self._dispatcher.handle_in_turn(call, message, ctx)
        if self._dispatcher.fair_pause_due():
            await asyncio.sleep(0)
        return answer

    async def _send_past_interventions(
        self, message: Any, recipient: AgentId, ctx: DeliveredContext, timeout: float | None
    ) -> Any:
        """Supervised as a whole: a handler that asks a person may take long, and can be interrupted as an agent can."""
        if (home := self._home.from_elsewhere()) is not None:
            return await run_in(home, self._send_past_interventions(message, recipient, ctx, timeout))
        mailbox = self._types.mailbox(recipient)
        if mailbox is None:
            raise self._undeliverable(message, recipient, ctx)
        if self._gate.phase is not Phase.RUNNING:
            return await self._intervene(message, recipient, ctx, timeout, None)
        call = self._new_call(mailbox, ctx.token, timeout)
        return await self._calls.supervise(call, self._intervene(message, recipient, ctx, None, call))

    async def _intervene(
        self, message: Any, recipient: AgentId, ctx: DeliveredContext, timeout: float | None, call: Call | None
    ) -> Any:
        interventions = cast("Interventions", self._interventions)
        message = await interventions.on_send(message, ctx, recipient)
        answer = await self._send(message, recipient, ctx, timeout, call)
        return await interventions.on_response(answer, recipient, ctx.sender)

    def publish_message(
        self,
        message: Any,
        topic_id: TopicId,
        *,
        sender: AgentId | None = None,
        cancellation_token: CancellationToken | None = None,
        message_id: str | None = None,
    ) -> CoroutineType[Any, Any, None]:
        if not isinstance(topic_id, TopicId):  # pyright: ignore[reportUnnecessaryIsInstance] - unchecked programs
            raise ArgumentTypeError(f"A topic is a TopicId, such as TopicId('type', 'source'), not {topic_id!r}.")
        ctx = DeliveredContext(sender, topic_id, False, cancellation_token, message_id)
        if self._is_observed():
            return self._observer.publish(partial(self._publish, message, topic_id, ctx), message, topic_id, ctx)
        return self._publish(message, topic_id, ctx)

    async def _publish(self, message: Any, topic_id: TopicId, ctx: DeliveredContext) -> None:
        if get_ident() != self._home.thread and (home := self._home.from_elsewhere()) is not None:
            return await run_in(home, self._publish(message, topic_id, ctx))
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
            self._dead_letters.report(message, ctx, None, "the runtime has stopped")
        return None

    # Agents

    async def register_factory(
        self,
        type: str | AgentType,  # noqa: A002 - AutoGen's name
        agent_factory: Callable[[], T | Awaitable[T]],
        *,
        expected_class: type[T] | None = None,
    ) -> AgentType:
        agent_type = type if isinstance(type, AgentType) else AgentType(type)
        self._types.add_factory(agent_type.type, agent_factory, expected_class)
        return agent_type

    async def remove_agent_type(self, type: str | AgentType) -> None:  # noqa: A002 - AutoGen's name
        for mailbox in self._types.remove(type.type if isinstance(type, AgentType) else type):
            for publication in mailbox.drain():  # `stop` would not find them
                self._dead_letters.report(publication.message, publication.ctx, mailbox.id, "its type was removed")

    async def register_agent_instance(self, agent_instance: Agent, agent_id: AgentId) -> AgentId:
        self._types.check_free(agent_id)
        await agent_instance.bind_id_and_runtime(agent_id, self)
        self._types.add_instance(agent_instance, agent_id)
        return agent_id

    async def try_get_underlying_agent_instance(self, id: AgentId, type: type[T] = Agent) -> T:  # noqa: A002
        agent = await self._agent(id)
        if not isinstance(agent, type):
            raise TypeError(f"Agent {id} is a {agent.__class__.__name__}, not a {type.__name__}.")
        return agent

    async def get(
        self, id_or_type: AgentId | AgentType | str, /, key: str = "default", *, lazy: bool = True
    ) -> AgentId:
        agent_id = id_or_type if isinstance(id_or_type, AgentId) else AgentId(id_or_type, key)
        if not lazy:
            await self._agent(agent_id)
        return agent_id

    async def agent_metadata(self, agent: AgentId) -> AgentMetadata:
        return (await self._agent(agent)).metadata

    @at_home
    async def agent_save_state(self, agent: AgentId) -> Mapping[str, Any]:
        return await (await self._agent(agent)).save_state()

    @at_home
    async def agent_load_state(self, agent: AgentId, state: Mapping[str, Any]) -> None:
        await (await self._agent(agent)).load_state(state)

    @at_home
    async def save_state(self) -> Mapping[str, Any]:
        known = [box for box in self._types.mailboxes() if box.agent is not None or box.evicted_state is not None]
        paged_out = {box.id: box.evicted_state for box in known if box.agent is None and box.is_vacant}
        awake = [box for box in known if box.id not in paged_out]
        states = await self._dispatcher.in_turns(awake, _save_state)
        saved = {box.id: state for box, state in zip(awake, states, strict=True)}
        return {str(box.id): dict((saved if box.id in saved else paged_out)[box.id] or {}) for box in known}

    @at_home
    async def load_state(self, state: Mapping[str, Any]) -> None:
        states = {AgentId.from_str(text): agent_state for text, agent_state in state.items()}
        mailboxes = [box for agent_id in states if (box := self._types.mailbox(agent_id)) is not None]
        await self._dispatcher.in_turns(mailboxes, lambda agent: _load_state(agent, states))

    async def add_subscription(self, subscription: Subscription) -> None:
        self._subscriptions.add(subscription)

    async def remove_subscription(self, id: str) -> None:  # noqa: A002 - AutoGen's name
        self._subscriptions.remove(id)

    def add_message_serializer(self, serializer: MessageSerializer[Any] | Sequence[MessageSerializer[Any]]) -> None:
        self._serialization.add_serializer(serializer)

    # Life

    @property
    def unprocessed_messages_count(self) -> int:
        """How many messages were accepted and wait for an agent to take them up."""
        return len(self._gate.held) + sum(mailbox.waiting_count for mailbox in self._types.mailboxes())

    def start(self) -> None:
        """Handle messages from now on, those that were kept first.

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
        await self._calls.wait_idle(self._calls.is_idle, self._calls_here())
        self._failures.raise_to_owner()

    @at_home
    async def stop(self) -> None:
        """Stop now: handlers are cancelled, and the senders of unanswered requests get `RuntimeStoppedError`.

        Published messages that wait become dead letters. A handler that stops its own runtime runs to its end. If the
        runtime is being stopped already, this waits for that stop. A stop goes on when its caller is cancelled.

        Raises:
            RuntimeError: The runtime is not started.
            Exception: What publish handlers raised.
        """
        self._gate.require(Phase.RUNNING, Phase.STOPPING)
        here = self._calls_here()
        stops = self._gate.stops
        if self._gate.phase is Phase.RUNNING:
            self._gate.move_to(Phase.STOPPING)
            # Whatever becomes of this caller, the last call that ends makes the runtime one that can be started again.
            self._calls.when_idle = partial(self._gate.move_to, Phase.READY)
        self._interrupt(here)
        await self._calls.wait_idle(lambda: self._gate.stops != stops, here)
        self._failures.raise_to_owner()

    @at_home
    async def stop_when_idle(self) -> None:
        """Stop as soon as every message is settled.

        Several callers wait for the same stop. Handlers may be among them: what can be settled only after such a
        handler has ended is not waited for, and ends as `stop` says.

        Raises:
            RuntimeError: The runtime is not started.
            Exception: What publish handlers raised.
        """
        self._gate.require(Phase.RUNNING, Phase.STOPPING)
        stops = self._gate.stops
        await self._calls.wait_idle(lambda: self._gate.stops != stops or self._calls.is_idle(), self._calls_here())
        await self._stop_unless_stopped(stops)

    @at_home
    async def stop_when(self, condition: Callable[[], bool]) -> None:
        """Stop as soon as a condition holds, or a publish handler has raised.

        Raises:
            RuntimeError: The runtime is not started.
            Exception: What publish handlers raised.
        """
        self._gate.require(Phase.RUNNING, Phase.STOPPING)
        stops = self._gate.stops
        while self._gate.stops == stops and not condition() and not self._failures:  # noqa: ASYNC110 - of any kind
            await asyncio.sleep(STOP_POLL)
        await self._stop_unless_stopped(stops)

    async def _stop_unless_stopped(self, stops: int) -> None:
        """Stop, unless the runtime has stopped since there were `stops` stops."""
        if self._gate.stops == stops:
            await self.stop()
        else:
            self._failures.raise_to_owner()

    @at_home
    async def close(self) -> None:
        """Stop now if started, and close every agent. The runtime refuses messages from then on.

        Where the runtime is being closed already, this waits for that.

        Raises:
            Exception: What publish handlers, or the agents' `close`, raised.
        """
        errors: list[BaseException] = []
        while self._gate.phase in (Phase.RUNNING, Phase.STOPPING):
            try:
                await self.stop()
            except Exception as error:  # noqa: BLE001 - raised once everything is closed
                errors.append(error)
        if self._closed is None:
            self._gate.move_to(Phase.CLOSED)
            self._closed, self._closer = asyncio.get_running_loop().create_future(), asyncio.current_task()
            self._calls.interrupt_all(_stopped, self._calls_here())
            errors += await self._close_agents(self._closed)
        elif self._closer is not asyncio.current_task():  # an agent that closes the runtime as it is closed
            await asyncio.shield(self._closed)
        raise_first(errors)

    async def _close_agents(self, closed: asyncio.Future[None]) -> list[BaseException]:
        """Close every agent, whatever the others raise, and also when the caller is cancelled meanwhile.

        Returns:
            What they raised, what is no `Exception` first.
        """
        errors: list[BaseException] = []
        for mailbox in list(self._types.mailboxes()):
            if mailbox.agent is not None:
                try:
                    await alone(mailbox.agent.close(), f"close() of agent {mailbox.id}")
                except BaseException as error:  # noqa: BLE001 - raised once everything is closed
                    errors.append(error)
        if not closed.done():
            closed.set_result(None)
        return sorted(errors, key=lambda error: isinstance(error, Exception))

    def _interrupt(self, here: Collection[Call]) -> None:
        """Settle everything that is under way, but for the calls `here`."""
        if self._loop_guard is not None:
            self._loop_guard.stop()
        if self._eviction is not None:
            self._eviction.stop()
        for mailbox in self._types.mailboxes():
            for publication in mailbox.drain():
                self._dead_letters.report(publication.message, publication.ctx, mailbox.id, "the runtime has stopped")
        self._calls.interrupt_all(_stopped, here)

    def _new_call(self, mailbox: Mailbox, token: CancellationToken | None, timeout: float | None) -> Call:
        if token is not None and token.is_cancelled():
            raise asyncio.CancelledError
        handler = current_handler.get()
        parent = handler if isinstance(handler, Call) and handler.active else None  # as `awaiting_call`, inline
        deadline = None if parent is None else parent.deadline
        if timeout is not None or deadline is not None:
            _refuse_nan("timeout", timeout)
            now = asyncio.get_running_loop().time()
            ends = [moment for moment in (deadline, None if timeout is None else now + timeout) if moment is not None]
            deadline = min(ends)
            if deadline <= now:
                raise deadline_exceeded(mailbox.id, [])
        return Call(self._dispatcher, mailbox, parent, token, deadline)

    def _calls_here(self) -> frozenset[Call]:
        """The calls inside which this code runs: they cannot end before it."""
        here = awaiting_call()
        if here is None:
            return frozenset()
        chain = frozenset(here.chain())
        return chain | {call.passed_on_by for call in chain if call.passed_on_by is not None}

    def _is_ours(self, call: Call | None) -> bool:
        """Whether a call is of this runtime: what its handler asks belongs to it, and needs no admission."""
        return call is not None and call.dispatcher is self._dispatcher

    async def _handle_once_started(self, call: Call, message: Any, ctx: DeliveredContext) -> Any:
        admission: Admission = asyncio.get_running_loop().create_future()

        def admit() -> None:
            self._gate.waiting.discard(call)
            if not admission.done():
                try:
                    admission.set_result(call.mailbox.take_turn(call))
                except DeadlockError as error:
                    admission.set_exception(error)

        self._gate.waiting.add(call)
        self._gate.hold(call, admit)
        try:
            return await self._dispatcher.handle_in_turn(call, message, ctx, admission)
        finally:
            if call in self._gate.waiting:
                self._gate.waiting.discard(call)
                self._gate.withdraw(call)

    def _deliver(self, publication: Publication, topic: TopicId) -> None:
        """Put a published message into the mailboxes of its recipients."""
        found = recipients(
            publication.message,
            topic,
            publication.ctx,
            self._subscriptions,
            self._types,
            self._dead_letters,
            self._failures,
        )
        self._dispatcher.publish(publication, found)

    @at_home
    async def _agent(self, agent_id: AgentId) -> Agent:
        """The agent's object, made now if need be."""
        mailbox = self._types.mailbox(agent_id)
        if mailbox is None:
            raise LookupError(f"Agent type {agent_id.type!r} is not registered. {self._known_types()}")
        return await self._dispatcher.activate(mailbox)

    def _known_types(self) -> str:
        return f"Registered types: {', '.join(self._types.names()) or 'none'}."

    def _undeliverable(self, message: Any, recipient: AgentId, ctx: DeliveredContext) -> UndeliverableException:
        reason = f"agent type {recipient.type!r} is not registered"
        self._dead_letters.report(message, ctx, recipient, reason)
        return UndeliverableException(
            f"{type(message).__name__} for agent {recipient} cannot be delivered: {reason}. {self._known_types()}"
        )


def _save_state(agent: Agent) -> Coroutine[Any, Any, Mapping[str, Any]]:
    return agent.save_state()


def _load_state(agent: Agent, states: Mapping[AgentId, Mapping[str, Any]]) -> Coroutine[Any, Any, None]:
    return agent.load_state(states[agent.id])


def _stopped(call: Call) -> RuntimeStoppedError:
    return RuntimeStoppedError(f"The runtime stopped before agent {call.mailbox.id} answered.")


def _refuse_nan(name: str, seconds: float | None) -> None:
    """Refuse NaN. An event loop keeps its timers in order of their times; one without an order breaks the others."""
    if seconds is not None and isnan(seconds):
        raise InvalidArgumentError(f"{name}=nan: give a number of seconds, or None.")
