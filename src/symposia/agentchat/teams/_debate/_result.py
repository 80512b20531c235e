"""The result of a debate."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from symposia.agentchat.teams._debate._record import DebateRecord, DebateSetup
from symposia.agentchat.teams._debate._votes import Ending, Verdict, Vote, tally


class DebateRound(BaseModel):
    """The votes of a round.

    Attributes:
        number: From 1.
        independent: Whether the statements of the others were hidden.
        votes: By participant. In a round that was not finished, some are missing.
    """

    model_config = ConfigDict(frozen=True, defer_build=True)

    number: int
    independent: bool
    votes: dict[str, Vote]


class Dissent(BaseModel):
    """A participant that voted for another position than the decision, or abstained.

    Attributes:
        participant: Its name.
        vote: Its last vote, with the reason.
    """

    model_config = ConfigDict(frozen=True, defer_build=True)

    participant: str
    vote: Vote


class DebateResult(BaseModel):
    """The result of a debate.

    Attributes:
        question: The question.
        positions: The texts of the positions, by name.
        decision: The name of the position that was decided for; None if there is no decision.
        ending: How the debate ended.
        reason: How it ended, in a sentence.
        votes: The last vote of each participant.
        rounds: The votes of each round, the first one first.
        agreed: The points that all agree on, as the moderator lists them; empty without a moderator.
        dissent: The participants whose last vote is not for the decision.
        conclusion: The moderator's conclusion; empty without a moderator.
    """

    model_config = ConfigDict(frozen=True, defer_build=True)

    question: str
    positions: dict[str, str]
    decision: str | None
    ending: Ending
    reason: str
    votes: dict[str, Vote]
    rounds: list[DebateRound]
    agreed: list[str]
    dissent: list[Dissent]
    conclusion: str

    @property
    def moves(self) -> dict[str, list[str | None]]:
        """The position of each participant in each round; None for an abstention, or where a round was not finished."""
        return {
            name: [each.votes[name].position if name in each.votes else None for each in self.rounds]
            for name in self.votes
        }

    @property
    def support(self) -> float:
        """The share of the participants that voted for the decision, or for the leading position without one."""
        return tally(self.votes).most / len(self.votes) if self.votes else 0.0


def result_of(record: DebateRecord, setup: DebateSetup) -> DebateResult:
    """The result of a debate, also of one that was stopped before its votes ended it."""
    verdict = record.verdict(setup) or Verdict("stopped", None, "The debate was stopped before it was decided.")
    votes = {name: vote for name in setup.debaters if (vote := _last_vote(record, name)) is not None}
    dissent = [
        Dissent(participant=name, vote=vote)
        for name, vote in votes.items()
        if verdict.decision is not None and vote.position != verdict.decision
    ]
    rounds = [
        DebateRound(
            number=each.number,
            independent=each.number <= setup.endings.independent_rounds,
            votes={name: each.votes[name] for name in setup.debaters if name in each.votes},
        )
        for each in record.rounds
    ]
    return DebateResult(
        question=record.question,
        positions={option.name: option.text for option in setup.options},
        decision=verdict.decision,
        ending=verdict.ending,
        reason=verdict.reason,
        votes=votes,
        rounds=rounds,
        agreed=record.agreed,
        dissent=dissent,
        conclusion=record.conclusion or "",
    )


def _last_vote(record: DebateRecord, name: str) -> Vote | None:
    return next((each.votes[name] for each in reversed(record.rounds) if name in each.votes), None)
