"""A chat of two agents: its preparation, its turns and its result."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

from symposia.core.effects import enter_scope
from symposia.v02.agentchat._conversable import Conversable, ModelCache, Reply
from symposia.v02.agentchat._forms import Form
from symposia.v02.agentchat._messages import Message
from symposia.v02.agentchat._summaries import SummaryMethod, summarize
from symposia.v02.agentchat.chat import ChatResult
from symposia.v02.agentchat.utils import gather_usage_summary

FirstMessage: TypeAlias = Message | str | Callable[..., Any] | None  # Any: a text or a message
"""The first message of a chat, or a function of sender, recipient and options. None asks a person."""


@dataclass(frozen=True, kw_only=True)
class Chat:
    """The arguments of `ConversableAgent.initiate_chat`, and its sender."""

    sender: Conversable
    recipient: Conversable
    silent: bool | None
    cache: ModelCache
    max_turns: int | None
    summary_method: SummaryMethod
    summary_args: Mapping[str, Any]  # Any: options of the summary
    message: FirstMessage
    options: dict[str, object]
    default_prompt: str


async def hold(form: Form, chat: Chat) -> ChatResult:
    """Hold a chat of two agents that are prepared for it.

    Args:
        form: The form in which the agents are called.
        chat: The chat.

    Returns:
        Its result, as its sender has it.
    """
    sender, recipient = chat.sender, chat.recipient
    with _cached([sender, recipient], chat.cache), enter_scope(f"chat:{sender.name},{recipient.name}"):
        message = await _first_message(form, chat)
        if chat.max_turns is None:
            await form.send(sender, message, recipient, silent=chat.silent)
        else:
            await _take_turns(form, chat, message, chat.max_turns)
        summary = await summarize(
            form,
            sender,
            recipient,
            chat.summary_method,
            chat.summary_args,
            chat.cache,
            default_prompt=chat.default_prompt,
        )
    return ChatResult(
        chat_history=sender.chat_messages[recipient],
        summary=summary,
        cost=gather_usage_summary([sender, recipient]),
    )


async def _first_message(form: Form, chat: Chat) -> Message | str:
    if callable(chat.message):
        return await form.call(chat.message, chat.sender, chat.recipient, chat.options)
    return await form.first_message(chat.sender, chat.message, chat.options)


async def _take_turns(form: Form, chat: Chat, message: Message | str, turns: int) -> None:
    """Send a message and get one reply, several times, or until the sender has no reply."""
    sender, recipient = chat.sender, chat.recipient
    reply: Reply = message  # None of a function of the program, which means as much as later
    for turn in range(turns):
        if turn:
            reply = await form.generate_reply(sender, sender.chat_messages[recipient], recipient)
        if reply is None:
            return
        await form.send(sender, reply, recipient, request_reply=True, silent=chat.silent)


@contextmanager
def _cached(agents: list[Conversable], cache: ModelCache) -> Generator[None]:
    """Give agents a cache for the duration of a chat."""
    before = [agent.client_cache for agent in agents]
    for agent in agents:
        agent.client_cache = cache
    try:
        yield
    finally:
        for agent, own in zip(agents, before, strict=True):
            agent.client_cache = own
