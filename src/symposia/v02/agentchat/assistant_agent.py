"""An agent whose model solves tasks by writing code, which another agent executes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from symposia.v02.agentchat._conversable import HumanInputMode, LLMConfig
from symposia.v02.agentchat._messages import Message
from symposia.v02.agentchat.conversable_agent import ConversableAgent

__all__ = ["AssistantAgent"]


class AssistantAgent(ConversableAgent):
    """An assistant: it asks nobody, and executes no code.

    Args:
        name: See `ConversableAgent`.
        system_message: The instructions of the model; by default, how to work with an agent that executes code.
        llm_config: See `ConversableAgent`.
        is_termination_msg: See `ConversableAgent`.
        max_consecutive_auto_reply: See `ConversableAgent`.
        human_input_mode: See `ConversableAgent`.
        description: See `ConversableAgent`; with the default instructions, what such an assistant can do.
        kwargs: See `ConversableAgent`.
    """

    DEFAULT_SYSTEM_MESSAGE: ClassVar[str] = """You solve tasks together with a user who executes your code.

Answer from what you know where that is enough. Where you need data, or a computation, write a program: the user
executes it as it is and sends you the output. The user cannot change a program, fill in gaps, or do anything else.

- Write Python in a ```python block, and shell commands in a ```sh block. Code that is not to be executed belongs in
  no block.
- Write one block in each message, and write it in full. Print what you want to see.
- To have the program kept in a file, make its first line "# filename: NAME".
- Read the output before you go on. If there was an error, send the whole program again, corrected. If the same way
  fails twice, question what you assumed, and take another way.

Before you finish, check the result, and say what it rests on. End the last message, when nothing is left to do, with
the word TERMINATE.
"""
    DEFAULT_DESCRIPTION: ClassVar[str] = (
        "An assistant with broad knowledge. It reasons about tasks in words, and writes Python programs and Linux "
        "commands for them, without executing them."
    )

    def __init__(
        self,
        name: str,
        system_message: str | None = DEFAULT_SYSTEM_MESSAGE,
        llm_config: LLMConfig = None,
        is_termination_msg: Callable[[Message], bool] | None = None,
        max_consecutive_auto_reply: int | None = None,
        human_input_mode: HumanInputMode = "NEVER",
        description: str | None = None,
        **kwargs: Any,
    ) -> None:
        if description is None and system_message == self.DEFAULT_SYSTEM_MESSAGE:
            description = self.DEFAULT_DESCRIPTION
        super().__init__(
            name,
            system_message,
            is_termination_msg,
            max_consecutive_auto_reply,
            human_input_mode,
            llm_config=llm_config,
            description=description,
            **kwargs,
        )
