import pytest
from tests.contracts.runtime_contract import RuntimeContract
from tests.support.agents import MakeRuntime

from symposia.core import SingleThreadedAgentRuntime


class TestEmbeddedRuntime(RuntimeContract):
    @pytest.fixture
    def make_runtime(self) -> MakeRuntime:
        return SingleThreadedAgentRuntime
