"""The record of a debate, read from its messages: by the rule, by each participant, and for the result.

The briefs of a participant are made of its record. The records of the rule and of the participants are bounded: they
keep the statements of the last two rounds, and the votes of the last `KEPT_ROUNDS` rounds. So the cost of a turn does
not grow with the number of rounds. The result is read from the whole conversation.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from symposia.agentchat.messages import BaseAgentEvent, BaseChatMessage
from symposia.agentchat.teams._debate._messages import DebateCritique, DebateStatement, DebateSummary
from symposia.agentchat.teams._debate._votes import EndingRules, Position, Verdict, Vote

KEPT_ROUNDS: Final = 6
"""Rounds whose votes the participants are shown. Most debates have fewer; in a longer one, the summary has the rest."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DebateSetup:
    """The setup of a debate without its agents.

    Attributes:
        debaters: The names of the voting participants, in order.
        options: The positions.
        held: The names of the positions that debaters hold at first, by debater.
        critic: The name of the critic, if there is one.
        moderator: The name of the moderator, if there is one.
        endings: When the votes end the debate.
        simultaneous: Whether the debaters speak at the same time in open rounds too.
    """

    debaters: tuple[str, ...]
    options: tuple[Position, ...]
    held: dict[str, str]
    critic: str | None
    moderator: str | None
    endings: EndingRules
    simultaneous: bool


class Round(BaseModel):
    """One round.

    Attributes:
        number: From 1.
        votes: By debater, in the order in which they spoke.
        statements: By debater; empty for a round that is two or more rounds back.
        critique: The critique; None before.
        summary: The moderator's summary at the end of the round; None before.
    """

    model_config = ConfigDict(defer_build=True)

    number: int
    votes: dict[str, Vote] = Field(default_factory=dict[str, Vote])
    statements: dict[str, str] = Field(default_factory=dict[str, str])
    critique: str | None = None
    summary: str | None = None


class DebateRecord(BaseModel):
    """A debate so far.

    A message that is not of the debate is part of its question before the first round, and a remark afterwards. Once
    the votes have ended the debate, it is the question of another one.

    Attributes:
        question: The question.
        remarks: Messages from outside the debate that came while it went on, each with its source.
        rounds: The rounds.
        summary: The moderator's latest summary.
        agreed: The points that all agree on, by the moderator.
        conclusion: The moderator's last word; None before.
    """

    model_config = ConfigDict(defer_build=True)

    question: str = ""
    remarks: list[str] = Field(default_factory=list[str])
    rounds: list[Round] = Field(default_factory=list[Round])
    summary: str = ""
    agreed: list[str] = Field(default_factory=list[str])
    conclusion: str | None = None

    def read(self, messages: Iterable[BaseAgentEvent | BaseChatMessage], setup: DebateSetup) -> None:
        """Add messages; events are left out."""
        for message in messages:
            match message:
                case DebateStatement() if message.source in setup.debaters:
                    self._read_statement(message)
                case DebateCritique() if message.source == setup.critic and self.rounds:
                    self.rounds[-1].critique = message.content
                case DebateSummary() if message.source == setup.moderator and self.rounds:
                    self._read_summary(message)
                case BaseChatMessage():
                    self._read_external(message, setup)
                case _:
                    pass

    def forget_early_rounds(self, setup: DebateSetup) -> None:
        """Keep the last rounds only: those that are shown, and those that may decide."""
        del self.rounds[: -max(KEPT_ROUNDS, (setup.endings.settled_rounds or 0) + 2)]

    def verdict(self, setup: DebateSetup) -> Verdict | None:
        """The end of the debate, if its votes have ended it."""
        complete = [each.votes for each in self.rounds if len(each.votes) == len(setup.debaters)]
        return setup.endings.verdict(complete, self.rounds[0].number if self.rounds else 1)

    @property
    def latest(self) -> Round | None:
        """The round that was begun last."""
        return self.rounds[-1] if self.rounds else None

    @property
    def number(self) -> int:
        """The number of the round that was begun last; 0 before the first."""
        return self.rounds[-1].number if self.rounds else 0

    def next_round_of(self, debater: str) -> int:
        """The number of the round in which a debater speaks next."""
        if self.latest is None:
            return 1
        return self.latest.number + (debater in self.latest.votes)

    def _read_statement(self, message: DebateStatement) -> None:
        if self.latest is None or message.round > self.latest.number:
            for earlier in self.rounds[:-1]:
                earlier.statements.clear()
            self.rounds.append(Round(number=message.round))
        self.rounds[-1].votes[message.source] = message.vote
        self.rounds[-1].statements[message.source] = message.content

    def _read_summary(self, message: DebateSummary) -> None:
        self.agreed = list(message.agreed)
        if message.is_conclusion:
            self.conclusion = message.content
        else:
            self.rounds[-1].summary = self.summary = message.content

    def _read_external(self, message: BaseChatMessage, setup: DebateSetup) -> None:
        text = message.to_model_text()
        if self.verdict(setup) is not None:
            self.question, self.rounds, self.remarks = text, [], []
            self.summary, self.agreed, self.conclusion = "", [], None
        elif self.rounds:
            self.remarks.append(f"{message.source}: {text}")
        else:
            self.question = f"{self.question}\n\n{text}" if self.question else text


def record_of(transcript: Sequence[BaseAgentEvent | BaseChatMessage], setup: DebateSetup) -> DebateRecord:
    """The record of the latest debate in a conversation."""
    record = DebateRecord()
    record.read(transcript, setup)
    return record
