import asyncio
import os
import pwd
import socket
import venv
from pathlib import Path
from types import SimpleNamespace

import pytest
from tests.contracts.code_executor_contract import (
    WAIT,
    CodeExecutorContract,
    OutputListener,
    file_names,
    python,
    run,
    shell,
)

from symposia.agentchat.agents import CodeExecutorAgent
from symposia.agentchat.teams import RoundRobinGroupChat
from symposia.core.code_executor import CodeBlock, CodeExecutor, SandboxPolicy
from symposia.core.exceptions import ComponentError, InvalidArgumentError, SandboxUnavailableError
from symposia.ext.code_executors import create_default_code_executor
from symposia.ext.code_executors.local import LocalBackend, LocalCommandLineCodeExecutor
from symposia.ext.models.replay import ReplayChatCompletionClient

pytestmark = pytest.mark.filterwarnings("ignore:LocalCommandLineCodeExecutor runs code:UserWarning")


class TestLocalCommandLineCodeExecutor(CodeExecutorContract):
    def make(
        self, work_dir: Path | None, *, timeout: float = 30, on_output: OutputListener | None = None
    ) -> LocalCommandLineCodeExecutor:
        return LocalCommandLineCodeExecutor(timeout, work_dir, on_output=on_output)


def test_it_warns_that_it_is_unsafe(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="DockerCommandLineCodeExecutor"):
        LocalCommandLineCodeExecutor(work_dir=tmp_path)


def answering(code: str, executor: CodeExecutor) -> CodeExecutorAgent:
    """An agent whose model, as JSON has it, always answers with this code."""
    return CodeExecutorAgent(
        "coder", executor, model_client=ReplayChatCompletionClient([f"```python\n{code}\n```", "."])
    )


async def test_code_of_json_runs_in_a_sandbox_unless_the_program_trusts_it(tmp_path: Path) -> None:
    code = "import os, socket; open('made', 'w').write(socket.gethostname()); open('.envrc', 'w').write('evil')"
    team = RoundRobinGroupChat([answering(code, LocalCommandLineCodeExecutor(work_dir=tmp_path))], max_turns=1)
    saved = team.dump_component()
    with pytest.warns(
        UserWarning, match=r"runs in a sandbox instead\. load_component\(…, trust_code=True\) runs it on"
    ):
        loaded = RoundRobinGroupChat.load_component(saved)
    assert loaded.dump_component() == saved
    async with asyncio.timeout(WAIT):
        await loaded.run(task="Go.")
    assert (tmp_path / "made").read_text() != socket.gethostname()
    assert not (tmp_path / ".envrc").exists()
    trusted = CodeExecutor.load_component(saved_executor(tmp_path), trust_code=True)
    named = LocalCommandLineCodeExecutor.load_component(saved_executor(tmp_path))
    assert type(trusted) is type(named) is LocalCommandLineCodeExecutor


def saved_executor(work_dir: Path, **config: object) -> dict[str, object]:
    config = {"timeout": 30, "work_dir": str(work_dir), "cleanup_temp_files": True, **config}
    provider = "autogen_ext.code_executors.local.LocalCommandLineCodeExecutor"
    return {"provider": provider, "component_type": "code_executor", "version": 1, "config": config}


def test_json_does_not_give_code_more_than_a_sandbox_has(tmp_path: Path) -> None:
    chosen: dict[str, object] = {"provider": "symposia.ext.code_executors.local.LocalBackend", "config": {}}
    on_this_machine: dict[str, object] = {
        "provider": "symposia.ext.code_executors.SandboxCodeExecutor",
        "config": {"backend": chosen},
    }
    with_variables = saved_executor(tmp_path, environment={"PYTHONPATH": str(tmp_path)})
    for saved in (on_this_machine, with_variables):
        with pytest.raises(ComponentError, match=r"runs code on this machine without a sandbox.* trust_code=True"):
            CodeExecutor.load_component(saved)
        assert CodeExecutor.load_component(saved, trust_code=True)
    trusting = create_default_code_executor(tmp_path, trust_results=True).dump_component()
    with pytest.raises(ComponentError, match=r"has trust_results: .* trust_code=True"):
        CodeExecutor.load_component(trusting)


async def test_it_keeps_no_variables_and_says_what_does(tmp_path: Path) -> None:
    stateful = SandboxPolicy(stateful=True)
    with pytest.raises(InvalidArgumentError, match="Take an executor on a sandbox, or JupyterCodeExecutor"):
        LocalCommandLineCodeExecutor(work_dir=tmp_path, policy=stateful)
    with pytest.raises(SandboxUnavailableError, match="cannot be stateful"):
        await LocalBackend().create(stateful)


