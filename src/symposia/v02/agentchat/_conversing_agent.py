"""Agents that send each other messages: names, conversations, and hooks for what is sent and received."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any, cast

from typing_extensions import override

from symposia.v02 import runtime_logging
from symposia.v02._plain import plain_form_of, run_plain
from symposia.v02.agentchat import _hooks
from symposia.v02.agentchat._agent_options import AgentOptions
from symposia.v02.agentchat._conversable import Conversing, is_silent
from symposia.v02.agentchat._exchange import answer, deliver, has_reply, send_reply
from symposia.v02.agentchat._forms import ASYNC, PLAIN, Form
from symposia.v02.agentchat._histories import Histories
from symposia.v02.agentchat._messages import Message, as_message, stored_form
from symposia.v02.agentchat._printing import print_received
from symposia.v02.agentchat.agent import Agent, LLMAgent


class ConversingAgent(LLMAgent):
    """Sends and receives messages. How it replies is left to subclasses.

    Args:
        options: The arguments of `ConversableAgent`.
    """

    def __init__(self, options: AgentOptions) -> None:
        self._name = options.name
        self._oai_messages = Histories(options.name, options.chat_messages)
        self._oai_system_message: list[Message] = [{"content": options.system_message, "role": "system"}]
        given = options.system_message if options.description is None else options.description
        self._description = cast("str", given)
        self.silent = options.silent
        self.reply_at_receive: dict[Agent, bool] = defaultdict(bool)
        self.hook_lists = _hooks.no_hooks()

    @property
    @override
    def name(self) -> str:
        """Names the agent in conversations, and in messages to models."""
        return self._name

    @property
    @override
    def description(self) -> str:
        """Describes the agent to the speaker selection of a group chat."""
        return self._description

    @description.setter
    def description(self, description: str) -> None:
        self._description = description

    @property
    @override
    def system_message(self) -> str:
        """The instructions of the model."""
        return self._oai_system_message[0]["content"]

    @override
    def update_system_message(self, system_message: str) -> None:
        self._oai_system_message[0]["content"] = system_message

    @property
    def chat_messages(self) -> dict[Agent, list[Message]]:
        """The conversations, by the other agent."""
        return self._oai_messages

    def chat_messages_for_summary(self, agent: Agent) -> list[Message]:
        """The messages of which a chat with an agent is summarized."""
        return self._oai_messages[agent]

    def last_message(self, agent: Agent | None = None) -> Message | None:
        """The last message exchanged with an agent.

        Args:
            agent: The other agent; None for the only one.

        Returns:
            The message; None if there is no conversation at all.

        Raises:
            ValueError: No agent is given, and there are several conversations.
            KeyError: There is no conversation with the agent.
        """
        return self._oai_messages.last_message(agent)

    def clear_history(self, recipient: Agent | None = None, nr_messages_to_preserve: int | None = None) -> None:
        """Clear a conversation, or all of them.

        Args:
            recipient: The other agent; None for all conversations.
            nr_messages_to_preserve: How many of the last messages are kept in all conversations, and one more where the
                result of a tool would otherwise be without its call.
        """
        self._oai_messages.forget(recipient, nr_messages_to_preserve)

    @staticmethod
    def _message_to_dict(message: Message | str) -> Message:
        return as_message(message)

    def _append_oai_message(self, message: Message | str, role: str, conversation_id: Agent, is_sending: bool) -> bool:
        author = self.name if is_sending else conversation_id.name
        stored = stored_form(self._message_to_dict(message), role, author)
        if stored is None:
            return False
        self._oai_messages[conversation_id].append(stored)
        return True

    async def _send(
        self, form: Form, message: Message | str, recipient: Agent, request_reply: bool | None, silent: bool | None
    ) -> None:
        if has_reply(self, recipient):
            await send_reply(form)
        is_silenced = is_silent(self, silent)
        if form.is_async:
            message = await self._a_process_message_before_send(message, recipient, is_silenced)
        else:
            message = self._process_message_before_send(message, recipient, is_silenced)
        self._store_sent(message, recipient)
        if request_reply is False and not form.is_async:  # there is nothing to exchange
            cast("Conversing", recipient).receive(message, self, request_reply, silent)
        else:
            await deliver(form, self, recipient, message, request_reply, silent)

    @override
    @plain_form_of(_send)
    def send(
        self, message: Message | str, recipient: Agent, request_reply: bool | None = None, silent: bool | None = False
    ) -> None:
        """Send a message to another agent.

        Args:
            message: A text, or a dict with `content`, `function_call` or `tool_calls`. With a `context`, the content
                is a template.
            recipient: Its recipient.
            request_reply: Whether the recipient replies; None leaves that to the recipient.
            silent: Whether it is not printed.

        Raises:
            ValueError: It has neither content nor calls.
        """
        run_plain(self._send(PLAIN, message, recipient, request_reply, silent))

    @override
    async def a_send(
        self, message: Message | str, recipient: Agent, request_reply: bool | None = None, silent: bool | None = False
    ) -> None:
        """As `send`."""
        await self._send(ASYNC, message, recipient, request_reply, silent)

    def _process_message_before_send(
        self, message: Message | str, recipient: Agent, silent: bool | None
    ) -> Message | str:
        if not self.hook_lists["process_message_before_send"]:
            return message
        return run_plain(_hooks.before_send(PLAIN, self.hook_lists, self, message, recipient, silent))

    async def _a_process_message_before_send(
        self, message: Message | str, recipient: Agent, silent: bool | None
    ) -> Message | str:
        return await _hooks.before_send(ASYNC, self.hook_lists, self, message, recipient, silent)

    def _store_sent(self, message: Message | str, recipient: Agent) -> None:
        if not self._append_oai_message(message, "assistant", recipient, is_sending=True):
            raise ValueError(
                "Message can't be converted into a valid ChatCompletion message. Either content or function_call must "
                "be provided."
            )

    async def _receive(
        self, form: Form, message: Message | str, sender: Agent, request_reply: bool | None, silent: bool | None
    ) -> None:
        self._process_received_message(message, sender, silent)
        if self._is_to_reply(sender, request_reply):
            await answer(form, self, self.chat_messages[sender], sender, silent)

    @override
    @plain_form_of(_receive)
    def receive(
        self, message: Message | str, sender: Agent, request_reply: bool | None = None, silent: bool | None = False
    ) -> None:
        """Receive a message, and reply if a reply is requested.

        Args:
            message: The message.
            sender: Its sender.
            request_reply: Whether to reply; None is `reply_at_receive` of the sender.
            silent: Whether it is not printed.

        Raises:
            ValueError: It has neither content nor calls.
        """
        self._process_received_message(message, sender, silent)
        if self._is_to_reply(sender, request_reply):
            run_plain(answer(PLAIN, self, self.chat_messages[sender], sender, silent))

    @override
    async def a_receive(
        self, message: Message | str, sender: Agent, request_reply: bool | None = None, silent: bool | None = False
    ) -> None:
        """As `receive`."""
        await self._receive(ASYNC, message, sender, request_reply, silent)

    def _is_to_reply(self, sender: Agent, request_reply: bool | None) -> bool:
        return self.reply_at_receive.get(sender, False) if request_reply is None else request_reply

    def _process_received_message(self, message: Message | str, sender: Agent, silent: bool | None) -> None:
        is_valid = self._append_oai_message(message, "user", sender, is_sending=False)
        if runtime_logging.logging_enabled():
            runtime_logging.log_event(self, "received_message", message=message, sender=sender.name, valid=is_valid)
        if not is_valid:
            raise ValueError(
                "Received message can't be converted into a valid ChatCompletion message. Either content or "
                "function_call must be provided."
            )
        if not is_silent(sender, silent):
            self._print_received_message(message, sender)

    def _print_received_message(self, message: Message | str, sender: Agent) -> None:
        print_received(
            self._message_to_dict(message), sender, self.name, allow_format_str_template=self._allows_templates
        )

    def stop_reply_at_receive(self, sender: Agent | None = None) -> None:
        """Reply no longer when a message is received, of a sender or of all."""
        if sender is None:
            self.reply_at_receive.clear()
        else:
            self.reply_at_receive[sender] = False

    @property
    def _allows_templates(self) -> bool:
        return False

    def register_hook(self, hookable_method: str, hook: Callable[..., Any]) -> None:
        """Register a function that changes messages.

        Args:
            hookable_method: `process_last_received_message`, whose hooks take and return the content of a message;
                `process_all_messages_before_reply`, whose hooks take and return a conversation; or
                `process_message_before_send`, whose hooks take `sender`, `message`, `recipient` and `silent`, and
                return the message. With `a_` before it, for the asynchronous form.
            hook: The function.

        Raises:
            AssertionError: There is no such method, or the hook is registered for it.
        """
        _hooks.add_hook(self.hook_lists, hookable_method, hook)

    def process_all_messages_before_reply(self, messages: list[Message]) -> list[Message]:
        """A conversation as its hooks leave it."""
        if not self.hook_lists["process_all_messages_before_reply"]:
            return messages
        return run_plain(_hooks.before_reply(PLAIN, self.hook_lists, messages))

    async def a_process_all_messages_before_reply(self, messages: list[Message]) -> list[Message]:
        """As `process_all_messages_before_reply`."""
        return await _hooks.before_reply(ASYNC, self.hook_lists, messages)

    def process_last_received_message(self, messages: list[Message]) -> list[Message]:
        """A conversation with the content of its last message as its hooks leave it."""
        if not self.hook_lists["process_last_received_message"]:
            return messages
        return run_plain(_hooks.last_message(PLAIN, self.hook_lists, messages))

    async def a_process_last_received_message(self, messages: list[Message]) -> list[Message]:
        """As `process_last_received_message`."""
        return await _hooks.last_message(ASYNC, self.hook_lists, messages)
