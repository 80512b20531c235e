"""An agent whose reply comes from a group chat that it holds."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any, Literal

from symposia.v02._code_text import content_str
from symposia.v02._plain import plain_form_of, run_plain
from symposia.v02.agentchat._conversable import HumanInputMode, LLMConfig, Reply
from symposia.v02.agentchat._forms import ASYNC, PLAIN, Form
from symposia.v02.agentchat._messages import Message
from symposia.v02.agentchat._model_replies import ask_model
from symposia.v02.agentchat.agent import Agent
from symposia.v02.agentchat.conversable_agent import ConversableAgent
from symposia.v02.agentchat.groupchat import GroupChatManager

__all__ = ["SocietyOfMindAgent"]

INTRODUCTION = (
    "A message was sent to you, and a group has discussed it for you. This is their conversation. It begins with the "
    "message."
)
DEFAULT_PREPARER = (
    "Write a reply of your own to the message with which the conversation began, with what it arrived at. Say nothing "
    "of the conversation or of who took part in it."
)


class SocietyOfMindAgent(ConversableAgent):
    """Holds a group chat about each message, and replies with its result. The group begins anew each time.

    Args:
        name: See `ConversableAgent`.
        chat_manager: The manager of the group chat.
        response_preparer: Makes the reply of the messages of the group chat: a function of this agent and the messages,
            or the prompt with which the model is asked. By default it is `DEFAULT_PREPARER` if there is a model; else
            the reply is the last message, without `TERMINATE`.
        is_termination_msg: See `ConversableAgent`.
        max_consecutive_auto_reply: See `ConversableAgent`.
        human_input_mode: See `ConversableAgent`.
        function_map: See `ConversableAgent`.
        code_execution_config: See `ConversableAgent`.
        llm_config: See `ConversableAgent`.
        default_auto_reply: See `ConversableAgent`.
        kwargs: See `ConversableAgent`.

    Raises:
        ValueError: The preparer is a prompt, and there is no model.
    """

    def __init__(
        self,
        name: str,
        chat_manager: GroupChatManager,
        response_preparer: str | Callable[..., Any] | None = None,  # Any: a text
        is_termination_msg: Callable[[Message], bool] | None = None,
        max_consecutive_auto_reply: int | None = None,
        human_input_mode: HumanInputMode = "TERMINATE",
        function_map: dict[str, Callable[..., Any]] | None = None,  # Any: as in `ConversableAgent`
        code_execution_config: dict[str, Any] | Literal[False] = False,
        llm_config: LLMConfig = False,
        default_auto_reply: str | Message | None = "",
        **kwargs: Any,
    ) -> None:
        super().__init__(
            name=name,
            system_message="",
            is_termination_msg=is_termination_msg,
            max_consecutive_auto_reply=max_consecutive_auto_reply,
            human_input_mode=human_input_mode,
            function_map=function_map,
            code_execution_config=code_execution_config,
            llm_config=llm_config,
            default_auto_reply=default_auto_reply or "",
            **kwargs,
        )
        if isinstance(response_preparer, str) and self.client is None:
            raise ValueError("A prompt as response_preparer needs a model. Give an llm_config, or a function.")
        self._preparer = response_preparer or (None if self.client is None else DEFAULT_PREPARER)
        self.update_chat_manager(chat_manager)
        agent = SocietyOfMindAgent
        position = len(self._reply_func_list) - 2  # before the replies of the model
        self.register_reply([Agent, None], agent.generate_inner_monologue_reply, position)
        self.register_reply(
            [Agent, None], agent.a_generate_inner_monologue_reply, position, ignore_async_in_sync_chat=True
        )

    @property
    def chat_manager(self) -> GroupChatManager:
        """The manager of the group chat."""
        return self._chat_manager

    def update_chat_manager(self, chat_manager: GroupChatManager) -> None:
        """Replace the manager of the group chat.

        Args:
            chat_manager: The new one.
        """
        self._chat_manager = chat_manager

    async def _reply(
        self, form: Form, /, messages: list[Message] | None = None, sender: Agent | None = None, config: object = None
    ) -> tuple[bool, Reply]:
        del config  # of every reply function
        return True, await self._monologue(form, self._history(messages, sender))

    @plain_form_of(_reply)
    def generate_inner_monologue_reply(
        self, messages: list[Message] | None = None, sender: Agent | None = None, config: Any | None = None
    ) -> tuple[bool, Reply]:
        """The reply function that holds the group chat."""
        return run_plain(self._reply(PLAIN, messages, sender, config))

    async def a_generate_inner_monologue_reply(
        self, messages: list[Message] | None = None, sender: Agent | None = None, config: Any | None = None
    ) -> tuple[bool, Reply]:
        """As `generate_inner_monologue_reply`."""
        return await self._reply(ASYNC, messages, sender, config)

    async def _monologue(self, form: Form, messages: list[Message]) -> Reply:
        manager, chat = self._chat_manager, self._chat_manager.groupchat
        self._prepare_chat(manager, clear_history=True)
        for message in copy.deepcopy(messages[:-1]):
            message.setdefault("name", self.name)
            for agent in chat.agents:
                await form.send(manager, message, agent, request_reply=False, silent=True)
        first = {"content": messages[-1].get("content")}
        await form.initiate_chat(
            self, {"recipient": manager, "message": first, "clear_history": False, "summary_method": None}
        )
        return await self._prepared(form, chat.messages)

    async def _prepared(self, form: Form, inner: list[Message]) -> Reply:
        if callable(self._preparer):
            return await form.call(self._preparer, self, inner)
        if self._preparer is None or self.client is None:
            last = inner[-1] if len(inner) > 1 else {"content": ""}
            return content_str(last["content"]).replace("TERMINATE", "").strip()
        said = [{**_without_calls(message), "role": "user"} for message in inner if message.get("content")]
        first, last = ({"role": "system", "content": text} for text in (INTRODUCTION, self._preparer))
        return await ask_model(form, self, self.client, [first, *said, last], self.client_cache)


def _without_calls(message: Message) -> Message:
    return {key: message[key] for key in ("content", "name") if key in message}
