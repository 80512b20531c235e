"""The command line itself: what it imports, what its help says, and what its options come to."""

import asyncio
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.support.command import symposia
from tests.support.distribution import Distribution
from tests.support.interpreter import printed, python
from typer import BadParameter

from symposia.cli._exit import Status
from symposia.cli._plan import (
    ProgramLimits,
    RunArguments,
    plan_run,
    sandbox_packages,
    sandbox_policy,
    size_in_bytes,
)
from symposia.cli._planning import default_run_folder
from symposia.core.code_executor import LEAST_LIMITS, MIB, NetworkPolicy, SandboxPackages, SandboxPolicy
from symposia.ext.code_executors import sandbox_kinds
from symposia.presets.coding import BundledName, SwarmLimits

KEPT_OUT = ("asyncio", "pydantic", "rich.markdown", "openai", "symposia.core", "symposia.presets", "symposia.ext")


async def help_of(verb: str) -> str:
    result = await symposia(verb, "--help")
    return " ".join(result.stdout.split())


@pytest.mark.parametrize("arguments", ["'--version'", "'--help'"])
async def test_the_help_imports_nothing_but_typer(arguments: str) -> None:
    program = (
        f"import sys; sys.argv = ['symposia', {arguments}]\n"
        "from symposia.cli import main\n"
        "try: main()\n"
        f"except SystemExit: print([name for name in {KEPT_OUT!r} if name in sys.modules], end='')"
    )
    assert (await asyncio.to_thread(printed, program)).endswith("[]")


async def test_the_help_states_the_limits_and_names_that_hold() -> None:
    text, limits, policy = await help_of("run"), SwarmLimits(), SandboxPolicy()
    for option, default in {
        "--max-messages N": limits.max_messages,
        "--timeout S": f"{limits.timeout:g}",
        "--time-limit S": f"{policy.time_limit:g}",
        "--memory SIZE": f"{policy.memory_bytes // MIB}M",
        "--disk SIZE": f"{policy.work_bytes // MIB}M",
        "--processes N": policy.processes,
        "--cpus N": f"{policy.cpus:g}",
    }.items():
        assert re.search(rf"{option} [^\[]*\[default: \({default}\)", text), (option, text)
    for option, limit in {"--processes N": "processes", "--cpus N": "cpus"}.items():
        assert re.search(rf"{option} [^\[]*\[default: \([^\]]*\) ?; x>={LEAST_LIMITS[limit]}\]", text), (option, text)
    kinds = await asyncio.to_thread(sandbox_kinds)
    for name in (*BundledName, *(kind.name for kind in kinds)):
        assert name in text


@pytest.mark.parametrize("words", [["two", "words"], ["Plot", "sales.csv", "--sandbox", "local", "by", "month"]])
async def test_a_task_of_several_words_is_told_to_be_quoted(words: list[str]) -> None:
    result = await symposia("run", *words)
    assert result.exit_code == Status.USAGE
    task = " ".join(word for word in words if word not in {"--sandbox", "local"})
    assert f'Put it in quotes: symposia run "{task}"' in result.output


def test_the_help_names_the_sandboxes_that_distributions_offer_and_imports_none(tmp_path: Path) -> None:
    broken = "raise SystemExit('imported')"
    offering = Distribution(
        tmp_path, "offered", broken, {"symposia.sandboxes": {"firecracker": "KIND", "gvisor": "KIND"}}
    )
    program = "import sys; sys.argv = ['symposia', 'run', '--help']; from symposia.cli import main; main()"
    text = " ".join(" ".join(offering.printed(program)).split())
    assert "or local, which is this machine, unprotected. Installed packages offer: firecracker, gvisor." in text


def test_a_note_about_an_unknown_model_has_no_advice_for_programs() -> None:
    program = """
import warnings
from symposia.cli import _app
from symposia.ext.models.openai import OpenAIChatCompletionClient
_app.app = lambda **_: OpenAIChatCompletionClient(model="foo", api_key="none")
_app.run_command_line()
"""
    done = python("-c", program, folder=None, given="")
    assert done.returncode == 0
    assert "Note: OpenAI model 'foo' is not known to this version" in done.stderr
    assert "tokens of context." in done.stderr
    assert not {"model_info", "{", "True"} & set(re.findall(r"model_info|[{]|True", done.stderr))


def test_what_the_library_logs_as_a_warning_is_a_note_once() -> None:
    program = """
import logging
from symposia.cli import _app
log = logging.getLogger("symposia.ext.models")
_app.app = lambda **_: [log.warning("%s", "An answer was \\x1b[31mcut.") for _ in range(3)]
_app.run_command_line()
"""
    done = python("-c", program, folder=None, given="")
    assert (done.returncode, done.stderr.count("Note: An answer was "), "\x1b" in done.stderr) == (0, 1, False)


def test_n04_the_limits_of_a_program_are_options() -> None:
    limits = ProgramLimits(time_limit=300, memory="2G", disk="256M", processes=8, cpus=2)
    policy = sandbox_policy(limits)
    assert (policy.time_limit, policy.memory_bytes, policy.work_bytes) == (300, 2048 * MIB, 256 * MIB)
    assert (policy.processes, policy.cpus, policy.artifact_bytes) == (8, 2, 256 * MIB)
    assert sandbox_policy(ProgramLimits()) == SandboxPolicy()


