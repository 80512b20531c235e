"""What a run comes to. Pure: everything is read off the messages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from symposia.agentchat.messages import BaseAgentEvent, BaseChatMessage, StructuredMessage
from symposia.core.code_executor import RunStatus
from symposia.core.models import RequestUsage
from symposia.presets.coding._messages import BlockRun, ExecutionMessage, MadeFile
from symposia.presets.coding._models import SwarmModels
from symposia.presets.coding._outcome import Outcome
from symposia.presets.coding._plan import Review
from symposia.presets.coding._task import CodingTask

Messages: TypeAlias = Sequence[BaseAgentEvent | BaseChatMessage]


@dataclass(frozen=True, kw_only=True, slots=True)
class AgentUsage:
    """The tokens of one agent.

    Attributes:
        model: The name of its model.
        estimated: Whether the counts are estimates, as those of a recorded model are.
    """

    agent: str
    model: str
    prompt_tokens: int
    completion_tokens: int
    estimated: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class CodingResult:
    """How a run of the coding swarm ended, and what it left.

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
    outcome: Outcome
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
        return self.review.answer if self.outcome is Outcome.VERIFIED and self.review else None

    @property
    def objections(self) -> Sequence[str]:
        """What the reviewer last found wrong, where nothing was verified."""
        return [] if self.answer or self.review is None or self.review.approved else self.review.reasons

    @property
    def executions(self) -> tuple[ExecutionMessage, ...]:
        """What the executor reported, in order."""
        return tuple(message for message in self.messages if isinstance(message, ExecutionMessage))

    @property
    def runs(self) -> tuple[BlockRun, ...]:
        """Every block that ran, in order."""
        return tuple(run for execution in self.executions for run in execution.runs)

    @property
    def last_limit(self) -> tuple[RunStatus, str] | None:
        """The limit that ended the last program, with the status that tells of it; None if none did."""
        last = self.runs[-1] if self.runs else None
        return (last.status, last.limit) if last and last.limit else None

    @property
    def files(self) -> tuple[MadeFile, ...]:
        """The files that the code made; of one that was made twice, the later."""
        return tuple({file.path: file for run in self.runs for file in run.files}.values())

    @property
    def total_tokens(self) -> int:
        """The tokens of all agents, in and out."""
        return sum(each.prompt_tokens + each.completion_tokens for each in self.usage)


def usage_by_agent(messages: Messages, models: SwarmModels) -> tuple[AgentUsage, ...]:
    """Add up what each agent's messages took."""
    spent = {agent: RequestUsage(0, 0) for agent in models.by_agent()}
    for message in messages:
        if message.models_usage is not None and message.source in spent:
            spent[message.source] += message.models_usage
    return tuple(
        AgentUsage(
            agent=agent,
            model=model.name,
            prompt_tokens=spent[agent].prompt_tokens,
            completion_tokens=spent[agent].completion_tokens,
            estimated=model.recorded,
        )
        for agent, model in models.by_agent().items()
    )
