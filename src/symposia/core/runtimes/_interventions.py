"""The intervention handlers of a runtime, called one after another for each message."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from symposia.core._agent_id import AgentId
from symposia.core._intervention import DropMessage, InterventionHandler
from symposia.core._message_context import MessageContext
from symposia.core._topic import TopicId
from symposia.core.exceptions import MessageDroppedException
from symposia.core.logging import MessageDroppedEvent, MessageKind
from symposia.core.telemetry import events_are_read, json_text, log_event


@dataclass(frozen=True, slots=True)
class _Way:
    """Where a message was going."""

    kind: MessageKind
    sender: AgentId | None
    receiver: AgentId | TopicId | None

    def __str__(self) -> str:
        match self.kind:
            case MessageKind.DIRECT:
                return f"to {self.receiver}"
            case MessageKind.PUBLISH:
                return f"on topic {self.receiver}"
            case MessageKind.RESPOND:
                return f"in answer from {self.sender}"


class Interventions:
    """A runtime's intervention handlers as one: each is given what the one before it returned.

    Every method returns what is left of the message in the end.

    Raises:
        MessageDroppedException: A handler dropped it; those after it are not asked.
    """

    def __init__(self, handlers: Sequence[InterventionHandler]) -> None:
        self._handlers = tuple(handlers)

    async def on_send(self, message: object, ctx: MessageContext, recipient: AgentId) -> object:
        """Pass on a message for one agent."""
        way = _Way(MessageKind.DIRECT, ctx.sender, recipient)
        for handler in self._handlers:
            changed = await handler.on_send(message, message_context=ctx, recipient=recipient)
            message = _passed_on(message, changed, handler, way)
        return message

    async def on_publish(self, message: object, ctx: MessageContext) -> object:
        """Pass on a published message."""
        way = _Way(MessageKind.PUBLISH, ctx.sender, ctx.topic_id)
        for handler in self._handlers:
            changed = await handler.on_publish(message, message_context=ctx)
            message = _passed_on(message, changed, handler, way)
        return message

    async def on_response(self, message: object, sender: AgentId, recipient: AgentId | None) -> object:
        """Pass on an answer."""
        way = _Way(MessageKind.RESPOND, sender, recipient)
        for handler in self._handlers:
            changed = await handler.on_response(message, sender=sender, recipient=recipient)
            message = _passed_on(message, changed, handler, way)
        return message


def _passed_on(message: object, changed: object, handler: InterventionHandler, way: _Way) -> object:
    name = type(handler).__name__
    if changed is DropMessage or isinstance(changed, DropMessage):
        if events_are_read():
            payload = partial(json_text, message)
            log_event(MessageDroppedEvent(payload=payload, sender=way.sender, receiver=way.receiver, kind=way.kind))
        raise MessageDroppedException(f"{name} dropped the {type(message).__name__} {way}.")
    if changed is None and message is not None:
        warnings.warn(
            f"{name} returned None for the {type(message).__name__} {way}, which replaces it: return the message to "
            "pass it on, or DropMessage to drop it.",
            RuntimeWarning,
            stacklevel=3,
        )
    return changed
