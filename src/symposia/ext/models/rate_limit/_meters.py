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
from dataclasses import dataclass
from typing import Final, Protocol

MINUTE: Final = 60.0

BURST: Final = 0.01
"""The part of a minute's rate that may go ahead of time, in whole requests. More would exceed the rate of some minute
by more than a hundredth; less would lose what a timer is late."""

INSTANT: Final = 1e-6
"""Seconds that are not waited for: what clocks round."""


@dataclass(frozen=True, slots=True)
class Rates:
    """What is allowed a minute; None for no limit.

    Attributes:
        requests: Requests.
        tokens: Tokens of prompts and answers together.
    """

    requests: float | None = None
    tokens: float | None = None

    def below(self, other: Rates) -> Rates:
        """The lower of two rates, each."""
        return Rates(_lower(self.requests, other.requests), _lower(self.tokens, other.tokens))

    @property
    def seconds_a_request(self) -> float:
        """Seconds that a request takes of the limit."""
        return MINUTE / self.requests if self.requests else 0.0

    @property
    def seconds_a_token(self) -> float:
        """Seconds that a token takes of the limit."""
        return MINUTE / self.tokens if self.tokens else 0.0

    @property
    def early_requests(self) -> float:
        """Seconds by which a request may go ahead of its time."""
        return _early(self.requests)

    @property
    def early_tokens(self) -> float:
        """Seconds by which tokens may go ahead of their time."""
        return _early(self.tokens)


def _lower(one: float | None, other: float | None) -> float | None:
    return min((rate for rate in (one, other) if rate is not None), default=None)


def _early(rate: float | None) -> float:
    return math.floor(BURST * rate) * MINUTE / rate if rate else 0.0


class Meters(Protocol):
    """The state of the limits of one name, wherever it is kept."""

    async def take(self, rates: Rates, tokens: float) -> float:
        """Take a request and its tokens, if they may go now.

        Returns:
            0 if they were taken, else the seconds after which to try again.
        """
        ...

    async def correct(self, rates: Rates, *, requests: float = 0, tokens: float = 0) -> None:
        """Take more, or give back what is negative."""
        ...

    async def pause(self, seconds: float) -> None:
        """Let nothing go for so long."""
        ...


class LocalMeters:
    """The state of limits in this process. Any thread and event loop may use it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests_paid = -math.inf
        self._tokens_paid = -math.inf
        self._paused_until = -math.inf

    async def take(self, rates: Rates, tokens: float) -> float:
        """See `Meters.take`."""
        now = asyncio.get_running_loop().time()
        with self._lock:
            wait = max(
                self._requests_paid - rates.early_requests - now,
                self._tokens_paid - rates.early_tokens - now,
                self._paused_until - now,
            )
            if wait > INSTANT:
                return wait
            self._requests_paid = max(now, self._requests_paid) + rates.seconds_a_request
            self._tokens_paid = max(now, self._tokens_paid) + tokens * rates.seconds_a_token
        return 0.0

    async def correct(self, rates: Rates, *, requests: float = 0, tokens: float = 0) -> None:
        """See `Meters.correct`."""
        with self._lock:
            self._requests_paid += requests * rates.seconds_a_request
            self._tokens_paid += tokens * rates.seconds_a_token

    async def pause(self, seconds: float) -> None:
        """See `Meters.pause`."""
        now = asyncio.get_running_loop().time()
        with self._lock:
            self._paused_until = max(self._paused_until, now + seconds)
            # Else all that wait would go at once after the pause, up to the burst.
            self._requests_paid = max(self._requests_paid, self._paused_until)
