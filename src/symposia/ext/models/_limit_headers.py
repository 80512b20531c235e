"""What the headers of a response say about a vendor's limits."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

_UNITS: Final = {"d": 86_400.0, "h": 3_600.0, "m": 60.0, "s": 1.0, "ms": 0.001, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
_PART: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|us|µs|ns|d|h|m|s)")
_EPOCH: Final = 1e9
"""A number of seconds from here on is a time (of 2001 or later) and not a duration (of 31 years)."""
_EPOCH_IN_MILLISECONDS: Final = 1e12
"""A number from here on is a time in milliseconds, as OpenRouter writes it."""

_REQUESTS: Final = (
    "x-ratelimit-{}-requests",
    "x-ratelimit-{}-requests-minute",
    "x-ratelimit-{}-req-minute",
    "anthropic-ratelimit-requests-{}",
)
_TOKENS: Final = ("x-ratelimit-{}-tokens", "x-ratelimit-{}-tokens-minute", "anthropic-ratelimit-tokens-{}")
_INPUT_TOKENS: Final = ("anthropic-ratelimit-input-tokens-{}", "x-ratelimit-{}-tokens-prompt")
_OUTPUT_TOKENS: Final = ("anthropic-ratelimit-output-tokens-{}", "x-ratelimit-{}-tokens-generated")
"""The headers of OpenAI (and Azure, Groq, xAI and others with its names), Cerebras, Mistral, Anthropic, Fireworks."""

_ANY_WINDOW: Final = ("x-ratelimit-{}", "ratelimit-{}")
"""The headers of OpenRouter, Together and others, and of the IETF's draft "RateLimit header fields for HTTP". Their
limit is of a second, a minute or a day, which they do not tell; what is left, and the reset, hold for any window."""

_MILLISECONDS: Final = ("retry-after-ms", "x-ms-retry-after-ms")
"""The headers of OpenAI and Azure with a time in milliseconds, more exact than ``Retry-After``."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """One limit of a vendor, as far as a response tells.

    Attributes:
        limit: Requests or tokens that the vendor allows in a minute; None if it does not tell, or tells no window.
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
        tokens: The limit of tokens of prompts and answers together.
        input_tokens: The limit of tokens of prompts, where the vendor counts them apart.
        output_tokens: The limit of tokens of answers, likewise.
    """

    requests: Allowance = Allowance()
    tokens: Allowance = Allowance()
    input_tokens: Allowance = Allowance()
    output_tokens: Allowance = Allowance()

    @classmethod
    def read(cls, headers: Mapping[str, str], now: float | None = None) -> LimitReport:
        """Read the limits in headers. What cannot be read counts as not said.

        Args:
            headers: By lower-case name.
            now: The time, in seconds since 1970.
        """
        requests = _allowance(headers, _REQUESTS, now)
        if requests == Allowance():
            requests = replace(_allowance(headers, _ANY_WINDOW, now), limit=None)
        tokens, inputs, outputs = (
            _allowance(headers, names, now) for names in (_TOKENS, _INPUT_TOKENS, _OUTPUT_TOKENS)
        )
        return cls(requests, tokens, inputs, outputs)

    @property
    def seconds_used_up(self) -> float | None:
        """Seconds until the last reset of the limits that are used up; None if none is."""
        limits = (self.requests, self.tokens, self.input_tokens, self.output_tokens)
        return max((each.reset for each in limits if each.is_used_up and each.reset), default=None)


def retry_delay(headers: Mapping[str, str], *, limited: bool, now: float | None = None) -> float | None:
    """Seconds after which a server takes requests again, by its headers; None where they do not tell.

    ``Retry-After`` is a number of seconds or a date (RFC 9110, section 10.2.3), ``retry-after-ms`` is OpenAI's and
    Azure's. Without either, the reset of a limit that is used up tells it.

    Args:
        headers: By lower-case name.
        limited: Whether the response refuses the request because of a limit.
        now: The time, in seconds since 1970.
    """
    for name in _MILLISECONDS:
        milliseconds = _number(headers.get(name))
        if milliseconds is not None:
            return max(milliseconds / 1000, 0.0)
    told = headers.get("retry-after")
    if told is not None:
        number = _number(told)
        delay = number if number is not None else _until_date(told, now)
        if delay is not None:
            return max(delay, 0.0)
    return LimitReport.read(headers, now).seconds_used_up if limited else None


def seconds_in(text: str | None, now: float | None = None) -> float | None:
    """The seconds until a reset: from ``6m0s``, ``120ms``, ``42``, a time in RFC 3339, or seconds since 1970."""
    if text is None:
        return None
    text = text.strip()
    number = _number(text)
    if number is not None:
        seconds = number / 1000 if number > _EPOCH_IN_MILLISECONDS else number
        return max(seconds - _now(now), 0.0) if seconds > _EPOCH else max(seconds, 0.0)
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
