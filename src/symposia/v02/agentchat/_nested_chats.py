"""Chats that an agent holds before it replies: the summary of the last of them is its reply."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from symposia.v02._plain import plain_form_of, run_plain
from symposia.v02.agentchat._conversable import Conversable, ReplyFunction
from symposia.v02.agentchat._forms import ASYNC, PLAIN, Form
from symposia.v02.agentchat._messages import Message
from symposia.v02.agentchat.agent import Agent
from symposia.v02.agentchat.chat import ChatInfo, ChatResult


async def chats_to_hold(
    form: Form,
    queue: Sequence[ChatInfo],
    agent: Agent,
    messages: Sequence[Message],
    sender: Agent | None,
    config: object,
) -> list[ChatInfo]:
    """The chats of a queue with their first messages.

    The first chat without a message of its own gets the text of the last message received. Chats without any are left
    out.

    Args:
        form: The form of the call.
        queue: The chats. The message of one may be a function of `recipient`, `messages`, `sender` and `config`.
        agent: The agent that holds them: the recipient of the messages.
        messages: The conversation that it replies to.
        sender: The agent that it replies to.
        config: Its configuration for them.
    """
    chats: list[ChatInfo] = []
    for number, each in enumerate(queue):
        message: object = each.get("message")
        if message is None and number == 0:
            message = messages[-1].get("content")
        elif callable(message):
            message = await form.call(message, agent, messages, sender, config)
        if message:
            chats.append({**each, "message": message})
    return chats


class NestedChats:
    """A reply function, plain or asynchronous, that holds a queue of chats.

    Args:
        queue: The chats.
        reply: A function of the program that holds them instead: it takes the queue, `recipient`, `messages`, `sender`
            and `config`, and returns whether its reply is final, and the reply.
    """

    def __init__(self, queue: list[ChatInfo], reply: ReplyFunction | None) -> None:
        self._queue = queue
        self._own_reply = reply

    async def _reply(
        self,
        form: Form,
        /,
        recipient: Conversable,
        messages: list[Message] | None = None,
        sender: Agent | None = None,
        config: object = None,
    ) -> tuple[bool, Any]:  # Any: a summary
        if self._own_reply is not None:
            return await form.call(self._own_reply, self._queue, recipient, messages, sender, config)
        chats = await chats_to_hold(form, self._queue, recipient, messages or [], sender, config)
        if not chats:
            return True, None  # which ends the conversation
        results: dict[int, ChatResult] | list[ChatResult] = await form.initiate_chats(recipient, chats)
        last = results[chats[-1]["chat_id"]] if isinstance(results, dict) else results[-1]
        return True, last.summary

    @plain_form_of(_reply)
    def reply(
        self,
        recipient: Conversable,
        messages: list[Message] | None = None,
        sender: Agent | None = None,
        config: object = None,
    ) -> tuple[bool, Any]:  # Any: as above
        """The reply function: the summary of the last chat, or None if there was no chat to hold."""
        return run_plain(self._reply(PLAIN, recipient, messages, sender, config))

    async def a_reply(
        self,
        recipient: Conversable,
        messages: list[Message] | None = None,
        sender: Agent | None = None,
        config: object = None,
    ) -> tuple[bool, Any]:  # Any: as above
        """As `reply`."""
        return await self._reply(ASYNC, recipient, messages, sender, config)
