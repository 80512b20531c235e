from typing import Unpack

import pytest
from tests.contracts.sandboxed_executor_contract import SandboxedExecutorContract
from tests.support.sandboxes import require

from symposia.ext.code_executors import SandboxOptions
from symposia.ext.code_executors.namespaces import NamespaceBackend, NamespaceCommandLineCodeExecutor


@pytest.fixture(autouse=True, scope="module")
def _sandbox_works() -> None:
    require(NamespaceBackend())


class TestNamespaceCommandLineCodeExecutor(SandboxedExecutorContract):
    def create(self, **options: Unpack[SandboxOptions]) -> NamespaceCommandLineCodeExecutor:
        return NamespaceCommandLineCodeExecutor(**options)
