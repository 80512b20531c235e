"""A participant of a team as an actor, over the member that does its work."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import ClassVar, TypeAlias

from symposia.agentchat.messages import Item
from symposia.agentchat.teams._members import Member
from symposia.agentchat.teams._messages import (
    ParticipantCommand,
    ParticipantEvents,
    ReportChanges,
    StateChanges,
    TakeTurn,
    TurnTaken,
)
from symposia.agentchat.teams._outbox import Outbox
from symposia.core import AgentId, BaseAgent, MessageContext
from symposia.core.changes import SavedState
from symposia.core.exceptions import CantHandleException


class ParticipantMarks(dict[str, object]):
    """The mark of each participant in one state of the team, by the participant's name.

    A change is computed in a copy of the marks that the reader has. So an answer that is lost, since the reader was
    cancelled or another participant failed, moves no mark of the reader: it has its old ones, and asks again.

    Args:
        number: By which participants find it. A runtime may write messages to bytes, and marks are objects.
        since: The marks to begin with.

    Attributes:
        number: As given.
    """

    def __init__(self, number: int, since: Mapping[str, object]) -> None:
        super().__init__(since)
        self.number = number


OnEnded: TypeAlias = Callable[[str, int, TurnTaken], None]


class Participant(BaseAgent):
    """A member that takes turns.

    Handles messages concurrently, since a pause may come in the middle of a turn. The team asks for one turn at a time.

    Args:
        member: Takes the turns.
        team: The id of the team.
        address: Its id, as text.
        listener: The team's own actor, which receives the events of a turn.
        marks: The marks that readers of the state's changes have, by their numbers. It outlives the actor.
        on_ended: Called with the name, the number of the turn and the whole answer, at once when the turn ends. What is
            sent arrives later, and not at all if the turn is cancelled by then.

    Attributes:
        name: Of the member.
    """

    concurrent: ClassVar[bool] = True

    def __init__(
        self,
        member: Member,
        *,
        team: str,
        address: str,
        listener: AgentId,
        marks: Mapping[int, ParticipantMarks],
        on_ended: OnEnded,
    ) -> None:
        super().__init__(member.description)
        self.name = member.name
        self._member = member
        self._team = team
        self._address = address
        self._listener = listener
        self._marks = marks
        self._on_ended = on_ended

    async def on_message_impl(self, message: object, ctx: MessageContext) -> TurnTaken | StateChanges | None:
        """Take a turn, follow a command, or report what changed."""
        if isinstance(message, TakeTurn):
            on_ended = partial(self._on_ended, self.name, message.turn)
            outbox = Outbox(self._team, self._address, self._send, on_ended)
            try:
                return await self._member.take_turn(message.messages, ctx.cancellation_token, outbox)
            except Exception:
                # The last event before the failure often explains it, as a rejected answer does, and has its tokens.
                await outbox.flush()
                raise
            finally:
                outbox.close()
        if isinstance(message, ParticipantCommand):
            await self._member.follow(message)
            return None
        if isinstance(message, ReportChanges):
            return await self._report(message)
        raise CantHandleException(
            f"Participant {self._member.name!r} handles the messages of its team, not {type(message).__name__}."
        )

    async def _send(self, items: Sequence[Item]) -> None:
        await self.send_message(ParticipantEvents(self._team, self.name, items), self._listener)

    async def _report(self, message: ReportChanges) -> StateChanges:
        marks = self._marks.get(message.marks)
        if marks is None:  # the reader has gone, and nothing receives the answer
            return StateChanges(change=None)
        change, marks[self.name] = await self._member.save_changes(marks.get(self.name))
        return StateChanges(change=None if change is None else dict(change))

    async def save_state(self) -> SavedState:
        """The member's state."""
        return await self._member.save_state()

    async def load_state(self, state: SavedState) -> None:
        """Give the member its state back."""
        await self._member.load_state(state)
