"""What is costly to make and is used again: some of it stays, and what is in use does not end."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


@dataclass
class _Held(Generic[V]):
    value: V
    users: int = 0


class Kept(Generic[K, V]):
    """Values by key, for users in several threads and event loops. Each `take` and `add` has its `give_back`.

    Args:
        limit: How many stay. There are more while more are in use.
        end: Ends a value that nobody uses.
    """

    def __init__(self, limit: int, end: Callable[[V], Awaitable[None]]) -> None:
        self._limit = limit
        self._end = end
        self._held: OrderedDict[K, _Held[V]] = OrderedDict()  # the one that was taken the longest ago comes first
        self._lock = threading.Lock()

    def take(self, key: K) -> V | None:
        """The value of a key for one more user; None where there is none."""
        with self._lock:
            return self._taken(key) if key in self._held else None

    def add(self, key: K, value: V) -> V:
        """The value of a key for one more user: this one, unless another user has added one meanwhile."""
        with self._lock:
            self._held.setdefault(key, _Held(value))
            return self._taken(key)

    def keep(self, key: K, value: V) -> None:
        """Have a value for the users to come."""
        with self._lock:
            self._held[key] = _Held(value)

    async def give_back(self, key: K) -> None:
        """Use the value of a key no longer. Of too many values, those end that were taken the longest ago."""
        with self._lock:
            self._held[key].users -= 1
        while (idle := self._surplus()) is not None:
            await self._end(idle)

    async def end_all(self) -> None:
        """End all values. Nothing is taken afterwards."""
        while self._held:
            _, held = self._held.popitem()
            await self._end(held.value)

    def _taken(self, key: K) -> V:
        self._held.move_to_end(key)
        self._held[key].users += 1
        return self._held[key].value

    def _surplus(self) -> V | None:
        with self._lock:
            idle = next((key for key, held in self._held.items() if not held.users), None)
            return None if idle is None or len(self._held) <= self._limit else self._held.pop(idle).value
