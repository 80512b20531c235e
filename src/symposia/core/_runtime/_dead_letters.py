"""Where messages go that nobody takes."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from symposia.core._agent_id import AgentId
from symposia.core._logging import ROOT_LOGGER_NAME
from symposia.core._message_context import MessageContext
from symposia.core._topic import TopicId

logger = logging.getLogger(ROOT_LOGGER_NAME)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """A message that no agent took.

    Attributes:
        message: The message.
        sender: The agent that sent it, None for the world outside.
        recipient: The agent that it was meant for, if it was for one.
        topic_id: The topic that it was published to, if it was.
        reason: Why nobody took it.
    """

    message: Any
    sender: AgentId | None
    recipient: AgentId | None
    topic_id: TopicId | None
    reason: str


class DeadLetters:
    """Hands dead letters to the runtime's owner, or else to the log.

    Args:
        hook: Called with each, in the event loop; must not block.
    """

    def __init__(self, hook: Callable[[DeadLetter], None] | None) -> None:
        self._hook = hook

    def report(self, message: object, ctx: MessageContext, recipient: AgentId | None, reason: str) -> None:
        """Nobody takes this message."""
        if self._hook is not None:
            self._hook(
                DeadLetter(
                    message=message, sender=ctx.sender, recipient=recipient, topic_id=ctx.topic_id, reason=reason
                )
            )
        elif logger.isEnabledFor(logging.INFO):
            target = recipient or ctx.topic_id
            logger.info("Dead letter: %s for %s: %s", type(message).__name__, target, reason)
