"""Values computed over the messages of a conversation: its hash, its number of tokens.

A conversation grows at its end, so the value of a longer one goes on from that of the one before. To compute it anew
for each request would take time in proportion to the length: a thousand messages take 3 ms to serialize, and 0.1 ms
only to see that they are unchanged.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Final, Generic, TypeVar

from symposia.core.models import LLMMessage
from symposia.ext.models._conversions import ConversionCache

V = TypeVar("V")

KEPT: Final = 256
"""Conversations whose value is kept. A beginning is kept beside what goes on from it, since several agents go on from
one beginning."""

NEW: Final = 64
"""Messages by which a conversation may have grown and still be recognized: a turn adds a few, and a team its members'
answers."""


class ConversationFold(Generic[V]):
    """Folds the messages of conversations, and goes on where an earlier fold of the same messages ended.

    Conversations are compared by the versions of their messages. Each message has another once it was changed.

    Args:
        start: The value of the empty conversation.
        step: The value of a conversation, from that of all messages before the last one, and that message.
    """

    def __init__(self, start: V, step: Callable[[V, LLMMessage], V]) -> None:
        self._start = start
        self._step = step
        self._lock = threading.Lock()
        self._version_of: ConversionCache[LLMMessage, object] = ConversionCache(lambda _: object())
        # By the id of the last version, which the list keeps alive. The messages themselves may end.
        self._known: OrderedDict[int, tuple[list[object], V]] = OrderedDict()

    def __call__(self, messages: Sequence[LLMMessage]) -> V:
        """The value of a conversation."""
        if not messages:
            return self._start
        versions = self._version_of.each(messages)
        folded, value = self._longest_known(versions)
        if folded == len(versions):
            return value
        for message in messages[folded:]:
            value = self._step(value, message)
        with self._lock:
            self._known[id(versions[-1])] = (versions, value)
            if len(self._known) > KEPT:
                self._known.popitem(last=False)
        return value

    def _longest_known(self, versions: list[object]) -> tuple[int, V]:
        """How many of the first messages have a known value, and that value."""
        for length in range(len(versions), max(len(versions) - NEW, 0), -1):
            # The last versions are the same mostly if all are: a message stands in one conversation, or in several that
            # begin alike.
            known = self._known.get(id(versions[length - 1]))
            if known is not None and known[0] == versions[:length]:
                return length, known[1]
        return 0, self._start
