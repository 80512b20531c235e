"""A run of the coding swarm, from a task to a result, put together from public parts."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

from symposia.agentchat.base import TaskResult, TerminationCondition
from symposia.agentchat.conditions import (
    MaxMessageTermination,
    TimeoutTermination,
    TokenUsageTermination,
)
from symposia.agentchat.messages import (
    BaseAgentEvent,
    BaseChatMessage,
    ExecutionMessage,
    ModelClientStreamingChunkEvent,
    SelectSpeakerEvent,
)
from symposia.agentchat.teams import GroupChat, Stop
from symposia.core import uninterrupted
from symposia.core.code_executor import (
    BlockResult,
    CodeBlock,
    ExecutionObserver,
    ObservedCodeExecutor,
    SandboxBackend,
    SandboxPackages,
    SandboxPolicy,
)
from symposia.core.exceptions import ModelAnswerError, ModelError, SandboxError
from symposia.core.models import UsageAccount
from symposia.ext.code_executors import SandboxCodeExecutor
from symposia.presets._folder import make_folder
from symposia.presets._models import usage_by_agent
from symposia.presets._run import Checked, Started, Watch, check_limits, ignore, limit_condition
from symposia.presets.coding._agents import coder, executor, planner, reviewer
from symposia.presets.coding._folder import RunFolder
from symposia.presets.coding._models import SwarmModels
from symposia.presets.coding._outcome import WHAT_TO_DO, CodingOutcome, coding_outcome
from symposia.presets.coding._result import CodingResult
from symposia.presets.coding._rule import EXECUTOR, CodingRule, next_step
from symposia.presets.coding._task import CodingTask, prepare_data

_Item: TypeAlias = BaseAgentEvent | BaseChatMessage | TaskResult


@dataclass(frozen=True, kw_only=True, slots=True)
class SwarmLimits:
    """When a run ends without an answer.

    Attributes:
        max_messages: Messages of the agents.
        timeout: Seconds of the whole run, the setting-up of the sandbox not counted.
        max_tokens: Tokens of all model calls together, in and out; None for no limit.

    Raises:
        InvalidArgumentError: A limit is not above zero.
    """

    max_messages: int = 40
    timeout: float = 900.0
    max_tokens: int | None = None

    def __post_init__(self) -> None:
        check_limits(max_messages=self.max_messages, timeout=self.timeout, max_tokens=self.max_tokens)

    def condition(self) -> TerminationCondition:
        """The limits as the condition of a team. The reason to stop is the value of a `CodingOutcome`."""
        limits: dict[CodingOutcome, TerminationCondition] = {
            CodingOutcome.MESSAGE_LIMIT: MaxMessageTermination(self.max_messages + 1),  # the task is a message too
            CodingOutcome.TIME_LIMIT: TimeoutTermination(self.timeout),
        }
        if self.max_tokens is not None:
            limits[CodingOutcome.TOKEN_LIMIT] = TokenUsageTermination(self.max_tokens)
        return limit_condition(limits)


async def run_coding_swarm(
    task: CodingTask,
    *,
    models: SwarmModels,
    sandbox: SandboxBackend,
    limits: SwarmLimits | None = None,
    policy: SandboxPolicy | None = None,
    packages: SandboxPackages | None = None,
    audit_log: Path | None = None,
    folder: Path | None = None,
    started: Started = ignore,
    checked: Checked = ignore,
    watch: Watch = ignore,
) -> CodingResult:
    """Let the swarm work on a task until its output is verified or a limit is reached.

    Whatever ends the run, the folder then holds all that was said and made. The outcome is in the result and
    never raised: code that fails, a model that fails for good, a sandbox that dies, a limit.

    Args:
        task: What to do.
        models: Who thinks.
        sandbox: Where the code runs.
        limits: When to give up.
        policy: The limits of the code.
        packages: What the code may import beside numpy, pandas and matplotlib.
        audit_log: A file that gets a line of JSON for each program that ran, and for each connection that it tried.
        folder: A new folder for everything that the run leaves; None to leave nothing.
        started: Called on the event loop with the name of the sandbox when it has started, before anything is watched.
        checked: Called with the check of the team, right after `started`.
        watch: Called on the event loop with every message and event, and with each piece of what streams in.

    Raises:
        DataFileError: A data file is missing or cannot be read.
        RunFolderError: `folder` cannot be made or is not empty.
        EmptyTaskError, InvalidArgumentError: See `CodingTask`; the sandbox cannot be given a data file.
        SandboxUnavailableError: The sandbox cannot work on this machine.
        asyncio.CancelledError: The caller was cancelled. The model call and the sandbox are stopped by then, and the
            folder is complete.
    """
    if folder:
        await asyncio.to_thread(RunFolder.check, folder)
    mounts, prompt = await asyncio.to_thread(prepare_data, task, sandbox.name)
    equipped = sandbox if packages is None else sandbox.with_packages(packages)
    code_executor = SandboxCodeExecutor(
        equipped, policy=policy, mounts=mounts, delete_tmp_files=True, audit_log=audit_log
    )
    record = _Record(watch)
    team = GroupChat(
        [
            planner(models.planner.client),
            coder(models.coder.client, packages, None if policy is None else policy.network),
            executor(ObservedCodeExecutor(code_executor, record)),
            reviewer(models.reviewer.client),
        ],
        rule=CodingRule(),
        termination_condition=(limits or SwarmLimits()).condition(),
        emit_team_events=True,
    )
    check = team.check(prompt)
    try:
        if not await _starts_at_once(equipped):
            await code_executor.start()
        account = UsageAccount()
        async with aclosing(account.within(team.run_stream(task=prompt))) as stream:
            began = time.monotonic()
            begin = await anext(stream)
            # The planner's first call is under way now, and takes longer than this. Nothing is shown or written before
            # it is done, so that a sandbox that does not start leaves nothing.
            await code_executor.start()
            record.folder = await make_folder(RunFolder, folder)
            run = _Run(task=task, models=models, record=record, sandbox=equipped.name, began=began, account=account)
            started(equipped.name)
            checked(check)
            return await run.follow(begin, stream)
    finally:
        await code_executor.stop()


async def _starts_at_once(sandbox: SandboxBackend) -> bool:
    """Whether a sandbox can start while a model is asked. What takes minutes, or fails, comes before a call is paid."""
    return await sandbox.unavailable_reason() is None and await sandbox.is_set_up()


class _Record(ExecutionObserver):
    """Passes the team's items to the watching caller, and complete messages to the transcript.

    It also observes the programs themselves. The result of one that a run does not wait for never becomes a message of
    the team, and is added to the transcript at the end.

    Attributes:
        folder: What the run leaves, if anything.
        messages: The transcript.
    """

    def __init__(self, watch: Watch) -> None:
        self.folder: RunFolder | None = None
        self.messages: list[BaseAgentEvent | BaseChatMessage] = []
        self._watch = watch
        self._unreported: list[BlockResult] = []

    async def take(self, message: BaseAgentEvent | BaseChatMessage) -> None:
        self._watch(message)
        if isinstance(message, (ModelClientStreamingChunkEvent, SelectSpeakerEvent)):
            return
        if isinstance(message, ExecutionMessage):
            # Not all of them: while the message was on its way here, the next block may have run.
            self._unreported = [result for result in self._unreported if result not in message.runs]
        self.messages.append(message)
        if self.folder:
            await uninterrupted(asyncio.to_thread(self.folder.record, message))

    async def block_started(self, block: CodeBlock) -> None:
        """Keep a block that starts, so that it is there whatever happens while it runs."""
        if self.folder:
            await uninterrupted(asyncio.to_thread(self.folder.begin_block, block))

    async def block_ended(self, result: BlockResult) -> None:
        """Remember the result until its message comes."""
        self._unreported.append(result)

    async def take_unreported(self) -> None:
        """Add the blocks that ran, or had begun to, without coming to a message."""
        if self._unreported:
            await self.take(ExecutionMessage(runs=tuple(self._unreported), source=EXECUTOR))


def _outcome_of_error(error: BaseException) -> CodingOutcome:
    match error:
        case asyncio.CancelledError():
            return CodingOutcome.INTERRUPTED
        case ModelAnswerError():
            return CodingOutcome.ANSWER_REJECTED
        case ModelError():
            return CodingOutcome.MODEL_FAILED
        case SandboxError():
            return CodingOutcome.SANDBOX_DIED
        case _:
            return CodingOutcome.FAILED


@dataclass(frozen=True, kw_only=True, slots=True)
class _Run:
    """A run whose sandbox has started, and the parts of its result."""

    task: CodingTask
    models: SwarmModels
    record: _Record
    sandbox: str
    began: float
    account: UsageAccount

    async def follow(self, first: _Item, stream: AsyncGenerator[_Item, None]) -> CodingResult:
        """Follow the team to its end, and put the result together.

        Raises:
            Exception: What ended the run, where it has no result; the folder is complete.
        """
        try:
            outcome = await self._outcome(first, stream)
        except (Exception, asyncio.CancelledError) as error:
            outcome = _outcome_of_error(error)
            result = await self.finish(outcome, error)
            if outcome in {CodingOutcome.INTERRUPTED, CodingOutcome.FAILED}:
                raise
            return result
        return await self.finish(outcome)

    async def _outcome(self, first: _Item, stream: AsyncGenerator[_Item, None]) -> CodingOutcome:
        """How the run ends. The rule and the limits give an outcome as the reason to stop."""
        async with aclosing(stream):  # the programs have ended when the result is put together
            reason = await self._read(first)
            async for item in stream:
                reason = await self._read(item)
        verdict = next_step(self.record.messages)
        if isinstance(verdict, Stop):  # an approval counts, though its message met a limit too
            reason = verdict.reason
        return coding_outcome(reason)

    async def _read(self, item: _Item) -> str | None:
        """Record an item of the stream, whose last one has the reason to stop."""
        if isinstance(item, TaskResult):
            return item.stop_reason
        await self.record.take(item)
        return None

    async def finish(self, outcome: CodingOutcome, cause: BaseException | None = None) -> CodingResult:
        """Put the result together, and complete the folder."""
        folder = self.record.folder
        await self.record.take_unreported()
        result = CodingResult(
            task=self.task,
            outcome=outcome,
            detail=WHAT_TO_DO[outcome],
            messages=tuple(self.record.messages),
            usage=usage_by_agent(self.record.messages, self.models.by_agent(), self.account),
            sandbox=self.sandbox,
            recorded=self.models.recorded,
            folder=folder.path if folder else None,
            wall_seconds=time.monotonic() - self.began,
        )
        result = replace(result, detail="\n".join([result.detail, *_limit_advice(result), *_cause(cause)]))
        if folder:
            await uninterrupted(asyncio.to_thread(folder.finish, result))
        return result


def _limit_advice(result: CodingResult) -> Iterator[str]:
    """The limit that the last program met, which may be why the run has no answer."""
    if result.outcome is not CodingOutcome.VERIFIED and result.last_limit:
        _, limit = result.last_limit
        yield f"The last program was ended at {limit}."


def _cause(cause: BaseException | None) -> Iterator[str]:
    if str(cause or ""):
        yield f"The cause: {cause}"
