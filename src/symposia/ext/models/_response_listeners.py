"""How wrappers learn of the responses inside, and tell the SDKs inside that they retry: by context variables.

A wrapper around a client is several calls away from the response whose headers it needs, with other wrappers between
them. So it listens by a context variable, which the tasks of the call inherit. Rejected: the headers on each
`CreateResult` (a result is kept, compared and recorded; its headers are none of that), and a hook on the client (one
client serves many wrappers, and a wrapper many clients).
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeAlias

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
    """Call the listeners with a response."""
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
