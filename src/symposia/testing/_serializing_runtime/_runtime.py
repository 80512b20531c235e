"""The runtime: what an agent sends is written to bytes, and read back where it is handled.

How a request goes, from `send_message` to its answer:

1. `Calls.request` checks the token and the deadline, and makes a `Request`, which deadline, token and `stop` can
   interrupt.
2. The intervention handlers are asked, and the message becomes an `Envelope`, in bytes.
3. `_receive` reads the bytes on the other side and makes a `Delivery`, which is queued in the agent's mailbox.
4. `Calls` gives the next delivery of a mailbox its turn. Each handler runs in a task of its own, with nothing in its
   context but what the envelope has brought.
5. The handler's end becomes a `Reply`, in bytes, which the sender reads.

A publication goes likewise to each of its recipients, without request and reply.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextvars import copy_context
from functools import partial
from typing import Any, TypeVar, cast
from uuid import uuid4

from symposia.core import (
    Agent,
    AgentId,
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
)
from symposia.core.effects import Scope, continue_scope, current_scope
from symposia.core.exceptions import MessageDroppedException, UndeliverableException
from symposia.testing._serializing_runtime._agents import AgentTable
from symposia.testing._serializing_runtime._calls import Calls, Phase, unless_interrupted
from symposia.testing._serializing_runtime._delivery import Delivery, Request, link
from symposia.testing._serializing_runtime._lifecycle import Lifecycle
from symposia.testing._serializing_runtime._reports import STOPPED, Reports
from symposia.testing._serializing_runtime._wire import (
    Envelope,
    Payload,
    Reply,
    continue_trace,
    decode_failure,
    new_registry,
    pack,
    trace_headers,
    unpack,
)

T = TypeVar("T")
AgentT = TypeVar("AgentT", bound=Agent)


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
        self._registry = new_registry()
        self._subscriptions = Subscriptions()
        self._reports = Reports(on_dead_letter, ignore_failures=ignore_unhandled_exceptions)
        self._agents = AgentTable(self)
        self._calls = Calls(self._agents, self._reports)
        self._lifecycle = Lifecycle(self._agents, self._calls, self._reports)

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
        if recipient.type not in self._agents:
            raise self._undeliverable(message, recipient, ctx)
        return await self._calls.request(recipient, cancellation_token, timeout, partial(self._ask, message, ctx))

    async def _ask(self, message: Any, ctx: MessageContext, request: Request) -> Any:
        """Send a request, past the intervention handlers, and return its answer."""
        context = copy_context()  # one for both: what a handler notes about a message it finds with the answer
        if self._interventions is not None:
            asked = self._interventions.on_send(message, ctx, request.recipient)
            message = await unless_interrupted(request, asyncio.create_task(asked, context=context))
        payload = pack(self._registry, message)
        delivery = self._receive(self._envelope(payload, request.recipient, ctx, request.deadline), request)
        if self._calls.phase is Phase.READY and request.parent is None:
            self._lifecycle.hold(partial(self._calls.enqueue, delivery))
        else:
            self._calls.enqueue(delivery)
        answer = self._read(await unless_interrupted(request, delivery.replied, partial(self._calls.cancel, delivery)))
        if self._interventions is not None:
            asked = self._interventions.on_response(answer, request.recipient, ctx.sender)
            answer = await unless_interrupted(request, asyncio.create_task(asked, context=context))
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
        if self._calls.phase is Phase.READY and self._calls.handling() is None:
            self._lifecycle.hold(publish)
        elif self._calls.phase in (Phase.STOPPING, Phase.CLOSED):
            self._reports.dead_letter(message, ctx, None, STOPPED)
        else:
            publish()

    def _publish(self, topic: TopicId, envelope: bytes, ctx: MessageContext) -> None:
        """Bring a publication to its recipients: each subscribed agent once, but not its sender."""
        if self._calls.phase is Phase.CLOSED:
            self._reports.dead_letter(self._message(envelope), ctx, None, STOPPED)
            return
        subscribed = [AgentId(type_, topic.source) for type_ in self._subscriptions.agent_types(topic.type)]
        subscribed += self._subscriptions.custom_agents(topic, self._reports.broken_subscription)
        if not subscribed:
            self._reports.dead_letter(self._message(envelope), ctx, None, "no agent is subscribed to its topic")
        for agent_id in dict.fromkeys(subscribed):
            if agent_id.type not in self._agents:
                reason = f"its agent type {agent_id.type!r} is subscribed but not registered"
                self._reports.dead_letter(self._message(envelope), ctx, agent_id, reason)
            elif agent_id != ctx.sender and not ctx.cancellation_token.is_cancelled():
                delivery = self._receive(envelope, None, agent_id)
                link(ctx.cancellation_token, delivery, partial(self._calls.cancel, delivery))
                delivery.replied.add_done_callback(lambda _, one=delivery: ctx.cancellation_token.unlink(one))
                self._calls.enqueue(delivery)

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
        delivery = self._calls.new_delivery(recipient, handle, request, message=message, context=ctx)
        if envelope.seconds_left is not None:
            delivery.deadline = asyncio.get_running_loop().time() + envelope.seconds_left
        link(ctx.cancellation_token, delivery, partial(self._calls.give_up, delivery))
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

    def _undeliverable(self, message: Any, recipient: AgentId, ctx: MessageContext) -> UndeliverableException:
        reason = f"agent type {recipient.type!r} is not registered"
        self._reports.dead_letter(message, ctx, recipient, reason)
        return UndeliverableException(
            f"{type(message).__name__} for agent {recipient} cannot be delivered: {reason}. "
            f"{self._agents.known_types()}"
        )

    # Agents

    async def register_factory(
        self,
        type: str | AgentType,  # noqa: A002 - AutoGen's name
        agent_factory: Callable[[], AgentT | Awaitable[AgentT]],
        *,
        expected_class: type[AgentT] | None = None,
    ) -> AgentType:
        agent_type = type if isinstance(type, AgentType) else AgentType(type)
        self._agents.add_factory(agent_type.type, agent_factory, expected_class)
        return agent_type

    async def register_agent_instance(self, agent_instance: Agent, agent_id: AgentId) -> AgentId:
        await self._agents.add_instance(agent_instance, agent_id)
        return agent_id

    async def remove_agent_type(self, type: str | AgentType) -> None:  # noqa: A002 - AutoGen's name
        for mailbox in self._agents.remove(type.type if isinstance(type, AgentType) else type):
            for delivery in [one for one in mailbox.queue if one.request is None and one.context is not None]:
                ctx = cast("MessageContext", delivery.context)
                self._reports.dead_letter(delivery.message, ctx, mailbox.agent_id, "its type was removed")
                self._calls.cancel(delivery)

    async def _in_turn(self, agent_id: AgentId, function: Callable[[Agent], Awaitable[T]]) -> T:
        """Call a function with an agent, made now if need be, between two of its messages."""
        self._agents.check(agent_id.type)
        return (await self._in_turns([agent_id], function))[0]

    async def _in_turns(self, agent_ids: Sequence[AgentId], function: Callable[[Agent], Awaitable[T]]) -> list[T]:
        """Call a function with several agents, each in its turn; all of them get in line now."""
        results: dict[AgentId, T] = {}

        async def work(agent: Agent) -> Payload:
            results[agent.id] = await function(agent)
            return pack(self._registry, None)

        async def ask(request: Request) -> None:
            deliveries = [self._calls.new_delivery(agent_id, work, request) for agent_id in agent_ids]
            for delivery in deliveries:
                self._calls.enqueue(delivery)
            try:
                for delivery in deliveries:
                    request.delivery = delivery
                    give_up = partial(self._calls.cancel, delivery)
                    self._read(await unless_interrupted(request, delivery.replied, give_up))
            finally:
                for delivery in deliveries:
                    if not delivery.replied.done():
                        self._calls.cancel(delivery)

        if agent_ids:
            await self._calls.request(agent_ids[0], None, None, ask)
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
        made = [agent_id for agent_id, mailbox in self._agents.mailboxes.items() if mailbox.agent is not None]
        states = await self._in_turns(made, lambda one: one.save_state())
        return {str(agent_id): dict(state) for agent_id, state in zip(made, states, strict=True)}

    async def load_state(self, state: Mapping[str, Any]) -> None:
        for text, agent_state in state.items():
            agent_id = AgentId.from_str(text)
            if agent_id.type in self._agents:
                await self.agent_load_state(agent_id, agent_state)

    async def add_subscription(self, subscription: Subscription) -> None:
        self._subscriptions.add(subscription)

    async def remove_subscription(self, id: str) -> None:  # noqa: A002 - AutoGen's name
        self._subscriptions.remove(id)

    def add_message_serializer(self, serializer: MessageSerializer[Any] | Sequence[MessageSerializer[Any]]) -> None:
        self._registry.add_serializer(serializer)

    # Lifecycle

    def start(self) -> None:
        """Handle messages from now on, those that were kept first.

        Raises:
            RuntimeError: The runtime is started already, or closed.
        """
        self._lifecycle.start()

    async def stop(self) -> None:
        """Stop now: handlers are cancelled, and senders that wait for an answer get `RuntimeStoppedError`.

        Published messages that wait become dead letters. A handler that stops its own runtime runs to its end.

        Raises:
            RuntimeError: The runtime is not started.
            Exception: What publish handlers raised.
        """
        await self._lifecycle.stop()

    async def stop_when_idle(self) -> None:
        """Stop as soon as every message is settled, besides those whose handlers wait for that.

        Raises:
            RuntimeError: The runtime is not started.
            Exception: What publish handlers raised.
        """
        await self._lifecycle.stop_when_idle()

    async def close(self) -> None:
        """Stop now if started, and close every agent. The runtime takes no messages any more.

        Raises:
            Exception: What publish handlers, or the agents' `close`, raised.
        """
        await self._lifecycle.close()


def _context(
    sender: AgentId | None, topic: TopicId | None, token: CancellationToken | None, message_id: str | None
) -> MessageContext:
    return MessageContext(sender, topic, topic is None, token or CancellationToken(), message_id or str(uuid4()))


async def _itself(agent: Agent) -> Agent:
    return agent
