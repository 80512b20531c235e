"""Fixtures for tests of who listens: import them into a ``conftest.py``."""

from collections.abc import Iterator

import pytest
from opentelemetry import trace
from tests.support.telemetry import Events, Spans, events_read


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Spans:
    """The program has set a tracer provider; what it gets."""
    recorded = Spans()
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: recorded.provider)
    return recorded


@pytest.fixture
def events() -> Iterator[Events]:
    """The program reads events; what it gets."""
    with events_read() as read:
        yield read
