"""Code that runs without an executor: `work_dir`, `use_docker` and `timeout` of AutoGen 0.2.40."""

import asyncio
from pathlib import Path

import pytest
from tests.support.sandboxes import require, require_in_loop

from symposia.ext.code_executors import only_sandboxes, sandbox_kind
from symposia.ext.code_executors.docker import DockerBackend
from symposia.ext.code_executors.namespaces import NamespaceBackend
from symposia.v02.code_utils import (
    UseDocker,
    a_execute_code,
    check_can_use_docker_or_throw,
    create_virtual_env,
    decide_use_docker,
    execute_code,
    is_docker_running,
)
from symposia.v02.coding import LocalCommandLineCodeExecutor

HERE = pytest.mark.filterwarnings("ignore:use_docker is False")
BOTH = "import sys\nprint('out', flush=True)\nprint('err', file=sys.stderr)"


@pytest.fixture
def without_docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/no.sock")


def run(code: str, folder: Path, use_docker: UseDocker = False, **options: object) -> tuple[int, str, str | None]:
    return execute_code(code, work_dir=str(folder), use_docker=use_docker, **options)  # type: ignore[arg-type]


@HERE
def test_t06_the_output_is_stdout_of_success_and_stderr_of_failure(tmp_path: Path) -> None:
    assert run(BOTH, tmp_path) == (0, "out\n", None)
    assert run("echo out; echo err >&2; exit 3", tmp_path, lang="sh") == (3, "err\n", None)


@HERE
def test_code_without_a_file_leaves_none_and_tracebacks_have_no_path(tmp_path: Path) -> None:
    code, logs, _ = run("1 / 0", tmp_path)
    assert code == 1
    assert 'File "", line 1' in logs
    assert not list(tmp_path.iterdir())


@HERE
def test_code_with_a_file_keeps_it_and_a_file_is_run_again(tmp_path: Path) -> None:
    path = f"{tmp_path / 'sub/a.py'}\n"
    assert run("print(__file__)", tmp_path, filename="sub/a.py")[:2] == (0, path)
    assert execute_code(filename="sub/a.py", work_dir=str(tmp_path), use_docker=False)[1] == path
    assert run("# filename: b.py\nprint(1)", tmp_path, filename="b.py")[1] == "1\n"
    assert run("print(2)", tmp_path, filename="-V")[:2] == (0, "2\n")
    assert {path.name for path in tmp_path.iterdir()} == {"sub", "b.py", "-V"}


@HERE
@pytest.mark.parametrize("name", ["../b.py", ".", "a/../../b.py", "n" * 300, "folder"])
def test_a_file_that_cannot_be_in_the_work_folder_is_told_to_the_writer_of_the_code(name: str, tmp_path: Path) -> None:
    work_dir = tmp_path / "work"
    (work_dir / "folder").mkdir(parents=True)
    assert run("print(1)", work_dir, filename=name)[0] == 1
    assert run(f"# filename: {name}\nprint(1)", work_dir, filename=name)[0] == 1
    assert [path.name for path in tmp_path.iterdir()] == ["work"]


@HERE
def test_a_time_limit_is_a_text_and_an_exit_code(tmp_path: Path) -> None:
    assert run("import time; time.sleep(60)", tmp_path, timeout=1) == (1, "Timeout", None)


def test_there_has_to_be_code_or_a_file() -> None:
    with pytest.raises(AssertionError, match="Either code=None or filename=None"):
        execute_code(use_docker=False)


def test_another_language_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotImplementedError, match="ruby not recognized in code execution"):
        run("x", tmp_path, lang="ruby")


def test_code_on_this_machine_is_warned_of(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="use_docker is False: code in messages runs on this machine"):
        assert run("print(1)", tmp_path) == (0, "1\n", None)
    with pytest.warns(UserWarning, match="use_docker is False") as warned:
        check_can_use_docker_or_throw(False)
    assert [each.filename for each in warned] == [__file__]


def test_a_local_executor_is_warned_of_at_the_line_that_makes_it(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="runs code on this machine") as warned:
        LocalCommandLineCodeExecutor(work_dir=tmp_path)
    assert [each.filename for each in warned] == [__file__]


