"""Somebody who listens: spans and events kept in memory."""

import logging
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from symposia.core import EVENT_LOGGER_NAME
from symposia.core.logging import Event

EventT = TypeVar("EventT", bound=Event)


class Spans:
    """The spans of one provider, once they have ended."""

    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        self.provider = TracerProvider()
        self.provider.add_span_processor(SimpleSpanProcessor(self._exporter))

    @property
    def ended(self) -> tuple[ReadableSpan, ...]:
        return self._exporter.get_finished_spans()

    @property
    def names(self) -> list[str]:
        return [span.name for span in self.ended]

    def one(self, name: str) -> ReadableSpan:
        (found,) = [span for span in self.ended if span.name == name]
        return found

    def attributes(self, name: str) -> dict[str, Any]:
        return dict(self.one(name).attributes or {})

    def path(self, name: str) -> list[str]:
        """The names from a span up to its root."""
        by_id = {span.context.span_id: span for span in self.ended if span.context is not None}
        span: ReadableSpan | None = self.one(name)
        path: list[str] = []
        while span is not None:
            path.append(span.name)
            span = None if span.parent is None else by_id[span.parent.span_id]
        return path


@dataclass
class Events(logging.Handler):
    """The events that were logged, in order."""

    logged: list[Event] = field(default_factory=list[Event])

    def __post_init__(self) -> None:
        super().__init__()

    __hash__ = logging.Handler.__hash__

    def emit(self, record: logging.LogRecord) -> None:
        assert isinstance(record.msg, Event)
        self.logged.append(record.msg)

    def of(self, kind: type[EventT]) -> list[EventT]:
        return [event for event in self.logged if isinstance(event, kind)]

    def told(self, *fields: str) -> list[tuple[Any, ...]]:
        """Some fields of each event."""
        return [tuple(event.kwargs.get(name) for name in fields) for event in self.logged]


@contextmanager
def events_read() -> Generator[Events]:
    """Read the events that are logged inside."""
    logger, events = logging.getLogger(EVENT_LOGGER_NAME), Events()
    before = logger.level, logger.propagate
    logger.setLevel(logging.INFO)
    logger.propagate = False  # pytest shows what is logged, and so would read it
    logger.addHandler(events)
    try:
        yield events
    finally:
        logger.removeHandler(events)
        level, logger.propagate = before
        logger.setLevel(level)
