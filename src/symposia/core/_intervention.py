"""Seeing, changing and dropping messages on their way."""

from __future__ import annotations

from typing import Any, Protocol, final

from symposia.core._agent_id import AgentId
from symposia.core._message_context import MessageContext


@final
class DropMessage:
    """Returned by an intervention handler (the class or an instance) to drop a message."""


class InterventionHandler(Protocol):
    """Sees every message before its recipient does, and returns it, another one in its place, or `DropMessage`.

    Handlers are asked in order, each about what the one before it returned. An error reaches the message's sender.
    """

    async def on_send(self, message: Any, *, message_context: MessageContext, recipient: AgentId) -> Any:
        """Called with a message for one agent."""
        ...

    async def on_publish(self, message: Any, *, message_context: MessageContext) -> Any:
        """Called once with a published message, however many agents receive it."""
        ...

    async def on_response(self, message: Any, *, sender: AgentId, recipient: AgentId | None) -> Any:
        """Called with the answer of `sender` to `recipient`."""
        ...


class DefaultInterventionHandler(InterventionHandler):
    """Passes every message on: derive from it and override the methods of interest."""

    async def on_send(self, message: Any, *, message_context: MessageContext, recipient: AgentId) -> Any:  # noqa: ARG002 - passes on
        return message

    async def on_publish(self, message: Any, *, message_context: MessageContext) -> Any:  # noqa: ARG002 - passes on
        return message

    async def on_response(self, message: Any, *, sender: AgentId, recipient: AgentId | None) -> Any:  # noqa: ARG002 - passes on
        return message
