"""What a run comes to. Pure: everything is read off the messages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from symposia.agentchat.messages import ExecutionMessage, Messages, OutputRejectedEvent, StructuredMessage
from symposia.core.code_executor import Artifact, BlockResult, RunStatus
from symposia.presets._models import AgentUsage
from symposia.presets.coding._outcome import CodingOutcome
from symposia.presets.coding._prompts import Review
from symposia.presets.coding._task import CodingTask


@dataclass(frozen=True, kw_only=True, slots=True)
class CodingResult:
    """The outcome of a run of the coding swarm, and its results.

    Attributes:
        detail: Why it ended so, in a sentence or two, with what to do where something went wrong.
        messages: The whole conversation, the task first.
        usage: The tokens of each agent that has a model.
        sandbox: The kind of sandbox that the code ran in.
        recorded: Whether the models' words are recorded.
        folder: Where everything was written, if anywhere.
        wall_seconds: From the start of the run to its end.
    """

    task: CodingTask
    outcome: CodingOutcome
    detail: str
    messages: Messages
    usage: tuple[AgentUsage, ...]
    sandbox: str
    recorded: bool
    folder: Path | None
    wall_seconds: float

    @property
    def review(self) -> Review | None:
        """The latest review."""
        for message in reversed(self.messages):
            match message:
                case StructuredMessage(content=Review() as review):
                    return review
                case _:
                    pass
        return None

    @property
    def answer(self) -> str | None:
        """The verified answer, in Markdown; None where nothing was verified."""
        return self.review.answer if self.outcome is CodingOutcome.VERIFIED and self.review else None

    @property
    def objections(self) -> Sequence[str]:
        """The reviewer's last objections, if nothing was verified."""
        return [] if self.answer or self.review is None or self.review.approved else self.review.reasons

    @property
    def rejected_answer(self) -> OutputRejectedEvent | None:
        """The answer that ended the run because it was not accepted; None if the run ended otherwise."""
        if self.outcome is not CodingOutcome.ANSWER_REJECTED:
            return None
        return next((each for each in reversed(self.messages) if isinstance(each, OutputRejectedEvent)), None)

    @property
    def executions(self) -> tuple[ExecutionMessage, ...]:
        """The executor's reports, in order."""
        return tuple(message for message in self.messages if isinstance(message, ExecutionMessage))

    @property
    def runs(self) -> tuple[BlockResult, ...]:
        """Every block that ran, in order."""
        return tuple(run for execution in self.executions for run in execution.runs)

    @property
    def last_limit(self) -> tuple[RunStatus, str] | None:
        """The limit that ended the last program, with its status; None if no limit did."""
        last = self.runs[-1] if self.runs else None
        return (last.status, last.ended_by) if last and last.ended_by and last.status != "cancelled" else None

    @property
    def files(self) -> tuple[Artifact, ...]:
        """The files that the code made; of one that was made twice, the later."""
        return tuple({file.path: file for run in self.runs for file in run.artifacts}.values())

    @property
    def estimated(self) -> bool:
        """Whether any of the tokens are estimated."""
        return any(each.usage.estimated for each in self.usage)

    @property
    def total_tokens(self) -> int:
        """The tokens of all agents, in and out."""
        return sum(each.usage.total_tokens for each in self.usage)