@pytest.mark.parametrize("value", ["", "relative/folder"])
async def test_folders_in_variables_that_are_empty_or_relative_are_as_unset(
    value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", value)
    monkeypatch.setenv("HOME", value)
    show = "import os; print(os.environ.get('TMPDIR'), os.path.expanduser('~'))"
    async with asyncio.timeout(WAIT), LocalCommandLineCodeExecutor() as executor:
        assert executor.work_dir.parent == Path("/tmp")
        result = await run(executor, python(show))
    assert result.output == f"None {pwd.getpwuid(os.getuid()).pw_dir}\n"


@pytest.mark.parametrize("cleanup", [True, False])
async def test_source_files_are_removed_unless_asked_to_stay(tmp_path: Path, cleanup: bool) -> None:
    async with (
        asyncio.timeout(WAIT),
        LocalCommandLineCodeExecutor(work_dir=tmp_path, cleanup_temp_files=cleanup) as executor,
    ):
        await run(executor, python("print(1)"))
    assert executor.cleanup_temp_files is cleanup
    assert bool(file_names(tmp_path)) is not cleanup


async def test_code_runs_with_the_virtual_environment_it_is_given(tmp_path: Path) -> None:
    context = await asyncio.to_thread(make_environment, tmp_path / "venv")
    async with (
        asyncio.timeout(WAIT),
        LocalCommandLineCodeExecutor(work_dir=tmp_path / "work", virtual_env_context=context) as executor,
    ):
        result = await run(
            executor, python("import sys; print(sys.prefix)"), shell("python -c 'import sys; print(sys.prefix)'")
        )
    assert result.output == f"{tmp_path / 'venv'}\n" * 2


async def test_variables_that_are_given_reach_the_code(tmp_path: Path) -> None:
    async with (
        asyncio.timeout(WAIT),
        LocalCommandLineCodeExecutor(work_dir=tmp_path, environment={"GREETING": "hello"}) as executor,
    ):
        assert (await run(executor, shell("echo $GREETING"))).output == "hello\n"


async def test_files_over_the_caps_stay_in_the_work_folder_and_are_named(tmp_path: Path) -> None:
    policy = SandboxPolicy(artifacts=1, artifact_bytes=100)
    async with asyncio.timeout(WAIT), LocalCommandLineCodeExecutor(work_dir=tmp_path, policy=policy) as executor:
        result = await run(
            executor, shell("head -c 200 /dev/zero > big; echo small > one; mkfifo pipe; ln -s /etc/passwd link")
        )
    assert [artifact.path for artifact in result.artifacts] == ["one"]
    assert result.blocks[0].artifacts_skipped == (("big", "too large"),)


async def test_a_shell_that_is_not_installed_is_told_to_the_blocks_author(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    async with asyncio.timeout(WAIT), LocalCommandLineCodeExecutor(work_dir=tmp_path) as executor:
        result = await run(executor, CodeBlock(code="echo", language="bash"))
    assert (result.exit_code, result.output) == (1, "bash is not installed on this machine.")


def make_environment(folder: Path) -> SimpleNamespace:
    builder = venv.EnvBuilder(symlinks=True)
    builder.create(folder)
    return builder.ensure_directories(folder)


async def test_d27_a_relative_virtual_environment_and_work_folder_stay_where_they_were(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    builder = venv.EnvBuilder(with_pip=False, symlinks=True)
    context = await asyncio.to_thread(builder.ensure_directories, "environment")
    await asyncio.to_thread(builder.create, "environment")
    relative = SimpleNamespace(env_exe="environment/bin/python", bin_path="environment/bin")
    asked = python("import os, sys; print(sys.prefix, os.environ['VIRTUAL_ENV'], os.getcwd())")
    async with asyncio.timeout(WAIT):
        for each in (context, relative):
            executor = LocalCommandLineCodeExecutor(work_dir="coding", virtual_env_context=each)
            async with executor:
                (tmp_path / "elsewhere").mkdir(exist_ok=True)
                monkeypatch.chdir(tmp_path / "elsewhere")
                result = await run(executor, asked, shell("command -v python; echo $PATH"))
                monkeypatch.chdir(tmp_path)
            environment = tmp_path / "environment"
            where, found, path = result.output.split("\n", 2)
            assert where == f"{environment} {environment} {tmp_path / 'coding'}"
            assert found == f"{environment}/bin/python"
            assert path.startswith(f"{environment}/bin:")
            assert executor.work_dir == Path("coding")
