from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, Protocol
from uuid import uuid4

from symposia.core._agent_id import AgentId
from symposia.core._cancellation_token import CancellationToken
from symposia.core._message_context import MessageContext
from symposia.core._topic import TopicId


class HandlingObserver(Protocol):
    """Is told of messages while they are handled."""

    def handle(
        self, handler: Coroutine[Any, Any, Any], message: Any, recipient: AgentId, ctx: MessageContext
    ) -> Coroutine[Any, Any, Any]:
        """Run a message handler and tell of it."""
        ...


class DeliveredContext(MessageContext):
    """A `MessageContext` that makes up its token and id only for those who ask.

    Attributes:
        token: The sender's, if it gave one, or the one that was made up.
        observer: Told of this message and its handling, if somebody listens.
    """

    observer: HandlingObserver | None = None

    def __init__(
        self,
        sender: AgentId | None,
        topic_id: TopicId | None,
        is_rpc: bool,
        cancellation_token: CancellationToken | None,
        message_id: str | None,
    ) -> None:
        self.sender = sender
        self.topic_id = topic_id
        self.is_rpc = is_rpc
        self.token = cancellation_token
        self._message_id = message_id

    @property
    def cancellation_token(self) -> CancellationToken:  # type: ignore[override]  # a field of the base class
        if self.token is None:
            self.token = CancellationToken()
        return self.token

    @property
    def message_id(self) -> str:  # type: ignore[override]  # a field of the base class
        if self._message_id is None:
            self._message_id = str(uuid4())
        return self._message_id
