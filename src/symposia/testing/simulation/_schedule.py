"""The callbacks that are ready to run, and the choice of the next. Everything that decides the interleaving is here.

asyncio runs what is ready in the order in which it became ready. That is one order out of many: had an answer come a
moment earlier, or a timer fired a moment later, another would have run. A seed picks one of those many, within rules
that hold in every asyncio program, whatever its loop:

- A callback is never overtaken by what became ready after it. `call_soon` promises callbacks first in, first out, and
  a future calls its callbacks in the order in which they were added.
- Tasks start in the order in which they were created: nothing from outside comes between `create_task` and the first
  step, and the messages that a program sends from new tasks are sent in the program's order.
- A task that lets others run (`await asyncio.sleep(0)`) does: whatever was ready by then, and is not itself letting
  others run, goes first.

Everything else is explored: in which order tasks that were woken continue, whether a new task starts before an old one
continues, and when timers of the same instant fire among them. Reordering callbacks as well was rejected: it shows
failures that no loop can produce, and one false alarm costs more trust than a missed order costs bugs.
"""

from __future__ import annotations

import asyncio
import heapq
from collections import deque
from collections.abc import Iterator
from enum import Enum, auto
from itertools import count
from random import Random

WINDOW = 32
"""How many of the oldest are candidates: a step costs the same however many are ready, and none waits for ever."""

STRAYS = (0.1, 0.5, 1.0)
"""How often a seed leaves asyncio's order: some seeds find what needs one odd step, others what needs chaos."""


class Kind(Enum):
    """Why something is ready."""

    CALLBACK = auto()
    """`call_soon`, a timer, a future's callback."""
    START = auto()
    """The first step of a task."""
    WAKE = auto()
    """A task continues after a wait."""
    PAUSE = auto()
    """A task continues that only let others run."""


class ReadyQueue:
    """The callbacks that are ready to run, in the order in which they became ready.

    Args:
        random: Decides what runs next.
        stray: How often, from 0 to 1, that is not simply the oldest.
    """

    def __init__(self, random: Random, stray: float) -> None:
        self._random = random
        self._stray = stray
        self._items: deque[tuple[Kind, asyncio.Handle]] = deque()

    def __len__(self) -> int:
        return len(self._items)

    def append(self, kind: Kind, handle: asyncio.Handle) -> None:
        """Something has become ready."""
        self._items.append((kind, handle))

    def pop(self) -> tuple[Kind, asyncio.Handle]:
        """Take what runs next."""
        items = self._items
        if len(items) == 1 or self._random.random() >= self._stray:
            return items.popleft()
        place = self._random.choice(list(self._candidates()))
        taken = items[place]
        del items[place]
        return taken

    def clear(self) -> None:
        """Forget everything."""
        self._items.clear()

    def _candidates(self) -> Iterator[int]:
        """The positions that may run next: the oldest, and each that may overtake all before it."""
        work = start = False
        for place, (kind, _) in zip(range(WINDOW), self._items, strict=False):
            if kind is Kind.CALLBACK:
                yield place
                return
            if (kind is Kind.PAUSE and not work) or kind is Kind.WAKE or (kind is Kind.START and not start):
                yield place
            work = work or kind is not Kind.PAUSE
            start = start or kind is Kind.START


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
        """The earliest callback that was not cancelled."""
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
