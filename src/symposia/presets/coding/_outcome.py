"""The ways in which a run of the coding swarm ends, and what to do about each."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from symposia.presets._run import outcome_of

NO_CODE_ANSWERS: Final = 3
"""Answers of the coder on end without code, after which it is not asked again."""

SAME_PROGRAMS: Final = 3
"""Times that the same program runs before the swarm stops. A model at temperature 0 that has
repeated its answer to the same error once will go on to."""

SAME_FAILURES: Final = 5
"""Programs on end that fail in the same way, however they differ."""


class CodingOutcome(StrEnum):
    """How a run of the coding swarm ended. Everything but `VERIFIED` leaves the task undone."""

    VERIFIED = "verified"
    """The reviewer approved the real output, and the lines it quotes are in it."""
    NO_CODE = "no code"
    """The coder gave several answers on end without code to run."""
    MODEL_FAILED = "model failed"
    """A model call failed for good."""
    ANSWER_REJECTED = "answer rejected"
    """A model answered, and none of its attempts fitted the schema."""
    SANDBOX_DIED = "sandbox died"
    """The sandbox ended, and no other could be started."""
    MESSAGE_LIMIT = "message limit"
    TIME_LIMIT = "time limit"
    TOKEN_LIMIT = "token limit"  # noqa: S105 - tokens of a model
    NO_PROGRESS = "no progress"
    """The same program ran again and again, or one program after the other failed in the same way."""
    INTERRUPTED = "interrupted"
    """The run was cancelled."""
    FAILED = "failed"
    """An unexpected error: a fault of this library or of an agent."""


WHAT_TO_DO: Final = {
    CodingOutcome.VERIFIED: "The reviewer approved the program's real output.",
    CodingOutcome.NO_CODE: f"The coder answered {NO_CODE_ANSWERS} times without a program. Say in the task what a "
    "program should compute or make, or take another model.",
    CodingOutcome.MODEL_FAILED: "A model call failed for good. What was said before is kept. Fix the cause and run "
    "again.",
    CodingOutcome.ANSWER_REJECTED: "The model answered, but no attempt had the form that was asked for. All are kept. "
    "Run again, or take a model that keeps to a JSON schema.",
    CodingOutcome.SANDBOX_DIED: "The sandbox ended, and no other could be started. Find out why, and run again, "
    "perhaps in another one.",
    CodingOutcome.MESSAGE_LIMIT: "The agents reached the limit of messages. Raise it, or split the task.",
    CodingOutcome.TIME_LIMIT: "The run reached its time limit. Raise it, or split the task.",
    CodingOutcome.TOKEN_LIMIT: "The models reached the limit of tokens. Raise it, or split the task.",
    CodingOutcome.NO_PROGRESS: f"The coder gave the same program {SAME_PROGRAMS} times, or {SAME_FAILURES} programs "
    "that failed in the same way. Split the task, say in it what to do otherwise, or take another model.",
    CodingOutcome.INTERRUPTED: "The run was interrupted. The sandbox and the model call are stopped; what there was is "
    "kept.",
    CodingOutcome.FAILED: "An unexpected error ended the run. What there was is kept. Please report it.",
}
"""One sentence on each outcome, with what to do about it."""


def coding_outcome(stop_reason: str | None) -> CodingOutcome:
    """The outcome for which a team of the swarm stopped; of several limits that one message met, the first.

    Raises:
        RuntimeError: The reason is no outcome: a fault of this module or of the rule, which give all reasons.
    """
    if (outcome := outcome_of(CodingOutcome, stop_reason)) is None:
        raise RuntimeError(f"The team stopped for a reason that is no outcome of the swarm: {stop_reason!r}")
    return outcome
