"""Which sandboxes run on the machine, and what is left of a process that was killed."""

import asyncio
import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docker
import pytest
from tests.support.docker_engine import Engine
from tests.support.sandboxes import require_in_loop

from symposia.core.code_executor import SandboxBackend, SandboxPolicy
from symposia.ext._temporary_folders import owned_prefix
from symposia.ext.code_executors import remove_left_over_folders
from symposia.ext.code_executors._sandbox import base_python
from symposia.ext.code_executors._sandbox._launcher._cgroups import own_hierarchies
from symposia.ext.code_executors._work_folder import WorkFolder
from symposia.ext.code_executors.bubblewrap import BubblewrapBackend
from symposia.ext.code_executors.docker import DockerBackend
from symposia.ext.code_executors.docker._reaper import PROCESS_LABEL, owner_labels
from symposia.ext.code_executors.namespaces import NamespaceBackend

WAIT = 60.0
RUN_AND_DIE = """
import asyncio, os, signal
from symposia.ext.code_executors.local import LocalCommandLineCodeExecutor

async def main():
    executor = LocalCommandLineCodeExecutor()
    await executor.start()
    print(os.listdir(os.environ["TMPDIR"]), flush=True)
    os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main())
"""

RUN_KERNEL_AND_DIE = RUN_AND_DIE.replace(
    "LocalCommandLineCodeExecutor()", "JupyterCodeExecutor(output_dir='/')"
).replace(".local import LocalCommandLine", ".jupyter import Jupyter")


class Listed:
    """A kind of sandbox lists those that run."""

    def backend(self) -> SandboxBackend:
        raise NotImplementedError

    async def test_a_sandbox_is_listed_with_its_owner_while_it_runs(self) -> None:
        backend = self.backend()
        await require_in_loop(backend)
        async with asyncio.timeout(WAIT):
            before = {sandbox.name for sandbox in await backend.running()}
            sandbox = await backend.create(SandboxPolicy())
            [listed] = [
                each for each in await backend.running() if each.name not in before and each.owner == os.getpid()
            ]
            assert listed.kind == backend.name
            assert 0 <= listed.seconds < WAIT
            assert (listed.memory_bytes or 0) > 1_000_000
            await sandbox.close()
            assert listed.name not in {each.name for each in await backend.running()}


class KilledLauncher(Listed):
    async def test_s18_the_control_groups_of_a_launcher_that_was_killed_are_removed(self) -> None:
        backend = self.backend()
        await require_in_loop(backend)
        async with asyncio.timeout(WAIT):
            before = {sandbox.name for sandbox in await backend.running()}
            sandbox = await backend.create(SandboxPolicy())
            runs = await backend.running()
            [launcher] = [each.name for each in runs if each.name not in before and each.owner == os.getpid()]
            os.kill(int(launcher), signal.SIGKILL)
            await sandbox.close()
            while await asyncio.to_thread(_groups_of, launcher):  # its processes may just be ending
                await backend.clean()
                await asyncio.sleep(0.01)


class TestNamespaces(KilledLauncher):
    def backend(self) -> SandboxBackend:
        return NamespaceBackend(base_python())


class TestBubblewrap(KilledLauncher):
    def backend(self) -> SandboxBackend:
        return BubblewrapBackend(base_python())


class TestDocker(Listed):
    def backend(self) -> SandboxBackend:
        return DockerBackend()

    async def test_clean_removes_containers_and_networks_of_dead_processes_alone(self) -> None:
        backend = self.backend()
        await require_in_loop(backend)
        engine = await asyncio.to_thread(Engine)
        client: Any = await asyncio.to_thread(docker.from_env)  # the SDK has no types
        labels = await asyncio.to_thread(owner_labels)
        container = await asyncio.to_thread(engine.create_left_over)
        alive = await asyncio.to_thread(engine.create_of_a_live_program)

        def create_network(process: str) -> str:  # by the low-level call: the other one fails if it is removed at once
            return client.api.create_network("symposia-test", labels={**labels, PROCESS_LABEL: process})["Id"]

        names = [await asyncio.to_thread(create_network, each) for each in (f"{2**22 + 1} 1", labels[PROCESS_LABEL])]
        try:
            removed = await backend.clean()  # each start of a sandbox on this machine does the same, so it may be less
            assert not await asyncio.to_thread(engine.is_there, container)
            assert names[0] not in {each["Id"] for each in await asyncio.to_thread(client.api.networks)}
            assert not {alive, names[1]} & set(removed)
            assert await asyncio.to_thread(engine.is_there, alive)
        finally:
            await asyncio.to_thread(engine.remove, alive)
            await asyncio.to_thread(client.api.remove_network, names[1])
            await asyncio.to_thread(client.close)
            await asyncio.to_thread(engine.close)


@pytest.fixture
def temporary() -> Iterator[Path]:
    """A folder with a short name, as that of a kernel's socket has to be."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        yield Path(folder)


@pytest.mark.parametrize(
    ("program_of_executor", "content"), [(RUN_AND_DIE, "work"), (RUN_KERNEL_AND_DIE, "kernel")], ids=["work", "kernel"]
)
async def test_the_folder_of_a_killed_process_is_removed_when_the_next_executor_starts(
    program_of_executor: str, content: str, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))  # which was asked for already, and is kept
    for _ in range(2):
        program = await asyncio.create_subprocess_exec(
            sys.executable, "-W", "ignore", "-c", program_of_executor, stdout=asyncio.subprocess.PIPE
        )
        output, _ = await program.communicate()
        assert output.decode().count(f"symposia-{content}-") == 1
    [left] = await asyncio.to_thread(lambda: list(temporary.iterdir()))
    assert await asyncio.to_thread(remove_left_over_folders) == [left]
    assert not await asyncio.to_thread(left.exists)


def test_of_the_results_of_a_dead_process_only_an_empty_folder_is_removed(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    running = WorkFolder.for_results(None)
    running.create()
    dead = owned_prefix("results").replace(f"-{os.getpid()}-", f"-{2**31 - 1}-")  # more than the kernel gives
    empty, full = temporary / f"{dead}1", temporary / f"{dead}2"
    empty.mkdir()
    full.mkdir()
    (full / "plot.png").touch()
    assert remove_left_over_folders() == [empty]
    assert sorted(temporary.iterdir()) == sorted([full, running.absolute])


def _groups_of(launcher: str) -> list[str]:
    folders = [Path(each.own) for each in own_hierarchies()]
    parents = sorted({parent for folder in folders for parent in (folder, *folder.parents)})
    return [str(parent / f"symposia-{launcher}") for parent in parents if (parent / f"symposia-{launcher}").exists()]
