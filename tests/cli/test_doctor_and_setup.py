import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.support.command import symposia

from symposia.cli._exit import Status
from symposia.core.code_executor import Progress, SandboxBackend, SandboxMount, SandboxPolicy, SandboxResult
from symposia.core.exceptions import SandboxError, SandboxPackagesError, SandboxUnavailableError
from symposia.ext.code_executors import SandboxKind, only_sandboxes
from symposia.ext.code_executors.docker import DockerBackend
from symposia.ext.models.vendors import forget_model_profiles, use_model_profiles
from symposia.testing.sandboxes import FakeSandbox, FakeSandboxBackend, printed


class Backend(FakeSandboxBackend):
    """A sandbox of any name, which works or not.

    Args:
        reason: Why it does not work.
        fault: Why it does not start, though it says that it works.
        to_set_up: Whether it has to be set up; then an error that this ends with.
        setup_fails: Whether setting it up fails with `reason`, too.
    """

    def __init__(
        self,
        name: str,
        reason: str | None = None,
        *,
        fault: Exception | None = None,
        to_set_up: bool | Exception = False,
        setup_fails: bool = True,
        result: SandboxResult = printed("a block ran\n"),  # noqa: B008 - immutable
    ) -> None:
        async def run(code: str) -> SandboxResult:
            return result

        super().__init__(run, name=name)
        self._reason = reason
        self._fault = fault
        self._to_set_up = to_set_up
        self._setup_fails = setup_fails

    async def unavailable_reason(self) -> str | None:
        return self._reason

    async def is_set_up(self) -> bool:
        return not self._to_set_up

    async def set_up(self, progress: Progress | None = None) -> None:
        if self._reason is not None and self._setup_fails:
            raise SandboxUnavailableError(self._reason)
        if isinstance(self._to_set_up, Exception):
            raise self._to_set_up
        if self._to_set_up and progress:
            progress(f"making what {self.name} needs")

    async def create(self, policy: SandboxPolicy, *, mounts: Sequence[SandboxMount] = ()) -> FakeSandbox:
        if self._fault:
            raise self._fault
        return await super().create(policy, mounts=mounts)


DOCKER = Backend("docker", "No Docker engine answers.\nInstall one: apt install docker.io")
NAMESPACES = Backend("namespaces", to_set_up=True)
NO_NETWORK = SandboxUnavailableError("There is no network.")


Backends = Callable[..., None]


@pytest.fixture
def backends() -> Iterator[Backends]:
    """Puts backends in the place of all others, for the rest of a test."""
    with ExitStack() as until_the_end:

        def use(*there: SandboxBackend) -> None:
            kinds = [SandboxKind(name=each.name, requires="nothing", make=lambda each=each: each) for each in there]
            until_the_end.enter_context(only_sandboxes(*kinds))

        yield use


async def test_the_doctor_names_the_docker_engine_that_was_chosen(
    backends: Backends, monkeypatch: pytest.MonkeyPatch
) -> None:
    backends(DockerBackend(), NAMESPACES)
    with socket.create_server(("127.0.0.1", 0)) as closed:
        address = f"tcp://127.0.0.1:{closed.getsockname()[1]}"
    monkeypatch.setenv("DOCKER_HOST", address)
    monkeypatch.delenv("DOCKER_TLS_VERIFY", raising=False)
    said = " ".join((await symposia("doctor")).output.split())
    assert f"Docker engine DOCKER_HOST chooses the one at {address}" in said
    assert f"✗ docker No Docker engine answers at {address} (Connection refused)" in said


async def test_the_doctor_says_which_sandboxes_work_and_why_the_others_do_not(backends: Backends) -> None:
    backends(DOCKER, NAMESPACES)
    result = await symposia("doctor")
    assert result.exit_code == 0
    assert "✗ docker            No Docker engine answers." in result.stdout
    assert "Install one: apt install docker.io" in result.stdout
    assert "✓ namespaces        starts; the first run, or `symposia setup`, makes its Python packages" in result.stdout


