"""A Magentic-One team with its specialists: agents that an orchestrator can set to work on almost any task."""

from __future__ import annotations

import warnings
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self, TypeAlias

from symposia._lazy import explained_names
from symposia._program_line import level_outside
from symposia.agentchat.agents import ApprovalFuncType, CodeExecutorAgent, UserProxyAgent
from symposia.agentchat.base import ChatAgent
from symposia.agentchat.teams import MagenticOneGroupChat
from symposia.core import CancellationToken, uninterrupted
from symposia.core.argument_checks import check_flag, check_model_client
from symposia.core.code_executor import CodeExecutor
from symposia.core.effects import HumanFunction
from symposia.core.exceptions import MissingExtraError
from symposia.core.models import ChatCompletionClient
from symposia.ext.agents.magentic_one import MagenticOneCoderAgent
from symposia.ext.code_executors import create_default_code_executor

if not TYPE_CHECKING:
    __getattr__ = explained_names(__name__)

__all__ = ["AsyncInputFunc", "InputFuncType", "MagenticOne", "SyncInputFunc", "close_specialists", "specialists"]

SyncInputFunc: TypeAlias = Callable[[str], str]
AsyncInputFunc: TypeAlias = Callable[[str, CancellationToken | None], Awaitable[str]]
InputFuncType: TypeAlias = HumanFunction
"""AutoGen's names of the functions that ask a person."""

_NO_CALLS: Final = (
    "The model of this Magentic-One team calls no functions, so the team has no FileSurfer and no WebSurfer: it cannot "
    "open documents or browse the web. Take a model that does, or give MagenticOneGroupChat participants of your own."
)
_NO_BROWSER: Final = "This Magentic-One team has no WebSurfer, and cannot browse the web: {reason}"


def specialists(
    client: ChatCompletionClient,
    *,
    code_executor: CodeExecutor | None = None,
    approval_func: ApprovalFuncType | None = None,
    folder: Path | str | None = None,
    downloads_folder: Path | str | None = None,
    start_page: str | None = None,
    private_hosts: Sequence[str] = (),
) -> list[ChatAgent]:
    """Make the specialists of a Magentic-One team.

    They are a FileSurfer, which opens the files of a folder; a WebSurfer with a browser, which starts with its first
    turn; a Coder; and a ComputerTerminal, which runs the Coder's code. A `UserWarning` says which of them the model or
    a missing extra leaves out. Close them in the end: `close_specialists`.

    Args:
        client: Their model.
        code_executor: Runs the code. By default, the best sandbox that works on this machine, which is chosen and
            started with the first block, and ends with the program.
        approval_func: Asked before any code runs.
        folder: The files that can be opened; by default the working folder.
        downloads_folder: Where the browser saves files; None refuses downloads.
        start_page: The page that the browser visits first.
        private_hosts: Hosts with private addresses that the browser may visit; see `MultimodalWebSurfer`.

    Raises:
        ArgumentTypeError: An argument is of another kind.
        InvalidArgumentError: There is no such folder, or what the browser may visit is no address or no host.
    """
    check_model_client("a Magentic-One team", client)
    executor = create_default_code_executor() if code_executor is None else code_executor
    agents: list[ChatAgent] = [
        MagenticOneCoderAgent("Coder", client),
        CodeExecutorAgent("ComputerTerminal", executor, approval_func=approval_func),
    ]
    if not client.model_info["function_calling"]:
        warnings.warn(_NO_CALLS, stacklevel=level_outside(1))
        return agents
    return [*_surfers(client, folder, downloads_folder, start_page, private_hosts), *agents]


def _surfers(
    client: ChatCompletionClient,
    folder: Path | str | None,
    downloads_folder: Path | str | None,
    start_page: str | None,
    private_hosts: Sequence[str],
) -> list[ChatAgent]:
    """The FileSurfer, and the WebSurfer unless its extra is missing."""
    from symposia.ext.agents.file_surfer import FileSurfer  # noqa: PLC0415 - not every team has one
    from symposia.ext.agents.web_surfer import MultimodalWebSurfer  # noqa: PLC0415 - likewise

    surfers: list[ChatAgent] = [FileSurfer("FileSurfer", client, base_path=None if folder is None else str(folder))]
    try:
        surfers.append(
            MultimodalWebSurfer(
                "WebSurfer",
                client,
                downloads_folder=None if downloads_folder is None else str(downloads_folder),
                start_page=start_page or MultimodalWebSurfer.DEFAULT_START_PAGE,
                private_hosts=private_hosts,
            )
        )
    except MissingExtraError as error:
        warnings.warn(_NO_BROWSER.format(reason=error), stacklevel=level_outside(1))
    return surfers


async def close_specialists(agents: Iterable[ChatAgent]) -> None:
    """Close agents, each also after one that fails, and also if the caller is cancelled meanwhile. It ends browsers.

    Raises:
        Exception: The error of an agent.
    """
    async with AsyncExitStack() as stack:
        for agent in agents:
            stack.push_async_callback(_close, agent)


async def _close(agent: ChatAgent) -> None:
    await uninterrupted(agent.close())


class MagenticOne(MagenticOneGroupChat):
    """A Magentic-One team with its `specialists`, and with the user if wanted.

    Close it in the end, or use it as an async context manager: that closes the browser, and the sandbox if the team has
    made it.

    Args:
        client: The model of the orchestrator and of the specialists.
        hil_mode: Whether a participant called ``User`` stands for the person, and can be asked by the orchestrator.
        input_func: Asks that person; Python's `input` by default.
        code_executor: Runs the code; see `specialists`. One that is given is not stopped by `close`.
        approval_func: Asked before any code runs.

    Raises:
        ArgumentTypeError: An argument is of another kind.
    """

    component_transient = MagenticOneGroupChat.component_transient | {"input_func"}

    def __init__(
        self,
        client: ChatCompletionClient,
        hil_mode: bool = False,
        input_func: HumanFunction | None = None,
        code_executor: CodeExecutor | None = None,
        approval_func: ApprovalFuncType | None = None,
    ) -> None:
        check_flag("hil_mode", "MagenticOne", hil_mode)
        self._own_executor = create_default_code_executor() if code_executor is None else None
        executor = code_executor or self._own_executor
        self._specialists = specialists(client, code_executor=executor, approval_func=approval_func)
        user = [UserProxyAgent("User", input_func=input_func)] if hil_mode else []
        super().__init__([*self._specialists, *user], client)

    async def close(self) -> None:
        """Close the browser, and stop the sandbox if the team has made it; also if the caller is cancelled meanwhile.

        The team can run again afterwards. Closing twice is harmless.
        """
        async with AsyncExitStack() as stack:
            if self._own_executor is not None:
                stack.push_async_callback(_stop, self._own_executor)
            await close_specialists(self._specialists)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()


async def _stop(executor: CodeExecutor) -> None:
    await uninterrupted(executor.stop())
