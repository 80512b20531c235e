"""A Magentic-One team with its specialists: agents that an orchestrator can set to work on almost any task."""

from __future__ import annotations

import warnings
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final, TypeAlias

from symposia._lazy import explained_names
from symposia.agentchat.agents import (
    ApprovalFuncType,
    CodeExecutorAgent,
    UserProxyAgent,
)
from symposia.agentchat.base import ChatAgent
from symposia.agentchat.teams import MagenticOneGroupChat
from symposia.core import CancellationToken
from symposia.core.argument_checks import check_flag, check_model_client
from symposia.core.code_executor import CodeExecutor
from symposia.core.effects import HumanFunction
from symposia.core.models import ChatCompletionClient
from symposia.ext.agents.magentic_one import MagenticOneCoderAgent
from symposia.ext.code_executors import create_default_code_executor

if not TYPE_CHECKING:
    __getattr__ = explained_names(__name__)

__all__ = ["AsyncInputFunc", "InputFuncType", "MagenticOne", "SyncInputFunc", "specialists"]

SyncInputFunc: TypeAlias = Callable[[str], str]
AsyncInputFunc: TypeAlias = Callable[[str, CancellationToken | None], Awaitable[str]]
InputFuncType: TypeAlias = HumanFunction
"""AutoGen's names of the functions that ask a person."""

_STILL_MISSING: Final = (
    "The specialists of this Magentic-One team are Coder and ComputerTerminal. AutoGen's WebSurfer and FileSurfer are "
    "planned and not here yet, so the team cannot browse the web or open documents. Give MagenticOneGroupChat "
    "participants of your own, with tools for that, if the task needs it."
)


def specialists(
    client: ChatCompletionClient,
    *,
    code_executor: CodeExecutor | None = None,
    approval_func: ApprovalFuncType | None = None,
) -> list[ChatAgent]:
    """Make the specialists of a Magentic-One team: a Coder, and a ComputerTerminal that runs its code.

    A `UserWarning` names those of AutoGen's that are missing.

    Args:
        client: The model of the Coder.
        code_executor: Runs the code. By default, the best sandbox that works on this machine, which is chosen and
            started with the first block, and ends with the program.
        approval_func: Asked before any code runs.

    Raises:
        ArgumentTypeError: An argument is of another kind.
    """
    check_model_client("a Magentic-One team", client)
    warnings.warn(_STILL_MISSING, stacklevel=3)
    executor = create_default_code_executor() if code_executor is None else code_executor
    return [
        MagenticOneCoderAgent("Coder", client),
        CodeExecutorAgent("ComputerTerminal", executor, approval_func=approval_func),
    ]


class MagenticOne(MagenticOneGroupChat):
    """A Magentic-One team with its `specialists`, and with the user if wanted.

    Args:
        client: The model of the orchestrator and of the Coder.
        hil_mode: Whether a participant called ``User`` stands for the person, and can be asked by the orchestrator.
        input_func: Asks that person; Python's `input` by default.
        code_executor: Runs the code; see `specialists`.
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
        participants = specialists(client, code_executor=code_executor, approval_func=approval_func)
        if hil_mode:
            participants.append(UserProxyAgent("User", input_func=input_func))
        super().__init__(participants, client)
