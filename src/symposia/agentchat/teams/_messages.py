"""The messages between a team and its participants.

The team sends `TakeTurn` and receives `TurnTaken`. What happens before the answer goes to the team as
`ParticipantEvents`: everything of one tick of the event loop in one message, so that streaming costs a message a tick
and not a message a chunk. What is not sent when the turn ends travels with the answer. `ParticipantCommand` and
`ReportChanges` are for the time between turns, the former also for the middle of one.

In one process they are handed over as they are; `_message_bytes.py` writes them for other runtimes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, field_serializer, field_validator

from symposia.agentchat.messages import BaseChatMessage, Item
from symposia.core.models import RequestUsage


# The messages of each turn are not frozen, though they are not to be changed: see `TeamLogEntry`.
@dataclass(slots=True)
class TakeTurn:
    """Asks a participant for its turn.

    Attributes:
        team: The id of the team.
        messages: The messages that it has not received yet, oldest first. A turn that failed or was cancelled is asked
            for again with the same messages.
        turn: The number of the turn.
    """

    team: str
    messages: Sequence[BaseChatMessage]
    turn: int = 0


@dataclass(slots=True)
class TurnTaken:
    """Ends a turn.

    Attributes:
        team: The id of the team.
        items: The messages and events of the turn that were not sent as `ParticipantEvents`, in order. They include the
            answer.
        messages: The messages for the other participants.
        silent_usage: The tokens of the turn that are in none of its messages.
        ordered: All messages and events of the turn, in the order of the transcript; None if that is the order in which
            they were shown. Speakers of a nested team that speak at the same time are shown as they come.
    """

    team: str
    items: Sequence[Item]
    messages: Sequence[BaseChatMessage]
    silent_usage: RequestUsage | None = None
    ordered: Sequence[Item] | None = None


@dataclass(frozen=True, slots=True)
class ParticipantEvents:
    """Tells a team what a participant does during its turn.

    Attributes:
        team: The id of the team.
        name: The participant.
        items: Streamed chunks, events and inner messages since the last of these, in order.
    """

    team: str
    name: str
    items: Sequence[Item]


class ParticipantCommand(BaseModel):
    """Tells a participant something besides to take its turn.

    Attributes:
        action: What to do.
    """

    model_config = ConfigDict(defer_build=True, frozen=True)

    action: Literal["reset", "pause", "resume"]


class ReportChanges(BaseModel):
    """Asks a participant what changed in its state; the answer is a `StateChanges`.

    Attributes:
        marks: The number of the `ParticipantMarks` with the mark since which it asks, which a new one replaces. Without
            one it asks for the whole state.
    """

    model_config = ConfigDict(defer_build=True, frozen=True)

    marks: int


class StateChanges(BaseModel):
    """What changed in the state of a participant.

    Its change is written as a text that holds JSON. As a part of the message's JSON, pydantic would refuse lone
    surrogates, and write the numbers that JSON lacks as null: the reported state would not be the real one.

    Attributes:
        change: See `symposia.core.changes`; None if nothing changed.
    """

    model_config = ConfigDict(defer_build=True, frozen=True)

    change: dict[str, object] | None

    @field_serializer("change", when_used="json-unless-none")
    def write_change(self, change: dict[str, object]) -> str:
        """The change as a text."""
        import json  # noqa: PLC0415 - not imported for teams in one process

        return json.dumps(change)

    @field_validator("change", mode="before")
    @classmethod
    def read_change(cls, value: object) -> object:
        """The change from its text."""
        if not isinstance(value, str):
            return value
        import json  # noqa: PLC0415 - messages in one process are not written

        return json.loads(value)
