"""A run of a debate, from a question to a result, made of public parts."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path

from symposia.agentchat.agents import AssistantAgent
from symposia.agentchat.base import TaskResult, TerminationCondition
from symposia.agentchat.conditions import TimeoutTermination, TokenUsageTermination
from symposia.agentchat.messages import (
    BaseAgentEvent,
    BaseChatMessage,
    ModelClientStreamingChunkEvent,
    SelectSpeakerEvent,
)
from symposia.agentchat.teams import DebateGroupChat, DebateResult
from symposia.core import uninterrupted
from symposia.core.exceptions import InvalidArgumentError, ModelError
from symposia.core.models import UsageAccount
from symposia.presets._folder import ResultFolder, make_folder, write_text
from symposia.presets._models import NamedModel, usage_by_agent
from symposia.presets._run import Checked, Watch, check_limits, ignore, limit_condition, outcome_of
from symposia.presets.debate._outcome import WHAT_TO_DO, DebateOutcome, DebateRun
from symposia.presets.debate._pages import decision_page
from symposia.presets.debate._prompts import ADVOCATE_PROMPT, CRITIC_PROMPT, MODERATOR_PROMPT
from symposia.presets.debate._task import CRITIC, MODERATOR, DebateTask


@dataclass(frozen=True, kw_only=True, slots=True)
class DebateLimits:
    """When a debate ends.

    Attributes:
        rounds: The most rounds.
        independent_rounds: The number of first rounds in which the statements of the others are hidden.
        quorum: The share of the advocates whose votes decide; None for consensus only.
        timeout: Seconds of the whole debate.
        max_tokens: Tokens of all model calls together, in and out; None for no limit.

    Raises:
        InvalidArgumentError: A limit is not above zero.
    """

    rounds: int = 5
    independent_rounds: int = 1
    quorum: float | None = None
    timeout: float = 900.0
    max_tokens: int | None = None

    def __post_init__(self) -> None:
        check_limits(rounds=self.rounds, timeout=self.timeout, max_tokens=self.max_tokens)

    def condition(self) -> TerminationCondition:
        """The limits of time and tokens as a condition, whose reason is the value of an outcome."""
        conditions: dict[DebateOutcome, TerminationCondition] = {
            DebateOutcome.TIME_LIMIT: TimeoutTermination(self.timeout)
        }
        if self.max_tokens is not None:
            conditions[DebateOutcome.TOKEN_LIMIT] = TokenUsageTermination(self.max_tokens)
        return limit_condition(conditions)


class DebateFolder(ResultFolder):
    """A new folder for the results of a debate. It blocks.

        decision.md        the decision, how the positions moved, the dissent     at the end
        decision.json      the same as JSON: a `DebateResult`                     at the end

    The transcript and the usage are those of every preset: see `ResultFolder`.
    """

    def finish(self, run: DebateRun) -> None:
        """Write the decision and the usage."""
        self.write_usage(run.usage)
        write_text(self.place / "decision.json", f"{run.result.model_dump_json(indent=2)}\n")
        write_text(self.place / "decision.md", decision_page(run))


def debate_team(
    task: DebateTask, models: Mapping[str, NamedModel], limits: DebateLimits | None = None
) -> DebateGroupChat:
    """The team: an advocate for each position, a critic and a moderator.

    Args:
        task: The question and the positions. `DebateTask.agents` are the names of its agents.
        models: The model of each agent.
        limits: When the debate ends.

    Raises:
        InvalidArgumentError: An agent has no model, or a limit is out of range.
    """
    if missing := [name for name in task.agents if name not in models]:
        raise InvalidArgumentError(f"There is no model for {', '.join(missing)}: give one for each of task.agents.")
    limits = limits or DebateLimits()
    advocates = [
        AssistantAgent(
            name,
            models[name].client,
            description=f"Argues for: {position.name}.",
            system_message=ADVOCATE_PROMPT,
            model_client_stream=True,
        )
        for name, position in task.advocates.items()
    ]
    critic = AssistantAgent(
        CRITIC,
        models[CRITIC].client,
        description="Finds the weak points.",
        system_message=CRITIC_PROMPT,
        model_client_stream=True,
    )
    moderator = AssistantAgent(
        MODERATOR, models[MODERATOR].client, description="Sums up and concludes.", system_message=MODERATOR_PROMPT
    )
    return DebateGroupChat(
        advocates,
        task.advocates,
        open_positions=task.open_positions,
        critic=critic,
        moderator=moderator,
        max_rounds=limits.rounds,
        independent_rounds=limits.independent_rounds,
        quorum=limits.quorum,
        termination_condition=limits.condition(),
        emit_team_events=True,
    )


async def run_debate(
    task: DebateTask,
    *,
    models: Mapping[str, NamedModel],
    limits: DebateLimits | None = None,
    folder: Path | None = None,
    checked: Checked = ignore,
    watch: Watch = ignore,
) -> DebateRun:
    """Debate a question until the votes decide it or a limit is reached.

    However the run ends, the folder holds all messages. A limit that is reached and a model that fails for good are
    outcomes in the result, and are not raised.

    Args:
        task: The question and the positions.
        models: The model of each of `task.agents`.
        limits: When the debate ends.
        folder: A new folder for the results; None for none.
        checked: Called with the check of the team, before a model is asked.
        watch: Called on the event loop with every message, event, and piece of a streamed message.

    Raises:
        RunFolderError: `folder` cannot be made or is not empty.
        InvalidArgumentError: See `debate_team`.
        asyncio.CancelledError: The caller was cancelled. The model calls are stopped by then, and the folder is
            complete.
        Exception: An unexpected error ended the debate. The folder is complete.
    """
    team = debate_team(task, models, limits)
    kept = await make_folder(DebateFolder, folder)
    began = time.monotonic()
    messages: list[BaseAgentEvent | BaseChatMessage] = []
    account = UsageAccount()

    async def end(outcome: DebateOutcome, cause: object = "") -> DebateRun:
        result = team.debate_result
        run = DebateRun(
            task=task,
            result=result,
            outcome=outcome,
            detail=f"{WHAT_TO_DO[outcome]} {cause}".strip(),
            messages=messages,
            usage=usage_by_agent(messages, models, account),
            recorded=any(model.recorded for model in models.values()),
            folder=folder,
            wall_seconds=time.monotonic() - began,
        )
        if kept:
            await uninterrupted(asyncio.to_thread(kept.finish, run))
        return run

    try:
        checked(team.check(task.question))
        reason: str | None = None
        async with aclosing(account.within(team.run_stream(task=task.question))) as stream:
            async for item in stream:
                if isinstance(item, TaskResult):
                    reason = item.stop_reason
                    continue
                watch(item)
                if isinstance(item, (ModelClientStreamingChunkEvent, SelectSpeakerEvent)):
                    continue
                messages.append(item)
                if kept:
                    await uninterrupted(asyncio.to_thread(kept.record, item))
    except ModelError as error:
        return await end(DebateOutcome.MODEL_FAILED, error)
    except asyncio.CancelledError:
        await end(DebateOutcome.INTERRUPTED)
        raise
    except Exception as error:
        await end(DebateOutcome.FAILED, error)
        raise
    return await end(*_outcome(team.debate_result, reason))


def _outcome(result: DebateResult, reason: str | None) -> tuple[DebateOutcome, str]:
    """The outcome of a run that ended by itself, and its cause where a model failed.

    A decision counts, though its message met a limit too.
    """
    if result.ending == "stopped":
        return outcome_of(DebateOutcome, reason) or DebateOutcome.FAILED, ""
    if result.decision is not None:
        return DebateOutcome.DECIDED, ""
    if all(vote.position is None for vote in result.votes.values()):  # only an answer that was rejected is no vote
        return DebateOutcome.MODEL_FAILED, f"No answer was a vote. {next(iter(result.votes.values())).reason}"
    return DebateOutcome.NO_DECISION, ""
