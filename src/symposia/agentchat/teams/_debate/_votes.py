"""Positions, votes for them, and when votes decide a debate. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, inf
from typing import Annotated, Any, Literal, NamedTuple, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, create_model

from symposia.core.json_values import json_in

Ending: TypeAlias = Literal["consensus", "quorum", "settled", "round limit", "stopped"]
"""How a debate ended.

``consensus``: all voted for one position. ``quorum``: enough of them did. ``settled``: no vote changed for some
rounds. ``round limit``: the last round is over. ``stopped``: something else ended the run, such as a condition.
"""

_AROUND_NAMES = " \t\r\n\"'`*.“”«»"

_TOLERANCE = 1e-9
"""For the rounding error of products such as 0.07 * 100, which is a little more than 7."""


@dataclass(frozen=True, slots=True)
class Position:
    """One of the answers between which a debate decides.

    Attributes:
        name: A short name, by which votes refer to it.
        text: What it says, in a sentence or more.
    """

    name: str
    text: str


class Vote(BaseModel):
    """The vote of a participant after a statement.

    Attributes:
        position: The name of a position; None for an abstention.
        confidence: From 0 to 1; 0 for an abstention.
        reason: Why, in a sentence; for an abstention, what was wrong with the last answer.
    """

    model_config = ConfigDict(frozen=True, defer_build=True)

    position: str | None
    confidence: float = Field(ge=0, le=1)
    reason: str

    def __str__(self) -> str:
        if self.position is None:
            return "abstains"
        return f"votes for {self.position} (confidence {self.confidence:.0%})"


Votes: TypeAlias = Mapping[str, Vote]
"""The votes of a round, by participant."""


class Ballot:
    """The form of a vote: a schema in which the names of the positions are the only choices.

    Args:
        names: The names of the positions.

    Attributes:
        schema: The class of the answer.
        request: The question, in words.
    """

    def __init__(self, names: Sequence[str]) -> None:
        choices: Any = Literal[tuple(names)]  # Any: a type that is made of values
        self._names = {name.casefold(): name for name in names}
        choices = Annotated[choices, BeforeValidator(self._named)]  # in the schema, the names stay the only choices
        self.schema: type[BaseModel] = create_model(
            "Vote",
            position=(choices, Field(description="The position that you find best now.")),
            confidence=(float, Field(ge=0, le=1, description="How sure you are, from 0 (a guess) to 1 (certain).")),
            reason=(str, Field(description="The reason that weighs most, in one sentence.")),
        )
        listed = ", ".join(json.dumps(name, ensure_ascii=False) for name in names)
        self.request = (
            "Vote now, for the position that you find best after all that was said. It need not be the one that you "
            "began with. Give position, confidence (from 0 to 1) and reason (one sentence). The position is one of: "
            f"{listed}."
        )

    def as_json(self, text: str) -> str:
        """The JSON in an answer. A name alone, as a person types it, is a vote with full confidence."""
        name = self._named(text)
        if name in self._names.values():
            return json.dumps({"position": name, "confidence": 1, "reason": ""})
        return json_in(text)

    def _named(self, given: object) -> object:
        """The position that a text names, ignoring case and quotes; anything else is returned unchanged."""
        if not isinstance(given, str):
            return given
        return self._names.get(given.casefold()) or self._names.get(given.strip(_AROUND_NAMES).casefold(), given)

    @staticmethod
    def vote(content: BaseModel | None, fault: str) -> Vote:
        """The vote, of the content of an answer; an abstention where no answer was accepted."""
        if content is None:
            return Vote(position=None, confidence=0, reason=fault)
        return Vote.model_validate(content.model_dump())


class Tally(NamedTuple):
    """The votes of a round, counted.

    Attributes:
        leader: The position with the most votes; of several, the one with the most confidence. None without a vote, or
            where that is equal too.
        most: How many voted for it, or for each of those that are tied.
        voters: How many could vote, with those that abstained.
    """

    leader: str | None
    most: int
    voters: int

    def __str__(self) -> str:
        if self.leader is not None:
            return f"{self.most} of {self.voters} for {self.leader!r}"
        return "no decision, as the first positions are tied" if self.most else "no decision, as there are no votes"


def tally(votes: Votes) -> Tally:
    """Count the votes of a round. Confidence decides only between positions with the same number of votes."""
    weights: dict[str, tuple[int, float]] = {}
    for vote in votes.values():
        if vote.position is not None:
            count, confidence = weights.get(vote.position, (0, 0.0))
            weights[vote.position] = count + 1, round(confidence + vote.confidence, 6)
    best = max(weights.values(), default=(0, 0.0))
    first = [name for name, weight in weights.items() if weight == best]
    return Tally(first[0] if len(first) == 1 else None, best[0], len(votes))


class Verdict(NamedTuple):
    """The end of a debate.

    Attributes:
        ending: How it ended.
        decision: The name of the position; None if the debate ended without a decision.
        reason: The end in a sentence.
    """

    ending: Ending
    decision: str | None
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class EndingRules:
    """When the votes end a debate.

    Attributes:
        independent_rounds: The number of first rounds in which the statements of the others are hidden. A quorum and
            settled votes end a debate only after them, so that every participant has answered the others once.
        max_rounds: The number of rounds.
        quorum: The share of the participants that has to vote for a position; None if only consensus decides.
        settled_rounds: For how many rounds no participant has changed position; None if that does not end a debate.
    """

    independent_rounds: int
    max_rounds: int
    quorum: float | None
    settled_rounds: int | None

    def verdict(self, rounds: Sequence[Votes], first: int = 1) -> Verdict | None:
        """The end of a debate, or None if it goes on.

        Args:
            rounds: The votes of complete rounds up to the present one: all of them, or as many as decide.
            first: The number of the first of these rounds.
        """
        if not rounds:
            return None
        number, counted = first + len(rounds) - 1, tally(rounds[-1])
        where = f"round {number}"
        if counted.most == counted.voters:
            return Verdict("consensus", counted.leader, f"Consensus in {where}: {counted}.")
        if number > self.independent_rounds:
            if counted.leader is not None and counted.most >= self._needed(counted.voters):
                return Verdict("quorum", counted.leader, f"Quorum in {where}: {counted}.")
            if self._is_settled(rounds):
                reason = f"The votes have settled, unchanged for {_plural(self.settled_rounds or 0)}: {counted}."
                return Verdict("settled", counted.leader, reason)
        if number >= self.max_rounds:
            return Verdict("round limit", counted.leader, f"The limit of {_plural(number)} is reached: {counted}.")
        return None

    def _needed(self, voters: int) -> float:
        return inf if self.quorum is None else ceil(self.quorum * voters - _TOLERANCE)

    def _is_settled(self, rounds: Sequence[Votes]) -> bool:
        if self.settled_rounds is None or len(rounds) <= self.settled_rounds:
            return False
        latest = [{name: vote.position for name, vote in votes.items()} for votes in rounds[-self.settled_rounds - 1 :]]
        return all(votes == latest[0] for votes in latest)


def _plural(rounds: int) -> str:
    return f"{rounds} round{'' if rounds == 1 else 's'}"
