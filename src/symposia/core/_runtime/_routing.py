from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from symposia.core._agent_id import AgentId
from symposia.core._message_context import MessageContext
from symposia.core._runtime._agent_types import AgentTypes
from symposia.core._runtime._dead_letters import DeadLetters
from symposia.core._runtime._mailbox import Mailbox
from symposia.core._runtime._subscriptions import Subscriptions
from symposia.core._topic import TopicId


def recipients(
    message: Any,
    topic: TopicId,
    ctx: MessageContext,
    subscriptions: Subscriptions,
    types: AgentTypes,
    dead_letters: DeadLetters,
) -> list[Mailbox]:
    """The mailboxes of everybody who receives a published message: each once, and not the sender's."""
    found: dict[Mailbox, None] = {}
    subscribed = False
    for type_, key in _subscribers(topic, subscriptions):
        subscribed = True
        mailbox = types.mailbox_of(type_, key)
        if mailbox is not None:
            found[mailbox] = None
        else:
            reason = f"its agent type {type_!r} is subscribed but not registered"
            dead_letters.report(message, ctx, AgentId(type_, key), reason)
    if not subscribed:
        dead_letters.report(message, ctx, None, "nobody is subscribed to its topic")
    return [mailbox for mailbox in found if mailbox.id != ctx.sender]


def _subscribers(topic: TopicId, subscriptions: Subscriptions) -> Iterator[tuple[str, str]]:
    for type_ in subscriptions.agent_types(topic.type):
        yield type_, topic.source
    for agent in subscriptions.custom_agents(topic):
        yield agent.type, agent.key
