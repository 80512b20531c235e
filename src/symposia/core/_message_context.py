"""What a handler receives along with a message."""

from __future__ import annotations

from dataclasses import dataclass

from symposia.core._agent_id import AgentId
from symposia.core._cancellation_token import CancellationToken
from symposia.core._topic import TopicId


@dataclass
class MessageContext:
    """The data about a message that a handler receives with it.

    Attributes:
        sender: The agent that sent it, or None if it came from outside.
        topic_id: The topic that it was published to, or None if it was sent to this agent alone.
        is_rpc: Whether the sender waits for the answer.
        cancellation_token: Cancelled when the sender does not wait for the answer any more.
        message_id: The same for all recipients of the message.
    """

    sender: AgentId | None
    topic_id: TopicId | None
    is_rpc: bool
    cancellation_token: CancellationToken
    message_id: str
