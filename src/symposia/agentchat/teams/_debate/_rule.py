"""The rule of a debate: the next speakers, and the end.

    a round: the debaters → the votes end the debate? ─┬─ yes → moderator's conclusion → stop
                                                       └─ no → critic → moderator's summary → the next round

In independent rounds the debaters speak at the same time. In open rounds they speak one after another, and another one
begins in each round, since the last one has the advantage of having read all others.
"""

from __future__ import annotations

from collections.abc import Sequence

from symposia.agentchat.base import Bounds, Outlines, RuleOutline
from symposia.agentchat.teams._debate._record import DebateRecord, DebateSetup, Round
from symposia.agentchat.teams._rule import Decision, RuleContext, Speak, Stop, TeamRule, Transcript
from symposia.core.changes import SavedState
from symposia.core.exceptions import InvalidArgumentError


def next_step(record: DebateRecord, setup: DebateSetup) -> Decision:
    """Select the next speakers, or end the debate. Pure."""
    latest = record.latest
    if latest is None:
        return _debaters(Round(number=1), setup)
    if len(latest.votes) < len(setup.debaters):  # it has just begun, or some of its speakers have failed
        return _debaters(latest, setup)
    if (verdict := record.verdict(setup)) is not None:
        if setup.moderator is not None and record.conclusion is None:
            return Speak((setup.moderator,))
        return Stop(verdict.reason)
    # Between two independent rounds, no participant would be shown what a critic or a moderator says.
    if latest.number >= setup.endings.independent_rounds:
        if setup.critic is not None and latest.critique is None:
            return Speak((setup.critic,))
        if setup.moderator is not None and latest.summary is None:
            return Speak((setup.moderator,))
    return _debaters(Round(number=latest.number + 1), setup)


def _debaters(current: Round, setup: DebateSetup) -> Speak:
    """The debaters that have not spoken in a round: all of them, or the next one."""
    open_round = current.number - setup.endings.independent_rounds - 1  # of the open rounds, from 0
    if open_round < 0 or setup.simultaneous:
        return Speak(tuple(name for name in setup.debaters if name not in current.votes))
    first = open_round % len(setup.debaters)
    order: Sequence[str] = [*setup.debaters[first:], *setup.debaters[:first]]
    return Speak((next(name for name in order if name not in current.votes),))


class DebateRule(TeamRule):
    """`next_step` as the rule of a team. Everything is read from the transcript, so there is no state to save.

    Args:
        setup: The debate.
    """

    def __init__(self, setup: DebateSetup) -> None:
        self._setup = setup
        self._record = DebateRecord()
        self._read_count = 0

    async def decide(self, transcript: Transcript, context: RuleContext, /) -> Decision:  # noqa: ARG002 - asks no model
        """Select the next speakers, or end the debate.

        Raises:
            InvalidArgumentError: There is no question.
        """
        if len(transcript) < self._read_count:
            self.reset()
        self._record.read(transcript[self._read_count :], self._setup)
        self._read_count = len(transcript)
        self._record.forget_early_rounds(self._setup)
        if not self._record.question.strip():
            raise InvalidArgumentError("There is no question to debate: give it as the task, as in run(task='…').")
        return next_step(self._record, self._setup)

    def check_outline(self, participants: Outlines) -> RuleOutline:  # noqa: ARG002 - all of them speak
        """One round at least, and the most rounds at most, with critic and moderator."""
        rounds, independent = self._setup.endings.max_rounds, self._setup.endings.independent_rounds
        others = [name for name in (self._setup.critic, self._setup.moderator) if name is not None]
        between = rounds - max(independent, 1)  # rounds after which these speak, and the debate goes on
        in_open_round = 1 if self._setup.simultaneous else len(self._setup.debaters)
        turns = independent + (rounds - independent) * in_open_round + between * len(others)
        concluding = int(self._setup.moderator is not None)
        first = 1 if independent or self._setup.simultaneous else len(self._setup.debaters)
        speeches = dict.fromkeys(self._setup.debaters, Bounds(1, rounds))
        for name in others:
            conclusion = int(name == self._setup.moderator)
            speeches[name] = Bounds(conclusion, between + conclusion)
        return RuleOutline(
            turns=Bounds(first + concluding, turns + concluding),
            can_end=True,
            speakers=Bounds(1, len(self._setup.debaters)),
            speeches=speeches,
            models=(),
        )

    def save_state(self) -> SavedState:
        """An empty state."""
        return {}

    def load_state(self, state: SavedState, /) -> None:  # noqa: ARG002 - there is none
        """Read the transcript anew: it may be another one."""
        self.reset()

    def reset(self) -> None:
        """Forget the debate."""
        self._record = DebateRecord()
        self._read_count = 0