def test_the_hosts_of_a_program_are_options() -> None:
    policy = sandbox_policy(ProgramLimits(allowed_hosts=("api.test", "*.example.com:8443")))
    assert policy == SandboxPolicy(network=NetworkPolicy(allow=["api.test", "*.example.com:8443"]))


@pytest.mark.parametrize(
    ("path", "said"),
    [("missing/audit.jsonl", "there is no folder .*missing"), ("folder", "cannot be written: give another file")],
)
def test_an_audit_log_that_cannot_be_written_is_a_wrong_option(tmp_path: Path, path: str, said: str) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(BadParameter, match=f"--audit-log .*{said}"):
        plan_run(RunArguments(text="Add", audit_log=tmp_path / path))


@pytest.mark.parametrize(
    ("text", "size"),
    [("512M", 512 * MIB), ("512 MiB", 512 * MIB), ("1.5g", 1536 * MIB), ("67108864", 64 * MIB), ("2048KB", 2 * MIB)],
)
def test_n04_sizes_are_read_as_people_write_them(text: str, size: int) -> None:
    assert size_in_bytes("--disk", text, "work_bytes") == size


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        (ProgramLimits(memory="much"), r"--memory takes a size, as 512M or 2G, and not 'much'"),
        (ProgramLimits(memory="-1M"), r"takes a size"),
        (ProgramLimits(memory="4M"), r"--memory has to be at least 32M, and is 4M"),
        (ProgramLimits(disk="0"), r"--disk has to be at least 1M, and is 0"),
        (ProgramLimits(disk="1G"), r"--disk \(1024M\) has to be less than --memory \(512M\)"),
        (ProgramLimits(allowed_hosts=("https://api.test",)), r"--allow-host: 'https://api\.test' does not say which"),
    ],
)
def test_n04_a_limit_that_cannot_be_is_told_with_what_can(limits: ProgramLimits, said: str) -> None:
    with pytest.raises(BadParameter, match=said):
        sandbox_policy(limits)


def test_n11_the_results_are_checked_for_before_a_model_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_name: str) -> None:
        raise AssertionError("a model client was made first")

    (tmp_path / "file").touch()
    monkeypatch.setattr("symposia.cli._plan.model_named", refuse)
    with pytest.raises(ValueError, match="is a file"):
        plan_run(RunArguments(text="Add", out=tmp_path / "file" / "run"))


async def test_the_command_is_a_module_too() -> None:
    program = (
        "import runpy, sys; sys.argv = ['symposia', '--version']; runpy.run_module('symposia', run_name='__main__')"
    )
    assert (await asyncio.to_thread(printed, program)).startswith("symposia ")


@pytest.mark.parametrize(
    ("task", "name"),
    [
        ("Plot sales.csv by month!", "20240501-093000-plot-sales-csv-by-month"),
        ("Größe über alles", "20240501-093000-groe-uber-alles"),
        ("売上を分析する", "20240501-093000"),
        ("a very long task that goes on and on without an end", "20240501-093000-a-very-long-task-that-goes-on-and-on"),
    ],
)
def test_the_default_folder_is_named_by_time_and_task(task: str, name: str) -> None:
    moment = datetime(2024, 5, 1, 9, 30, tzinfo=UTC)
    assert default_run_folder(task, moment) == Path("symposia-runs") / name


def test_the_default_folder_of_a_second_run_in_the_same_second_has_a_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    moment = datetime(2024, 5, 1, 9, 30, tzinfo=UTC)
    folders = [default_run_folder("Add", moment)]
    for _ in range(2):
        folders[-1].mkdir(parents=True)
        folders.append(default_run_folder("Add", moment))
    name = "20240501-093000-add"
    assert [folder.name for folder in folders] == [name, f"{name}-2", f"{name}-3"]


def test_packages_and_their_folder_are_told_apart_by_the_slash(tmp_path: Path) -> None:
    assert sandbox_packages(()) is None
    assert sandbox_packages(["scipy", "sympy==1.14"]) == SandboxPackages(requirements=("scipy", "sympy==1.14"))
    found = sandbox_packages(["scipy", f"{tmp_path}/"])
    assert found == SandboxPackages(requirements=("scipy",), wheels=tmp_path)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["scipy", "./no-such-folder"], "there is no such folder of wheels"),
        (["./a", "./b", "scipy"], "names two folders of wheels"),
        (["/"], "give their names too, by --with NAME"),
    ],
)
def test_a_folder_of_wheels_that_cannot_be_used_is_told(given: list[str], said: str) -> None:
    with pytest.raises(BadParameter, match=said):
        sandbox_packages(given)


async def test_a_package_that_is_an_option_is_refused_before_anything_runs() -> None:
    result = await symposia("run", "--with=--index-url")
    assert result.exit_code == Status.USAGE
    assert "is not the name of a package" in " ".join(result.stderr.split())
