"""A run of the coding swarm, from a task to a result, put together from public parts."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from symposia.agentchat.agents import AssistantAgent
from symposia.agentchat.base import TaskResult
from symposia.agentchat.messages import (
    BaseAgentEvent,
    BaseChatMessage,
    ModelClientStreamingChunkEvent,
    SelectSpeakerEvent,
)
from symposia.agentchat.teams import GroupChat
from symposia.core.code_executor import Sandbox, SandboxBackend, SandboxMount, SandboxPolicy
from symposia.core.exceptions import ModelError, SandboxError
from symposia.presets.coding._data import seen_at
from symposia.presets.coding._executor import Executor
from symposia.presets.coding._limits import SwarmLimits
from symposia.presets.coding._models import SwarmModels
from symposia.presets.coding._outcome import WHAT_TO_DO, Outcome
from symposia.presets.coding._plan import Plan
from symposia.presets.coding._prompts import (
    CODER_PROMPT,
    PLANNER_PROMPT,
    PREVIEW_BYTES,
    DataPreview,
    preview,
    task_prompt,
)
from symposia.presets.coding._report import RunFolder
from symposia.presets.coding._result import CodingResult, usage_by_agent
from symposia.presets.coding._reviewer import Reviewer
from symposia.presets.coding._rule import CODER, PLANNER, CodingRule
from symposia.presets.coding._schema_agent import SchemaAgent
from symposia.presets.coding._task import CodingTask, check_data_files

Watch: TypeAlias = Callable[[BaseAgentEvent | BaseChatMessage], None]


def _ignore(message: BaseAgentEvent | BaseChatMessage) -> None:
    """Watch nothing."""


async def run_coding_swarm(
    task: CodingTask,
    *,
    models: SwarmModels,
    sandbox: SandboxBackend,
    limits: SwarmLimits | None = None,
    policy: SandboxPolicy | None = None,
    folder: Path | None = None,
    watch: Watch = _ignore,
) -> CodingResult:
    """Let the swarm work on a task until its output is verified or a limit is reached.

    Whatever ends the run, the folder then holds all that was said and made. How the task went is told by the result and
    never raised: code that fails, a model that fails for good, a sandbox that dies, a limit.

    Args:
        task: What to do.
        models: Who thinks.
        sandbox: Where the code runs.
        limits: When to give up.
        policy: What the code may use.
        folder: A new folder for everything that the run leaves; None to leave nothing.
        watch: Called on the event loop with every message and event, and with each piece of what streams in.

    Raises:
        DataFileError: A data file is missing or cannot be read.
        RunFolderError: `folder` cannot be made or is not empty.
        SandboxUnavailableError: The sandbox cannot work on this machine.
        asyncio.CancelledError: The caller was cancelled. The model call and the sandbox are stopped by then, and the
            folder is complete.
    """
    limits = limits or SwarmLimits()
    mounts, prompt = await asyncio.to_thread(_prepare, task, sandbox.name)
    async with _opened(sandbox, policy or SandboxPolicy(), mounts) as box:
        record = _Record(folder=await asyncio.to_thread(RunFolder, folder) if folder else None, watch=watch)
        run = _Run(task=task, models=models, record=record, sandbox=sandbox.name, started=time.monotonic())
        team = _team(models, box, limits)
        deadline = asyncio.timeout(limits.timeout)
        try:
            async with deadline:
                outcome = await _converse(team, prompt, record)
        except (Exception, asyncio.CancelledError) as error:
            outcome = Outcome.TIME_LIMIT if deadline.expired() else _outcome_of(error)
            result = await run.finish(outcome, error)
            if outcome in {Outcome.INTERRUPTED, Outcome.FAILED}:
                raise
            return result
        return await run.finish(outcome)


def _prepare(task: CodingTask, sandbox: str) -> tuple[list[SandboxMount], str]:
    """Look at the data files: how the sandbox gets them, and what the agents are told of them and of the task."""
    check_data_files(task)
    mounts = [SandboxMount(source=path.resolve(), target=seen_at(sandbox, path)) for path in task.data]
    return mounts, task_prompt(task.text, [_preview(mount) for mount in mounts])


def _preview(mount: SandboxMount) -> DataPreview:
    with mount.source.open("rb") as file:
        return preview(mount.target, mount.source.stat().st_size, file.read(PREVIEW_BYTES))


@asynccontextmanager
async def _opened(
    backend: SandboxBackend, policy: SandboxPolicy, mounts: Sequence[SandboxMount]
) -> AsyncGenerator[Sandbox, None]:
    sandbox = await backend.create(policy, mounts=mounts)
    try:
        yield sandbox
    finally:
        await sandbox.close()


def _team(models: SwarmModels, sandbox: Sandbox, limits: SwarmLimits) -> GroupChat:
    planner = SchemaAgent(
        PLANNER,
        "Turns the task into a short plan.",
        client=models.planner.client,
        prompt=PLANNER_PROMPT,
        schema=Plan,
    )
    coder = AssistantAgent(
        CODER,
        models.coder.client,
        description="Writes the program.",
        system_message=CODER_PROMPT,
        model_client_stream=True,
    )
    return GroupChat(
        [planner, coder, Executor(sandbox), Reviewer(models.reviewer.client)],
        rule=CodingRule(limits),
        emit_team_events=True,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Record:
    """Takes what comes out of the team: to whoever watches, and, where it is said to the end, into the transcript."""

    folder: RunFolder | None
    watch: Watch
    messages: list[BaseAgentEvent | BaseChatMessage] = field(default_factory=list[BaseAgentEvent | BaseChatMessage])

    async def take(self, message: BaseAgentEvent | BaseChatMessage) -> None:
        self.watch(message)
        if isinstance(message, (ModelClientStreamingChunkEvent, SelectSpeakerEvent)):
            return
        self.messages.append(message)
        if self.folder:
            await asyncio.to_thread(self.folder.record, message)


async def _converse(team: GroupChat, prompt: str, record: _Record) -> Outcome:
    """Run the team to its end; the rule gives an outcome as the reason to stop."""
    async with aclosing(team.run_stream(task=prompt)) as stream:
        async for item in stream:
            if isinstance(item, TaskResult):
                return Outcome(item.stop_reason)
            await record.take(item)
    raise AssertionError("unreachable: a team's stream ends with its result")


def _outcome_of(error: BaseException) -> Outcome:
    match error:
        case asyncio.CancelledError():
            return Outcome.INTERRUPTED
        case ModelError():
            return Outcome.MODEL_FAILED
        case SandboxError():
            return Outcome.SANDBOX_DIED
        case _:
            return Outcome.FAILED


@dataclass(frozen=True, kw_only=True, slots=True)
class _Run:
    """What the result of a run is put together from."""

    task: CodingTask
    models: SwarmModels
    record: _Record
    sandbox: str
    started: float

    async def finish(self, outcome: Outcome, cause: BaseException | None = None) -> CodingResult:
        """Put the result together, and complete the folder."""
        advice, folder = WHAT_TO_DO[outcome], self.record.folder
        result = CodingResult(
            task=self.task,
            outcome=outcome,
            detail=f"{advice}\nThe cause: {cause}" if str(cause or "") else advice,
            messages=tuple(self.record.messages),
            usage=usage_by_agent(self.record.messages, self.models),
            sandbox=self.sandbox,
            recorded=self.models.recorded,
            folder=folder.path if folder else None,
            wall_seconds=time.monotonic() - self.started,
        )
        if folder:
            await asyncio.to_thread(folder.finish, result)
        return result
