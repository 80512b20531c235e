from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from symposia.agentchat.messages import BaseChatMessage, dump_messages
from symposia.agentchat.teams._messages import Item
from symposia.core.changes import Change, extension


@dataclass(frozen=True, slots=True)
class ConversationMark:
    """How far a conversation was.

    Attributes:
        replaced: How often it had been loaded or reset.
        length: The length of the transcript.
        pending: By participant, how many messages it had received, and how many were pending.
    """

    replaced: int
    length: int
    pending: Mapping[str, tuple[int, int]]


class Conversation:
    """The transcript of a team, and the messages that each participant has not received yet.

    Attributes:
        transcript: Every message and event so far; only ever appended to.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self.transcript: list[Item] = []
        self._pending: dict[str, list[BaseChatMessage]] = {name: [] for name in names}
        self._received = dict.fromkeys(self._pending, 0)  # how many messages were taken out of each list
        self._replaced = 0  # how often another conversation took the place of this one

    @property
    def names(self) -> list[str]:
        """The participants."""
        return list(self._pending)

    def includes(self, names: Iterable[str]) -> bool:
        """Whether all of them are participants."""
        return self._pending.keys() >= set(names)

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
        self._received[name] += received
        for other, pending in self._pending.items():
            if other != name:
                pending.extend(messages)

    def copy(self) -> Conversation:
        """The conversation as it is now."""
        copied = Conversation(self._pending)
        copied.transcript = self.transcript.copy()
        for name, pending in self._pending.items():
            copied._pending[name] = pending.copy()
        return copied

    def mark(self) -> ConversationMark:
        """How far the conversation is, for `added` and `pending_change`."""
        lengths = {name: (self._received[name], len(pending)) for name, pending in self._pending.items()}
        return ConversationMark(self._replaced, len(self.transcript), lengths)

    def is_continued(self, since: ConversationMark) -> bool:
        """Whether messages were only added since."""
        return self._replaced == since.replaced

    def added(self, since: ConversationMark) -> Sequence[Item]:
        """The messages and events that were added to the transcript since."""
        return self.transcript[since.length :]

    def pending_change(self, name: str, since: ConversationMark) -> Change | None:
        """What changed in the pending messages of a participant since, as JSON."""
        received, length = since.pending[name]
        pending = self._pending[name]
        if received == self._received[name]:
            return extension(dump_messages(pending[length:]))
        return {"set": dump_messages(pending)}

    def load(self, transcript: Sequence[Item], pending: Mapping[str, Sequence[BaseChatMessage]]) -> None:
        """Continue from a saved conversation."""
        self.transcript[:] = transcript
        self._replaced += 1
        self._pending = {name: list(pending[name]) for name in self._pending}

    def reset(self) -> None:
        """Forget everything."""
        self.transcript.clear()
        self._replaced += 1
        for pending in self._pending.values():
            pending.clear()