@pytest.mark.parametrize("use_docker", ["python:3.11-slim", True])
def test_code_in_docker_sees_the_work_folder(tmp_path: Path, use_docker: str | bool) -> None:
    require(DockerBackend())
    (tmp_path / "table.csv").write_text("1,2")
    assert is_docker_running()
    code = "import os\nopen('made.txt', 'w').write('x')\nprint(os.getuid() != 0, open('table.csv').read())"
    image = use_docker if isinstance(use_docker, str) else None
    assert run(code, tmp_path, use_docker) == (0, "True 1,2\n", image)
    assert {path.name for path in tmp_path.iterdir()} == {"table.csv", "made.txt"}


async def test_code_runs_without_blocking_the_event_loop(tmp_path: Path) -> None:
    await require_in_loop(DockerBackend())
    assert await a_execute_code("print(1)", work_dir=str(tmp_path), use_docker=True) == (0, "1\n", None)


@pytest.mark.usefixtures("without_docker")
def test_t03_another_sandbox_is_used_where_no_docker_engine_answers(tmp_path: Path) -> None:
    require(NamespaceBackend())
    with pytest.warns(UserWarning, match="Docker was asked for and does not answer: code runs in another sandbox"):
        check_can_use_docker_or_throw(True)
    with pytest.warns(UserWarning, match="another sandbox"):
        assert run("import os; print(os.getuid() != 0)", tmp_path, "python:3.11-slim")[1] == "True\n"
    assert not is_docker_running()


@pytest.mark.usefixtures("without_docker")
@pytest.mark.filterwarnings("ignore:Docker was asked for")
def test_code_runs_to_its_end_in_however_many_folders_it_runs_at_once(tmp_path: Path) -> None:
    require(NamespaceBackend())
    code = "import time; time.sleep(1); print('done')"  # so long that all of them run at once

    async def run_all() -> list[tuple[int, str, str | None]]:
        folders = (str(tmp_path / str(number)) for number in range(6))
        return await asyncio.gather(*(a_execute_code(code, work_dir=folder, use_docker=True) for folder in folders))

    assert asyncio.run(run_all()) == [(0, "done\n", None)] * 6


@pytest.mark.usefixtures("without_docker")
@pytest.mark.parametrize("use_docker", [True, "python:3.11-slim", ["python:3.11-slim"]])
def test_without_any_sandbox_a_docker_request_is_refused(
    use_docker: UseDocker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("symposia.v02._docker_request.is_in_container", lambda: False)
    with only_sandboxes(sandbox_kind("local")), pytest.raises(RuntimeError, match="but docker is not running"):
        check_can_use_docker_or_throw(use_docker)


@pytest.mark.usefixtures("without_docker")
def test_in_a_container_without_any_sandbox_code_runs_in_the_container(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("symposia.v02._docker_request.is_in_container", lambda: True)
    with only_sandboxes(sandbox_kind("local")), pytest.warns(UserWarning, match="code runs in the container itself"):
        assert run("print(1)", tmp_path, True) == (0, "1\n", None)


@pytest.mark.parametrize(
    ("value", "decided"), [(None, True), ("1", True), ("YES", True), ("0", False), ("f", False), ("None", None)]
)
def test_the_environment_decides_about_docker(
    value: str | None, decided: bool | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AUTOGEN_USE_DOCKER", raising=False)
    if value is not None:
        monkeypatch.setenv("AUTOGEN_USE_DOCKER", value)
    assert decide_use_docker(None) is decided
    assert decide_use_docker("image") == "image"


def test_another_word_in_the_environment_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOGEN_USE_DOCKER", "maybe")
    with pytest.raises(ValueError, match="Invalid value for AUTOGEN_USE_DOCKER: maybe"):
        decide_use_docker(None)


def test_a_virtual_environment_is_made_for_code(tmp_path: Path) -> None:
    context = create_virtual_env(str(tmp_path / "env"), with_pip=False)
    assert Path(context.env_exe).exists()
