import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.support.sandboxes import require

from symposia.core import CancellationToken
from symposia.core.code_executor import CodeBlock, Sandbox, SandboxBackend, SandboxMount, SandboxPolicy, SandboxResult
from symposia.core.exceptions import (
    ArgumentTypeError,
    InvalidArgumentError,
    MissingExtraError,
    SandboxDiedError,
    SandboxUnavailableError,
)
from symposia.ext.code_executors import (
    AutoBackend,
    SandboxCodeExecutor,
    choose_backend,
    create_default_code_executor,
    sandbox_backends,
)
from symposia.testing.sandboxes import FakeSandbox, printed


class Backend(SandboxBackend):
    def __init__(self, name: str, reason: str | None = None) -> None:
        self.name = name
        self._reason = reason
        self.asked = 0

    async def unavailable_reason(self) -> str | None:
        self.asked += 1
        return self._reason

    async def create(self, policy: SandboxPolicy, *, mounts: Sequence[SandboxMount] = ()) -> Sandbox:
        raise SandboxUnavailableError(f"{self.name} was asked for a sandbox")


def test_docker_comes_before_bubblewrap_and_namespaces_and_nothing_else_is_there() -> None:
    assert [backend.name for backend in sandbox_backends()] == ["docker", "bubblewrap", "namespaces"]


async def test_the_first_that_works_is_chosen() -> None:
    last = Backend("last")
    chosen = await choose_backend([Backend("first", "no engine"), Backend("second"), last])
    assert chosen.name == "second"
    assert last.asked == 0


async def test_where_none_works_each_ones_reason_is_given() -> None:
    with pytest.raises(SandboxUnavailableError) as caught:
        await choose_backend([Backend("docker", "Start the engine."), Backend("namespaces", "Allow them.")])
    said = str(caught.value)
    assert "- docker: Start the engine." in said
    assert "- namespaces: Allow them." in said
    assert "LocalCommandLineCodeExecutor" in said


class Starting(Backend):
    """Starts sandboxes, until it is told to fail."""

    error: Exception | None = None

    async def create(self, policy: SandboxPolicy, *, mounts: Sequence[SandboxMount] = ()) -> Sandbox:
        if self.error:
            raise self.error
        return FakeSandbox(_prints_nothing, policy, mounts)


async def _prints_nothing(code: str) -> SandboxResult:
    return printed("")


async def test_auto_has_the_name_of_what_it_started() -> None:
    auto = AutoBackend([Backend("docker", "Start the engine."), Starting("namespaces")])
    assert auto.name == "auto"
    assert await auto.unavailable_reason() is None
    await auto.create(SandboxPolicy())
    assert auto.name == "namespaces"


@pytest.mark.parametrize(
    "error",
    [
        SandboxUnavailableError("broken"),
        SandboxDiedError("broken"),
        MissingExtraError("It", "broken"),
        OSError("broken"),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_n01_auto_goes_on_to_the_next_that_starts_and_says_so(error: Exception) -> None:
    said: list[str] = []
    first = Starting("docker")
    first.error = error
    auto = AutoBackend([first, Starting("namespaces")], progress=said.append)
    await auto.create(SandboxPolicy())
    assert auto.name == "namespaces"
    assert len(said) == 1
    assert said[0].startswith("docker does not start: ")
    assert "broken" in said[0]


async def test_n01_auto_stays_with_what_started_and_leaves_it_when_that_fails() -> None:
    first, second = Starting("docker"), Starting("namespaces")
    auto = AutoBackend([first, second])
    await auto.create(SandboxPolicy())
    first.error = SandboxUnavailableError("The engine was stopped.")
    await auto.create(SandboxPolicy())
    assert auto.name == "namespaces"
    first.error = None
    await auto.create(SandboxPolicy())
    assert (auto.name, first.asked) == ("namespaces", 2)


async def test_n01_where_none_starts_each_ones_reason_is_given() -> None:
    first, second = Backend("docker", "Start the engine."), Starting("namespaces")
    second.error = SandboxUnavailableError("They are forbidden.")
    with pytest.raises(SandboxUnavailableError, match=r"(?s)- docker: Start.*- namespaces: They are forbidden"):
        await AutoBackend([first, second]).create(SandboxPolicy())


async def test_what_is_wrong_in_every_sandbox_is_not_tried_in_the_next() -> None:
    first, second = Starting("docker"), Starting("namespaces")
    first.error = InvalidArgumentError("There is no such file to mount.")
    with pytest.raises(InvalidArgumentError):
        await AutoBackend([first, second]).create(SandboxPolicy())


async def test_auto_is_unavailable_where_nothing_works() -> None:
    auto = AutoBackend([Backend("docker", "Start the engine.")])
    assert "Start the engine." in (await auto.unavailable_reason() or "")


async def test_an_executor_on_auto_never_runs_code_where_nothing_works(tmp_path: Path) -> None:
    executor = SandboxCodeExecutor(AutoBackend([Backend("docker", "Start the engine.")]), work_dir=tmp_path)
    block = CodeBlock(code="open('ran', 'w')", language="python")
    async with asyncio.timeout(5):
        with pytest.raises(SandboxUnavailableError):
            await executor.execute_code_blocks([block], CancellationToken())


@pytest.mark.parametrize("backend", sandbox_backends(), ids=lambda backend: backend.name)
async def test_setting_up_what_is_there_takes_no_time_and_says_nothing(backend: SandboxBackend) -> None:
    await asyncio.to_thread(require, backend)
    said: list[str] = []
    async with asyncio.timeout(120):
        await backend.set_up()
    async with asyncio.timeout(5):
        await backend.set_up(said.append)
    assert said == []


def test_the_default_executor_is_made_without_asking_anything(tmp_path: Path) -> None:
    assert create_default_code_executor(tmp_path).work_dir == tmp_path


@pytest.mark.parametrize("wrong", ["docker", ["docker"], [Backend]], ids=["name", "names", "class"])
async def test_only_backends_are_chosen_from(wrong: Any) -> None:
    with pytest.raises(ArgumentTypeError, match=r"backend of choose_backend is|backends are given as"):
        await choose_backend(wrong)
