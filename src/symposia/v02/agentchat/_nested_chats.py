"""Chats that an agent holds before it replies: the summary of the last of them is its reply."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from symposia.v02.agentchat._conversable import Conversable, ReplyFunction
from symposia.v02.agentchat._forms import Form
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


async def reply_from_chats(
    form: Form,
    queue: Sequence[ChatInfo],
    agent: Conversable,
    messages: Sequence[Message],
    sender: Agent | None,
    config: object,
    *,
    hold: Callable[[list[ChatInfo]], Any],
) -> tuple[bool, Any]:  # Any: a summary
    """Hold a queue of chats, and reply with the summary of the last.

    Returns:
        True, and the summary; None, which ends the conversation, if there was no chat to hold.
    """
    chats = await chats_to_hold(form, queue, agent, messages, sender, config)
    if not chats:
        return True, None
    results: dict[int, ChatResult] | list[ChatResult] = await form.call(hold, chats)
    last = results[chats[-1]["chat_id"]] if isinstance(results, dict) else results[-1]
    return True, last.summary


def bound_to_queue(function: ReplyFunction, queue: list[ChatInfo], *, is_async: bool) -> ReplyFunction:
    """A reply function that gives a queue of chats to another one, before its own arguments.

    Args:
        function: Takes the queue, `recipient`, `messages`, `sender` and `config`.
        queue: The queue.
        is_async: Whether it is a coroutine function.
    """

    @functools.wraps(function)
    def plain(
        recipient: Agent, messages: list[Message] | None = None, sender: Agent | None = None, config: object = None
    ) -> Any:  # Any: whether it is final, and the reply
        return function(queue, recipient, messages, sender, config)

    @functools.wraps(function)
    async def asynchronous(
        recipient: Agent, messages: list[Message] | None = None, sender: Agent | None = None, config: object = None
    ) -> Any:  # Any: as above
        return await function(queue, recipient, messages, sender, config)

    return asynchronous if is_async else plain
