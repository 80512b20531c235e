"""When the next request may be sent: the state of limits, in this process.

The algorithm is virtual scheduling, or GCRA (ITU-T recommendation I.371, annex A). Each limit has one number, the time
at which all that was taken so far is paid off, if it is paid at the rate of the limit. A request may begin when that
time has come, and moves it on by its own cost. So requests are spaced out, as vendors want them ("60 a minute" may be
enforced as one a second), a request that is larger than what is left makes the next one wait longer, and an estimate is
corrected by moving the time back or forth.

The libraries do not fit. `aiolimiter` serves one event loop, in the order of arrival, and takes nothing back. `limits`
counts in windows: it tells whether there is room but not how long to wait for it, has no correction either, and lets
all requests of a minute go at its beginning.
"""

from __future__ import annotations

import asyncio
import math
import threading
from functools import lru_cache
from operator import add, mul, sub
from typing import Final, NamedTuple, Protocol

MINUTE: Final = 60.0

BURST: Final = 0.01
"""The part of a minute's rate that may go ahead of time, in whole requests. More would exceed the rate of some minute
by more than a hundredth; less would lose what a timer is late."""

INSTANT: Final = 1e-6
"""Seconds that are not waited for: what clocks round."""


class Load(NamedTuple):
    """What a request takes of each limit.

    Attributes:
        requests: Requests.
        tokens: Tokens of the prompt and the answer together.
        input_tokens: Tokens of the prompt, without those that came from the vendor's cache, as Anthropic counts.
        output_tokens: Tokens of the answer.
    """

    requests: float = 0.0
    tokens: float = 0.0
    input_tokens: float = 0.0
    output_tokens: float = 0.0

    def minus(self, other: Load) -> Load:
        """The difference of two loads."""
        return Load(*map(sub, self, other))


class Rates(NamedTuple):
    """What is allowed a minute; None for no limit.

    Attributes:
        requests: Requests.
        tokens: Tokens of prompts and answers together.
        input_tokens: Tokens of prompts, where they are limited apart.
        output_tokens: Tokens of answers, likewise.
    """

    requests: float | None = None
    tokens: float | None = None
    input_tokens: float | None = None
    output_tokens: float | None = None

    def below(self, other: Rates) -> Rates:
        """The lower of two rates, each."""
        return Rates(*map(_lower, self, other))

    @property
    def counts_tokens(self) -> bool:
        """Whether any limit is one of tokens."""
        return any(rate is not None for rate in self[1:])

    def seconds(self, load: Load) -> tuple[float, ...]:
        """Seconds that a load takes of each limit."""
        return tuple(map(mul, load, _seconds_a_piece(self)))

    @property
    def early(self) -> tuple[float, ...]:
        """Seconds by which a request may go ahead of the time of each limit."""
        return _early(self)


@lru_cache  # computed for each request, they would take a third of the wrapper's time
def _seconds_a_piece(rates: Rates) -> tuple[float, ...]:
    return tuple(MINUTE / rate if rate else 0.0 for rate in rates)


@lru_cache
def _early(rates: Rates) -> tuple[float, ...]:
    return tuple(math.floor(BURST * rate) * MINUTE / rate if rate else 0.0 for rate in rates)


def _lower(one: float | None, other: float | None) -> float | None:
    return min((rate for rate in (one, other) if rate is not None), default=None)


class Meters(Protocol):
    """The state of the limits of one name, wherever it is kept."""

    async def take(self, rates: Rates, load: Load) -> float:
        """Take a load, if it may go now.

        Returns:
            0 if it was taken, else the seconds after which to try again.

        Raises:
            asyncio.CancelledError: The task was cancelled, and nothing is taken.
        """
        ...

    async def correct(self, rates: Rates, load: Load) -> None:
        """Take more, or give back what is negative, also if the task is cancelled meanwhile."""
        ...

    async def pause(self, seconds: float) -> None:
        """Let nothing go for so long."""
        ...


class LocalMeters:
    """The state of limits in this process. Any thread and event loop may use it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._paid = [-math.inf] * len(Rates._fields)
        self._paused_until = -math.inf

    async def take(self, rates: Rates, load: Load) -> float:
        """See `Meters.take`."""
        now = asyncio.get_running_loop().time()
        with self._lock:
            wait = max(*map(sub, self._paid, rates.early), self._paused_until) - now
            if wait > INSTANT:
                return wait
            self._paid = [max(now, paid) + cost for paid, cost in zip(self._paid, rates.seconds(load), strict=True)]
        return 0.0

    async def correct(self, rates: Rates, load: Load) -> None:
        """See `Meters.correct`."""
        with self._lock:
            self._paid = list(map(add, self._paid, rates.seconds(load)))

    async def pause(self, seconds: float) -> None:
        """See `Meters.pause`."""
        now = asyncio.get_running_loop().time()
        with self._lock:
            self._paused_until = max(self._paused_until, now + seconds)
            # Else all that wait would go at once after the pause, up to the burst.
            self._paid[0] = max(self._paid[0], self._paused_until)
