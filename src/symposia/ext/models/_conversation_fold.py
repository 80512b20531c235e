"""Values computed over the messages of a conversation: its hash, its number of tokens.

A conversation grows at its end, so the value of a longer one goes on from that of the one before. To compute it anew
for each request would take time in proportion to the length: a thousand messages take 3 ms to serialize, and 0.2 ms
even to look up one by one in a `ConversionCache`. Comparing two lists by identity takes a tenth of that.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from operator import is_
from typing import Final, Generic, TypeVar

from symposia.core.models import LLMMessage

V = TypeVar("V")

KEPT: Final = 256
"""Conversations whose value is kept. They keep their messages alive, most of which the agents have as well. A beginning
is kept beside what goes on from it, since several agents go on from one beginning."""

NEW: Final = 64
"""Messages by which a conversation may have grown and still be recognized: a turn adds a few, and a team its members'
answers."""


class ConversationFold(Generic[V]):
    """Folds the messages of conversations, and goes on where an earlier fold of the same messages ended.

    Messages are never changed, so identity is enough. A list is: it is copied.

    Args:
        start: The value of the empty conversation.
        step: The value of a conversation, from that of all messages before the last one, and that message.
    """

    def __init__(self, start: V, step: Callable[[V, LLMMessage], V]) -> None:
        self._start = start
        self._step = step
        self._lock = threading.Lock()
        self._known: OrderedDict[int, tuple[list[LLMMessage], V]] = OrderedDict()  # by the id of the last message

    def __call__(self, messages: Sequence[LLMMessage]) -> V:
        """The value of a conversation."""
        if not messages:
            return self._start
        folded, value = self._longest_known(messages)
        if folded == len(messages):
            return value
        for message in messages[folded:]:
            value = self._step(value, message)
        with self._lock:
            self._known[id(messages[-1])] = (list(messages), value)
            if len(self._known) > KEPT:
                self._known.popitem(last=False)
        return value

    def _longest_known(self, messages: Sequence[LLMMessage]) -> tuple[int, V]:
        """How many of the first messages have a known value, and that value."""
        for length in range(len(messages), max(len(messages) - NEW, 0), -1):
            # An id is that of another object once its own is gone; the kept list prevents that, and is compared.
            known = self._known.get(id(messages[length - 1]))
            if known is not None and len(known[0]) == length and all(map(is_, known[0], messages)):
                return length, known[1]
        return 0, self._start
