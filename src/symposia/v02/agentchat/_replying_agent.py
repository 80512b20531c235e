"""Agents that reply: their reply functions, their person, and the end of a conversation."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection
from typing import Any, ClassVar, cast

from typing_extensions import override

from symposia.core.effects import enter_scope
from symposia.v02 import runtime_logging
from symposia.v02._plain import call_in_thread, plain_form_of, run_plain
from symposia.v02.agentchat._agent_options import AgentOptions
from symposia.v02.agentchat._auto_replies import AutoReplies
from symposia.v02.agentchat._conversable import Reply, ReplyFunction
from symposia.v02.agentchat._conversing_agent import ConversingAgent
from symposia.v02.agentchat._forms import ASYNC, PLAIN, Form
from symposia.v02.agentchat._human_input import ask_or_stop
from symposia.v02.agentchat._messages import Message, text_of
from symposia.v02.agentchat._reply_functions import ReplyEntry, Trigger, chosen, make_entry, note_own
from symposia.v02.agentchat.agent import Agent
from symposia.v02.io import IOStream


class ReplyingAgent(ConversingAgent):
    """Replies with the first of its reply functions that has a final reply. The first of all asks its person.

    Args:
        options: The arguments of `ConversableAgent`.
    """

    MAX_CONSECUTIVE_AUTO_REPLY: ClassVar[int] = 100

    def __init__(self, options: AgentOptions) -> None:
        super().__init__(options)
        self.human_input_mode = options.human_input_mode
        self._is_termination_msg = options.is_termination_msg or is_terminate
        limit = options.max_consecutive_auto_reply
        self._auto_replies = AutoReplies(self.MAX_CONSECUTIVE_AUTO_REPLY if limit is None else limit)
        self._default_auto_reply = options.default_auto_reply
        self._human_input: list[str] = []
        self._reply_func_list: list[ReplyEntry] = []
        self._twins: dict[ReplyFunction, ReplyFunction] = {}
        agent = ReplyingAgent
        self._add_own_reply(agent.check_termination_and_human_reply, agent.a_check_termination_and_human_reply)

    def _add_own_reply(self, plain: ReplyFunction, asynchronous: ReplyFunction) -> None:
        """Register a reply function and its asynchronous form, after the others."""
        self._twins[plain] = asynchronous
        note_own(plain, asynchronous)
        senders: Trigger = [Agent, None]
        self.register_reply(senders, asynchronous, len(self._reply_func_list), ignore_async_in_sync_chat=True)
        self.register_reply(senders, plain, len(self._reply_func_list))

    def register_reply(
        self,
        trigger: Trigger,
        reply_func: ReplyFunction,
        position: int = 0,
        config: Any | None = None,  # Any: what the function is given
        reset_config: Callable[[Any], object] | None = None,
        *,
        ignore_async_in_sync_chat: bool = False,
        remove_other_reply_funcs: bool = False,
    ) -> None:
        """Register a function that replies.

        Args:
            trigger: The senders to which it applies: a class, a name, an agent, a function of the sender, or a list
                of these, in which None stands for a reply without a sender.
            reply_func: Takes `recipient`, `messages`, `sender` and `config`. Returns whether its reply is final, and
                the reply. The first final reply is sent; None ends the conversation.
            position: Its place among the reply functions; by default it is the first.
            config: What it is given. The agent has a copy.
            reset_config: Resets that, when the agent is reset; by default it is copied again.
            ignore_async_in_sync_chat: Whether a chat in the plain form leaves it out, if it is a coroutine function. By
                default such a chat is an error.
            remove_other_reply_funcs: Whether it replaces all others.

        Raises:
            ValueError: The trigger is none.
        """
        entry = make_entry(
            trigger, reply_func, config, reset_config, ignore_async_in_sync_chat=ignore_async_in_sync_chat
        )
        if remove_other_reply_funcs:
            self._reply_func_list.clear()
        self._reply_func_list.insert(position, entry)

    def replace_reply_func(self, old_reply_func: ReplyFunction, new_reply_func: ReplyFunction) -> None:
        """Replace a reply function, in its place and with its trigger."""
        for entry in self._reply_func_list:
            if entry["reply_func"] == old_reply_func:
                entry["reply_func"] = new_reply_func

    async def _generate_reply(
        self, form: Form, /, messages: list[Message] | None = None, sender: Agent | None = None, **kwargs: Any
    ) -> Reply:
        if messages is None:
            if sender is None:
                raise AssertionError(f"Either {messages=} or {sender=} must be provided.")
            messages = self.chat_messages[sender]
        with enter_scope(f"agent:{self.name}"):
            messages = await form.processed(self, messages)
            exclude: Collection[ReplyFunction] = kwargs.get("exclude") or ()
            for entry in chosen(
                self._reply_func_list, sender, exclude=exclude, twins=self._twins, is_async=form.is_async
            ):
                function = entry["reply_func"]
                given = form.ask(function, self, messages, sender, entry["config"])
                if type(given) is not tuple and inspect.isawaitable(given):
                    given = cast("object", await given)
                final, reply = cast("tuple[bool, Reply]", given)
                if runtime_logging.logging_enabled():
                    self._log(function, final=final, reply=reply)
                if final:
                    return reply
            return self._default_auto_reply

    def _log(self, function: ReplyFunction, *, final: object, reply: object) -> None:
        runtime_logging.log_event(
            self,
            "reply_func_executed",
            reply_func_module=function.__module__,
            reply_func_name=getattr(function, "__name__", repr(function)),
            final=final,
            reply=reply,
        )

    @override
    @plain_form_of(_generate_reply)
    def generate_reply(
        self, messages: list[Message] | None = None, sender: Agent | None = None, **kwargs: Any
    ) -> str | Message | None:
        """Generate a reply: the first that is final among those of the reply functions, else `default_auto_reply`.

        Args:
            messages: The conversation; None for that with the sender.
            sender: The agent to which the reply goes.
            kwargs: `exclude`: reply functions that are left out.

        Returns:
            The reply. None ends the conversation.

        Raises:
            AssertionError: There is neither a conversation nor a sender.
        """
        return run_plain(self._generate_reply(PLAIN, messages, sender, **kwargs))

    @override
    async def a_generate_reply(
        self, messages: list[Message] | None = None, sender: Agent | None = None, **kwargs: Any
    ) -> str | Message | None:
        """As `generate_reply`. Coroutine functions are awaited."""
        return await self._generate_reply(ASYNC, messages, sender, **kwargs)

    @property
    def human_inputs(self) -> list[str]:
        """What the person said since the last chat that cleared the history began."""
        return self._human_input

    def get_human_input(self, prompt: str) -> str:
        """Ask the person. Override it to ask elsewhere than on the `IOStream`."""
        words = IOStream.get_default().input(prompt)
        self._human_input.append(words)
        return words

    async def a_get_human_input(self, prompt: str) -> str:
        """As `get_human_input`, in a thread, so that the event loop goes on."""
        words = await call_in_thread(IOStream.get_default().input, prompt)
        self._human_input.append(words)
        return words

    async def _ask_or_stop(
        self, form: Form, /, messages: list[Message] | None = None, sender: Agent | None = None, config: object = None
    ) -> tuple[bool, Reply]:
        del config  # of every reply function
        return await ask_or_stop(
            form,
            self,
            self._history(messages, sender)[-1],
            sender,
            terminates=self._is_termination_msg,
            auto_replies=self._auto_replies,
        )

    @plain_form_of(_ask_or_stop)
    def check_termination_and_human_reply(
        self, messages: list[Message] | None = None, sender: Agent | None = None, config: Any | None = None
    ) -> tuple[bool, Reply]:
        """The reply function that asks the person, and ends the conversation."""
        return run_plain(self._ask_or_stop(PLAIN, messages, sender, config))

    async def a_check_termination_and_human_reply(
        self, messages: list[Message] | None = None, sender: Agent | None = None, config: Any | None = None
    ) -> tuple[bool, Reply]:
        """As `check_termination_and_human_reply`."""
        return await self._ask_or_stop(ASYNC, messages, sender, config)

    def _history(self, messages: list[Message] | None, sender: Agent | None) -> list[Message]:
        if messages is not None:
            return messages
        return [] if sender is None else self._oai_messages[sender]

    def max_consecutive_auto_reply(self, sender: Agent | None = None) -> int:
        """How often it replies to a sender without a person; to those without a limit of their own if it is None."""
        return self._auto_replies.limit_of(sender)

    def update_max_consecutive_auto_reply(self, value: int, sender: Agent | None = None) -> None:
        """Set how often it replies without a person, to a sender or to all."""
        self._auto_replies.set_limit(value, sender)

    def reset_consecutive_auto_reply_counter(self, sender: Agent | None = None) -> None:
        """Count replies from zero, those to a sender or to all."""
        self._auto_replies.reset(sender)


def is_terminate(message: Message) -> bool:
    return text_of(message) == "TERMINATE"
