"""The errors of group chats and conversations, under AutoGen's names."""

from __future__ import annotations

from symposia.core.exceptions import AgentError, UsageError

__all__ = [
    "AgentNameConflict",
    "InvalidCarryOverType",
    "NoEligibleSpeaker",
    "SenderRequired",
    "UndefinedNextAgent",
]


class AgentNameConflict(UsageError):  # noqa: N818 - AutoGen's name
    """Several agents of a group chat have one name."""

    def __init__(self, msg: str = "Found multiple agents with the same name.", *args: object) -> None:
        super().__init__(msg, *args)


class NoEligibleSpeaker(AgentError):  # noqa: N818 - AutoGen's name
    """No agent of a group chat may speak next. The chat ends."""

    def __init__(self, message: str = "No eligible speakers.") -> None:
        self.message = message
        super().__init__(message)


class SenderRequired(UsageError):  # noqa: N818 - AutoGen's name
    """A reply function is chosen by the sender's name, and no sender was given."""

    def __init__(self, message: str = "Sender is required but not provided.") -> None:
        self.message = message
        super().__init__(message)


class InvalidCarryOverType(UsageError):  # noqa: N818 - AutoGen's name
    """A carryover is neither a text nor a list."""

    def __init__(
        self,
        message: str = "Carryover should be a string or a list of strings. Not adding carryover to the message.",
    ) -> None:
        self.message = message
        super().__init__(message)


class UndefinedNextAgent(UsageError):  # noqa: N818 - AutoGen's name
    """A next speaker was to be chosen among agents that are not in the group chat."""

    def __init__(self, message: str = "The provided agents list does not overlap with agents in the group.") -> None:
        self.message = message
        super().__init__(message)
