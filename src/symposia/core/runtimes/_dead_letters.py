"""Reports to the runtime's owner: messages without a recipient, and errors that reach no sender."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from symposia.core._agent_id import AgentId
from symposia.core._logging import ROOT_LOGGER_NAME
from symposia.core._message_context import MessageContext
from symposia.core._topic import TopicId
from symposia.core.exceptions import error_text

logger = logging.getLogger(ROOT_LOGGER_NAME)

NOTED_FAILURES = 64
"""How many errors after the first are described by its notes. Their texts are kept and not they themselves: an error
keeps the variables of its frames alive, and a service may run for months."""


class Failures:
    """Errors that reach no sender, until they are raised to the runtime's owner.

    Args:
        ignored: Leave them to the log.
    """

    def __init__(self, *, ignored: bool = False) -> None:
        self._ignored = ignored
        self._first: BaseException | None = None
        self._others: list[str] = []
        self._count = 0

    def __bool__(self) -> bool:
        return self._count > 0

    def add(self, error: BaseException) -> None:
        """Keep an error, unless they are ignored."""
        if self._ignored:
            return
        self._count += 1
        if self._first is None:
            self._first = error
        elif len(self._others) < NOTED_FAILURES:
            self._others.append(_described(error))

    def raise_first(self) -> None:
        """Raise the first error since the last time, with a note for each other; nothing, if there is none."""
        error, others, count = self._first, self._others, self._count
        self._first, self._others, self._count = None, [], 0
        if error is not None:
            _note(error, others, count - 1)
            raise error


def _note(error: BaseException, others: list[str], count: int) -> None:
    for other in others:
        error.add_note(f"Also: {other}")
    if count > len(others):
        error.add_note(f"And {count - len(others)} more, which are in the log.")


def _described(error: BaseException) -> str:
    return f"{type(error).__name__}: {error_text(error)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """A message without a recipient.

    Attributes:
        message: The message.
        sender: The agent that sent it, None for the world outside.
        recipient: The agent that it was meant for, if it was for one.
        topic_id: The topic that it was published to, if it was.
        reason: Why it has no recipient.
    """

    message: Any
    sender: AgentId | None
    recipient: AgentId | None
    topic_id: TopicId | None
    reason: str


class DeadLetters:
    """Hands dead letters to the runtime's owner, or else to the log.

    Args:
        hook: Called with each, in the event loop; must not block. What it raises is added to `failures`: it must keep
            no message from its other recipients, and no runtime from stopping.
        failures: Errors that reach no sender.
    """

    def __init__(self, hook: Callable[[DeadLetter], None] | None, failures: Failures) -> None:
        self._hook = hook
        self._failures = failures

    def report(self, message: object, ctx: MessageContext, recipient: AgentId | None, reason: str) -> None:
        """Report a message without a recipient."""
        if self._hook is None:
            if logger.isEnabledFor(logging.INFO):
                target = recipient or ctx.topic_id
                logger.info("Dead letter: %s for %s: %s", type(message).__name__, target, reason)
            return
        letter = DeadLetter(
            message=message, sender=ctx.sender, recipient=recipient, topic_id=ctx.topic_id, reason=reason
        )
        try:
            self._hook(letter)
        except Exception as error:
            self._failures.add(error)
            logger.exception("on_dead_letter failed on a %s", type(message).__name__)
