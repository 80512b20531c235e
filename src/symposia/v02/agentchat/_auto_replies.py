"""How often an agent has replied to each sender without a person, and how often it may."""

from __future__ import annotations

from collections import defaultdict

from symposia.v02.agentchat.agent import Agent


class _Limits(dict["Agent | None", int]):
    """The limits of senders; those without one of their own have the default."""

    def __init__(self, default: int) -> None:
        super().__init__()
        self.default = default

    def __missing__(self, sender: Agent | None) -> int:
        return self.default


class AutoReplies:
    """Counts consecutive automatic replies, per sender.

    Args:
        limit: How many are allowed for a sender without a limit of its own.

    Attributes:
        counts: The replies since a person, or a new chat, interrupted them.
        limits: The limits of senders; `limit` for one without a limit of its own.
    """

    def __init__(self, limit: int) -> None:
        self.counts: defaultdict[Agent | None, int] = defaultdict(int)
        self.limits = _Limits(limit)

    @property
    def default(self) -> int:
        """See `limit`."""
        return self.limits.default

    @default.setter
    def default(self, limit: int) -> None:
        self.limits.default = limit

    def limit_of(self, sender: Agent | None) -> int:
        """How many replies are allowed to a sender."""
        return self.limits[sender]

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
