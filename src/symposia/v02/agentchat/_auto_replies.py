"""How often an agent has replied to each sender without a person, and how often it may."""

from __future__ import annotations

from collections import defaultdict

from symposia.v02.agentchat.agent import Agent


class AutoReplies:
    """Counts consecutive automatic replies, per sender.

    Args:
        limit: How many are allowed for a sender without a limit of its own.

    Attributes:
        counts: The replies since a person, or a new chat, interrupted them.
        limits: The limits of senders that have one.
        default: See `limit`.
    """

    def __init__(self, limit: int) -> None:
        self.default = limit
        self.counts: defaultdict[Agent | None, int] = defaultdict(int)
        self.limits: dict[Agent | None, int] = {}

    def limit_of(self, sender: Agent | None) -> int:
        """How many replies are allowed to a sender."""
        return self.limits.get(sender, self.default)

    def set_limit(self, limit: int, sender: Agent | None) -> None:
        """Set the limit of a sender; of every sender if it is None."""
        if sender is None:
            self.default = limit
            self.limits.clear()
        else:
            self.limits[sender] = limit

    def reset(self, sender: Agent | None) -> None:
        """Begin counting again, for a sender or for all."""
        if sender is None:
            self.counts.clear()
        else:
            self.counts[sender] = 0
