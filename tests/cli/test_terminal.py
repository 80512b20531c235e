"""The real program on a real terminal, in a pipe, and interrupted; the code runs in a real sandbox."""

import asyncio
import json
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import pytest
from tests.support.terminal import CTRL_C, on_terminal, symposia
from tests.support.working_sandbox import working_sandbox

from symposia.core.code_executor import SandboxBackend
from symposia.testing.model_server import Hold, MockModelServer, Reply

PLAN = Reply(text=json.dumps({"steps": ["Add."], "checks": ["The sum is printed."]}), usage=(100, 20))
CODE = Reply(text="I add them.\n```python\nprint('sum:', 1 + 1)\n```", usage=(200, 30))
APPROVAL = Reply(
    text=json.dumps({"approved": True, "reasons": [], "evidence": ["sum: 2"], "answer": "It is **2**."}),
    usage=(300, 40),
)
ENDLESS = Reply(text="```python\nimport time\nprint('still ' + 'here', flush=True)\ntime.sleep(600)\n```")
CONTROL_CODE = re.compile(r"\x1b")
COLOUR = re.compile(r"\x1b\[[0-9;]*3[0-7]")


@pytest.fixture
async def sandbox() -> SandboxBackend:
    return await working_sandbox()


@pytest.fixture
async def models() -> AsyncIterator[MockModelServer]:
    async with MockModelServer() as server:
        yield server


def keys(server: MockModelServer) -> Mapping[str, str]:
    return {
        "OPENAI_API_KEY": "sk-test",
        "OPENAI_BASE_URL": server.openai_url,
        "ANTHROPIC_API_KEY": "sk-ant-test",
        "ANTHROPIC_BASE_URL": server.anthropic_url,
    }


