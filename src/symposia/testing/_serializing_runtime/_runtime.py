"""The runtime: what an agent sends is written to bytes, and read back where it is handled.

How a request goes, from `send_message` to its answer:

1. `_request` checks the token and the deadline, and makes a `Request`, which deadline, token and `stop` can interrupt.
2. The intervention handlers are asked, and the message becomes an `Envelope`, in bytes.
3. `_receive` reads the bytes on the other side and queues a `Delivery` in the agent's mailbox.
4. `_advance` gives the next delivery of a mailbox its turn. Each handler runs in a task of its own, with nothing in its
   context but what the envelope has brought.
5. The handler's end becomes a `Reply`, in bytes, which the sender reads.

A publication goes likewise to each of its recipients, without request and reply. Every way out of `_request` ends the
request, and every end of a handler task comes to `_handled`, which ends the delivery: nothing else has to clean up.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable, Coroutine, Generator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import Context, copy_context
from enum import Enum, auto
from functools import partial
from typing import Any, TypeVar, cast
from uuid import uuid4

from symposia.core import (
    ROOT_LOGGER_NAME,
    Agent,
    AgentId,
    AgentInstantiationContext,
    AgentMetadata,
    AgentRuntime,
    AgentType,
    CancellationToken,
    DeadLetter,
    InterventionHandler,
    Interventions,
    MessageContext,
    MessageSerializer,
    Subscription,
    Subscriptions,
    TopicId,
    current_handler_context,
    populate_handler_context,
)
from symposia.core.effects import Scope, continue_scope, current_scope
from symposia.core.exceptions import (
    AgentError,
    DeadlineExceededError,
    DeadlockError,
    InvalidArgumentError,
    MessageDroppedException,
    RegistrationError,
    RuntimeStoppedError,
    UndeliverableException,
)
from symposia.testing._serializing_runtime._delivery import (
    Delivery,
    Mailbox,
    Request,
    Work,
    find_circle,
    held_up_by,
    link,
)
from symposia.testing._serializing_runtime._wire import (
    Envelope,
    Payload,
    Reply,
    continue_trace,
    decode_failure,
    encode_failure,
    new_registry,
    pack,
    trace_headers,
    unpack,
)

logger = logging.getLogger(ROOT_LOGGER_NAME)

T = TypeVar("T")
AgentT = TypeVar("AgentT", bound=Agent)
Factory = Callable[[], Agent | Awaitable[Agent]]

FIRST_LOOK = 0.005
"""Seconds until what waits in a queue is looked at again; each later pause is twice as long."""

LAST_LOOK = 3600.0
"""The longest pause, in seconds. What still waits then is left alone, so that a simulation that is stuck is noticed."""


class Phase(Enum):
    """The life of a runtime."""

    READY = auto()
    RUNNING = auto()
    STOPPING = auto()
    CLOSED = auto()


class SerializingRuntime(AgentRuntime):
    """A runtime in one process that treats every agent as if it lived in another.

    Every message and every answer is written to bytes and read back, so a test on it shows whether a program's messages
    can leave the process. With a message travel its sender, its topic, its id, how long its answer is wanted, its
    cancellation, its trace and the effect scope; the sender's other context variables do not, and an error arrives as
    one of the same type and text. It is made to be read: correct, and slow.

    Args:
        intervention_handlers: Asked in order about every message; each may change or drop it.
        ignore_unhandled_exceptions: Only log what publish handlers raise.
        on_dead_letter: Called with each message that no agent takes; else they are logged at level INFO.
    """

    def __init__(
        self,
        *,
        intervention_handlers: Sequence[InterventionHandler] | None = None,
        ignore_unhandled_exceptions: bool = False,
        on_dead_letter: Callable[[DeadLetter], None] | None = None,
    ) -> None:
        self._interventions = Interventions(intervention_handlers) if intervention_handlers else None
        self._ignores_failures = ignore_unhandled_exceptions
        self._on_dead_letter = on_dead_letter
        self._registry = new_registry()
        self._subscriptions = Subscriptions()
        self._factories: dict[str, tuple[Factory | None, type[Agent] | None]] = {}
        self._mailboxes: dict[AgentId, Mailbox] = {}
        self._phase = Phase.READY
        self._held: list[Callable[[], None]] = []
        self._requests: dict[Request, None] = {}
        self._deliveries: dict[Delivery, None] = {}
        self._failures: list[BaseException] = []
        self._enders: list[Delivery] = []
        self._run_number = 0
        self._stopped: asyncio.Future[None] | None = None
        self._idle: list[asyncio.Future[None]] = []
        self._closed: asyncio.Future[None] | None = None
        self._look: asyncio.TimerHandle | None = None

    # Messages

    async def send_message(
        self,
        message: Any,
        recipient: AgentId,
        *,
        sender: AgentId | None = None,
        cancellation_token: CancellationToken | None = None,
        message_id: str | None = None,
        timeout: float | None = None,
    ) -> Any:
        ctx = _context(sender, None, cancellation_token, message_id)
        if recipient.type not in self._factories:
            raise self._undeliverable(message, recipient, ctx)
        return await self._request(recipient, cancellation_token, timeout, partial(self._ask, message, ctx))

    async def _ask(self, message: Any, ctx: MessageContext, request: Request) -> Any:
        """Send a request, past the intervention handlers, and return its answer."""
        context = copy_context()  # one for both: what a handler notes about a message it finds with the answer
        if self._interventions is not None:
            asked = self._interventions.on_send(message, ctx, request.recipient)
            message = await _unless_interrupted(request, asyncio.create_task(asked, context=context))
        payload = pack(self._registry, message)
        delivery = self._receive(self._envelope(payload, request.recipient, ctx, request.deadline), request)
        if self._phase is Phase.READY and request.parent is None:
            self._held.append(partial(self._enqueue, delivery))
        else:
            self._enqueue(delivery)
        answer = self._read(await _unless_interrupted(request, delivery.replied, partial(self._cancel, delivery)))
        if self._interventions is not None:
            asked = self._interventions.on_response(answer, request.recipient, ctx.sender)
            answer = await _unless_interrupted(request, asyncio.create_task(asked, context=context))
        return answer

    async def publish_message(
        self,
        message: Any,
        topic_id: TopicId,
        *,
        sender: AgentId | None = None,
        cancellation_token: CancellationToken | None = None,
        message_id: str | None = None,
    ) -> None:
        ctx = _context(sender, topic_id, cancellation_token, message_id)
        if ctx.cancellation_token.is_cancelled():
            raise asyncio.CancelledError
        if self._interventions is not None:
            try:
                message = await self._interventions.on_publish(message, ctx)
            except MessageDroppedException:
                return
        payload = pack(self._registry, message)
        envelope = self._envelope(payload, None, ctx, None)
        publish = partial(self._publish, topic_id, envelope, ctx)
        if self._phase is Phase.READY and self._handling() is None:
            self._held.append(publish)
        elif self._phase in (Phase.STOPPING, Phase.CLOSED):
            self._report(message, ctx, None, STOPPED)
        else:
            publish()

    def _publish(self, topic: TopicId, envelope: bytes, ctx: MessageContext) -> None:
        """Bring a publication to its recipients: each subscribed agent once, but not its sender."""
        if self._phase is Phase.CLOSED:
            self._report(self._message(envelope), ctx, None, STOPPED)
            return
        subscribed = [AgentId(type_, topic.source) for type_ in self._subscriptions.agent_types(topic.type)]
        subscribed += self._subscriptions.custom_agents(topic, self._note_broken_subscription)
        if not subscribed:
            self._report(self._message(envelope), ctx, None, "no agent is subscribed to its topic")
        for agent_id in dict.fromkeys(subscribed):
            if agent_id.type not in self._factories:
                reason = f"its agent type {agent_id.type!r} is subscribed but not registered"
                self._report(self._message(envelope), ctx, agent_id, reason)
            elif agent_id != ctx.sender and not ctx.cancellation_token.is_cancelled():
                delivery = self._receive(envelope, None, agent_id)
                link(ctx.cancellation_token, delivery, partial(self._cancel, delivery))
                delivery.replied.add_done_callback(lambda _, one=delivery: ctx.cancellation_token.unlink(one))
                self._enqueue(delivery)

    def _envelope(
        self, payload: Payload, recipient: AgentId | None, ctx: MessageContext, deadline: float | None
    ) -> bytes:
        envelope = Envelope(
            recipient=recipient and str(recipient),
            sender=ctx.sender and str(ctx.sender),
            topic=ctx.topic_id and str(ctx.topic_id),
            message_id=ctx.message_id,
            seconds_left=None if deadline is None else deadline - asyncio.get_running_loop().time(),
            scope=str(current_scope()),
            trace=trace_headers(),
            payload=payload,
        )
        return envelope.model_dump_json().encode()

    def _message(self, envelope: bytes) -> Any:
        return unpack(self._registry, Envelope.model_validate_json(envelope).payload)

    def _receive(self, data: bytes, request: Request | None, subscriber: AgentId | None = None) -> Delivery:
        """Read a message where its agent is."""
        envelope = Envelope.model_validate_json(data)
        message = unpack(self._registry, envelope.payload)
        ctx = _context(
            AgentId.from_str(envelope.sender) if envelope.sender is not None else None,
            TopicId.from_str(envelope.topic) if envelope.topic is not None else None,
            None,
            envelope.message_id,
        )

        async def handle(agent: Agent) -> Payload:
            with continue_scope(Scope.parse(envelope.scope)), continue_trace(envelope.trace):
                return pack(self._registry, await agent.on_message(message, ctx))

        recipient = subscriber or AgentId.from_str(cast("str", envelope.recipient))
        delivery = self._new_delivery(recipient, handle, request, message=message, context=ctx)
        if envelope.seconds_left is not None:
            delivery.deadline = asyncio.get_running_loop().time() + envelope.seconds_left
        link(ctx.cancellation_token, delivery, partial(self._give_up, delivery))
        return delivery

    def _read(self, reply: bytes | None) -> Any:
        """The answer in a reply.

        Raises:
            asyncio.CancelledError: The handler was cancelled.
            Exception: What the handler raised.
        """
        if reply is None:
            raise asyncio.CancelledError
        read = Reply.model_validate_json(reply)
        if read.answer is None:
            raise decode_failure(read.error)
        return unpack(self._registry, read.answer)

    # Requests: senders that wait

    async def _request(
        self,
        recipient: AgentId,
        token: CancellationToken | None,
        timeout: float | None,
        ask: Callable[[Request], Coroutine[Any, Any, T]],
    ) -> T:
        """Wait for an answer for as long as it is wanted, and leave nothing behind however that ends."""
        request = self._new_request(recipient, token, timeout)
        self._requests[request] = None
        if request.parent is not None:
            request.parent.requests[request] = None
        link(token, request, lambda: request.interrupt(asyncio.CancelledError()))
        timer: asyncio.TimerHandle | None = None
        if request.deadline is not None:
            expire = partial(_expire, request)
            timer = asyncio.get_running_loop().call_at(request.deadline, expire)
        try:
            return await ask(request)
        finally:
            if timer is not None:
                timer.cancel()
            if token is not None:
                token.unlink(request)
            if request.parent is not None:
                del request.parent.requests[request]
            del self._requests[request]
            self._notice_end()

    def _new_request(self, recipient: AgentId, token: CancellationToken | None, timeout: float | None) -> Request:
        if timeout is not None and timeout != timeout:  # noqa: PLR0124 - so is no number but NaN
            raise InvalidArgumentError("timeout=nan is no time: give seconds, or None to wait for any time.")
        if token is not None and token.is_cancelled():
            raise asyncio.CancelledError
        if self._phase in (Phase.STOPPING, Phase.CLOSED):
            raise RuntimeStoppedError("The runtime is being stopped, or is closed, and takes no messages.")
        loop = asyncio.get_running_loop()
        parent = self._handling()
        ends = [] if timeout is None else [loop.time() + timeout]
        if parent is not None and parent.deadline is not None:
            ends.append(parent.deadline)
        request = Request(
            recipient=recipient,
            parent=parent,
            task=asyncio.current_task(),
            deadline=min(ends, default=None),
            interrupted=loop.create_future(),
        )
        if request.deadline is not None and request.deadline <= loop.time():
            raise _deadline_exceeded(request)
        return request

    def _handling(self) -> Delivery | None:
        """The delivery whose handler runs here, if it is one of this runtime."""
        handler = current_handler_context()
        if isinstance(handler, Delivery) and handler.is_running and handler in self._deliveries:
            return handler
        return None

    # Deliveries: messages at their agents

    def _new_delivery(self, agent_id: AgentId, work: Work, request: Request | None = None, **details: Any) -> Delivery:
        mailbox = self._mailboxes.setdefault(agent_id, Mailbox(agent_id))
        delivery = Delivery(mailbox=mailbox, work=work, report=self._report_letter, request=request, **details)
        if request is not None:
            request.delivery = delivery
        self._deliveries[delivery] = None
        return delivery

    def _enqueue(self, delivery: Delivery) -> None:
        if delivery.cancelled or self._phase is Phase.CLOSED:
            return
        delivery.mailbox.add(delivery)
        self._advance(delivery.mailbox)
        if delivery.is_queued:
            self._refuse_circle(delivery)
            self._look_again_after(FIRST_LOOK)
            self._notice_end()

    def _advance(self, mailbox: Mailbox) -> None:
        """Start what may run now."""
        while (delivery := mailbox.take_next()) is not None:
            if delivery.request is not None and delivery.request.interrupted.done():
                continue  # its sender is about to cancel it
            mailbox.stack.append(delivery)
            delivery.is_running = True
            handler = asyncio.get_running_loop().create_task(self._run(delivery), context=Context())
            delivery.task = handler
            handler.add_done_callback(partial(self._handled, delivery))  # a task cancelled early never begins

    async def _run(self, delivery: Delivery) -> Payload:
        mailbox = delivery.mailbox
        with populate_handler_context(mailbox.agent_id, delivery):
            if mailbox.agent is None:
                mailbox.agent = await self._make(mailbox.agent_id)
                self._advance(mailbox)  # it may be one that handles several messages at once
            return await delivery.work(mailbox.agent)

    def _handled(self, delivery: Delivery, handler: asyncio.Task[Payload]) -> None:
        """A handler has ended."""
        delivery.is_running = False
        reply: Reply | None = None
        if not handler.cancelled():
            error = handler.exception()
            if error is None:
                reply = Reply(answer=handler.result())
            else:
                reply = Reply(error=encode_failure(error if isinstance(error, Exception) else _as_exception(error)))
                if delivery.request is None:
                    self._note_failure(delivery, error)
        self._settle(delivery, reply)
        work = delivery.lingering
        if work is not None and not work.done():
            work.add_done_callback(lambda _: self._release(delivery))
        else:
            self._release(delivery)

    def _settle(self, delivery: Delivery, reply: Reply | None) -> None:
        if delivery.context is not None:
            delivery.context.cancellation_token.unlink(delivery)
        if not delivery.replied.done():
            delivery.replied.set_result(None if reply is None else reply.model_dump_json().encode())

    def _release(self, delivery: Delivery) -> None:
        """The agent is free of a delivery."""
        delivery.mailbox.stack.remove(delivery)
        del self._deliveries[delivery]
        self._advance(delivery.mailbox)
        self._notice_end()

    def _give_up(self, delivery: Delivery) -> None:
        """The handler has cancelled its own token."""
        if delivery.request is not None:
            delivery.request.interrupt(asyncio.CancelledError())
        else:
            self._cancel(delivery)

    def _cancel(self, delivery: Delivery) -> None:
        """Take a delivery out of its queue, or cancel its handler."""
        if delivery.cancelled:
            return
        delivery.cancelled = True
        if delivery.context is not None:
            delivery.context.cancellation_token.unlink(delivery)
            _cancel_token(delivery.context.cancellation_token, delivery.mailbox.agent_id)
        if delivery.task is not None:
            delivery.task.cancel()
        else:
            self._drop(delivery, None)

    def _drop(self, delivery: Delivery, reply: Reply | None) -> None:
        """Forget a delivery that has not begun."""
        if delivery.is_queued:
            delivery.mailbox.withdraw(delivery)
        self._settle(delivery, reply)
        self._deliveries.pop(delivery, None)
        self._notice_end()

    def _refuse_circle(self, delivery: Delivery) -> None:
        circle = None if delivery.parent is None else find_circle(delivery)
        if circle is not None:
            drawn = " → ".join(map(str, circle))
            error = DeadlockError(
                f"Agents wait for each other: {drawn}. Let one of them publish its message instead of awaiting an "
                "answer, or let its class handle messages concurrently."
            )
            self._drop(delivery, Reply(error=encode_failure(error)))

    def _look_again_after(self, pause: float) -> None:
        if self._look is not None:
            self._look.cancel()
        self._look = asyncio.get_running_loop().call_later(pause, self._look_again, pause)

    def _look_again(self, pause: float) -> None:
        """Handlers may await by now what they had in the background: nest it, or find the circles that it makes."""
        self._look = None
        waiting = [delivery for delivery in self._deliveries if delivery.is_queued]
        for mailbox in {delivery.mailbox: None for delivery in waiting}:
            self._advance(mailbox)
        for delivery in reversed(waiting):
            if delivery.is_queued:
                self._refuse_circle(delivery)
        self._notice_end()
        if 2 * pause <= LAST_LOOK and any(delivery.is_queued for delivery in self._deliveries):
            self._look_again_after(2 * pause)

    # What has no sender to tell

    def _note_broken_subscription(self, subscription: Subscription, error: Exception) -> None:
        logger.error("Subscription %s failed", subscription.id, exc_info=error)
        self._failures.append(error)

    def _note_failure(self, delivery: Delivery, error: BaseException) -> None:
        logger.error("Agent %s failed on a published message", delivery.mailbox.agent_id, exc_info=error)
        if not self._ignores_failures:
            self._failures.append(error)

    def _report(self, message: Any, ctx: MessageContext, recipient: AgentId | None, reason: str) -> None:
        self._report_letter(
            DeadLetter(message=message, sender=ctx.sender, recipient=recipient, topic_id=ctx.topic_id, reason=reason)
        )

    def _report_letter(self, letter: DeadLetter) -> None:
        if self._on_dead_letter is None:
            target = letter.recipient or letter.topic_id
            logger.info("Dead letter: %s for %s: %s", type(letter.message).__name__, target, letter.reason)
            return
        try:
            self._on_dead_letter(letter)
        except Exception as error:
            logger.exception("The hook for dead letters failed")
            self._failures.append(error)

    def _undeliverable(self, message: Any, recipient: AgentId, ctx: MessageContext) -> UndeliverableException:
        reason = f"agent type {recipient.type!r} is not registered"
        self._report(message, ctx, recipient, reason)
        return UndeliverableException(
            f"{type(message).__name__} for agent {recipient} cannot be delivered: {reason}. {self._known_types()}"
        )

    def _known_types(self) -> str:
        return f"Registered types: {', '.join(sorted(self._factories)) or 'none'}."

    # Agents

    async def register_factory(
        self,
        type: str | AgentType,  # noqa: A002 - AutoGen's name
        agent_factory: Callable[[], AgentT | Awaitable[AgentT]],
        *,
        expected_class: type[AgentT] | None = None,
    ) -> AgentType:
        agent_type = type if isinstance(type, AgentType) else AgentType(type)
        if agent_type.type in self._factories:
            raise RegistrationError(f"Agent type {agent_type.type!r} is already registered; each is registered once.")
        self._factories[agent_type.type] = (agent_factory, expected_class)
        return agent_type

    async def register_agent_instance(self, agent_instance: Agent, agent_id: AgentId) -> AgentId:
        factory, _ = self._factories.get(agent_id.type, (None, None))
        mailbox = self._mailboxes.get(agent_id)
        if factory is not None or (mailbox is not None and mailbox.agent is not None):
            raise RegistrationError(f"Agent {agent_id} is already registered, or its type has a factory.")
        await agent_instance.bind_id_and_runtime(agent_id, self)
        self._factories[agent_id.type] = (None, None)
        self._mailboxes.setdefault(agent_id, Mailbox(agent_id)).agent = agent_instance
        return agent_id

    async def remove_agent_type(self, type: str | AgentType) -> None:  # noqa: A002 - AutoGen's name
        name = type.type if isinstance(type, AgentType) else type
        if name not in self._factories:
            raise LookupError(f"Agent type {name!r} is not registered. {self._known_types()}")
        del self._factories[name]
        for agent_id in [one for one in self._mailboxes if one.type == name]:
            mailbox = self._mailboxes.pop(agent_id)
            for delivery in [one for one in mailbox.queue if one.request is None and one.context is not None]:
                self._report(
                    delivery.message, cast("MessageContext", delivery.context), agent_id, "its type was removed"
                )
                self._cancel(delivery)

    async def _make(self, agent_id: AgentId) -> Agent:
        if agent_id.type not in self._factories:
            raise UndeliverableException(f"Agent {agent_id} is not made: its type was removed. {self._known_types()}")
        factory, expected_class = self._factories[agent_id.type]
        if factory is None:
            known = [str(one.key) for one, box in self._mailboxes.items() if box.agent and one.type == agent_id.type]
            raise RegistrationError(
                f"Agent {agent_id} does not exist: agents of its type are registered as instances, and the keys "
                f"registered are: {', '.join(sorted(known)) or 'none'}."
            )
        with AgentInstantiationContext.populate_context((self, agent_id)):
            made = factory()
            agent = await made if inspect.isawaitable(made) else made
        if expected_class is not None and not isinstance(agent, expected_class):
            raise RegistrationError(f"The factory of {agent_id.type!r} made a {type(agent).__name__}.")
        await agent.bind_id_and_runtime(agent_id, self)
        return agent

    async def _in_turn(self, agent_id: AgentId, function: Callable[[Agent], Awaitable[T]]) -> T:
        """Call a function with an agent, made now if need be, between two of its messages."""
        if agent_id.type not in self._factories:
            raise LookupError(f"Agent type {agent_id.type!r} is not registered. {self._known_types()}")
        return (await self._in_turns([agent_id], function))[0]

    async def _in_turns(self, agent_ids: Sequence[AgentId], function: Callable[[Agent], Awaitable[T]]) -> list[T]:
        """Call a function with several agents, each in its turn; all of them get in line now."""
        results: dict[AgentId, T] = {}

        async def work(agent: Agent) -> Payload:
            results[agent.id] = await function(agent)
            return pack(self._registry, None)

        async def ask(request: Request) -> None:
            deliveries = [self._new_delivery(agent_id, work, request) for agent_id in agent_ids]
            for delivery in deliveries:
                self._enqueue(delivery)
            try:
                for delivery in deliveries:
                    request.delivery = delivery
                    give_up = partial(self._cancel, delivery)
                    self._read(await _unless_interrupted(request, delivery.replied, give_up))
            finally:
                for delivery in deliveries:
                    if not delivery.replied.done():
                        self._cancel(delivery)

        if agent_ids:
            await self._request(agent_ids[0], None, None, ask)
        return [results[agent_id] for agent_id in agent_ids]

    async def try_get_underlying_agent_instance(self, id: AgentId, type: type[AgentT] = Agent) -> AgentT:  # noqa: A002
        agent = await self._in_turn(id, _itself)
        if not isinstance(agent, type):
            raise TypeError(f"Agent {id} is a {agent.__class__.__name__}, not a {type.__name__}.")
        return agent

    async def get(
        self, id_or_type: AgentId | AgentType | str, /, key: str = "default", *, lazy: bool = True
    ) -> AgentId:
        agent_id = id_or_type if isinstance(id_or_type, AgentId) else AgentId(id_or_type, key)
        if not lazy:
            await self._in_turn(agent_id, _itself)
        return agent_id

    async def agent_metadata(self, agent: AgentId) -> AgentMetadata:
        return (await self._in_turn(agent, _itself)).metadata

    async def agent_save_state(self, agent: AgentId) -> Mapping[str, Any]:
        return await self._in_turn(agent, lambda one: one.save_state())

    async def agent_load_state(self, agent: AgentId, state: Mapping[str, Any]) -> None:
        await self._in_turn(agent, lambda one: one.load_state(state))

    async def save_state(self) -> Mapping[str, Any]:
        made = [agent_id for agent_id, mailbox in self._mailboxes.items() if mailbox.agent is not None]
        states = await self._in_turns(made, lambda one: one.save_state())
        return {str(agent_id): dict(state) for agent_id, state in zip(made, states, strict=True)}

    async def load_state(self, state: Mapping[str, Any]) -> None:
        for text, agent_state in state.items():
            agent_id = AgentId.from_str(text)
            if agent_id.type in self._factories:
                await self.agent_load_state(agent_id, agent_state)

    async def add_subscription(self, subscription: Subscription) -> None:
        self._subscriptions.add(subscription)

    async def remove_subscription(self, id: str) -> None:  # noqa: A002 - AutoGen's name
        self._subscriptions.remove(id)

    def add_message_serializer(self, serializer: MessageSerializer[Any] | Sequence[MessageSerializer[Any]]) -> None:
        self._registry.add_serializer(serializer)

    # Life

    def start(self) -> None:
        """Handle messages from now on, those that were kept first.

        Raises:
            RuntimeError: The runtime is started already, or closed.
        """
        if self._phase is not Phase.READY:
            raise RuntimeError("The runtime is started already, or closed.")
        self._phase = Phase.RUNNING
        self._run_number += 1
        self._admit_held()

    def _admit_held(self) -> None:
        held, self._held = self._held, []
        for admit in held:
            admit()

    async def stop(self) -> None:
        """Stop now: handlers are cancelled, and senders that wait for an answer get `RuntimeStoppedError`.

        Published messages that wait become dead letters. A handler that stops its own runtime runs to its end.

        Raises:
            RuntimeError: The runtime is not started.
            Exception: What publish handlers raised.
        """
        if self._phase is Phase.READY:
            raise RuntimeError("The runtime is not started.")
        with self._ending():
            if self._phase is Phase.RUNNING:
                self._phase = Phase.STOPPING
                self._stopped = asyncio.get_running_loop().create_future()
                self._interrupt_all()
                self._notice_end()
            if self._stopped is not None:
                await asyncio.shield(self._stopped)
        self._raise_failures()

    async def stop_when_idle(self) -> None:
        """Stop as soon as every message is settled, besides those whose handlers wait for that.

        Raises:
            RuntimeError: The runtime is not started.
            Exception: What publish handlers raised.
        """
        if self._phase is Phase.READY:
            raise RuntimeError("The runtime is not started.")
        run = self._run_number
        with self._ending():
            while self._is_in_run(run) and not self._is_idle():
                waiter = asyncio.get_running_loop().create_future()
                self._idle.append(waiter)
                await waiter
            if self._is_in_run(run):
                await self.stop()
            elif self._phase is Phase.STOPPING and self._stopped is not None:
                await asyncio.shield(self._stopped)

    async def close(self) -> None:
        """Stop now if started, and close every agent. The runtime takes no messages any more.

        Raises:
            Exception: What publish handlers, or the agents' `close`, raised.
        """
        with self._ending():
            if self._phase in (Phase.RUNNING, Phase.STOPPING):
                try:
                    await self.stop()
                except Exception as error:  # noqa: BLE001 - raised once everything is closed
                    self._failures.append(error)
            if self._phase is Phase.CLOSED:
                await asyncio.shield(cast("asyncio.Future[None]", self._closed))
                return
            self._phase = Phase.CLOSED
            self._closed = asyncio.get_running_loop().create_future()
            self._interrupt_all()
            self._admit_held()
            if self._look is not None:
                self._look.cancel()
            try:
                for mailbox in list(self._mailboxes.values()):
                    await self._close_agent(mailbox)
            finally:
                self._closed.set_result(None)
        self._raise_failures()

    async def _close_agent(self, mailbox: Mailbox) -> None:
        if mailbox.agent is None:
            return
        try:
            await mailbox.agent.close()
        except asyncio.CancelledError as error:
            if cast("asyncio.Task[Any]", asyncio.current_task()).cancelling():
                raise
            failure = AgentError(f"Agent {mailbox.agent_id} cancelled its own closing.")
            failure.__cause__ = error
            self._failures.append(failure)
        except Exception as error:  # noqa: BLE001 - raised once everything is closed
            self._failures.append(error)

    @contextmanager
    def _ending(self) -> Generator[None]:
        """Inside, the handler that runs here waits for the runtime's end, which therefore cannot wait for it."""
        here = self._handling()
        if here is None:
            yield
            return
        self._enders.append(here)
        try:
            yield
        finally:
            self._enders.remove(here)

    def _kept(self) -> set[Delivery]:
        """The deliveries that `stop` lets run to their end: those that have called it, and those that await them."""
        kept = set[Delivery]()
        for ender in self._enders:
            delivery: Delivery | None = ender
            while delivery is not None:
                kept.add(delivery)
                delivery = delivery.parent
        return kept

    def _interrupt_all(self) -> None:
        kept = self._kept()
        for request in list(self._requests):
            is_inside = request.parent is not None and request.parent not in kept and request.is_awaited()
            if request.delivery not in kept and not is_inside:  # what is inside is cancelled with its handler
                reason = f"The runtime stopped before agent {request.recipient} answered."
                request.interrupt(RuntimeStoppedError(reason))
        for delivery in list(self._deliveries):
            if delivery.request is None and delivery not in kept:
                if delivery.task is None and delivery.context is not None:
                    self._report(delivery.message, delivery.context, delivery.mailbox.agent_id, STOPPED)
                self._cancel(delivery)

    def _is_in_run(self, number: int) -> bool:
        return self._phase is Phase.RUNNING and self._run_number == number

    def _is_idle(self) -> bool:
        """Whether nothing is under way but what waits for the runtime's end."""
        return self._is_only(held_up_by(self._kept(), list(self._deliveries)))

    def _is_only(self, deliveries: set[Delivery]) -> bool:
        return self._deliveries.keys() <= deliveries and all(one.delivery in deliveries for one in self._requests)

    def _notice_end(self) -> None:
        """Something has ended, or waits: the runtime may be idle by that, or stopped."""
        if self._phase is Phase.STOPPING and self._stopped is not None and self._is_only(self._kept()):
            self._phase = Phase.READY
            self._stopped.set_result(None)
        if self._idle and (self._phase is not Phase.RUNNING or self._is_idle()):
            waiters, self._idle = self._idle, []
            for waiter in waiters:
                if not waiter.done():
                    waiter.set_result(None)

    def _raise_failures(self) -> None:
        """Raise what went wrong where no sender waits: the first error, with notes that tell the others."""
        failures, self._failures = self._failures, []
        if failures:
            first, *others = failures
            for other in others:
                first.add_note(f"Also: {type(other).__name__}: {other}")
            raise first


