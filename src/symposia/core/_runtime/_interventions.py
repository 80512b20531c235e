from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

from symposia.core._agent_id import AgentId
from symposia.core._intervention import DropMessage, InterventionHandler
from symposia.core._message_context import MessageContext
from symposia.core.exceptions import MessageDroppedException


class Interventions:
    """A runtime's intervention handlers as one: each is given what the one before it returned.

    Every method returns what is left of the message in the end.

    Raises:
        MessageDroppedException: A handler dropped it; those after it are not asked.
    """

    def __init__(self, handlers: Sequence[InterventionHandler]) -> None:
        self._handlers = tuple(handlers)

    def __bool__(self) -> bool:
        return bool(self._handlers)

    async def on_send(self, message: Any, ctx: MessageContext, recipient: AgentId) -> Any:
        """Pass on a message for one agent."""
        for handler in self._handlers:
            changed = await handler.on_send(message, message_context=ctx, recipient=recipient)
            message = _passed_on(message, changed, handler, f"to {recipient}")
        return message

    async def on_publish(self, message: Any, ctx: MessageContext) -> Any:
        """Pass on a published message."""
        for handler in self._handlers:
            changed = await handler.on_publish(message, message_context=ctx)
            message = _passed_on(message, changed, handler, f"on topic {ctx.topic_id}")
        return message

    async def on_response(self, message: Any, sender: AgentId, recipient: AgentId | None) -> Any:
        """Pass on an answer."""
        for handler in self._handlers:
            changed = await handler.on_response(message, sender=sender, recipient=recipient)
            message = _passed_on(message, changed, handler, f"in answer from {sender}")
        return message


def _passed_on(message: Any, changed: Any, handler: InterventionHandler, where: str) -> Any:
    name = type(handler).__name__
    if changed is DropMessage or isinstance(changed, DropMessage):
        raise MessageDroppedException(f"{name} dropped the {type(message).__name__} {where}.")
    if changed is None and message is not None:
        warnings.warn(
            f"{name} returned None for the {type(message).__name__} {where}, which replaces it: return the message to "
            "pass it on, or DropMessage to drop it.",
            RuntimeWarning,
            stacklevel=3,
        )
    return changed
