"""Calls that wait for their turn: pure data, without a clock, tasks or locks."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Hashable
from typing import Generic, TypeVar

from symposia.core import MessageHandlerContext

T = TypeVar("T")


class FairQueue(Generic[T]):
    """A queue in which callers take turns.

    The highest priority comes first. Among calls of the same priority the callers alternate, and each caller's own
    calls are in order: an agent with fifty calls delays another one's single call by one, and not by fifty. Lower
    priorities wait for as long as there are higher ones.
    """

    def __init__(self) -> None:
        self._lines: dict[int, OrderedDict[Hashable, deque[T]]] = {}
        self._places: dict[T, tuple[int, Hashable]] = {}

    def __len__(self) -> int:
        return len(self._places)

    def push(self, item: T, caller: Hashable, priority: int = 0) -> None:
        """Append an item, which is hashable and not in the queue, behind those of its caller."""
        self._lines.setdefault(priority, OrderedDict()).setdefault(caller, deque()).append(item)
        self._places[item] = (priority, caller)

    def first(self) -> T:
        """The item whose turn it is.

        Raises:
            ValueError: The queue is empty.
        """
        line = self._lines[max(self._lines)]
        return next(iter(line.values()))[0]

    def pop(self) -> T:
        """Take out the item whose turn it is, after which its caller is last.

        Raises:
            ValueError: The queue is empty.
        """
        item = self.first()
        self.remove_in_turn(item)
        return item

    def remove_in_turn(self, item: T) -> bool:
        """Take out an item that has had its turn, after which its caller is last.

        Returns:
            Whether it was there.
        """
        place = self._places.get(item)
        if place is not None:
            self._lines[place[0]].move_to_end(place[1])
        return self.remove(item)

    def remove(self, item: T) -> bool:
        """Take out an item that waits no longer; its caller keeps its turn.

        Returns:
            Whether it was there.
        """
        place = self._places.pop(item, None)
        if place is None:
            return False
        priority, caller = place
        line = self._lines[priority]
        line[caller].remove(item)
        if not line[caller]:
            del line[caller]
        if not line:
            del self._lines[priority]
        return True


def current_caller() -> Hashable:
    """Whose call this is: that of the agent whose handler runs, else of the current task.

    The scope of effects was rejected: it is tracked only below a handler of effects, and has the number of the turn in
    it, so that an agent would be another caller in each turn.
    """
    try:
        return MessageHandlerContext.agent_id()
    except RuntimeError:  # outside of a runtime, as with `agent.run()`
        return asyncio.current_task()
