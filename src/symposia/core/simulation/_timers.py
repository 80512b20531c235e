from __future__ import annotations

import asyncio
import heapq
from itertools import count
from random import Random


class Timers:
    """What runs at a time, the earliest first; in a random order where the times are equal.

    asyncio leaves the order of timers of one instant open.

    Args:
        random: Decides that order; None for the order in which the timers were set.
    """

    def __init__(self, random: Random | None) -> None:
        self._random = random
        self._heap: list[tuple[float, float, int, asyncio.TimerHandle]] = []
        self._numbers = count()

    def push(self, timer: asyncio.TimerHandle) -> None:
        """Set a timer."""
        place = 0.0 if self._random is None else self._random.random()
        heapq.heappush(self._heap, (timer.when(), place, next(self._numbers), timer))

    def first(self) -> asyncio.TimerHandle | None:
        """The earliest, of those that were not cancelled."""
        while self._heap and self._heap[0][-1].cancelled():
            heapq.heappop(self._heap)
        return self._heap[0][-1] if self._heap else None

    def due(self, now: float) -> asyncio.TimerHandle | None:
        """The earliest, if its time has come."""
        timer = self.first()
        return None if timer is None or timer.when() > now else timer

    def pop(self) -> None:
        """Forget the earliest."""
        heapq.heappop(self._heap)

    def clear(self) -> None:
        """Forget everything."""
        self._heap.clear()
