"""An agent that converses: keeps its conversations, asks its person and its model, and executes functions and code.

Each base class adds one of these; their work is done in the other private modules of this package.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Literal

from symposia.v02 import runtime_logging
from symposia.v02.agentchat._auto_replies import AutoReplies
from symposia.v02.agentchat._chatting_agent import ChattingAgent
from symposia.v02.agentchat._conversable import HumanInputMode, LLMConfig, ReplyFunction
from symposia.v02.agentchat._messages import Message
from symposia.v02.agentchat._model_replies import checked_name
from symposia.v02.agentchat._reply_functions import reset
from symposia.v02.agentchat._replying_agent import is_terminate
from symposia.v02.agentchat.agent import Agent

__all__ = ["ConversableAgent", "register_function"]


class ConversableAgent(ChattingAgent):
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

    MAX_CONSECUTIVE_AUTO_REPLY: ClassVar[int] = 100

    _twins: ClassVar[Mapping[ReplyFunction, ReplyFunction]] = {
        ChattingAgent.check_termination_and_human_reply: ChattingAgent.a_check_termination_and_human_reply,
        ChattingAgent.generate_function_call_reply: ChattingAgent.a_generate_function_call_reply,
        ChattingAgent.generate_tool_calls_reply: ChattingAgent.a_generate_tool_calls_reply,
        ChattingAgent.generate_code_execution_reply: ChattingAgent.a_generate_code_execution_reply,
        ChattingAgent.generate_oai_reply: ChattingAgent.a_generate_oai_reply,
    }
    """The reply functions, in order, each with its asynchronous form."""

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
        super().__init__(name, system_message, description, chat_messages, silent)
        self._validate_code_execution_config(code_execution_config)
        self._is_termination_msg = is_termination_msg or is_terminate
        self.human_input_mode = human_input_mode
        limit = self.MAX_CONSECUTIVE_AUTO_REPLY if max_consecutive_auto_reply is None else max_consecutive_auto_reply
        self._auto_replies = AutoReplies(limit)
        self._default_auto_reply = default_auto_reply
        self._reply_func_list = []
        self._human_input = []
        self._finished_chats = []
        self._validate_llm_config(llm_config)
        self._function_map = {checked_name(each): function for each, function in (function_map or {}).items()}
        for plain, asynchronous in self._twins.items():
            if plain is ChattingAgent.generate_code_execution_reply and self._code_execution_config is False:
                continue
            self.register_reply([Agent, None], asynchronous, len(self._reply_func_list), ignore_async_in_sync_chat=True)
            self.register_reply([Agent, None], plain, len(self._reply_func_list))
        if runtime_logging.logging_enabled():
            arguments = {
                "name": name,
                "system_message": system_message,
                "is_termination_msg": is_termination_msg,
                "max_consecutive_auto_reply": max_consecutive_auto_reply,
                "human_input_mode": human_input_mode,
                "function_map": function_map,
                "code_execution_config": code_execution_config,
                "llm_config": llm_config,
                "default_auto_reply": default_auto_reply,
                "description": description,
            }
            runtime_logging.log_new_agent(self, arguments)

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
