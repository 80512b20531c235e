import shutil
from pathlib import Path
from typing import Unpack

import pytest
from tests.contracts.sandboxed_executor_contract import SandboxedExecutorContract
from tests.support.sandboxes import require

from symposia.ext.code_executors import SandboxOptions
from symposia.ext.code_executors._sandbox import base_python
from symposia.ext.code_executors.bubblewrap import BubblewrapBackend, BubblewrapCommandLineCodeExecutor


@pytest.fixture(autouse=True, scope="module")
def _sandbox_works() -> None:
    require(BubblewrapBackend())


async def test_the_program_may_be_found_by_a_relative_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = shutil.which("bwrap")
    assert found is not None
    (tmp_path / "programs").mkdir()
    (tmp_path / "programs" / "bwrap").symlink_to(found)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", "programs")
    assert await BubblewrapBackend(base_python()).unavailable_reason() is None


class TestBubblewrapCommandLineCodeExecutor(SandboxedExecutorContract):
    def create(self, **options: Unpack[SandboxOptions]) -> BubblewrapCommandLineCodeExecutor:
        return BubblewrapCommandLineCodeExecutor(**options)
