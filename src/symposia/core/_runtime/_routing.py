from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any

from symposia.core._agent_id import AgentId
from symposia.core._logging import ROOT_LOGGER_NAME
from symposia.core._message_context import MessageContext
from symposia.core._runtime._agent_types import AgentTypes
from symposia.core._runtime._dead_letters import DeadLetters, Failures
from symposia.core._runtime._mailbox import Mailbox
from symposia.core._runtime._subscriptions import Subscriptions
from symposia.core._subscription import Subscription
from symposia.core._topic import TopicId

logger = logging.getLogger(ROOT_LOGGER_NAME)


def recipients(
    message: Any,
    topic: TopicId,
    ctx: MessageContext,
    subscriptions: Subscriptions,
    types: AgentTypes,
    dead_letters: DeadLetters,
    failures: Failures,
) -> list[Mailbox]:
    """The mailboxes of all recipients of a published message: each once, and not the sender's.

    What a subscription or a hook of the program raises is added to `failures`: it keeps the message from no other.
    """

    def failed(subscription: Subscription, error: Exception) -> None:
        failures.add(error)
        logger.error("Subscription %s failed on topic %s", subscription.id, topic, exc_info=error)

    found: dict[Mailbox, None] = {}
    subscribed = False
    for type_, key in _subscribers(topic, subscriptions, failed):
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


def _subscribers(
    topic: TopicId, subscriptions: Subscriptions, on_error: Callable[[Subscription, Exception], None]
) -> Iterator[tuple[str, str]]:
    for type_ in subscriptions.agent_types(topic.type):
        yield type_, topic.source
    for agent in subscriptions.custom_agents(topic, on_error):
        yield agent.type, agent.key
