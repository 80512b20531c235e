from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from symposia.agentchat.messages import BaseChatMessage
from symposia.agentchat.teams._messages import Item


class Conversation:
    """The transcript of a team, and the messages that each participant has not received yet.

    Attributes:
        transcript: Every message and event so far; only ever appended to.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self.transcript: list[Item] = []
        self._pending: dict[str, list[BaseChatMessage]] = {name: [] for name in names}

    @property
    def names(self) -> list[str]:
        """The participants."""
        return list(self._pending)

    def includes(self, names: Iterable[str]) -> bool:
        """Whether all of them are participants."""
        return all(name in self._pending for name in names)

    def pending(self, name: str) -> Sequence[BaseChatMessage]:
        """The messages that a participant has not received yet; a copy, which stays as it is."""
        return tuple(self._pending[name])

    def start(self, task: Sequence[BaseChatMessage]) -> None:
        """Add the messages of a task, for every participant."""
        self.transcript += task
        for pending in self._pending.values():
            pending.extend(task)

    def add_answer(
        self, name: str, items: Sequence[Item], messages: Sequence[BaseChatMessage], *, received: int
    ) -> None:
        """Add what a participant did in its turn.

        Args:
            name: The participant.
            items: Its messages and events, for the transcript.
            messages: Its messages, for every other participant.
            received: How many of its pending messages it was given in the turn.
        """
        self.transcript += items
        del self._pending[name][:received]
        for other, pending in self._pending.items():
            if other != name:
                pending.extend(messages)

    def copy(self) -> Conversation:
        """The conversation as it is now."""
        copied = Conversation(())
        copied.transcript = self.transcript.copy()
        copied._pending = {name: pending.copy() for name, pending in self._pending.items()}
        return copied

    def load(self, transcript: Sequence[Item], pending: Mapping[str, Sequence[BaseChatMessage]]) -> None:
        """Continue from a saved conversation."""
        self.transcript[:] = transcript
        self._pending = {name: list(pending[name]) for name in self._pending}

    def reset(self) -> None:
        """Forget everything."""
        self.transcript.clear()
        for pending in self._pending.values():
            pending.clear()
