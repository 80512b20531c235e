"""Observing changes nothing: a runtime that is traced, and whose events are read, keeps every promise of runtimes."""

from functools import partial

import pytest
from tests.contracts.runtime_contract import EmbeddedRuntimeContract
from tests.support.agents import MakeRuntime
from tests.support.telemetry import Events, Spans

from symposia.core import SingleThreadedAgentRuntime


class TestObservedRuntime(EmbeddedRuntimeContract):
    @pytest.fixture
    def make_runtime(self, events: Events) -> MakeRuntime:
        return partial(SingleThreadedAgentRuntime, tracer_provider=Spans().provider)
