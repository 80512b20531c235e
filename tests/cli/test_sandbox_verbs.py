"""`symposia sandbox`: list, show, clean and bench."""

import json
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.support.command import symposia
from typer.testing import Result

from symposia.cli import _bench
from symposia.cli._bench import Figure
from symposia.cli._exit import Status
from symposia.core.code_executor import MIB, RunningSandbox, SandboxMount, SandboxPolicy, SandboxResult
from symposia.core.exceptions import SandboxUnavailableError
from symposia.ext._temporary_folders import owned_prefix
from symposia.ext.code_executors import SandboxKind, only_sandboxes
from symposia.testing.sandboxes import FakeSandbox, FakeSandboxBackend, printed

ENDED_LONG_AGO = 2**22 + 1


class WeakSandbox(FakeSandbox):
    def weaknesses(self) -> Sequence[str]:
        return ("The kernel has no Landlock.",)


class Backend(FakeSandboxBackend):
    """A sandbox that tells what the test gives it."""

    def __init__(
        self,
        name: str,
        *,
        reason: str | None = None,
        runs: Sequence[RunningSandbox] | SandboxUnavailableError = (),
        left_over: Sequence[str] = (),
        exit_code: int = 0,
    ) -> None:
        self.ran: list[str] = []
        self._reason, self._runs, self._left_over = reason, runs, left_over

        async def run(code: str) -> SandboxResult:
            self.ran.append(code)
            return printed("a block ran\n", exit_code=exit_code, stderr="no pandas here" if exit_code else "")

        super().__init__(run, name=name)

    async def unavailable_reason(self) -> str | None:
        return self._reason

    async def create(self, policy: SandboxPolicy, *, mounts: Sequence[SandboxMount] = ()) -> FakeSandbox:
        sandbox = WeakSandbox(self._run, policy, mounts)
        self.sandboxes.append(sandbox)
        return sandbox

    async def running(self) -> Sequence[RunningSandbox]:
        if isinstance(self._runs, SandboxUnavailableError):
            raise self._runs
        return self._runs

    async def clean(self) -> Sequence[str]:
        return self._left_over


Backends = Callable[..., None]


@pytest.fixture
def backends() -> Iterator[Backends]:
    with ExitStack() as stack:

        def only(*given: Backend) -> None:
            kinds = [
                SandboxKind(name=each.name, requires="nothing", make=lambda each=each: each, isolation="A container.")
                for each in given
            ]
            stack.enter_context(only_sandboxes(*kinds))

        yield only


@pytest.fixture(autouse=True)
def _own_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))  # which was asked for already, and is kept


@pytest.fixture(autouse=True)
def _no_waiting_for_a_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(_bench.measure.__kwdefaults__ or {}, "thinking_seconds", 0)


async def sandbox(*arguments: str) -> Result:
    return await symposia("sandbox", *arguments)


def running(name: str, *, seconds: float = 5, memory_bytes: int | None = 54 * MIB) -> RunningSandbox:
    return RunningSandbox(kind="docker", name=name, owner=42, seconds=seconds, memory_bytes=memory_bytes)


async def test_list_shows_owner_age_and_memory(backends: Backends) -> None:
    sandboxes = [running("a1"), running("b2", seconds=75), running("c3", seconds=7300, memory_bytes=None)]
    backends(Backend("docker", runs=sandboxes))
    result = await sandbox("list")
    assert result.exit_code == 0
    assert [line.split() for line in result.stdout.splitlines()] == [
        ["sandbox", "name", "owner", "age", "memory"],
        ["docker", "a1", "42", "5", "s", "54", "MiB"],
        ["docker", "b2", "42", "1", "min", "15", "s", "54", "MiB"],
        ["docker", "c3", "42", "2", "h", "1", "min"],
    ]


async def test_list_says_that_nothing_runs(backends: Backends) -> None:
    backends(Backend("docker"))
    assert (await sandbox("list")).stdout == "No sandbox runs.\n"


async def test_list_shows_the_others_where_one_cannot_be_asked(backends: Backends) -> None:
    gone = Backend("podman", runs=SandboxUnavailableError("No engine answers."))
    backends(gone, Backend("docker", runs=[running("a1")]))
    result = await sandbox("list")
    assert result.exit_code == 0
    assert "a1" in result.stdout
    assert result.stderr == "podman cannot be asked: No engine answers.\n"


async def test_show_names_isolation_weaknesses_and_limits(backends: Backends) -> None:
    backend = Backend("docker")
    backends(backend)
    result = await sandbox("show", "docker")
    assert result.exit_code == 0
    for text in ("A container.", "yes: a block ran", "The kernel has no Landlock.", "512 MiB", "60 s", "numpy, pandas"):
        assert text in result.stdout
    assert [sandbox.closed for sandbox in backend.sandboxes] == [True]


