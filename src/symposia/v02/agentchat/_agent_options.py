"""The arguments of an agent, of which each base class takes its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from symposia.v02.agentchat._conversable import HumanInputMode, LLMConfig
from symposia.v02.agentchat._messages import Message
from symposia.v02.agentchat.agent import Agent


@dataclass(frozen=True, kw_only=True)
class AgentOptions:
    """The arguments of `ConversableAgent`, which says what they mean."""

    name: str
    system_message: str | list[Any] | None  # Any: parts of a message
    is_termination_msg: Callable[[Message], bool] | None
    max_consecutive_auto_reply: int | None
    human_input_mode: HumanInputMode
    function_map: dict[str, Callable[..., Any]] | None  # Any: functions of the program
    code_execution_config: dict[str, Any] | Literal[False] | None  # Any: options of many executors
    llm_config: LLMConfig
    default_auto_reply: str | Message
    description: str | None
    chat_messages: dict[Agent, list[Message]] | None
    silent: bool | None
