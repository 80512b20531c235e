"""An agent that converses: keeps its conversations, asks its person and its model, and executes functions and code.

Each base class adds one of these: its public methods, and their state. The base classes come in the order of their
reply functions. The work is done in the other private modules of this package.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any, Final, Literal

from symposia.v02 import runtime_logging
from symposia.v02.agentchat._agent_options import AgentOptions
from symposia.v02.agentchat._conversable import HumanInputMode, LLMConfig
from symposia.v02.agentchat._messages import Message
from symposia.v02.agentchat._private_names import PrivateNames
from symposia.v02.agentchat._reply_functions import reset
from symposia.v02.agentchat.agent import Agent

__all__ = ["ConversableAgent", "register_function"]

LOGGED: Final = tuple(each.name for each in fields(AgentOptions) if each.name not in ("chat_messages", "silent"))
"""The arguments that a log of new agents has."""


class ConversableAgent(PrivateNames):
    """An agent that converses with others.

    Args:
        name: See the property.
        system_message: The instructions of the model: a text, or a list of parts.
        is_termination_msg: Whether a message ends a conversation; by default, whether its text is exactly `TERMINATE`.
        max_consecutive_auto_reply: How often it replies to an agent without a person; by default
            `MAX_CONSECUTIVE_AUTO_REPLY`.
        human_input_mode: `ALWAYS` asks a person for every reply; `TERMINATE` where a message ends the conversation, or
            `max_consecutive_auto_reply` is reached; `NEVER` asks nobody, and stops there.
        function_map: The functions that it executes, by name.
        code_execution_config: How it executes the code in messages; False if it does not.
        llm_config: The configuration of its model, for `OpenAIWrapper`; False if it has none; None for
            `DEFAULT_CONFIG`.
        default_auto_reply: Its reply if nothing else replies.
        description: See the property; by default the system message.
        chat_messages: Conversations to continue, by the other agent.
        silent: Whether its messages are not printed; None leaves that to each chat.

    Raises:
        ValueError: The configuration of the model or of code execution lacks something, or the name of a function has
            characters that models do not write.
        TypeError: The configuration of the model cannot be copied.
        AssertionError: The configuration of the model is no dict.
    """

    def __init__(
        self,
        name: str,
        system_message: str | list[Any] | None = "You are a helpful AI Assistant.",  # Any: parts of a message
        is_termination_msg: Callable[[Message], bool] | None = None,
        max_consecutive_auto_reply: int | None = None,
        human_input_mode: HumanInputMode = "TERMINATE",
        function_map: dict[str, Callable[..., Any]] | None = None,  # Any: functions of the program
        code_execution_config: dict[str, Any] | Literal[False] = False,  # Any: options of many executors
        llm_config: LLMConfig = None,
        default_auto_reply: str | Message = "",
        description: str | None = None,
        chat_messages: dict[Agent, list[Message]] | None = None,
        silent: bool | None = None,
    ) -> None:
        options = AgentOptions(
            name=name,
            system_message=system_message,
            is_termination_msg=is_termination_msg,
            max_consecutive_auto_reply=max_consecutive_auto_reply,
            human_input_mode=human_input_mode,
            function_map=function_map,
            code_execution_config=code_execution_config,
            llm_config=llm_config,
            default_auto_reply=default_auto_reply,
            description=description,
            chat_messages=chat_messages,
            silent=silent,
        )
        super().__init__(options)
        if runtime_logging.logging_enabled():
            runtime_logging.log_new_agent(self, {each: getattr(options, each) for each in LOGGED})

    def reset(self) -> None:
        """Forget conversations, counts and states of reply functions, and count usage from zero."""
        self.clear_history()
        self.reset_consecutive_auto_reply_counter()
        self.stop_reply_at_receive()
        if self.client is not None:
            self.client.clear_usage_summary()
        for entry in self._reply_func_list:
            reset(entry)


def register_function(
    f: Callable[..., Any],
    *,
    caller: ConversableAgent,
    executor: ConversableAgent,
    name: str | None = None,
    description: str,
) -> None:
    """Let one agent's model call a function, and another agent execute it.

    Args:
        f: The function.
        caller: The agent whose model is told of it.
        executor: The agent that executes it.
        name: Its name for the model; by default its own.
        description: What it does, for the model.
    """
    function = caller.register_for_llm(name=name, description=description)(f)
    executor.register_for_execution(name=name)(function)
