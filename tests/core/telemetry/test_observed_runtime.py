"""Observing changes nothing: a runtime that is traced, and whose events are read, keeps every promise of runtimes."""

import logging
from collections.abc import Iterator
from functools import partial

import pytest
from tests.contracts.runtime_contract import EmbeddedRuntimeContract
from tests.support.agents import MakeRuntime
from tests.support.telemetry import Spans

from symposia.core import EVENT_LOGGER_NAME, SingleThreadedAgentRuntime


def read(record: logging.LogRecord) -> bool:
    """Read an event, and let only its text go on: pytest keeps the records, and an event keeps its message."""
    record.msg = str(record.msg)
    return True


class TestObservedRuntime(EmbeddedRuntimeContract):
    @pytest.fixture
    def make_runtime(self) -> Iterator[MakeRuntime]:
        logger = logging.getLogger(EVENT_LOGGER_NAME)
        level = logger.level
        logger.setLevel(logging.INFO)
        logger.addFilter(read)
        yield partial(SingleThreadedAgentRuntime, tracer_provider=Spans().provider)
        logger.removeFilter(read)
        logger.setLevel(level)
