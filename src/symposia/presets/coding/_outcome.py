from __future__ import annotations

from enum import StrEnum
from typing import Final


class Outcome(StrEnum):
    """How a run of the coding swarm ended. Everything but `VERIFIED` leaves the task undone."""

    VERIFIED = "verified"
    """The reviewer approved the real output, and the lines it quotes are in it."""
    NO_CODE = "no code"
    """The coder gave several answers on end without code to run."""
    MODEL_FAILED = "model failed"
    """A model call failed for good."""
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
    Outcome.VERIFIED: "The reviewer approved the program's real output.",
    Outcome.NO_CODE: "The coder answered three times without a program. Say in the task what a program should compute "
    "or make, or take another model: --model M",
    Outcome.MODEL_FAILED: "A model call failed for good. What was said before is kept. Fix the cause and run again.",
    Outcome.SANDBOX_DIED: "The sandbox ended, and no other could be started. See `symposia doctor`, and run "
    "again, perhaps in another one: --sandbox NAME",
    Outcome.MESSAGE_LIMIT: "The agents reached the limit of messages. Raise it (--max-messages N), or split the task.",
    Outcome.TIME_LIMIT: "The run reached its time limit. Raise it (--timeout S), or split the task.",
    Outcome.TOKEN_LIMIT: "The models reached the limit of tokens. Raise it (--max-tokens N), or split the task.",
    Outcome.NO_PROGRESS: "The coder gave the same program three times, or five programs that failed in the same way. "
    "Split the task, say in it what to do otherwise, or take another model: --model M",
    Outcome.INTERRUPTED: "The run was interrupted. The sandbox and the model call are stopped; what there was is kept.",
    Outcome.FAILED: "An unexpected error ended the run. What there was is kept. Please report it.",
}
"""One sentence on each outcome, with what to do about it."""