async def test_n01_the_doctor_starts_every_sandbox_and_runs_a_block(backends: Backends) -> None:
    works, dead = Backend("works"), Backend("dead", fault=SandboxUnavailableError("no space on\nthe device"))
    wrong = Backend("wrong", result=printed("", exit_code=127, stderr="python: not found\n"))
    broken = Backend("broken", fault=KeyError("socket"))
    backends(works, dead, wrong, broken)
    result = await symposia("doctor")
    assert result.exit_code == 0, result.output
    assert "✓ works             works: a block ran, 0.0 s in all" in result.stdout
    assert "✗ dead              It does not start: no space on" in result.stdout
    said = "It starts, but a block fails: error, exit status 127: python: not found"
    assert f"✗ wrong             {said}" in result.stdout
    assert "✗ broken            It fails with KeyError, a fault of its own: 'socket'" in result.stdout
    assert "Traceback" not in result.output
    assert works.sandboxes[0].closed


async def test_the_doctor_ends_with_the_status_of_no_sandbox_where_none_works(backends: Backends) -> None:
    backends(DOCKER)
    assert (await symposia("doctor")).exit_code == Status.NO_SANDBOX


async def test_the_doctor_checks_the_one_sandbox_that_is_named(backends: Backends) -> None:
    backends(DOCKER, NAMESPACES)
    result = await symposia("doctor", "--sandbox", "docker")
    assert result.exit_code == Status.NO_SANDBOX
    assert "namespaces" not in result.stdout


async def test_the_doctor_says_that_a_key_is_set_and_never_which(
    backends: Backends, monkeypatch: pytest.MonkeyPatch
) -> None:
    backends(NAMESPACES)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret")
    result = await symposia("doctor")
    assert "OPENAI_API_KEY is set" in result.stdout
    assert "ANTHROPIC_API_KEY is not set" in result.stdout
    assert "secret" not in result.output


async def test_the_doctor_says_what_is_wrong_with_the_profiles_of_the_user(backends: Backends) -> None:
    backends(NAMESPACES)
    use_model_profiles({"opnai": {"tuned": {"like": "gpt-4o"}}})
    try:
        result = await symposia("doctor")
    finally:
        forget_model_profiles()
    assert "use_model_profiles: there is no vendor 'opnai'. Did you mean 'openai'?" in result.stdout


async def test_the_doctor_names_the_versions(backends: Backends) -> None:
    backends(NAMESPACES)
    result = await symposia("doctor")
    for name in ("symposia", "Python", "pydantic", "openai", "anthropic", "docker"):
        assert f"· {name}" in result.stdout


async def test_the_doctor_says_what_a_sandbox_holds_less_firmly(
    backends: Backends, monkeypatch: pytest.MonkeyPatch
) -> None:
    weak = Backend("weak")

    def weaknesses(_sandbox: FakeSandbox) -> tuple[str, ...]:
        return ("Memory is only counted. Use docker.",)

    monkeypatch.setattr(FakeSandbox, "weaknesses", weaknesses)
    backends(weak)
    result = await symposia("doctor")
    assert "✓ weak              works: a block ran" in result.stdout
    assert "                    Memory is only counted. Use docker." in result.stdout


async def test_the_doctor_attacks_a_sandbox_and_fails_where_attacks_get_through(backends: Backends) -> None:
    backends(Backend("open", result=printed("connected\x1b[2J\n")), Backend("dead", reason="it is not installed"))
    result = await symposia("doctor", "--attack")
    assert result.exit_code == Status.FAILED, result.output
    assert "✗ internet-sockets" in result.stdout
    assert "connected␛[2J" in result.stdout
    assert "\x1b[2J" not in result.stdout
    assert "does not work here: it is not installed" in result.stdout
    assert "Attacks that got through and are not named in the documentation: " in result.stdout
    assert (await symposia("doctor", "--attack", "--sandbox", "dead")).exit_code == Status.NO_SANDBOX


async def test_setup_makes_every_sandbox_ready_that_can_be_and_says_what_is_left_out(
    backends: Backends,
) -> None:
    backends(DOCKER, NAMESPACES)
    result = await symposia("setup")
    assert result.exit_code == 0
    assert "docker is left out: No Docker engine answers." in result.stdout
    assert "making what namespaces needs" in result.stdout
    assert result.stdout.splitlines()[-1] == (
        "Ready: namespaces. Left out: docker (No Docker engine answers. Install one: apt install docker.io)."
    )


async def test_setup_with_nothing_left_out_says_what_is_ready(backends: Backends) -> None:
    backends(Backend("bubblewrap"), NAMESPACES)
    assert (await symposia("setup")).stdout.splitlines()[-1] == "Ready: bubblewrap, namespaces."
    assert (await symposia("setup", "--sandbox", "bubblewrap")).stdout == "Ready: bubblewrap.\n"


