"""A message is converted for a vendor once, however often the conversation that it is in is sent."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Generic, TypeVar

M = TypeVar("M")
W = TypeVar("W")


class Conversions(Generic[M, W]):
    """Calls `convert` once for each message, and remembers what came of it for as long as the message lives.

    Messages are values that nobody changes, so identity is enough; they need not be hashable.
    """

    def __init__(self, convert: Callable[[M], W]) -> None:
        self._convert = convert
        self._known: dict[int, tuple[weakref.ref[M], W]] = {}

    def __call__(self, message: M) -> W:
        """What `convert` makes of this message. It is shared: do not change it."""
        known = self._known.get(id(message))
        return known[1] if known is not None else self._add(message)

    def __len__(self) -> int:
        return len(self._known)

    def _add(self, message: M) -> W:
        key, known, converted = id(message), self._known, self._convert(message)
        known[key] = (weakref.ref(message, lambda _: known.pop(key, None)), converted)
        return converted
