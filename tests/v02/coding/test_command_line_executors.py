"""The command line executors of AutoGen 0.2.40: their outputs, and what they do with blocks."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest
from tests.support.browsers import eventually
from tests.support.sandboxes import require

from symposia.core.code_executor import CodeRequest
from symposia.core.effects import Effect, EffectRequest, handle_effects
from symposia.ext.code_executors import AutoBackend, create_default_code_executor, only_sandboxes, sandbox_kind
from symposia.ext.code_executors.docker import DockerBackend
from symposia.v02.coding import (
    CodeBlock,
    CodeExecutor,
    CodeExecutorFactory,
    CodeResult,
    DockerCommandLineCodeExecutor,
    LocalCommandLineCodeExecutor,
)
from symposia.v02.coding.func_with_reqs import to_stub, with_requirements

pytestmark = pytest.mark.filterwarnings("ignore:LocalCommandLineCodeExecutor runs code on this machine")

Request = TypeVar("Request", bound=EffectRequest)
Result = TypeVar("Result")
BOTH = "import sys\nprint('out', flush=True)\nprint('err', file=sys.stderr)"
SLOW = "import time\nprint('begun', flush=True)\ntime.sleep(60)"


class Observer:
    def __init__(self) -> None:
        self.requests: list[EffectRequest] = []

    async def handle(self, effect: Effect[Request, Result], proceed: Callable[[], Awaitable[Result]]) -> Result:
        self.requests.append(effect.request)
        return await proceed()


def block(code: str, language: str = "python") -> CodeBlock:
    return CodeBlock(code=code, language=language)


def run(executor: CodeExecutor, *blocks: CodeBlock) -> tuple[int, str]:
    result = executor.execute_code_blocks(list(blocks))
    return result.exit_code, result.output


@pytest.fixture
def local(tmp_path: Path) -> LocalCommandLineCodeExecutor:
    return LocalCommandLineCodeExecutor(work_dir=tmp_path)


@pytest.fixture(scope="module")
def docker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DockerCommandLineCodeExecutor]:
    require(DockerBackend())
    with DockerCommandLineCodeExecutor(work_dir=tmp_path_factory.mktemp("docker"), timeout=5) as executor:
        yield executor


def test_stderr_comes_before_stdout(local: LocalCommandLineCodeExecutor) -> None:
    assert run(local, block(BOTH)) == (0, "err\nout\n")


def test_blocks_run_in_order_up_to_the_first_that_fails(local: LocalCommandLineCodeExecutor) -> None:
    blocks = (block("print(1)"), block("echo 2; exit 3", "sh"), block("print(4)"))
    assert run(local, *blocks) == (3, "1\n2\n")


def test_a_block_that_takes_too_long_ends_with_124(tmp_path: Path) -> None:
    executor = LocalCommandLineCodeExecutor(timeout=1, work_dir=tmp_path)
    assert run(executor, block(SLOW)) == (124, "begun\n\nTimeout")


@pytest.mark.parametrize(
    ("first_line", "file"),
    [
        ("# filename: a/b.py", "a/b.py"),
        ("# compute the sum", "compute the sum"),
        ("# c.py", "c.py"),
        ("# -*- coding: utf-8 -*-", "-*- coding: utf-8 -*-"),
    ],
)
def test_a_comment_in_the_first_line_names_the_file(
    local: LocalCommandLineCodeExecutor, tmp_path: Path, first_line: str, file: str
) -> None:
    result = local.execute_code_blocks([block(f"{first_line}\n1 / 0")])
    assert result.code_file == str(tmp_path / file)
    assert (tmp_path / file).exists()
    assert "line 2" in result.output


@pytest.mark.parametrize("name", ["../b.py", "/etc/b.py", "."])
def test_a_file_outside_of_the_work_folder_is_refused(local: LocalCommandLineCodeExecutor, name: str) -> None:
    assert run(local, block(f"# filename: {name}\nprint(1)")) == (1, "Filename is not in the workspace")


def test_html_is_saved_and_not_run(local: LocalCommandLineCodeExecutor, tmp_path: Path) -> None:
    page = tmp_path / "index.html"
    assert run(local, block("<!-- filename: index.html -->\n<p>", "html")) == (0, f"Code saved to {page}\n")
    assert page.read_text() == "<!-- filename: index.html -->\n<p>"


def test_code_is_not_saved_through_a_link(local: LocalCommandLineCodeExecutor, tmp_path: Path) -> None:
    outside = tmp_path.parent / "outside.html"
    (tmp_path / "index.html").symlink_to(outside)
    assert run(local, block("<!-- index.html -->", "html")) == (1, "Filename is not in the workspace")
    assert not outside.exists()


def test_policies_say_what_is_run(tmp_path: Path) -> None:
    executor = LocalCommandLineCodeExecutor(work_dir=tmp_path, execution_policies={"python": False})
    assert run(executor, block("# a.py\nprint(1)")) == (0, f"Code saved to {tmp_path / 'a.py'}\n")


@pytest.mark.parametrize("language", ["c++", "js", ""])
def test_a_block_in_another_language_fails(local: LocalCommandLineCodeExecutor, language: str) -> None:
    assert run(local, block("x", language)) == (1, f"\nunknown language {language}")


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("sudo rm -rf /", "Use of 'rm -rf' command"),
        ("mv a /dev/null", "Moving files to /dev/null"),
        ("dd if=a of=b", "Use of 'dd' command"),
        ("echo x > /dev/sda1", "Overwriting disk blocks directly"),
        (":(){ :|:& };:", "Fork bombs"),
    ],
)
def test_t14_dangerous_shell_code_is_an_error(local: LocalCommandLineCodeExecutor, code: str, reason: str) -> None:
    with pytest.raises(ValueError, match=f"^Potentially dangerous command detected: {reason}"):
        local.execute_code_blocks([block(code, "bash")])
    assert run(local, block(f"text = {code!r}")) == (0, "")


def test_there_has_to_be_a_block(local: LocalCommandLineCodeExecutor) -> None:
    with pytest.raises(ValueError, match="No code blocks to execute"):
        local.execute_code_blocks([])


def double(number: int) -> int:
    """Twice the number."""
    return number * 2


def test_code_calls_functions_of_the_user(tmp_path: Path) -> None:
    function = with_requirements(global_imports=["math"])(double)
    executor = LocalCommandLineCodeExecutor(work_dir=tmp_path, functions=[function], functions_module="mine")
    assert run(executor, block("from mine import double\nprint(double(4))")) == (0, "8\n")
    assert to_stub(double) in executor.format_functions_for_prompt("$module_name: $functions")
    assert to_stub(double) == 'def double(number: int) -> int:\n    """Twice the number."""\n    ...'


def test_restarting_a_local_executor_does_nothing(local: LocalCommandLineCodeExecutor) -> None:
    with pytest.warns(UserWarning, match="nothing to restart"):
        local.restart()


async def test_code_runs_in_a_running_event_loop_plainly_and_asynchronously(
    local: LocalCommandLineCodeExecutor,
) -> None:
    one, two = await asyncio.gather(
        asyncio.to_thread(local.execute_code_blocks, [block("print(1)")]),
        local.a_execute_code_blocks([block("print(2)")]),
    )
    assert (one.output, two.output) == ("1\n", "2\n")


async def test_code_ends_when_its_caller_is_cancelled(local: LocalCommandLineCodeExecutor, tmp_path: Path) -> None:
    code = "import os, time\nopen('pid.txt', 'w').write(str(os.getpid()))\ntime.sleep(600)"
    file = tmp_path / "pid.txt"
    running = asyncio.ensure_future(local.a_execute_code_blocks([block(code)]))
    await eventually(lambda: file.exists() and bool(file.read_text()))
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    process = Path("/proc") / file.read_text()
    await eventually(lambda: not process.exists())


def test_runs_of_code_are_effects(local: LocalCommandLineCodeExecutor) -> None:
    observer = Observer()
    with handle_effects(observer):
        assert run(local, block("print(1)")) == (0, "1\n")
    [request] = observer.requests
    assert isinstance(request, CodeRequest)
    assert request.blocks[0].code == "print(1)"


def test_code_in_docker_runs_in_one_container(docker: DockerCommandLineCodeExecutor) -> None:
    assert run(docker, block(BOTH), block("open('kept.txt', 'w').write('1')", "py")) == (0, "err\nout\n")
    assert (docker.work_dir / "kept.txt").read_text() == "1"
    assert run(docker, block("cat kept.txt; rm -rf kept.txt", "sh")) == (0, "1")
    assert run(docker, block("x", "c++")) == (1, "Unsupported language c++\n")
    assert run(docker, block("x", "js"))[1].startswith("Code saved to ")
    assert docker.bind_dir == docker.work_dir


def test_t03_another_sandbox_is_used_where_no_docker_engine_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    require(AutoBackend([sandbox_kind("bubblewrap").make(), sandbox_kind("namespaces").make()]))
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/no.sock")
    with pytest.warns(UserWarning, match=r"Docker was asked for and does not answer: code runs in another sandbox"):
        executor = DockerCommandLineCodeExecutor(work_dir=tmp_path)
    with executor:
        assert run(executor, block("import os; print(os.getuid() != 0)")) == (0, "True\n")


def test_without_any_sandbox_a_docker_executor_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/no.sock")
    with only_sandboxes(sandbox_kind("local")), pytest.raises(RuntimeError, match="but docker is not running"):
        DockerCommandLineCodeExecutor(work_dir=tmp_path)


def test_a_factory_makes_executors_by_name(tmp_path: Path) -> None:
    options = {"timeout": 9, "work_dir": tmp_path}
    made = CodeExecutorFactory.create({"executor": "commandline-local", "commandline-local": options})
    assert isinstance(made, LocalCommandLineCodeExecutor)
    assert (made.timeout, made.work_dir) == (9, tmp_path)
    assert CodeExecutorFactory.create({"executor": made}) is made


@pytest.mark.parametrize("wanted", ["x", None, 3])
def test_a_factory_refuses_other_names(wanted: object) -> None:
    with pytest.raises(ValueError, match=f"^Unknown code executor {wanted}"):
        CodeExecutorFactory.create({"executor": wanted})


def test_a_factory_takes_executors_of_autogen_04() -> None:
    require(AutoBackend())
    adapted = CodeExecutorFactory.create({"executor": create_default_code_executor()})
    assert adapted.execute_code_blocks([block("print(1)")]) == CodeResult(exit_code=0, output="1\n")
    adapted.restart()


def test_what_a_program_ends_with_is_closed_without_a_word(tmp_path: Path) -> None:
    require(DockerBackend())
    from tests.support.interpreter import python  # noqa: PLC0415 - only here

    code = (
        "from symposia.v02.coding import CodeBlock, DockerCommandLineCodeExecutor\n"
        f"executor = DockerCommandLineCodeExecutor(work_dir={str(tmp_path)!r})\n"
        "print(executor.execute_code_blocks([CodeBlock(code='print(1)', language='python')]).output)\n"
    )
    done = python("-c", code)
    assert (done.returncode, done.stdout, done.stderr) == (0, "1\n\n", "")
