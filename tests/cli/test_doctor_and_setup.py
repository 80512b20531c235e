import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from symposia.cli import app
from symposia.cli._exit import Status
from symposia.core.code_executor import SandboxBackend, SandboxResult
from symposia.core.exceptions import SandboxUnavailableError
from symposia.presets.coding.testing import PretendedSandboxBackend, printed

Report = Callable[[str], None]


class Backend(PretendedSandboxBackend):
    """A sandbox of any name, which works or not."""

    def __init__(self, name: str, reason: str | None = None) -> None:
        async def nothing(code: str) -> SandboxResult:
            return printed("")

        super().__init__(nothing)
        self._name = name
        self._reason = reason

    @property
    def name(self) -> str:
        return self._name

    async def unavailable_reason(self) -> str | None:
        return self._reason


DOCKER = Backend("docker", "No Docker engine answers.\nInstall one: apt install docker.io")
NAMESPACES = Backend("namespaces")


async def symposia(*arguments: str) -> Result:
    async with asyncio.timeout(60):
        return await asyncio.to_thread(CliRunner().invoke, app, arguments)


def backends(monkeypatch: pytest.MonkeyPatch, *there: SandboxBackend) -> None:
    def given() -> Sequence[SandboxBackend]:
        return there

    monkeypatch.setattr("symposia.cli._doctor.sandbox_backends", given)
    monkeypatch.setattr("symposia.cli._sandboxes.sandbox_backends", given)


async def test_the_doctor_says_which_sandboxes_work_and_why_the_others_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    backends(monkeypatch, DOCKER, NAMESPACES)
    result = await symposia("doctor")
    assert result.exit_code == 0
    assert "✗ docker            No Docker engine answers." in result.stdout
    assert "Install one: apt install docker.io" in result.stdout
    assert "✓ namespaces        works" in result.stdout


async def test_the_doctor_ends_with_the_status_of_no_sandbox_where_none_works(monkeypatch: pytest.MonkeyPatch) -> None:
    backends(monkeypatch, DOCKER)
    assert (await symposia("doctor")).exit_code == Status.NO_SANDBOX


async def test_the_doctor_says_that_a_key_is_set_and_never_which(monkeypatch: pytest.MonkeyPatch) -> None:
    backends(monkeypatch, NAMESPACES)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret")
    result = await symposia("doctor")
    assert "OPENAI_API_KEY is set" in result.stdout
    assert "ANTHROPIC_API_KEY is not set" in result.stdout
    assert "secret" not in result.output


async def test_the_doctor_names_the_versions(monkeypatch: pytest.MonkeyPatch) -> None:
    backends(monkeypatch, NAMESPACES)
    result = await symposia("doctor")
    for name in ("symposia", "Python", "pydantic", "openai", "anthropic", "docker"):
        assert f"· {name}" in result.stdout


async def test_setup_makes_every_sandbox_ready_that_can_be_and_says_what_is_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def set_up(backend: SandboxBackend, report: Report) -> None:
        if reason := await backend.unavailable_reason():
            raise SandboxUnavailableError(reason)
        report(f"making {backend.name}")

    backends(monkeypatch, DOCKER, NAMESPACES)
    monkeypatch.setattr("symposia.cli._sandboxes.set_up_backend", set_up)
    result = await symposia("setup")
    assert result.exit_code == 0
    assert "docker is left out: No Docker engine answers." in result.stdout
    assert "making namespaces" in result.stdout


async def test_setup_that_makes_nothing_ready_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    async def set_up(backend: SandboxBackend, report: Report) -> None:
        raise SandboxUnavailableError("There is no network.")

    backends(monkeypatch, DOCKER, NAMESPACES)
    monkeypatch.setattr("symposia.cli._sandboxes.set_up_backend", set_up)
    result = await symposia("setup")
    assert result.exit_code == Status.NO_SANDBOX
    assert result.stdout.count("There is no network.") == 2


async def test_setup_of_one_sandbox_that_cannot_be_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    async def set_up(backend: SandboxBackend, report: Report) -> None:
        raise SandboxUnavailableError(await backend.unavailable_reason())

    backends(monkeypatch, DOCKER, NAMESPACES)
    monkeypatch.setattr("symposia.cli._sandboxes.set_up_backend", set_up)
    result = await symposia("setup", "--sandbox", "docker")
    assert result.exit_code == Status.NO_SANDBOX
    assert "No Docker engine answers." in result.stderr


async def test_a_sandbox_that_is_asked_for_and_does_not_work_is_not_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    async def set_up(backend: SandboxBackend, report: Report) -> None:
        """Do nothing."""

    backends(monkeypatch, Backend("bubblewrap", "There is no bwrap here."), NAMESPACES)
    monkeypatch.setattr("symposia.cli._sandboxes.set_up_backend", set_up)
    result = await symposia("run", "--task", "sorting", "--sandbox", "bubblewrap")
    assert result.exit_code == Status.NO_SANDBOX
    assert "bubblewrap does not work on this machine: There is no bwrap here." in result.stderr


async def test_the_first_run_on_a_machine_says_what_it_makes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    async def set_up(backend: SandboxBackend, report: Report) -> None:
        report(f"making what {backend.name} needs")

    monkeypatch.chdir(tmp_path)
    backends(monkeypatch, NAMESPACES)
    monkeypatch.setattr("symposia.cli._sandboxes.set_up_backend", set_up)
    result = await symposia("run", "--task", "sorting")
    assert "First use on this machine: making what namespaces needs" in result.stdout


async def test_run_never_falls_back_to_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    backends(monkeypatch, DOCKER)
    result = await symposia("run", "--task", "sorting")
    assert result.exit_code == Status.NO_SANDBOX
    assert "No Docker engine answers." in result.stderr
    assert "--sandbox local" in result.stderr