async def test_setup_leaves_out_a_sandbox_whose_program_is_missing_though_the_rest_was_made(
    backends: Backends,
) -> None:
    without_program = Backend("bubblewrap", "bubblewrap is not installed.", setup_fails=False)
    backends(without_program, NAMESPACES)
    last = (await symposia("setup")).stdout.splitlines()[-1]
    assert last == "Ready: namespaces. Left out: bubblewrap (bubblewrap is not installed)."
    alone = await symposia("setup", "--sandbox", "bubblewrap")
    assert alone.exit_code == Status.NO_SANDBOX
    assert "bubblewrap is not installed." in alone.stderr


async def test_setup_that_makes_nothing_ready_fails(backends: Backends) -> None:
    backends(Backend("docker", to_set_up=NO_NETWORK), Backend("namespaces", to_set_up=NO_NETWORK))
    result = await symposia("setup")
    assert result.exit_code == Status.NO_SANDBOX
    assert result.stdout.count("There is no network.") == 2


async def test_setup_of_one_sandbox_that_cannot_be_fails(backends: Backends) -> None:
    backends(DOCKER, NAMESPACES)
    result = await symposia("setup", "--sandbox", "docker")
    assert result.exit_code == Status.NO_SANDBOX
    assert "No Docker engine answers." in result.stderr


@pytest.mark.parametrize("verb", ["setup", "run", "doctor"])
async def test_a_sandbox_that_is_not_registered_is_told_with_those_that_are(verb: str, backends: Backends) -> None:
    backends(DOCKER, NAMESPACES)
    result = await symposia(verb, "--sandbox", "cloud")
    assert result.exit_code == Status.USAGE
    assert "There is no sandbox 'cloud'. There are: auto, docker, namespaces" in " ".join(result.stderr.split())


async def test_a_sandbox_that_is_asked_for_and_does_not_work_is_not_replaced(backends: Backends) -> None:
    backends(Backend("bubblewrap", "There is no bwrap here."), NAMESPACES)
    result = await symposia("run", "--task", "sorting", "--sandbox", "bubblewrap")
    assert result.exit_code == Status.NO_SANDBOX
    assert "bubblewrap does not work on this machine: There is no bwrap here." in result.stderr
    assert "Else: --sandbox auto" in result.stderr


@pytest.mark.parametrize("sandbox", ["auto", "namespaces"])
async def test_the_first_run_on_a_machine_says_what_it_makes(
    sandbox: str, backends: Backends, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    backends(NAMESPACES)
    result = await symposia("run", "--task", "sorting", "--sandbox", sandbox)
    assert "Setting up the sandbox: making what namespaces needs" in result.stdout


async def test_n01_auto_goes_on_to_the_next_sandbox_where_one_fails_to_start(
    backends: Backends, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    first = Backend("docker", fault=SandboxError("The Docker engine answered: no space left"))
    backends(first, Backend("bubblewrap", to_set_up=NO_NETWORK), Backend("namespaces"))
    result = await symposia("run", "--task", "sorting")
    assert "docker does not start: The Docker engine answered: no space left" in result.stdout
    assert "bubblewrap does not start: There is no network." in result.stdout
    assert "Sandbox: namespaces" in result.stdout


async def test_run_never_falls_back_to_this_machine(
    backends: Backends, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    backends(DOCKER, Backend("namespaces", fault=SandboxUnavailableError("Namespaces are forbidden.")))
    result = await symposia("run", "--task", "sorting")
    assert result.exit_code == Status.NO_SANDBOX
    assert "- docker: No Docker engine answers." in result.stderr
    assert "- namespaces: Namespaces are forbidden." in result.stderr
    assert "--sandbox local" in result.stderr
    assert not (tmp_path / "symposia-runs").exists()


@pytest.mark.parametrize("sandbox", ["auto", "docker"])
async def test_a_package_that_cannot_be_installed_is_no_reason_to_run_without_a_sandbox(
    sandbox: str, backends: Backends, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    second = Backend("namespaces")
    backends(Backend("docker", to_set_up=SandboxPackagesError("pip could not install scypi.")), second)
    result = await symposia("run", "--task", "sorting", "--sandbox", sandbox)
    assert (result.exit_code, result.stderr) == (Status.PACKAGES, "pip could not install scypi.\n")
    assert not second.sandboxes
