"""The outcome of a run of a debate, with advice for each."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from symposia.agentchat.messages import Messages
from symposia.agentchat.teams import DebateResult
from symposia.presets._models import AgentUsage
from symposia.presets.debate._task import DebateTask


class DebateOutcome(StrEnum):
    """How a run of a debate ended. Everything but `DECIDED` leaves the question open."""

    DECIDED = "decided"
    """By consensus, by quorum, by settled votes, or by most votes in the last round."""
    NO_DECISION = "no decision"
    """The last round left the first positions tied."""
    MODEL_FAILED = "model failed"
    """A model call failed for good, or no answer of a model was a vote."""
    TIME_LIMIT = "time limit"
    TOKEN_LIMIT = "token limit"  # noqa: S105 - tokens of a model
    INTERRUPTED = "interrupted"
    """The run was cancelled."""
    FAILED = "failed"
    """An unexpected error: a fault of this library or of an agent."""


WHAT_TO_DO: Final = {
    DebateOutcome.DECIDED: "The votes decided the question.",
    DebateOutcome.NO_DECISION: "The votes decided nothing. Allow more rounds, or put the question more narrowly.",
    DebateOutcome.MODEL_FAILED: "A model failed for good. What was said is kept. Fix the cause and run again.",
    DebateOutcome.TIME_LIMIT: "The debate reached its time limit. Raise it, or allow fewer rounds.",
    DebateOutcome.TOKEN_LIMIT: "The models reached the limit of tokens. Raise it, or allow fewer rounds.",
    DebateOutcome.INTERRUPTED: "The debate was interrupted. The model calls are stopped; what was said is kept.",
    DebateOutcome.FAILED: "An unexpected error ended the debate. What was said is kept. Please report it.",
}
"""One sentence or two on each outcome, with what to do about it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DebateRun:
    """A debate that has ended.

    Attributes:
        task: The question and the positions.
        result: The votes and the decision; for a debate that was stopped, the votes so far.
        outcome: How the run ended.
        detail: The reason in a sentence or two, with advice after a failure.
        messages: The whole conversation, the question first.
        usage: The tokens of each agent.
        recorded: Whether the models' answers are recorded.
        folder: The folder of the results; None if there is none.
        wall_seconds: From the start to the end.
    """

    task: DebateTask
    result: DebateResult
    outcome: DebateOutcome
    detail: str
    messages: Messages
    usage: tuple[AgentUsage, ...]
    recorded: bool
    folder: Path | None
    wall_seconds: float
