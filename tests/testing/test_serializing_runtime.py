"""A second runtime, which writes every message to bytes, keeps the contract of runtimes."""

import pytest
from tests.contracts.runtime_contract import RuntimeContract
from tests.support.agents import MakeRuntime

from symposia.testing import SerializingRuntime


class TestSerializingRuntime(RuntimeContract):
    @pytest.fixture
    def make_runtime(self) -> MakeRuntime:
        return SerializingRuntime
