"""Reports of what has no waiting sender: dead letters, and failures of publish handlers, which `stop` raises."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Final

from symposia.core import ROOT_LOGGER_NAME, AgentId, DeadLetter, MessageContext, Subscription

logger = logging.getLogger(ROOT_LOGGER_NAME)

STOPPED: Final = "the runtime has stopped"
"""The reason of a dead letter that was not handled before the runtime stopped."""


class Reports:
    """The dead letters and failures of one runtime.

    Attributes:
        failures: What has failed since `raise_failures` was called last.

    Args:
        on_dead_letter: Called with each dead letter; else they are logged at level INFO.
        ignore_failures: Only log what publish handlers raise.
    """

    def __init__(self, on_dead_letter: Callable[[DeadLetter], None] | None, *, ignore_failures: bool) -> None:
        self.failures: list[BaseException] = []
        self._on_dead_letter = on_dead_letter
        self._ignores_failures = ignore_failures

    def broken_subscription(self, subscription: Subscription, error: Exception) -> None:
        """Note that a subscription could not say which agents it is for."""
        logger.error("Subscription %s failed", subscription.id, exc_info=error)
        self.failures.append(error)

    def failure(self, agent_id: AgentId, error: BaseException) -> None:
        """Note what a publish handler raised."""
        logger.error("Agent %s failed on a published message", agent_id, exc_info=error)
        if not self._ignores_failures:
            self.failures.append(error)

    def dead_letter(self, message: Any, ctx: MessageContext, recipient: AgentId | None, reason: str) -> None:
        """Report a message that no agent takes."""
        self.letter(
            DeadLetter(message=message, sender=ctx.sender, recipient=recipient, topic_id=ctx.topic_id, reason=reason)
        )

    def letter(self, letter: DeadLetter) -> None:
        """Report a dead letter to the hook, or to the log."""
        if self._on_dead_letter is None:
            target = letter.recipient or letter.topic_id
            logger.info("Dead letter: %s for %s: %s", type(letter.message).__name__, target, letter.reason)
            return
        try:
            self._on_dead_letter(letter)
        except Exception as error:
            logger.exception("The hook for dead letters failed")
            self.failures.append(error)

    def raise_failures(self) -> None:
        """Raise what went wrong where no sender waits: the first error, with notes that tell the others."""
        failures, self.failures = self.failures, []
        if failures:
            first, *others = failures
            for other in others:
                first.add_note(f"Also: {type(other).__name__}: {other}")
            raise first
