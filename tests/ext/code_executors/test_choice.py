import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.support.sandboxes import require

from symposia.core import CancellationToken
from symposia.core.code_executor import CodeBlock, Sandbox, SandboxBackend, SandboxMount, SandboxPolicy
from symposia.core.exceptions import SandboxUnavailableError
from symposia.ext.code_executors import (
    AutoBackend,
    SandboxCodeExecutor,
    choose_backend,
    create_default_code_executor,
    sandbox_backends,
    set_up_backend,
)


class Backend(SandboxBackend):
    def __init__(self, name: str, reason: str | None = None) -> None:
        self._name = name
        self._reason = reason
        self.asked = 0

    @property
    def name(self) -> str:
        return self._name

    async def unavailable_reason(self) -> str | None:
        self.asked += 1
        return self._reason

    async def create(self, policy: SandboxPolicy, *, mounts: Sequence[SandboxMount] = ()) -> Sandbox:
        raise SandboxUnavailableError(f"{self._name} was asked for a sandbox")


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


async def test_auto_chooses_once_and_has_the_name_of_what_it_chose() -> None:
    working = Backend("namespaces")
    auto = AutoBackend([working])
    assert auto.name == "auto"
    assert await auto.unavailable_reason() is None
    with pytest.raises(SandboxUnavailableError, match="namespaces was asked"):
        await auto.create(SandboxPolicy())
    assert (auto.name, working.asked) == ("namespaces", 1)


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
        await set_up_backend(backend)
    async with asyncio.timeout(5):
        await set_up_backend(backend, said.append)
    assert said == []


def test_the_default_executor_is_made_without_asking_anything(tmp_path: Path) -> None:
    assert create_default_code_executor(tmp_path).work_dir == tmp_path
