"""The private names of AutoGen 0.2's agents that subclasses and functions of programs use, as they behave there.

Nothing of ours calls them, so that overriding one changes nothing else. Those that agents call when they converse
are not here: `_append_oai_message`, `_message_to_dict`, `_prepare_chat`, `_print_received_message`,
`_process_message_before_send` and `_process_received_message`.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from symposia.v02._plain import run_plain
from symposia.v02.agentchat._carryover import with_carryover
from symposia.v02.agentchat._chatting_agent import ChattingAgent
from symposia.v02.agentchat._conversable import Conversable, LLMConfig, ModelCache, ModelWrapper, Reply, is_silent
from symposia.v02.agentchat._forms import PLAIN
from symposia.v02.agentchat._messages import Message, text_of
from symposia.v02.agentchat._model_replies import ask_model, checked_name, normalized_name
from symposia.v02.agentchat._nested_chats import NestedChats, chats_to_hold
from symposia.v02.agentchat._reply_functions import applies
from symposia.v02.agentchat._summaries import LAST_MESSAGE, REFLECTION, SummaryMethod, summarize
from symposia.v02.agentchat._tools import with_text_result
from symposia.v02.agentchat.agent import Agent
from symposia.v02.agentchat.chat import ChatInfo
from symposia.v02.function_utils import load_basemodels_if_needed

Options = Mapping[str, Any]  # Any: of summaries and of first messages


class PrivateNames(ChattingAgent):
    """An agent with the private names of AutoGen 0.2."""

    # Counts of replies

    @property
    def _consecutive_auto_reply_counter(self) -> defaultdict[Agent | None, int]:
        return self._auto_replies.counts

    @property
    def _max_consecutive_auto_reply_dict(self) -> dict[Agent | None, int]:
        return self._auto_replies.limits

    @property
    def _max_consecutive_auto_reply(self) -> int:
        return self._auto_replies.default

    @_max_consecutive_auto_reply.setter
    def _max_consecutive_auto_reply(self, limit: int) -> None:
        self._auto_replies.default = limit

    # Replies

    def _match_trigger(self, trigger: object, sender: Agent | None) -> bool:
        return applies(trigger, sender)

    def _generate_oai_reply_from_client(
        self, llm_client: ModelWrapper, messages: Sequence[Message], cache: ModelCache
    ) -> Reply:
        return run_plain(ask_model(PLAIN, self, llm_client, messages, cache))

    def _validate_llm_config(self, llm_config: LLMConfig) -> None:
        self._configure_model(llm_config)

    @staticmethod
    def _is_silent(agent: Agent, silent: bool | None = False) -> bool | None:
        return is_silent(agent, silent)

    # Functions

    @staticmethod
    def _normalize_name(name: str) -> str:
        return normalized_name(name)

    @staticmethod
    def _assert_valid_name(name: str) -> str:
        return checked_name(name)

    def _str_for_tool_response(self, tool_response: Message) -> str:
        return str(tool_response.get("content", ""))

    @staticmethod
    def _format_json_str(jstr: str) -> str:
        """A text with raw line breaks in it as JSON; one that is none as it is."""
        try:
            return json.dumps(json.loads(jstr, strict=False))
        except ValueError:
            return jstr

    def _wrap_function(self, func: Callable[..., Any]) -> Callable[..., Any]:  # Any: a function of the program
        return with_text_result(load_basemodels_if_needed(func))

    # Chats and their summaries

    def _process_carryover(self, content: str, kwargs: Options) -> Message | str:
        return with_carryover(content, kwargs.get("carryover"))

    def _handle_carryover(self, message: Message | str, kwargs: Options) -> Message | str:
        return with_carryover(message, kwargs.get("carryover"))

    def _check_chat_queue_for_sender(self, chat_queue: Sequence[ChatInfo]) -> list[ChatInfo]:
        return [{"sender": self, **each} for each in chat_queue]

    @staticmethod
    def _get_chats_to_run(
        chat_queue: list[ChatInfo], recipient: Agent, messages: list[Message], sender: Agent | None, config: object
    ) -> list[ChatInfo]:
        chats = run_plain(chats_to_hold(PLAIN, chat_queue, recipient, messages, sender, config))
        return [{"sender": recipient, **each} for each in chats]

    @staticmethod
    def _summary_from_nested_chats(
        chat_queue: list[ChatInfo],
        recipient: Conversable,
        messages: list[Message],
        sender: Agent | None,
        config: object,
    ) -> tuple[bool, Any]:  # Any: a summary
        return NestedChats(chat_queue, None).reply(recipient, messages, sender, config)

    @staticmethod
    async def _a_summary_from_nested_chats(
        chat_queue: list[ChatInfo],
        recipient: Conversable,
        messages: list[Message],
        sender: Agent | None,
        config: object,
    ) -> tuple[bool, Any]:  # Any: as above
        return await NestedChats(chat_queue, None).a_reply(recipient, messages, sender, config)

    def _reflection_with_llm(
        self,
        prompt: str,
        messages: Sequence[Message],
        llm_agent: Conversable | None = None,
        cache: ModelCache = None,
        role: str | None = None,
    ) -> str:
        client = None if llm_agent is None else llm_agent.client
        if (client := client or self.client) is None:
            raise ValueError("No OpenAIWrapper client is found. Give an agent with an llm_config.")
        asked = [*messages, {"role": role or "system", "content": prompt}]
        answer = run_plain(ask_model(PLAIN, self, client, asked, cache))
        return text_of(answer) if isinstance(answer, dict) else answer or ""

    @staticmethod
    def _last_msg_as_summary(sender: PrivateNames, recipient: Conversable, summary_args: Options) -> Any:  # Any: above
        return sender._summarized(LAST_MESSAGE, summary_args, recipient, None)

    @staticmethod
    def _reflection_with_llm_as_summary(
        sender: PrivateNames, recipient: Conversable, summary_args: Options
    ) -> Any:  # Any: as above
        return sender._summarized(REFLECTION, summary_args, recipient, None)

    def _summarize_chat(
        self, summary_method: SummaryMethod, summary_args: Options, recipient: Conversable, cache: ModelCache = None
    ) -> Any:  # Any: as above
        return self._summarized(summary_method, summary_args, recipient, cache)

    def _summarized(self, method: SummaryMethod, arguments: Options, recipient: Conversable, cache: ModelCache) -> Any:
        prompt = self.DEFAULT_SUMMARY_PROMPT
        return run_plain(summarize(PLAIN, self, recipient, method, arguments, cache, default_prompt=prompt))
