"""What the headers of a response say about a vendor's limits, and the way to those who want to know.

A wrapper around a client is several calls away from the response whose headers it needs, with other wrappers between
them. So it listens by a context variable, which the tasks of the call inherit. Rejected: the headers on each
`CreateResult` (a result is kept, compared and recorded; its headers are none of that), and a hook on the client (one
client serves many wrappers, and a wrapper many clients).
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final, TypeAlias

_UNITS: Final = {"d": 86_400.0, "h": 3_600.0, "m": 60.0, "s": 1.0, "ms": 0.001, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
_PART: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|us|µs|ns|d|h|m|s)")
_EPOCH: Final = 1e9
"""A number of seconds from here on is a time (of 2001 or later) and not a duration (of 31 years)."""

_REQUESTS: Final = ("x-ratelimit-{}-requests", "anthropic-ratelimit-requests-{}", "x-ratelimit-{}", "ratelimit-{}")
_TOKENS: Final = ("x-ratelimit-{}-tokens", "anthropic-ratelimit-tokens-{}", "anthropic-ratelimit-input-tokens-{}")
"""The headers of OpenAI (and Azure, Groq, Mistral and others with its names), of Anthropic, and of the IETF's draft
"RateLimit header fields for HTTP"."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """One limit of a vendor, as far as a response tells.

    Attributes:
        limit: Requests or tokens that the vendor allows in its window, most often a minute.
        remaining: Those that are left.
        reset: Seconds until the window is full again.
    """

    limit: float | None = None
    remaining: float | None = None
    reset: float | None = None

    @property
    def is_used_up(self) -> bool:
        """Whether nothing is left before the reset."""
        return self.remaining is not None and self.remaining <= 0 and bool(self.reset)


@dataclass(frozen=True, slots=True)
class LimitReport:
    """The limits that the headers of a response tell.

    Attributes:
        requests: The limit of requests.
        tokens: The limit of tokens.
    """

    requests: Allowance
    tokens: Allowance

    @classmethod
    def read(cls, headers: Mapping[str, str], now: float | None = None) -> LimitReport:
        """Read the limits in headers. What cannot be read counts as not said.

        Args:
            headers: By lower-case name.
            now: The time, in seconds since 1970.
        """
        return cls(_allowance(headers, _REQUESTS, now), _allowance(headers, _TOKENS, now))


def retry_delay(headers: Mapping[str, str], *, limited: bool, now: float | None = None) -> float | None:
    """Seconds after which a server takes requests again, by its headers; None where they do not tell.

    ``Retry-After`` is a number of seconds or a date (RFC 9110, section 10.2.3), ``retry-after-ms`` is OpenAI's and
    Azure's. Without either, the reset of a limit that is used up tells it.

    Args:
        headers: By lower-case name.
        limited: Whether the response refuses the request because of a limit.
        now: The time, in seconds since 1970.
    """
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return max(milliseconds / 1000, 0.0)
    told = headers.get("retry-after")
    if told is not None:
        number = _number(told)
        delay = number if number is not None else _until_date(told, now)
        if delay is not None:
            return max(delay, 0.0)
    if not limited:
        return None
    report = LimitReport.read(headers, now)
    resets = [each.reset for each in (report.requests, report.tokens) if each.is_used_up and each.reset]
    return max(resets, default=None)


def seconds_in(text: str | None, now: float | None = None) -> float | None:
    """The seconds until a reset: from ``6m0s``, ``120ms``, ``42``, a time in RFC 3339, or seconds since 1970."""
    if text is None:
        return None
    text = text.strip()
    number = _number(text)
    if number is not None:
        return max(number - _now(now), 0.0) if number > _EPOCH else max(number, 0.0)
    parts = _PART.findall(text)
    if parts and "".join(f"{amount}{unit}" for amount, unit in parts) == text:
        return sum(float(amount) * _UNITS[unit] for amount, unit in parts)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return max(moment.timestamp() - _now(now), 0.0)


def _allowance(headers: Mapping[str, str], names: tuple[str, ...], now: float | None) -> Allowance:
    for name in names:
        limit = _number(headers.get(name.format("limit")))
        remaining = _number(headers.get(name.format("remaining")))
        if limit is not None or remaining is not None:
            return Allowance(limit, remaining, seconds_in(headers.get(name.format("reset")), now))
    return Allowance()


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _until_date(text: str, now: float | None) -> float | None:
    try:
        return parsedate_to_datetime(text).timestamp() - _now(now)
    except (TypeError, ValueError, OverflowError):
        return None


def _now(now: float | None) -> float:
    return time.time() if now is None else now


ResponseListener: TypeAlias = Callable[[int | None, Mapping[str, str]], None]
"""A function that is given the status and the headers of each response."""

_listeners: ContextVar[tuple[ResponseListener, ...]] = ContextVar("symposia_response_listeners", default=())
_retried_outside: ContextVar[bool] = ContextVar("symposia_retried_outside", default=False)


@contextmanager
def listening_to_responses(listener: ResponseListener) -> Generator[None]:
    """Call `listener` with each response that the calls inside get. Do not hold it open over a ``yield``."""
    token = _listeners.set((*_listeners.get(), listener))
    try:
        yield
    finally:
        _listeners.reset(token)


def report_response(status: int | None, headers: Mapping[str, str]) -> None:
    """Tell those who listen about a response."""
    for listener in _listeners.get():
        listener(status, headers)


@contextmanager
def retried_outside() -> Generator[None]:
    """Have the vendors' SDKs not retry what is called inside, since the caller does. See `listening_to_responses`."""
    token = _retried_outside.set(True)
    try:
        yield
    finally:
        _retried_outside.reset(token)


def is_retried_outside() -> bool:
    """Whether the caller retries, so that the SDK must not: three attempts of each would make nine."""
    return _retried_outside.get()
