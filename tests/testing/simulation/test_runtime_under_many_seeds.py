"""The embedded runtime keeps its contract in every order that hundreds of seeds find.

SYMPOSIA_SEEDS=100000 tries more, SYMPOSIA_SEED=17 replays one. A thousand take an eighth of the time of all tests;
the long mode of ``.ci/run`` takes 10,000.
"""

from functools import partial
from typing import TypeVar

import pytest
from tests.contracts.runtime_contract import TimelessEmbeddedContract, TimelessRuntimeContract
from tests.support.agents import MakeRuntime

from symposia.core import SingleThreadedAgentRuntime
from symposia.testing import SerializingRuntime
from symposia.testing.simulation import FaultPlan, FaultyRuntime, simulated

T = TypeVar("T")

SEQUENTIAL = {
    "test_a_call_chain_may_be_hundreds_of_calls_long",  # one call after the other, 500 agents: no order but one
    "test_f09_an_idle_agent_is_evicted_and_comes_back_as_it_was",  # 200 agents one after the other
}
"""Tests that are long but have hardly an order to choose: they get a twentieth of the seeds."""


class UnderSeeds:
    """A class decorator: every test that the class inherits is simulated under so many seeds."""

    def __init__(self, seeds: int) -> None:
        self._seeds = seeds

    def __call__(self, cls: type[T]) -> type[T]:
        for name in dir(cls):
            if name.startswith("test_"):
                seeds = range(self._seeds // 20 if name in SEQUENTIAL else self._seeds)
                setattr(cls, name, simulated(seeds=seeds)(getattr(cls, name)))
        return cls


@UnderSeeds(250)
class TestEmbeddedRuntime(TimelessEmbeddedContract):
    @pytest.fixture
    def make_runtime(self) -> MakeRuntime:
        return SingleThreadedAgentRuntime


@UnderSeeds(50)
class TestRuntimeWithoutFaults(TimelessEmbeddedContract):
    @pytest.fixture
    def make_runtime(self) -> MakeRuntime:
        return partial(FaultyRuntime, FaultPlan())


@UnderSeeds(20)
class TestSerializingRuntime(TimelessRuntimeContract):
    @pytest.fixture
    def make_runtime(self) -> MakeRuntime:
        return SerializingRuntime
