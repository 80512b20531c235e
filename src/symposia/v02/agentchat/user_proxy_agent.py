"""An agent that stands for a person: it asks them, and executes code for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Literal

from symposia.v02.agentchat._conversable import HumanInputMode, LLMConfig
from symposia.v02.agentchat._messages import Message
from symposia.v02.agentchat.conversable_agent import ConversableAgent

__all__ = ["UserProxyAgent"]


class UserProxyAgent(ConversableAgent):
    """A person's agent: it asks the person for every reply, and executes code. It has no model.

    Args:
        name: See `ConversableAgent`.
        is_termination_msg: See `ConversableAgent`.
        max_consecutive_auto_reply: See `ConversableAgent`.
        human_input_mode: See `ConversableAgent`.
        function_map: See `ConversableAgent`.
        code_execution_config: How it executes the code in messages; False if it does not.
        default_auto_reply: See `ConversableAgent`.
        llm_config: See `ConversableAgent`.
        system_message: See `ConversableAgent`.
        description: See `ConversableAgent`; by default, what such an agent does in its `human_input_mode`.
        kwargs: See `ConversableAgent`.
    """

    DEFAULT_USER_PROXY_AGENT_DESCRIPTIONS: ClassVar[dict[str, str]] = {
        "ALWAYS": "The human user. Answers questions about the task, and executes Python programs and Linux commands.",
        "TERMINATE": "Executes Python programs and Linux commands for the user, and reports the output.",
        "NEVER": (
            "A computer that executes Python programs in ```python blocks and shell scripts in ```sh blocks, and does "
            "nothing else."
        ),
    }

    def __init__(
        self,
        name: str,
        is_termination_msg: Callable[[Message], bool] | None = None,
        max_consecutive_auto_reply: int | None = None,
        human_input_mode: HumanInputMode = "ALWAYS",
        function_map: dict[str, Callable[..., Any]] | None = None,  # Any: as in `ConversableAgent`
        code_execution_config: dict[str, Any] | Literal[False] = {},  # noqa: B006 - AutoGen's default, which is not changed
        default_auto_reply: str | Message | None = "",
        llm_config: LLMConfig = False,
        system_message: str | list[Any] | None = "",
        description: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            name=name,
            system_message=system_message,
            is_termination_msg=is_termination_msg,
            max_consecutive_auto_reply=max_consecutive_auto_reply,
            human_input_mode=human_input_mode,
            function_map=function_map,
            code_execution_config=code_execution_config,
            llm_config=llm_config,
            default_auto_reply=default_auto_reply or "",
            description=(
                self.DEFAULT_USER_PROXY_AGENT_DESCRIPTIONS[human_input_mode] if description is None else description
            ),
            **kwargs,
        )
