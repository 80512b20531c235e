"""The messages between a team and its participants.

The team sends `TakeTurn` and receives `TurnTaken`. What happens before the answer goes to the team as
`ParticipantEvents`: everything of one tick of the event loop in one message, so that streaming costs a message a tick
and not a message a chunk. What is not sent when the turn ends travels with the answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from symposia.agentchat.messages import BaseAgentEvent, BaseChatMessage
from symposia.core.models import RequestUsage

Item: TypeAlias = BaseAgentEvent | BaseChatMessage
"""A message or an event, as teams stream them."""


@dataclass(frozen=True, slots=True)
class TakeTurn:
    """Asks a participant for its turn.

    Attributes:
        messages: The messages that it has not received yet, oldest first. A turn that failed or was cancelled is asked
            for again with the same messages.
    """

    messages: Sequence[BaseChatMessage]


@dataclass(frozen=True, slots=True)
class TurnTaken:
    """Ends a turn.

    Attributes:
        items: The messages and events of the turn that were not sent as `ParticipantEvents`, in order. They include the
            answer.
        messages: The messages for the other participants.
        silent_usage: The tokens of the turn that are in none of its messages.
    """

    items: Sequence[Item]
    messages: Sequence[BaseChatMessage]
    silent_usage: RequestUsage | None = None


@dataclass(frozen=True, slots=True)
class ParticipantEvents:
    """Tells a team what a participant does during its turn.

    Attributes:
        name: The participant.
        items: Streamed chunks, events and inner messages since the last of these, in order.
    """

    name: str
    items: Sequence[Item]


@dataclass(frozen=True, slots=True)
class ParticipantCommand:
    """Tells a participant something besides to take its turn; `pause` may come in the middle of one.

    Attributes:
        action: What to do.
    """

    action: Literal["reset", "pause", "resume"]
