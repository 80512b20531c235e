"""A run of the coding swarm, from a task to a result, put together from public parts."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import aclosing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

from symposia.agentchat.base import TaskResult
from symposia.agentchat.messages import (
    BaseAgentEvent,
    BaseChatMessage,
    ModelClientStreamingChunkEvent,
    SelectSpeakerEvent,
)
from symposia.agentchat.teams import GroupChat
from symposia.core.code_executor import CodeBlock, SandboxBackend, SandboxMount, SandboxPolicy
from symposia.core.exceptions import ModelError, SandboxError
from symposia.ext.code_executors import SandboxCodeExecutor
from symposia.presets.coding._agents import coder, executor, planner, reviewer
from symposia.presets.coding._data import seen_at
from symposia.presets.coding._execution import ProgramExecutor
from symposia.presets.coding._limits import LIMIT_OPTIONS, SwarmLimits
from symposia.presets.coding._messages import ExecutionMessage
from symposia.presets.coding._models import SwarmModels
from symposia.presets.coding._outcome import WHAT_TO_DO, Outcome
from symposia.presets.coding._prompts import (
    PREVIEW_BYTES,
    DataPreview,
    preview,
    task_prompt,
)
from symposia.presets.coding._report import RunFolder, check_run_folder
from symposia.presets.coding._result import CodingResult, usage_by_agent
from symposia.presets.coding._rule import EXECUTOR, CodingRule
from symposia.presets.coding._task import CodingTask, check_data_files

Watch: TypeAlias = Callable[[BaseAgentEvent | BaseChatMessage], None]
Started: TypeAlias = Callable[[str], None]


def _ignore(_: object) -> None:
    """Watch nothing."""


async def run_coding_swarm(
    task: CodingTask,
    *,
    models: SwarmModels,
    sandbox: SandboxBackend,
    limits: SwarmLimits | None = None,
    policy: SandboxPolicy | None = None,
    folder: Path | None = None,
    started: Started = _ignore,
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
        started: Called on the event loop with the name of the sandbox when it has started, before anything else.
        watch: Called on the event loop with every message and event, and with each piece of what streams in.

    Raises:
        DataFileError: A data file is missing or cannot be read.
        RunFolderError: `folder` cannot be made or is not empty.
        EmptyTaskError, InvalidArgumentError: See `CodingTask`; the sandbox cannot be given a data file.
        SandboxUnavailableError: The sandbox cannot work on this machine.
        asyncio.CancelledError: The caller was cancelled. The model call and the sandbox are stopped by then, and the
            folder is complete.
    """
    limits, policy = limits or SwarmLimits(), policy or SandboxPolicy()
    if folder:
        await asyncio.to_thread(check_run_folder, folder)
    mounts, prompt = await asyncio.to_thread(_prepare, task, sandbox.name)
    async with SandboxCodeExecutor(sandbox, policy=policy, mounts=mounts, delete_tmp_files=True) as code_executor:
        record = _Record(folder=await asyncio.to_thread(RunFolder, folder) if folder else None, watch=watch)
        record.programs = ProgramExecutor(code_executor, policy, record.begin_block)
        run = _Run(task=task, models=models, record=record, sandbox=sandbox.name, started=time.monotonic())
        started(sandbox.name)
        team = _team(models, record.programs, policy, limits)
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


def _team(models: SwarmModels, programs: ProgramExecutor, policy: SandboxPolicy, limits: SwarmLimits) -> GroupChat:
    return GroupChat(
        [
            planner(models.planner.client),
            coder(models.coder.client),
            executor(programs, policy),
            reviewer(models.reviewer.client),
        ],
        rule=CodingRule(limits),
        emit_team_events=True,
    )


class _Record:
    """Takes what comes out of the team: to the watching caller, and, where it is complete, into the transcript.

    Attributes:
        messages: The transcript.
        programs: Knows of the programs of which no message tells yet.
    """

    programs: ProgramExecutor

    def __init__(self, *, folder: RunFolder | None, watch: Watch) -> None:
        self.folder = folder
        self.messages: list[BaseAgentEvent | BaseChatMessage] = []
        self._watch = watch

    async def take(self, message: BaseAgentEvent | BaseChatMessage) -> None:
        self._watch(message)
        if isinstance(message, (ModelClientStreamingChunkEvent, SelectSpeakerEvent)):
            return
        if isinstance(message, ExecutionMessage):
            self.programs.clear()
        self.messages.append(message)
        if self.folder:
            await asyncio.to_thread(self.folder.record, message)

    async def begin_block(self, block: CodeBlock) -> None:
        """Keep a block that starts, so that it is there whatever happens while it runs."""
        if self.folder:
            await asyncio.to_thread(self.folder.begin_block, block)

    async def take_unfinished(self, reason: str) -> None:
        """Add what ran, or had begun to, without coming to its message."""
        if unfinished := self.programs.unfinished(reason):
            await self.take(ExecutionMessage(runs=unfinished, source=EXECUTOR))


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
        folder = self.record.folder
        ended = "sandbox" if outcome is Outcome.SANDBOX_DIED else "run"
        await self.record.take_unfinished(f"the {ended} ended before the program did")
        result = CodingResult(
            task=self.task,
            outcome=outcome,
            detail=WHAT_TO_DO[outcome],
            messages=tuple(self.record.messages),
            usage=usage_by_agent(self.record.messages, self.models),
            sandbox=self.sandbox,
            recorded=self.models.recorded,
            folder=folder.path if folder else None,
            wall_seconds=time.monotonic() - self.started,
        )
        result = replace(result, detail="\n".join([result.detail, *_limit_advice(result), *_cause(cause)]))
        if folder:
            await asyncio.to_thread(folder.finish, result)
        return result


def _limit_advice(result: CodingResult) -> Iterator[str]:
    """The limit that the last program met, which may be why the run has no answer."""
    if result.outcome is not Outcome.VERIFIED and result.last_limit:
        status, limit = result.last_limit
        option = LIMIT_OPTIONS.get(status)
        yield f"The last program was ended at {limit}." + (f" Raise it: {option}" if option else "")


def _cause(cause: BaseException | None) -> Iterator[str]:
    if str(cause or ""):
        yield f"The cause: {cause}"
