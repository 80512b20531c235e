from pathlib import Path

import pytest
from tests.contracts.code_executor_contract import OutputListener
from tests.contracts.sandboxed_executor_contract import SandboxedExecutorContract
from tests.support.sandboxes import require

from symposia.core.code_executor import SandboxPolicy
from symposia.ext.code_executors.bubblewrap import BubblewrapBackend, BubblewrapCommandLineCodeExecutor


@pytest.fixture(autouse=True, scope="module")
def _sandbox_works() -> None:
    require(BubblewrapBackend())


class TestBubblewrapCommandLineCodeExecutor(SandboxedExecutorContract):
    def make(
        self, work_dir: Path | None, *, timeout: float = 30, on_output: OutputListener | None = None
    ) -> BubblewrapCommandLineCodeExecutor:
        return BubblewrapCommandLineCodeExecutor(work_dir=work_dir, timeout=timeout, on_output=on_output)

    def make_sandboxed(
        self,
        work_dir: Path,
        *,
        bind_dir: Path | None = None,
        policy: SandboxPolicy | None = None,
        init_command: str | None = None,
        delete_tmp_files: bool = False,
    ) -> BubblewrapCommandLineCodeExecutor:
        return BubblewrapCommandLineCodeExecutor(
            work_dir=work_dir,
            bind_dir=bind_dir,
            policy=policy,
            init_command=init_command,
            delete_tmp_files=delete_tmp_files,
        )
