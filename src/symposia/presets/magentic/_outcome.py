"""The outcome of a run of a Magentic-One team, with advice for each."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from symposia.agentchat.messages import Messages
from symposia.presets._models import AgentUsage


class MagenticOutcome(StrEnum):
    """How a run of a Magentic-One team ended."""

    ANSWERED = "answered"
    """The orchestrator judged the task to be done, and answered."""
    TURN_LIMIT = "turn limit"
    """The participants have taken all their turns. The answer is made of the results so far."""
    NOT_APPROVED = "not approved"
    """The person did not approve the plan."""
    MODEL_FAILED = "model failed"
    """A model call failed for good."""
    SANDBOX_DIED = "sandbox died"
    """The sandbox ended, and no other could be started."""
    BROWSER_FAILED = "browser failed"
    """The browser does not start."""
    TIME_LIMIT = "time limit"
    TOKEN_LIMIT = "token limit"  # noqa: S105 - tokens of a model
    INTERRUPTED = "interrupted"
    """The run was cancelled."""
    FAILED = "failed"
    """An unexpected error: a fault of this library or of an agent."""


WHAT_TO_DO: Final = {
    MagenticOutcome.ANSWERED: "The orchestrator judged the task to be done.",
    MagenticOutcome.TURN_LIMIT: "The turns were used up. The answer is made of the results so far. Allow more turns.",
    MagenticOutcome.NOT_APPROVED: "The plan was not approved. Put the task in other words, and run again.",
    MagenticOutcome.MODEL_FAILED: "A model call failed for good. What was said is kept. Fix the cause and run again.",
    MagenticOutcome.SANDBOX_DIED: "The sandbox ended, and no other could be started. Take another sandbox.",
    MagenticOutcome.BROWSER_FAILED: "The browser does not start. Install it, or run without the web.",
    MagenticOutcome.TIME_LIMIT: "The run reached its time limit. Raise it, or divide the task.",
    MagenticOutcome.TOKEN_LIMIT: "The models reached the limit of tokens. Raise it, or divide the task.",
    MagenticOutcome.INTERRUPTED: "The run was interrupted. The model call, the browser and the sandbox are stopped.",
    MagenticOutcome.FAILED: "An unexpected error ended the run. What was said is kept. Please report it.",
}
"""One sentence or two on each outcome, with what to do about it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MagenticRun:
    """A run that has ended.

    Attributes:
        task: The task as text.
        answer: The orchestrator's answer; empty if there is none.
        outcome: How the run ended.
        detail: The reason in a sentence or two, with advice after a failure.
        messages: The whole conversation with the ledgers, the task first.
        usage: The tokens of each agent.
        recorded: Whether the models' answers are recorded.
        folder: The folder of the results.
        wall_seconds: From the start to the end.
    """

    task: str
    answer: str
    outcome: MagenticOutcome
    detail: str
    messages: Messages
    usage: tuple[AgentUsage, ...]
    recorded: bool
    folder: Path
    wall_seconds: float