async def test_show_of_one_that_does_not_work_says_why_and_fails(backends: Backends) -> None:
    backends(Backend("docker", reason="No engine answers."))
    result = await sandbox("show", "docker")
    assert result.exit_code == Status.NO_SANDBOX
    assert "no: No engine answers." in result.stdout


@pytest.mark.parametrize("arguments", [("show", "dokcer"), ("bench", "--sandbox", "dokcer")])
async def test_an_unknown_name_is_an_error_with_those_there_are(arguments: tuple[str, ...], backends: Backends) -> None:
    backends(Backend("docker"))
    result = await sandbox(*arguments)
    assert result.exit_code == Status.USAGE
    assert "docker" in result.stderr


async def test_clean_removes_what_dead_processes_left_and_nothing_else(backends: Backends, tmp_path: Path) -> None:
    backends(Backend("docker", left_over=["c0ffee"]))
    own = owned_prefix("work")
    dead = tmp_path / f"{own.rsplit('-', 2)[0]}-{ENDED_LONG_AGO}-1"
    others = [tmp_path / f"{own}1", tmp_path / f"symposia-work-00000000-{ENDED_LONG_AGO}-1", tmp_path / "symposia-runs"]
    for folder in (dead, *others):
        folder.mkdir()
        (folder / "file").touch()
    link = dead.with_name(f"{dead.name[:-1]}2")
    link.symlink_to(others[0])
    result = await sandbox("clean")
    assert result.stdout == f"removed c0ffee\nremoved {dead}\nRemoved 2 in all.\n"
    assert [folder.exists() for folder in (dead, *others, link)] == [False, True, True, True, True]
    assert (others[0] / "file").exists()


async def test_clean_says_that_there_was_nothing(backends: Backends) -> None:
    backends(Backend("docker"))
    assert (await sandbox("clean")).stdout == "Nothing was left over.\n"


async def test_bench_shows_medians_and_percentiles(backends: Backends) -> None:
    backend = Backend("docker")
    backends(backend)
    result = await sandbox("bench", "--sandbox", "docker", "--starts", "2", "--blocks", "3")
    assert result.exit_code == 0
    names = [line.split("  ")[0] for line in result.stdout.splitlines()]
    assert names == ["docker", "cold start", "plain block", "pandas block", "stateful block", "close"]
    assert [line.split()[-1] for line in result.stdout.splitlines()] == ["runs", "2", "3", "3", "3", "2"]
    assert len(backend.ran) == 12
    assert [sandbox.closed for sandbox in backend.sandboxes] == [True] * 4
    assert [sandbox.policy.stateful for sandbox in backend.sandboxes] == [False, True, False, False]


async def test_bench_leaves_the_stateful_block_out_where_a_sandbox_has_no_such_mode(backends: Backends) -> None:
    class Stateless(Backend):
        async def create(self, policy: SandboxPolicy, *, mounts: Sequence[SandboxMount] = ()) -> FakeSandbox:
            if policy.stateful:
                raise SandboxUnavailableError("It keeps no variables.")
            return await super().create(policy, mounts=mounts)

    backends(Stateless("docker"))
    result = await sandbox("bench", "--sandbox", "docker", "--starts", "1", "--blocks", "1")
    names = [line.split("  ")[0] for line in result.stdout.splitlines()]
    assert names == ["docker", "cold start", "plain block", "pandas block", "close"]


async def test_bench_as_json_is_json_alone(backends: Backends) -> None:
    backends(Backend("docker"))
    result = await sandbox("bench", "--json", "--blocks", "1", "--starts", "1")
    document = json.loads(result.stdout)
    assert document["sandbox"] == "docker"
    assert document["milliseconds"]["plain block"]["runs"] == 1
    assert document["milliseconds"]["cold start"]["median"] >= 0


async def test_bench_ends_the_sandbox_whose_block_fails(backends: Backends) -> None:
    backend = Backend("docker", exit_code=1)
    backends(backend)
    result = await sandbox("bench", "--sandbox", "docker")
    assert result.exit_code == Status.FAILED
    assert "no pandas here" in result.stderr
    assert backend.sandboxes[0].closed


async def test_bench_where_nothing_works_has_the_status_of_no_sandbox(backends: Backends) -> None:
    backends(Backend("docker", reason="No engine answers."))
    assert (await sandbox("bench")).exit_code == Status.NO_SANDBOX


async def test_help_names_every_verb() -> None:
    result = await sandbox("--help")
    assert all(verb in result.stdout for verb in ("list", "show", "clean", "bench"))


def test_percentiles_are_by_the_nearest_rank() -> None:
    figure = Figure("x", [number / 1000 for number in range(100, 0, -1)])
    assert (figure.median, figure.p95) == (pytest.approx(50.5), pytest.approx(95))
    assert Figure("x", [0.001]).p95 == pytest.approx(1)
