"""The runtime: what an agent sends is written to bytes, and read back where it is handled.

How a request goes, from `send_message` to its answer:

1. `Calls.request` checks the token and the deadline, and makes a `Request`, which deadline, token and `stop` can
   interrupt.
2. The intervention handlers are asked, and the message becomes an `Envelope`, in bytes.
3. `_receive` reads the bytes on the other side and makes a `Delivery`, which is queued in the agent's mailbox.
4. `Calls` gives the next delivery of a mailbox its turn. Each handler runs in a task of its own, with nothing in its
   context but what the envelope has brought.
5. The handler's end becomes a `Reply`, in bytes, which the sender reads.

A publication takes the same way to each of its recipients, without `Request` and `Reply`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from contextvars import copy_context
from functools import partial
from typing import TypeVar, cast

from symposia.core import (
    Agent,
    AgentId,
    CancellationToken,
    DeadLetter,
    InterventionHandler,
    MessageContext,
    TopicId,
)
from symposia.core.effects import Scope, continue_scope, current_scope
from symposia.core.exceptions import MessageDroppedException
from symposia.core.runtimes import STOPPED, BaseAgentRuntime, DeliveredContext, Phase
from symposia.testing._serializing_runtime._calls import Calls, unless_interrupted
from symposia.testing._serializing_runtime._delivery import Delivery, Mailbox, Request, link
from symposia.testing._serializing_runtime._lifecycle import Lifecycle
from symposia.testing._serializing_runtime._wire import (
    Envelope,
    Payload,
    Reply,
    continue_trace,
    decode_failure,
    json_serializers,
    pack,
    trace_headers,
    unpack,
)

T = TypeVar("T")


class SerializingRuntime(BaseAgentRuntime[Mailbox]):
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
        super().__init__(
            Mailbox,
            intervention_handlers=intervention_handlers,
            ignore_unhandled_exceptions=ignore_unhandled_exceptions,
            on_dead_letter=on_dead_letter,
        )
        self._serialization.add_serializer(json_serializers())
        self._calls = Calls(self, self._dead_letters, self._failures)
        self._lifecycle = Lifecycle(self._agents, self._calls, self._dead_letters, self._failures)

    # Messages

    async def _send(self, message: object, recipient: AgentId, ctx: DeliveredContext, timeout: float | None) -> object:
        mailbox = self._agents.find(recipient)
        if mailbox is None:
            raise self._undeliverable(message, recipient, ctx)
        return await self._calls.request(recipient, ctx.token, timeout, partial(self._ask, message, ctx, mailbox))

    async def _ask(self, message: object, ctx: MessageContext, mailbox: Mailbox, request: Request) -> object:
        """Send a request, past the intervention handlers, and return its answer."""
        context = copy_context()  # one for both: what a handler notes about a message it finds with the answer
        if self._interventions is not None:
            asked = self._interventions.on_send(message, ctx, request.recipient)
            message = await unless_interrupted(request, asyncio.create_task(asked, context=context))
        payload = pack(self._serialization, message)
        delivery = self._receive(self._envelope(payload, request.recipient, ctx, request.deadline), mailbox, request)
        # What a handler asks belongs to the handler: it goes on in a runtime that was stopped by that very handler.
        if self._calls.phase is Phase.READY and request.parent is None:
            self._lifecycle.hold(partial(self._calls.enqueue, delivery))
            self._lifecycle.start_reminder.arm()
        else:
            self._calls.enqueue(delivery)
        answer = self._read(await unless_interrupted(request, delivery.replied, partial(self._calls.cancel, delivery)))
        if self._interventions is not None:
            asked = self._interventions.on_response(answer, request.recipient, ctx.sender)
            answer = await unless_interrupted(request, asyncio.create_task(asked, context=context))
        return answer

    async def _publish(self, message: object, topic_id: TopicId, ctx: DeliveredContext) -> None:
        if ctx.cancellation_token.is_cancelled():
            raise asyncio.CancelledError
        if self._interventions is not None:
            try:
                message = await self._interventions.on_publish(message, ctx)
            except MessageDroppedException:
                return
        payload = pack(self._serialization, message)
        envelope = self._envelope(payload, None, ctx, None)
        publish = partial(self._post, topic_id, envelope, ctx)
        if self._calls.phase is Phase.READY and self._calls.handling() is None:
            self._lifecycle.hold(publish)
        elif self._calls.phase in (Phase.STOPPING, Phase.CLOSED):
            self._dead_letters.report(message, ctx, None, STOPPED)
        else:
            publish()

    def _post(self, topic: TopicId, envelope: bytes, ctx: MessageContext) -> None:
        """Bring a publication to its recipients."""
        message = unpack(self._serialization, Envelope.model_validate_json(envelope).payload)
        if self._calls.phase is Phase.CLOSED:
            self._dead_letters.report(message, ctx, None, STOPPED)
            return
        for mailbox in self._recipients(message, topic, ctx):
            if not ctx.cancellation_token.is_cancelled():
                delivery = self._receive(envelope, mailbox, None)
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

    def _receive(self, data: bytes, mailbox: Mailbox, request: Request | None) -> Delivery:
        """Read a message where its agent is."""
        envelope = Envelope.model_validate_json(data)
        message = unpack(self._serialization, envelope.payload)
        ctx = MessageContext(
            sender=None if envelope.sender is None else AgentId.from_str(envelope.sender),
            topic_id=None if envelope.topic is None else TopicId.from_str(envelope.topic),
            is_rpc=envelope.topic is None,
            cancellation_token=CancellationToken(),
            message_id=envelope.message_id,
        )

        async def handle(agent: Agent) -> Payload:
            with continue_scope(Scope.parse(envelope.scope)), continue_trace(envelope.trace):
                return pack(self._serialization, await agent.on_message(message, ctx))

        delivery = self._calls.new_delivery(mailbox, handle, request, message=message, context=ctx)
        if envelope.seconds_left is not None:
            delivery.deadline = asyncio.get_running_loop().time() + envelope.seconds_left
        link(ctx.cancellation_token, delivery, partial(self._calls.give_up, delivery))
        return delivery

    def _read(self, reply: bytes | None) -> object:
        """The answer in a reply.

        Raises:
            asyncio.CancelledError: The handler was cancelled.
            Exception: The error of the handler.
        """
        if reply is None:
            raise asyncio.CancelledError
        read = Reply.model_validate_json(reply)
        if read.answer is None:
            raise decode_failure(read.error)
        return unpack(self._serialization, read.answer)

    # Agents and their states

    def _forget(self, mailbox: Mailbox) -> None:
        for delivery in [one for one in mailbox.queue if one.request is None and one.context is not None]:
            ctx = cast("MessageContext", delivery.context)
            self._dead_letters.report(delivery.message, ctx, mailbox.id, "its type was removed")
            self._calls.cancel(delivery)

    async def _in_turns(
        self, agent_ids: Sequence[AgentId], function: Callable[[Agent], Coroutine[object, None, T]]
    ) -> list[T]:
        mailboxes = [self._agents.mailbox(agent_id) for agent_id in agent_ids]
        results: dict[AgentId, T] = {}

        async def work(agent: Agent) -> Payload:
            results[agent.id] = await function(agent)
            return pack(self._serialization, None)

        async def ask(request: Request) -> None:
            deliveries = [self._calls.new_delivery(mailbox, work, request) for mailbox in mailboxes]
            for delivery in deliveries:
                self._calls.enqueue(delivery)
            try:
                for delivery in deliveries:
                    request.recipient, request.delivery = delivery.mailbox.id, delivery  # an error names them
                    give_up = partial(self._calls.cancel, delivery)
                    self._read(await unless_interrupted(request, delivery.replied, give_up))
            finally:
                for delivery in deliveries:
                    if not delivery.replied.done():
                        self._calls.cancel(delivery)

        if mailboxes:
            await self._calls.request(agent_ids[0], None, None, ask)
        return [results[agent_id] for agent_id in agent_ids]

    # Lifecycle

    def start(self) -> None:
        """Start handling messages, beginning with those that were kept.

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
