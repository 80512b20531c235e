"""A run of a Magentic-One team, from a task to an answer, made of public parts."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from symposia.agentchat.base import ChatAgent, TaskResult, TerminationCondition
from symposia.agentchat.conditions import TimeoutTermination, TokenUsageTermination
from symposia.agentchat.messages import (
    BaseAgentEvent,
    BaseChatMessage,
    ModelClientStreamingChunkEvent,
    ProgressLedgerEvent,
    SelectSpeakerEvent,
)
from symposia.agentchat.teams import MagenticOneGroupChat
from symposia.core import uninterrupted
from symposia.core.code_executor import SandboxBackend, SandboxPolicy
from symposia.core.effects import HumanFunction
from symposia.core.exceptions import ModelError, SandboxError, ToolServiceError
from symposia.core.models import UsageAccount
from symposia.ext.code_executors import SandboxCodeExecutor
from symposia.ext.teams.magentic_one import close_specialists, specialists
from symposia.presets._folder import make_folder
from symposia.presets._models import NamedModel, usage_by_agent
from symposia.presets._run import Checked, Started, Watch, check_limits, ignore, limit_condition, outcome_of
from symposia.presets.coding import DataFileError, EmptyTaskError
from symposia.presets.magentic._folder import MagenticFolder, check_data
from symposia.presets.magentic._outcome import WHAT_TO_DO, MagenticOutcome, MagenticRun

ORCHESTRATOR: Final = "MagenticOneOrchestrator"
_OUT_OF_TURNS: Final = "Max rounds reached."
_NOT_APPROVED: Final = "The plan was not approved."
"""The stop reasons of the team, which programs look for."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MagenticTask:
    """A task.

    Attributes:
        text: The task in plain words.
        data: Files of the host, of which the agents get copies.

    Raises:
        EmptyTaskError: `text` is blank.
        DataFileError: Two of `data` have the same name.
    """

    text: str
    data: tuple[Path, ...] = ()

    def __post_init__(self) -> None:
        if not self.text.strip():
            raise EmptyTaskError("The task is empty. Say what to do, such as 'Which of these orders were late?'.")
        names = [file.name for file in self.data]
        if len(set(names)) < len(names):
            raise DataFileError(f"Two data files have the same name: {', '.join(sorted(names))}.")


@dataclass(frozen=True, kw_only=True, slots=True)
class MagenticLimits:
    """When a run ends.

    Attributes:
        turns: The most turns of the participants.
        stalls: With how many stalls there is a new plan.
        timeout: Seconds of the whole run.
        max_tokens: Tokens of all model calls together, in and out; None for no limit.

    Raises:
        InvalidArgumentError: A limit is not above zero.
    """

    turns: int = 20
    stalls: int = 3
    timeout: float = 900.0
    max_tokens: int | None = None

    def __post_init__(self) -> None:
        check_limits(turns=self.turns, stalls=self.stalls, timeout=self.timeout, max_tokens=self.max_tokens)

    def condition(self) -> TerminationCondition:
        """The limits of time and tokens as a condition, whose reason is the value of an outcome."""
        conditions: dict[MagenticOutcome, TerminationCondition] = {
            MagenticOutcome.TIME_LIMIT: TimeoutTermination(self.timeout)
        }
        if self.max_tokens is not None:
            conditions[MagenticOutcome.TOKEN_LIMIT] = TokenUsageTermination(self.max_tokens)
        return limit_condition(conditions)


@dataclass(frozen=True, kw_only=True, slots=True)
class WebAccess:
    """What the browser may do.

    Attributes:
        start_page: The page that it visits first; None for a search.
        private_hosts: Hosts with private addresses that it may visit, as ``host`` or ``host:port``.
    """

    start_page: str | None = None
    private_hosts: tuple[str, ...] = ()


async def run_magentic(
    task: MagenticTask,
    *,
    model: NamedModel,
    sandbox: SandboxBackend,
    folder: Path,
    limits: MagenticLimits | None = None,
    policy: SandboxPolicy | None = None,
    web: WebAccess | None = None,
    plan_review: HumanFunction | None = None,
    started: Started = ignore,
    checked: Checked = ignore,
    watch: Watch = ignore,
) -> MagenticRun:
    """Let a Magentic-One team work on a task until it is done or a limit is reached.

    However the run ends, the folder holds all messages and files, and the browser and the sandbox have ended. A limit
    that is reached, a model that fails for good, and a sandbox or a browser that dies are outcomes in the result.

    Args:
        task: The task. Its files, those that the code makes and those that the browser saves are in one folder, which
            is below `folder`; the FileSurfer opens files there.
        model: The model of the orchestrator and of the specialists.
        sandbox: Where the code runs.
        folder: A new folder for the results.
        limits: When the run ends.
        policy: The limits of the code.
        web: What the browser may do.
        plan_review: Asks a person to approve each plan.
        started: Called on the event loop with the name of the sandbox when it has started, before anything is watched.
        checked: Called with the check of the team, right after `started`.
        watch: Called on the event loop with every message, event, ledger, and piece of a streamed message.

    Raises:
        RunFolderError: `folder` cannot be made or is not empty.
        DataFileError: A data file is missing or cannot be read.
        SandboxUnavailableError: The sandbox cannot work on this machine. There is no folder then.
        InvalidArgumentError: What the browser may do cannot be. There is no folder then.
        asyncio.CancelledError: The caller was cancelled. All that ran is stopped by then, and the folder is complete.
        Exception: An unexpected error ended the run. The folder is complete.
    """
    limits, web = limits or MagenticLimits(), web or WebAccess()
    await asyncio.to_thread(check_data, task.data)
    kept = await make_folder(MagenticFolder, folder)
    assert kept is not None  # noqa: S101 - a folder was given
    await uninterrupted(asyncio.to_thread(kept.add_data, task.data))
    executor = SandboxCodeExecutor(sandbox, work_dir=kept.files, policy=policy, delete_tmp_files=True)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(_stop, executor)
        try:
            agents = await asyncio.to_thread(_make_agents, model, executor, kept, web)
            stack.push_async_callback(close_specialists, agents)
            await executor.start()
        except BaseException:
            await uninterrupted(asyncio.to_thread(kept.discard))  # so that the same folder can be given again
            raise
        team = MagenticOneGroupChat(
            agents,
            model.client,
            max_turns=limits.turns,
            max_stalls=limits.stalls,
            plan_review=plan_review,
            termination_condition=limits.condition(),
            emit_team_events=True,
        )
        started(sandbox.name)
        checked(team.check(task.text))
        run = _Run(task=task, model=model, agents=agents, folder=kept, watch=watch)
        return await run.follow(team)


