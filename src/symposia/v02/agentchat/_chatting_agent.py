"""Agents that begin chats: of two, one after another, and before they reply."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from symposia.v02._plain import plain_form_of, run_plain
from symposia.v02.agentchat._agent_options import AgentOptions
from symposia.v02.agentchat._carryover import with_carryover
from symposia.v02.agentchat._chats import Chat, FirstMessage, hold
from symposia.v02.agentchat._conversable import ModelCache
from symposia.v02.agentchat._effects import ask_person
from symposia.v02.agentchat._forms import ASYNC, PLAIN, Form
from symposia.v02.agentchat._messages import Message
from symposia.v02.agentchat._model_agent import ModelAgent
from symposia.v02.agentchat._nested_chats import NestedChats
from symposia.v02.agentchat._partners import check_agent
from symposia.v02.agentchat._reply_functions import Trigger, coroutine_functions
from symposia.v02.agentchat._summaries import SummaryMethod
from symposia.v02.agentchat.chat import ChatInfo, ChatResult, a_initiate_chats, in_order
from symposia.v02.agentchat.utils import consolidate_chat_info


class ChattingAgent(ModelAgent):
    """Begins chats with other agents.

    Args:
        options: The arguments of `ConversableAgent`.
    """

    DEFAULT_SUMMARY_METHOD: ClassVar[str] = "last_msg"
    DEFAULT_SUMMARY_PROMPT: ClassVar[str] = (
        "State what this conversation arrived at, in a few sentences. Begin with the result itself."
    )

    def __init__(self, options: AgentOptions) -> None:
        super().__init__(options)
        self._finished_chats: list[ChatResult] | dict[int, ChatResult] = []

    def _prepare_chat(
        self,
        recipient: ChattingAgent,
        clear_history: bool,
        prepare_recipient: bool = True,
        reply_at_receive: bool = True,
    ) -> None:
        self.reset_consecutive_auto_reply_counter(recipient)
        self.reply_at_receive[recipient] = reply_at_receive
        if clear_history:
            self.clear_history(recipient)
            self._human_input = []
        if prepare_recipient:
            recipient._prepare_chat(self, clear_history, False, reply_at_receive)

    async def _initiate_chat(
        self,
        form: Form,
        /,
        recipient: ChattingAgent,
        clear_history: bool = True,
        silent: bool | None = False,
        cache: ModelCache = None,
        max_turns: int | None = None,
        summary_method: SummaryMethod = DEFAULT_SUMMARY_METHOD,
        summary_args: Mapping[str, Any] | None = None,
        message: FirstMessage = None,
        **kwargs: Any,
    ) -> ChatResult:
        check_agent("The recipient of a chat", recipient)
        consolidate_chat_info({"recipient": recipient, "summary_method": summary_method}, uniform_sender=self)
        if not form.is_async:
            for agent in (self, recipient):
                agent._raise_exception_on_async_reply_functions()  # noqa: SLF001 - of this class
        self._prepare_chat(recipient, clear_history, reply_at_receive=max_turns is None)
        chat = Chat(
            sender=self,
            recipient=recipient,
            silent=silent,
            cache=cache,
            max_turns=max_turns,
            summary_method=summary_method,
            summary_args=summary_args or {},
            message=message,
            options=kwargs,
            default_prompt=self.DEFAULT_SUMMARY_PROMPT,
        )
        result = await hold(form, chat)
        result.human_input = self._human_input
        return result

    @plain_form_of(_initiate_chat)
    def initiate_chat(
        self,
        recipient: ChattingAgent,
        clear_history: bool = True,
        silent: bool | None = False,
        cache: ModelCache = None,
        max_turns: int | None = None,
        summary_method: SummaryMethod = DEFAULT_SUMMARY_METHOD,
        summary_args: dict[str, Any] | None = {},  # noqa: B006 - AutoGen's default, which is not changed
        message: FirstMessage = None,
        **kwargs: Any,  # Any: for a message that is a function
    ) -> ChatResult:
        """Hold a chat with another agent.

        Args:
            recipient: The other agent.
            clear_history: Whether both forget what they said to each other before.
            silent: Whether the messages are not printed.
            cache: The cache of the models' answers, for both.
            max_turns: How many times this agent sends a message and gets a reply; None until one of them ends the chat.
            summary_method: `last_msg`, `reflection_with_llm`, a function of sender, recipient and `summary_args`, or
                None.
            summary_args: For `reflection_with_llm`: `summary_prompt`, `summary_role` and `cache`.
            message: The first message, or a function of sender, recipient and `kwargs` that makes it. None asks the
                person.
            kwargs: `carryover`: what earlier chats resulted in. Anything for a message that is a function.

        Raises:
            RuntimeError: An agent has a coroutine function as a reply function.
            ArgumentTypeError: The recipient is no agent of AutoGen 0.2.
            AssertionError: The chat cannot be summarized in that way.
            InvalidCarryOverType: The carryover is neither a text nor a list.
        """
        return run_plain(
            self._initiate_chat(
                PLAIN,
                recipient,
                clear_history,
                silent,
                cache,
                max_turns,
                summary_method,
                summary_args,
                message,
                **kwargs,
            )
        )

    async def a_initiate_chat(
        self,
        recipient: ChattingAgent,
        clear_history: bool = True,
        silent: bool | None = False,
        cache: ModelCache = None,
        max_turns: int | None = None,
        summary_method: SummaryMethod = DEFAULT_SUMMARY_METHOD,
        summary_args: dict[str, Any] | None = {},  # noqa: B006 - AutoGen's default, which is not changed
        message: FirstMessage = None,
        **kwargs: Any,  # Any: for a message that is a function
    ) -> ChatResult:
        """As `initiate_chat`."""
        return await self._initiate_chat(
            ASYNC, recipient, clear_history, silent, cache, max_turns, summary_method, summary_args, message, **kwargs
        )

    def _raise_exception_on_async_reply_functions(self) -> None:
        if functions := coroutine_functions(self._reply_func_list):
            names = ", ".join(sorted(getattr(each, "__name__", repr(each)) for each in functions))
            raise RuntimeError(
                "Async reply functions can only be used with ConversableAgent.a_initiate_chat(). The following async "
                f"reply functions are found: {names}"
            )

    def generate_init_message(self, message: Message | str | None, **kwargs: Any) -> Message | str:
        """Make the first message of a chat. None asks the person; `carryover` is added to it."""
        given = run_plain(ask_person(PLAIN, self, ">")) if message is None else message
        return with_carryover(given, kwargs.get("carryover"))

    async def a_generate_init_message(self, message: Message | str | None, **kwargs: Any) -> Message | str:
        """As `generate_init_message`."""
        given = await ask_person(ASYNC, self, ">") if message is None else message
        return with_carryover(given, kwargs.get("carryover"))

    async def _initiate_chats(self, form: Form, chat_queue: list[ChatInfo]) -> list[ChatResult]:
        results = await in_order(form, [{"sender": self, **each} for each in chat_queue])
        self._finished_chats = results
        return results

    @plain_form_of(_initiate_chats)
    def initiate_chats(self, chat_queue: list[ChatInfo]) -> list[ChatResult]:
        """Hold chats one after another: `symposia.v02.initiate_chats` with this agent as the sender."""
        return run_plain(self._initiate_chats(PLAIN, chat_queue))

    async def a_initiate_chats(self, chat_queue: list[ChatInfo]) -> dict[int, ChatResult]:
        """Hold chats as their prerequisites allow, with this agent as the sender."""
        results = await a_initiate_chats([{"sender": self, **each} for each in chat_queue])
        self._finished_chats = results
        return results

    def get_chat_results(self, chat_index: int | None = None) -> list[ChatResult] | dict[int, ChatResult] | ChatResult:
        """The results of the chats of the last `initiate_chats`, or of one of them."""
        return self._finished_chats if chat_index is None else self._finished_chats[chat_index]

    def register_nested_chats(
        self,
        chat_queue: list[ChatInfo],
        trigger: Trigger,
        reply_func_from_nested_chats: str | Callable[..., Any] = "summary_from_nested_chats",
        position: int = 2,
        use_async: bool | None = None,
        **kwargs: Any,  # Any: for `register_reply`
    ) -> None:
        """Hold chats before replying to some senders. The summary of the last one is the reply.

        Args:
            chat_queue: The chats, as for `initiate_chats`. The first gets the last message received, if it has none of
                its own; others without one are left out. The message of one may be a function of `recipient`,
                `messages`, `sender` and `config`.
            trigger: The senders, as for `register_reply`.
            reply_func_from_nested_chats: Holds the chats, and returns whether its reply is final, and the reply.
            position: The place among the reply functions; by default after the termination of a conversation.
            use_async: Whether the chats are held by `a_initiate_chats`. Each needs a `chat_id` then, and a plain chat
                raises `RuntimeError`, unless `kwargs` has `ignore_async_in_sync_chat`.
            kwargs: For `register_reply`.

        Raises:
            ValueError: A chat has no `chat_id`, or the function is none, or no coroutine function for `use_async`.
        """
        if use_async and any("chat_id" not in each for each in chat_queue):
            raise ValueError("chat_id is required for async nested chats")
        given = reply_func_from_nested_chats
        replying = None if given == "summary_from_nested_chats" else given
        if not (replying is None or callable(replying)):
            raise ValueError("reply_func_from_nested_chats must be a callable")
        if use_async and not (replying is None or inspect.iscoroutinefunction(replying)):
            raise ValueError("reply_func_from_nested_chats must be a callable and a coroutine function for use_async.")
        nested = NestedChats(chat_queue, replying)
        self.register_reply(
            trigger,
            nested.a_reply if use_async else nested.reply,
            position,
            kwargs.get("config"),
            kwargs.get("reset_config"),
            ignore_async_in_sync_chat=bool(kwargs.get("ignore_async_in_sync_chat")),
        )
