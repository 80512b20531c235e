"""The executor on a Jupyter kernel of this machine. Its process, its messages, and what needs no kernel."""

import asyncio
import os
import select
import signal
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.contracts.code_executor_contract import OutputListener, python
from tests.contracts.kernel_executor_contract import WAIT, KernelExecutorContract, run

from symposia.core.code_executor import CodeExecutor, SandboxPolicy
from symposia.core.exceptions import ComponentError, MissingExtraError, SandboxUnavailableError
from symposia.ext.code_executors.jupyter import JupyterCodeExecutor, JupyterCodeResult

pytestmark = pytest.mark.filterwarnings("ignore:JupyterCodeExecutor runs code:UserWarning")

SAVED_BY_AUTOGEN = {
    "provider": "autogen_ext.code_executors.jupyter.JupyterCodeExecutor",
    "component_type": "code_executor",
    "version": 1,
    "component_version": 1,
    "label": "JupyterCodeExecutor",
    "config": {"kernel_name": "python3", "timeout": 5, "output_dir": "shown"},
}
OUTLIVED_BY_ITS_KERNEL = """
import asyncio, os, warnings
warnings.simplefilter("ignore")
from symposia.core import CancellationToken
from symposia.core.code_executor import CodeExecutor, CodeBlock
from symposia.ext.code_executors.jupyter import JupyterCodeExecutor

async def main():
    executor = JupyterCodeExecutor()
    blocks = [CodeBlock("import os; print(os.getpid())", "python")]
    result = await executor.execute_code_blocks(blocks, CancellationToken())
    print(result.output, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


class TestJupyterCodeExecutor(KernelExecutorContract):
    def make(
        self,
        output_dir: Path | None,
        *,
        timeout: float = 30,
        policy: SandboxPolicy | None = None,
        on_output: OutputListener | None = None,
        audit_log: Path | None = None,
    ) -> JupyterCodeExecutor:
        return JupyterCodeExecutor(
            timeout=timeout, output_dir=output_dir, policy=policy, on_output=on_output, audit_log=audit_log
        )


def test_it_warns_that_it_is_unsafe() -> None:
    with pytest.warns(UserWarning, match="with your user's rights.*DockerJupyterCodeExecutor"):
        JupyterCodeExecutor()


def test_json_of_autogen_loads_and_ours_has_its_fields() -> None:
    with pytest.raises(ComponentError, match=r"JupyterCodeExecutor runs code on this machine .* trust_code=True"):
        CodeExecutor.load_component(SAVED_BY_AUTOGEN)
    executor = JupyterCodeExecutor.load_component(SAVED_BY_AUTOGEN)
    assert (executor.timeout, executor.output_dir) == (5, Path("shown"))
    saved = executor.dump_component()
    assert saved.provider == "symposia.ext.code_executors.jupyter.JupyterCodeExecutor"
    assert saved.config == SAVED_BY_AUTOGEN["config"]


def test_a_result_is_made_as_autogen_makes_it(tmp_path: Path) -> None:
    result = JupyterCodeResult(0, "text", [tmp_path])
    assert (result.exit_code, result.output, result.output_files) == (0, "text", [tmp_path])
    assert result.blocks == ()


async def test_code_runs_in_the_working_directory_of_the_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with asyncio.timeout(WAIT), JupyterCodeExecutor() as executor:
        result = await run(executor, python("import os; print(os.getcwd())"))
    assert result.output == f"{tmp_path}\n"


async def test_a_kernel_that_is_not_installed_is_named_with_how_to_see_those_that_are() -> None:
    with pytest.raises(SandboxUnavailableError, match=r"no Jupyter kernel named 'fortran'.*jupyter kernelspec list"):
        await JupyterCodeExecutor("fortran").start()


async def test_a_kernel_that_does_not_start_is_told_with_what_it_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kernels = tmp_path / "kernels" / "broken"
    kernels.mkdir(parents=True)
    (kernels / "kernel.json").write_text(
        '{"argv": ["sh", "-c", "echo no such interpreter >&2; exit 1", "{connection_file}"],'
        ' "display_name": "Broken", "language": "python"}'
    )
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    async with asyncio.timeout(WAIT):
        with pytest.raises(SandboxUnavailableError, match=r"'broken' did not start\. It said: no such interpreter"):
            await JupyterCodeExecutor("broken").start()


def test_a_missing_extra_is_told_when_it_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(name: str) -> Any:
        assert name == "jupyter_client"

    monkeypatch.setattr("symposia.ext.code_executors.jupyter._executor.find_spec", nothing)
    with pytest.raises(MissingExtraError, match=r"pip install 'symposia\[jupyter\]'"):
        JupyterCodeExecutor()


async def test_f56_a_kernel_ends_soon_after_its_program_was_killed() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", OUTLIVED_BY_ITS_KERNEL, stdout=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(WAIT):
        assert process.stdout is not None
        kernel = int(await process.stdout.readline())
        process.send_signal(signal.SIGKILL)
        await process.wait()
        await asyncio.to_thread(wait_until_gone, kernel)


def wait_until_gone(process: int) -> None:
    """Wait for the end of a process that is not a child of this one: its descriptor is readable then."""
    try:
        handle = os.pidfd_open(process)
    except ProcessLookupError:
        return
    try:
        ended, _, _ = select.select([handle], [], [], 10)
        assert ended
    finally:
        os.close(handle)