STOPPED = "the runtime has stopped"


async def _unless_interrupted(
    request: Request, work: asyncio.Future[T], give_up: Callable[[], object] | None = None
) -> T:
    """Await work, until the request is interrupted; then give the work up, and see it end.

    Raises:
        BaseException: The reason of the interruption, or what the work raised.
    """
    try:
        await asyncio.wait({work, request.interrupted}, return_when=asyncio.FIRST_COMPLETED)
    except asyncio.CancelledError as error:
        request.interrupt(error)
    if not request.interrupted.done():
        return work.result()
    reason = request.interrupted.result()
    (give_up or work.cancel)()
    while not work.done():
        try:
            await asyncio.wait({work})
        except asyncio.CancelledError as error:
            reason = error
    if not work.cancelled():
        work.exception()  # its result is dropped; the reason is raised
    raise reason


def _context(
    sender: AgentId | None, topic: TopicId | None, token: CancellationToken | None, message_id: str | None
) -> MessageContext:
    return MessageContext(sender, topic, topic is None, token or CancellationToken(), message_id or str(uuid4()))


def _expire(request: Request) -> None:
    request.interrupt(_deadline_exceeded(request))


def _deadline_exceeded(request: Request) -> DeadlineExceededError:
    below = list[str]()
    delivery = request.delivery
    while delivery is not None and delivery.requests:
        last = next(reversed(delivery.requests))
        below.append(str(last.recipient))
        delivery = last.delivery
    because = f", waiting for {' → '.join(below)}" if below else ""
    return DeadlineExceededError(f"Agent {request.recipient} did not answer before its deadline{because}.")


def _cancel_token(token: CancellationToken, agent_id: AgentId) -> None:
    try:
        token.cancel()
    except Exception:
        logger.exception("A callback of the token of a message for %s failed", agent_id)


def _as_exception(error: BaseException) -> Exception:
    failure = AgentError(f"{type(error).__name__}: {error}")
    failure.__cause__ = error
    return failure


async def _itself(agent: Agent) -> Agent:
    return agent
