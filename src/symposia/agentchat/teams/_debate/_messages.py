"""The messages of a debate, each of one round."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from symposia.agentchat.messages import BaseTextChatMessage
from symposia.agentchat.teams._debate._votes import Vote
from symposia.core.models import UserMessage


class DebateStatement(BaseTextChatMessage):
    """The statement of a participant in a round, and its vote.

    Attributes:
        round: The number of the round, from 1.
        vote: The vote.
    """

    round: int
    vote: Vote
    type: Literal["DebateStatement"] = "DebateStatement"

    def to_text(self) -> str:
        """The statement and the vote."""
        because = f": {self.vote.reason}" if self.vote.reason else ""
        return f"{self.content}\n\n[{self.source} {self.vote}{because}]"

    def to_model_text(self) -> str:
        """As `to_text`."""
        return self.to_text()

    def to_model_message(self) -> UserMessage:
        """As `to_text`, as a message from `source`."""
        return UserMessage(content=self.to_text(), source=self.source)


class DebateCritique(BaseTextChatMessage):
    """The critique of a round.

    Attributes:
        round: The number of the round.
    """

    round: int
    type: Literal["DebateCritique"] = "DebateCritique"


class DebateSummary(BaseTextChatMessage):
    """The moderator's summary of the debate up to the end of a round, or its conclusion.

    Attributes:
        round: The number of the round.
        agreed: The points that all agree on until now.
        is_conclusion: Whether the debate is over.
    """

    round: int
    agreed: list[str] = Field(default_factory=list[str])
    is_conclusion: bool = False
    type: Literal["DebateSummary"] = "DebateSummary"

    def to_text(self) -> str:
        """The summary, and the points that all agree on."""
        if not self.agreed:
            return self.content
        return "\n".join([self.content, "", "Agreed:", *(f"- {point}" for point in self.agreed)])

    def to_model_text(self) -> str:
        """As `to_text`."""
        return self.to_text()

    def to_model_message(self) -> UserMessage:
        """As `to_text`, as a message from `source`."""
        return UserMessage(content=self.to_text(), source=self.source)
