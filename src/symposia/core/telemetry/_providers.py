"""Whether tracing or logging is enabled. All costs of observing are behind these checks, so they are cheap.

OpenTelemetry is imported only after the program itself has imported it: until then no tracer provider can be set.
"""

from __future__ import annotations

import logging
import os
import sys
import traceback
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, Final

from symposia._lazy import lazy_module
from symposia.core._logging import EVENT_LOGGER_NAME

if TYPE_CHECKING:
    from opentelemetry import trace as otel

    from symposia.core import logging as events
else:
    otel = lazy_module("opentelemetry.trace")
    events = lazy_module("symposia.core.logging")

SCOPE: Final = "symposia"
"""The name of the instrumentation that the spans belong to."""

CAPTURE_CONTENT: Final = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
"""The environment variable by which OpenTelemetry's GenAI instrumentations are told to record content."""

if "OTEL_PYTHON_TRACER_PROVIDER" in os.environ:
    import_module("opentelemetry.trace")  # it makes the provider that this names on the first question for one

_CAPTURING: Final = frozenset({"true", "span_only", "span_and_event"})
_events: Final = logging.getLogger(EVENT_LOGGER_NAME)
_is_enabled: Final = _events.isEnabledFor
_imported: Final = sys.modules
_INFO: Final = logging.INFO
_provider_here: ContextVar[otel.TracerProvider | None] = ContextVar("symposia_tracer_provider", default=None)


def tracer_provider() -> otel.TracerProvider | None:
    """The tracer provider in use: that of the runtime whose handler is running, else the program's; None if unset."""
    return _provider_here.get() or _global_provider()


def current_tracer() -> otel.Tracer | None:
    """The tracer in use, or None if tracing is not enabled."""
    provider = tracer_provider()
    return None if provider is None else _tracer_of(provider)


@contextmanager
def tracing_by(provider: otel.TracerProvider) -> Generator[None]:
    """Make the spans of everything inside with `provider`."""
    token = _provider_here.set(provider)
    try:
        yield
    finally:
        _provider_here.reset(token)


def is_observed() -> bool:
    """Whether events are read or tracing is enabled here.

    A runtime checks it for each message. It takes 0.1 µs, and 1.5 µs if OpenTelemetry is imported and has no provider.
    """
    return (
        _is_enabled(_INFO)
        or _provider_here.get() is not None
        or ("opentelemetry.trace" in _imported and _global_provider() is not None)
    )


def events_are_read() -> bool:
    """Whether the logger of events is switched on."""
    return _is_enabled(_INFO)


def log_event(event: events.Event) -> None:
    """Give an event to the handlers of the logger, whose failures are printed to stderr and not raised."""
    try:
        _events.info(event)
    except Exception:  # noqa: BLE001 - observing changes nothing, whatever a handler does
        if logging.raiseExceptions:
            traceback.print_exc()


def captures_content() -> bool:
    """Whether spans record content: prompts, answers, arguments and results."""
    return os.environ.get(CAPTURE_CONTENT, "").lower() in _CAPTURING


@lru_cache(maxsize=8)  # the SDK takes 7 µs to make one; programs have one provider, or a few
def _tracer_of(provider: otel.TracerProvider) -> otel.Tracer:
    return provider.get_tracer(SCOPE)


def _global_provider() -> otel.TracerProvider | None:
    if "opentelemetry.trace" not in _imported:
        return None
    from opentelemetry import trace  # noqa: PLC0415 - imported by now

    provider = trace.get_tracer_provider()
    return None if isinstance(provider, (trace.ProxyTracerProvider, trace.NoOpTracerProvider)) else provider