async def in_a_pipe(
    *arguments: str, environment: Mapping[str, str] | None = None, program: Sequence[str] = ()
) -> tuple[int, str]:
    """The exit status and the output of the command, or of another program of Python with these arguments."""
    process = await asyncio.create_subprocess_exec(
        *((sys.executable, *program, *arguments) if program else symposia(*arguments)),
        env={**os.environ, **(environment or {})},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(60):
        output, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, output.decode()


@pytest.mark.parametrize("model", ["gpt-5.5", "claude-sonnet-5-5"])
async def test_a_task_of_ones_own_runs_on_a_vendors_sdk(
    model: str, models: MockModelServer, sandbox: SandboxBackend, tmp_path: Path
) -> None:
    (tmp_path / "numbers.csv").write_text("a,b\n1,1\n")
    models.script(PLAN, CODE, APPROVAL)
    arguments = ["run", "Add one and one", "--model", model, "--data", str(tmp_path / "numbers.csv")]
    status, output = await in_a_pipe(
        *arguments, "--sandbox", sandbox.name, "--out", str(tmp_path / "run"), environment=keys(models)
    )
    assert status == 0, output
    assert "It is **2**." in output
    assert "recorded" not in output
    usage = json.loads((tmp_path / "run" / "usage.json").read_text())
    assert not usage["estimated"]
    assert usage["models"] == {model: usage["total"]}
    assert (usage["total"]["prompt_tokens"], usage["total"]["completion_tokens"]) == (600, 90)
    assert usage["total"]["usd"] > 0
    assert f"690 tokens · ${usage['total']['usd']:.4f}" in output
    assert [request.body["model"] for request in models.requests] == [model] * 3
    assert "a,b" in json.dumps(models.requests[1].body)
    assert "sum: 2" in json.dumps(models.requests[2].body)


async def test_each_agent_may_have_a_model_of_its_own(
    models: MockModelServer, sandbox: SandboxBackend, tmp_path: Path
) -> None:
    models.script(PLAN, CODE, APPROVAL)
    named = ["--model", "gpt-5.5", "--planner-model", "o3-mini", "--reviewer-model", "claude-sonnet-5-5"]
    status, output = await in_a_pipe(
        "run", "Add", *named, "--sandbox", sandbox.name, "--out", str(tmp_path / "run"), environment=keys(models)
    )
    assert status == 0, output
    assert [request.body["model"] for request in models.requests] == ["o3-mini", "gpt-5.5", "claude-sonnet-5-5"]


async def test_in_a_pipe_there_are_only_plain_lines(sandbox: SandboxBackend, tmp_path: Path) -> None:
    status, output = await in_a_pipe("run", "--sandbox", sandbox.name, "--out", str(tmp_path / "run"))
    assert status == 0, output
    assert not CONTROL_CODE.search(output)
    assert "The models' answers are recorded" in output
    assert "exit status 1" in output
    assert "DateParseError" in output
    assert "Verified" in output


async def test_on_a_terminal_the_run_is_drawn_live_and_in_colours(sandbox: SandboxBackend, tmp_path: Path) -> None:
    command = symposia("run", "--task", "sorting", "--sandbox", sandbox.name, "--out", str(tmp_path / "run"))
    async with asyncio.timeout(60), on_terminal(*command) as terminal:
        await terminal.wait_until_drawn("coder writes")
        assert await terminal.wait_until_ended() == 0
    assert COLOUR.search(terminal.drawn)
    assert "4 of 4 checks passed" in terminal.drawn
    assert "✓ Answer" in terminal.drawn
    assert terminal.drawn.endswith("\r\n")


async def test_with_no_color_a_terminal_gets_none(sandbox: SandboxBackend, tmp_path: Path) -> None:
    command = symposia("run", "--task", "sorting", "--sandbox", sandbox.name, "--out", str(tmp_path / "run"))
    async with asyncio.timeout(60), on_terminal(*command, environment={"NO_COLOR": "1"}) as terminal:
        assert await terminal.wait_until_ended() == 0
    assert not COLOUR.search(terminal.drawn)


@pytest.mark.parametrize("environment", [{"NO_COLOR": "1"}, {"TERM": "dumb"}], ids=["NO_COLOR", "dumb"])
async def test_errors_have_no_colour_either(environment: dict[str, str]) -> None:
    async with (
        asyncio.timeout(60),
        on_terminal(*symposia("chat", "--model", "nobody/model"), environment=environment) as terminal,
    ):
        assert await terminal.wait_until_ended() == 13
    assert "No vendor is known" in terminal.drawn
    assert not CONTROL_CODE.search(terminal.drawn)


async def test_a_dumb_terminal_gets_plain_lines(sandbox: SandboxBackend, tmp_path: Path) -> None:
    command = symposia("run", "--task", "sorting", "--sandbox", sandbox.name, "--out", str(tmp_path / "run"))
    async with asyncio.timeout(60), on_terminal(*command, environment={"TERM": "dumb"}) as terminal:
        assert await terminal.wait_until_ended() == 0
    assert not CONTROL_CODE.search(terminal.drawn)


async def test_a_narrow_terminal_is_not_drawn_over_its_edge(sandbox: SandboxBackend, tmp_path: Path) -> None:
    command = symposia("run", "--task", "sorting", "--sandbox", sandbox.name, "--out", str(tmp_path / "run"))
    async with asyncio.timeout(60), on_terminal(*command, columns=40, rows=12) as terminal:
        assert await terminal.wait_until_ended() == 0
    plain = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", terminal.drawn)
    assert max(len(line) for line in re.split(r"[\r\n]+", plain)) <= 40


async def test_n14_ctrl_c_stops_a_program_that_sleeps_and_keeps_what_there_is(
    models: MockModelServer, sandbox: SandboxBackend, tmp_path: Path
) -> None:
    models.script(PLAN, ENDLESS)
    command = symposia("run", "Wait", "--model", "gpt-5.5", "--sandbox", sandbox.name, "--out", str(tmp_path / "run"))
    async with asyncio.timeout(60), on_terminal(*command, environment=keys(models)) as terminal:
        await terminal.wait_until_drawn("still here")
        terminal.press(CTRL_C)
        assert await terminal.wait_until_ended() == 130  # the program itself would sleep past the test's time limit
    assert "Interrupted" in terminal.drawn
    assert "Traceback" not in terminal.drawn
    assert "interrupted" in (tmp_path / "run" / "answer.md").read_text()
    lines = (tmp_path / "run" / "transcript.jsonl").read_text().splitlines()
    assert [json.loads(line)["source"] for line in lines] == ["user", "planner", "coder", "executor"]
    assert "still here" in (tmp_path / "run" / "code" / "01-interrupted.stdout.txt").read_text()
    assert "time.sleep(600)" in (tmp_path / "run" / "code" / "01-interrupted.py").read_text()


async def test_n14_ctrl_c_stops_a_model_call_that_never_ends(
    models: MockModelServer, sandbox: SandboxBackend, tmp_path: Path
) -> None:
    hold = Hold(after=2)
    models.script(PLAN, Reply(text="I add them, word by word.", hold=hold))
    command = symposia("run", "Add", "--model", "gpt-5.5", "--sandbox", sandbox.name, "--out", str(tmp_path / "run"))
    async with asyncio.timeout(60), on_terminal(*command, environment=keys(models)) as terminal:
        await hold.reached.wait()
        await terminal.wait_until_drawn("coder writes")
        terminal.press(CTRL_C)
        assert await terminal.wait_until_ended() == 130  # the model's answer is held back until the end of the test
        await models.requests[-1].disconnected.wait()
    assert "Interrupted" in terminal.drawn
    hold.release.set()


def descendants(pid: int) -> list[int]:
    children = [
        int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()
    ]
    return [*children, *(below for child in children for below in descendants(child))]


async def test_a_sandbox_that_is_killed_in_the_middle_is_replaced_and_the_run_goes_on(
    models: MockModelServer, sandbox: SandboxBackend, tmp_path: Path
) -> None:
    if sandbox.name == "docker":
        pytest.skip("its processes are the engine's")
    models.script(PLAN, ENDLESS, CODE, APPROVAL)
    command = symposia("run", "Wait", "--model", "gpt-5.5", "--sandbox", sandbox.name, "--out", str(tmp_path / "run"))
    async with asyncio.timeout(60), on_terminal(*command, environment=keys(models)) as terminal:
        await terminal.wait_until_drawn("still here")
        for pid in descendants(terminal.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        assert await terminal.wait_until_ended() == 0
    assert "exit status 137 (crashed)" in terminal.drawn
    assert "The sandbox ended" in (tmp_path / "run" / "transcript.md").read_text()
    assert "time.sleep(600)" in (tmp_path / "run" / "code" / "01-exit-137.py").read_text()


async def test_what_a_terminal_cannot_show_becomes_a_question_mark(sandbox: SandboxBackend, tmp_path: Path) -> None:
    status, output = await in_a_pipe(
        *("run", "--task", "sorting", "--sandbox", sandbox.name, "--out", str(tmp_path / "run")),
        environment={"PYTHONIOENCODING": "ascii"},
    )
    assert status == 0, output
    assert "Verified ? 1 program ran" in output


async def test_the_version() -> None:
    status, output = await in_a_pipe("--version")
    assert status == 0
    assert re.fullmatch(r"symposia \d+\.\d+\.\d+\n", output)


async def in_a_shell(
    script: str, *arguments: str, environment: Mapping[str, str] | None = None
) -> tuple[int, str, str]:
    """Run the command as `"$@"` in a script of bash; the status, stdout and stderr."""
    process = await asyncio.create_subprocess_exec(
        *("bash", "-o", "pipefail", "-c", script, "bash", *symposia(*arguments)),
        env={**os.environ, **(environment or {})},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(60):
        output, errors = await process.communicate()
    assert process.returncode is not None
    return process.returncode, output.decode(), errors.decode()


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ('"$@" | head -n 2', "The output is closed. The run goes on, and its results are in the folder"),
        ('"$@" >&-', ""),
        ('"$@" > /dev/full', "The output cannot be written: No space left on device."),
        ('"$@" >&- 2>&-', ""),
        ('"$@" 2>&1 | head -n 2', ""),
        ('"$@" < /dev/null | cat', ""),
    ],
)
async def test_n02_an_output_that_takes_nothing_does_not_end_the_run(
    script: str, said: str, sandbox: SandboxBackend, tmp_path: Path
) -> None:
    run = ("run", "--task", "sorting", "--sandbox", sandbox.name, "--out", str(tmp_path / "run"))
    status, output, errors = await in_a_shell(script, *run)
    assert status == 0, errors
    assert "Traceback" not in output + errors
    assert errors.strip().startswith(said)
    assert len(errors.splitlines()) <= 1
    assert (tmp_path / "run" / "answer.md").read_text().startswith("# Answer")


@pytest.mark.parametrize("verb", ["--version", "--help", "doctor"])
async def test_n02_other_verbs_end_quietly_when_their_output_is_closed(verb: str) -> None:
    status, _, errors = await in_a_shell('"$@" | true', verb)
    assert (status, errors) == (0, "")


async def test_n11_a_first_line_is_there_before_anything_is_imported(tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    status, output = await in_a_pipe(
        *("run", "--out", str(tmp_path / "full")),
        program=("-c", reporting_import("pydantic", "print('pydantic', flush=True)")),
    )
    first, imported, error = output.splitlines()
    assert re.fullmatch(r"Symposia [\d.]+ · Ctrl-C ends the run", first)
    assert imported == "pydantic"
    assert status == 12
    assert "is not empty" in error


def reporting_import(module: str, report: str) -> str:
    """A program that runs the command, and a statement when `module` is about to be imported for the first time."""
    return (
        "import os, signal, sys\n"
        "def hook(event, arguments):\n"
        f"    if event == 'import' and arguments[0] == {module!r}: {report}\n"
        "sys.addaudithook(hook)\n"
        "from symposia.cli import main; main()"
    )


@pytest.mark.parametrize(
    ("module", "verb"),
    [
        ("symposia.cli._app", "--help"),
        ("typer", "--version"),
        ("symposia.cli._output", "--help"),
        ("pydantic", "doctor"),
        ("symposia.presets.coding", "run"),
        ("symposia.ext.code_executors", "setup"),
    ],
)
async def test_ctrl_c_while_something_is_imported_ends_with_one_line(module: str, verb: str) -> None:
    interrupt = "os.kill(os.getpid(), signal.SIGINT)"
    status, output = await in_a_pipe(verb, program=("-c", reporting_import(module, interrupt)))
    assert status == 130
    lines = output.splitlines()
    assert lines[-1] == "Interrupted."
    assert lines[:-1] == [line for line in lines if "Ctrl-C ends the run" in line]


async def test_an_interrupt_is_ignored_where_the_shell_says_so(tmp_path: Path) -> None:
    interrupt = "os.kill(os.getpid(), signal.SIGINT)"
    start = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
    status, output = await in_a_pipe("--version", program=("-c", start + reporting_import("typer", interrupt)))
    assert status == 0, output


async def test_n04_a_program_over_its_limits_is_told_which(
    models: MockModelServer, sandbox: SandboxBackend, tmp_path: Path
) -> None:
    greedy = Reply(text="```python\nprint(len(bytearray(300 * 2**20)))\n```")
    models.script(PLAN, greedy, greedy, greedy)
    status, output = await in_a_pipe(
        *("run", "Take it", "--model", "gpt-5.5", "--sandbox", sandbox.name, "--out", str(tmp_path / "run")),
        *("--memory", "128M", "--disk", "16M", "--time-limit", "30"),
        environment=keys(models),
    )
    assert status == 26, output
    assert output.count("ended at the memory limit of 128 MiB") >= 3
    assert "3 programs ran" in output
    assert "Raise the program's limit: --memory SIZE" in output
    told = json.dumps(models.requests[-1].body)
    assert "ended at the memory limit of 128 MiB" in told


async def test_n01_a_run_below_tmp_works_as_in_containers_and_ci(sandbox: SandboxBackend, tmp_path: Path) -> None:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "symposia")
    home = tmp_path / "a home with späces"
    (home / ".cache").mkdir(parents=True)
    (home / ".cache" / "symposia").symlink_to(cache)
    read_only = tmp_path / "closed"
    read_only.mkdir(mode=0o555)
    status, output, errors = await in_a_shell(
        f"cd '{read_only}'; env -u XDG_CACHE_HOME \"$@\"",
        *("run", "--task", "products", "--sandbox", sandbox.name, "--out", str(tmp_path / "results ü")),
        environment={"HOME": str(home), "TMPDIR": str(tmp_path)},
    )
    assert status == 0, output + errors
    assert "Verified" in output


@pytest.mark.parametrize(
    ("answer", "said", "status", "text"),
    [
        (b"y\n", "changed", 0, "import symposia.core\n"),
        (b"n\n", "Nothing was written.", 1, "import autogen_core\n"),
        (CTRL_C, "Interrupted.", 130, "import autogen_core\n"),
    ],
    ids=["yes", "no", "Ctrl-C"],
)
async def test_a_migration_asks_before_it_writes(
    answer: bytes, said: str, status: int, text: str, tmp_path: Path
) -> None:
    program = tmp_path / "a.py"
    program.write_text("import autogen_core\n")
    async with asyncio.timeout(60), on_terminal(*symposia("migrate", str(program))) as terminal:
        await terminal.wait_until_drawn("Change 1 file? [y/N]:")
        assert "+import symposia.core" in terminal.drawn
        terminal.press(answer)
        assert await terminal.wait_until_ended() == status
    assert said in terminal.drawn
    assert program.read_text() == text