def _make_agents(
    model: NamedModel, executor: SandboxCodeExecutor, kept: MagenticFolder, web: WebAccess
) -> Sequence[ChatAgent]:
    """Make the specialists, in a thread: it imports, and looks for the folder."""
    return specialists(
        model.client,
        code_executor=executor,
        folder=kept.files,
        downloads_folder=kept.files,
        start_page=web.start_page,
        private_hosts=web.private_hosts,
    )


async def _stop(executor: SandboxCodeExecutor) -> None:
    await uninterrupted(executor.stop())


@dataclass(kw_only=True)
class _Run:
    """A run under way, and the parts of its result."""

    task: MagenticTask
    model: NamedModel
    agents: Sequence[ChatAgent]
    folder: MagenticFolder
    watch: Watch
    began: float = field(default_factory=time.monotonic)
    messages: list[BaseAgentEvent | BaseChatMessage] = field(default_factory=list[BaseAgentEvent | BaseChatMessage])
    counted: list[BaseAgentEvent | BaseChatMessage] = field(default_factory=list[BaseAgentEvent | BaseChatMessage])
    account: UsageAccount = field(default_factory=UsageAccount)

    async def follow(self, team: MagenticOneGroupChat) -> MagenticRun:
        """Follow the team to its end, and put the result together.

        Raises:
            Exception: What ended the run, where it has no result; the folder is complete.
        """
        try:
            reason: str | None = None
            async with aclosing(self.account.within(team.run_stream(task=self.task.text))) as stream:
                async for item in stream:
                    if isinstance(item, TaskResult):
                        reason = item.stop_reason
                    else:
                        await self._take(item)
        except (Exception, asyncio.CancelledError) as error:
            outcome = _outcome_of_error(error)
            result = await self._finish(outcome, error)
            if outcome in {MagenticOutcome.INTERRUPTED, MagenticOutcome.FAILED}:
                raise
            return result
        return await self._finish(_outcome(reason))

    async def _take(self, item: BaseAgentEvent | BaseChatMessage) -> None:
        self.watch(item)
        if isinstance(item, ModelClientStreamingChunkEvent):
            return
        self.counted.append(item)  # the choice of a speaker has the tokens of the orchestrator
        if isinstance(item, SelectSpeakerEvent):
            return
        self.messages.append(item)
        await uninterrupted(asyncio.to_thread(self.folder.record, item))

    async def _finish(self, outcome: MagenticOutcome, cause: BaseException | None = None) -> MagenticRun:
        has_answer = outcome in {MagenticOutcome.ANSWERED, MagenticOutcome.TURN_LIMIT}
        own = [each for each in self.messages if each.source == ORCHESTRATOR and not _is_ledger(each)]
        detail = WHAT_TO_DO[outcome] if not str(cause or "") else f"{WHAT_TO_DO[outcome]}\nThe cause: {cause}"
        names = [ORCHESTRATOR, *(agent.name for agent in self.agents if agent.name != "ComputerTerminal")]
        run = MagenticRun(
            task=self.task.text,
            answer=own[-1].to_text() if has_answer and own else "",
            outcome=outcome,
            detail=detail,
            messages=tuple(self.messages),
            usage=usage_by_agent(self.counted, dict.fromkeys(names, self.model), self.account),
            recorded=self.model.recorded,
            folder=self.folder.path,
            wall_seconds=time.monotonic() - self.began,
        )
        await uninterrupted(asyncio.to_thread(self.folder.finish, run))
        return run


def _is_ledger(item: BaseAgentEvent | BaseChatMessage) -> bool:
    return isinstance(item, ProgressLedgerEvent)


def _outcome(stop_reason: str | None) -> MagenticOutcome:
    """The outcome of a run that ended by itself."""
    own = {_OUT_OF_TURNS: MagenticOutcome.TURN_LIMIT, _NOT_APPROVED: MagenticOutcome.NOT_APPROVED}
    return own.get(stop_reason or "") or outcome_of(MagenticOutcome, stop_reason) or MagenticOutcome.ANSWERED


def _outcome_of_error(error: BaseException) -> MagenticOutcome:
    match error:
        case asyncio.CancelledError():
            return MagenticOutcome.INTERRUPTED
        case ModelError():
            return MagenticOutcome.MODEL_FAILED
        case SandboxError():
            return MagenticOutcome.SANDBOX_DIED
        case ToolServiceError():
            return MagenticOutcome.BROWSER_FAILED
        case _:
            return MagenticOutcome.FAILED
