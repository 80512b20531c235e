"""What only the sandboxes that this project builds itself promise."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest
from tests.contracts.sandbox_contract import all_gone, leave_process, marked, require, wait_for_processes

from symposia.core.code_executor import SandboxBackend, SandboxMount, SandboxPolicy
from symposia.core.exceptions import InvalidArgumentError, SandboxDiedError, SandboxUnavailableError
from symposia.ext.code_executors._sandbox import SandboxPython, base_python
from symposia.ext.code_executors.bubblewrap import BubblewrapBackend
from symposia.ext.code_executors.namespaces import NamespaceBackend

KINDS = (NamespaceBackend, BubblewrapBackend)


@pytest.fixture(params=KINDS, ids=lambda kind: kind.__name__)
async def backend(request: pytest.FixtureRequest) -> AsyncIterator[SandboxBackend]:
    backend: SandboxBackend = request.param(base_python())
    await require(backend)
    async with asyncio.timeout(60):
        yield backend


def launcher_of(process: int) -> int:
    """The ancestor of a process that this one has started."""
    while True:
        status = Path(f"/proc/{process}/status").read_text()
        [parent] = [int(line.split()[1]) for line in status.splitlines() if line.startswith("PPid:")]
        if parent == os.getpid():
            return process
        process = parent


def groups_of(launcher: int) -> list[Path]:
    return list(Path("/sys/fs/cgroup").rglob(f"symposia-{launcher}"))


async def test_a_sandbox_whose_launcher_is_killed_is_gone_and_the_next_one_cleans_up(backend: SandboxBackend) -> None:
    marker = uuid4().hex
    sandbox = await backend.create(SandboxPolicy())
    block = asyncio.create_task(sandbox.run(leave_process(marker) + "time.sleep(600)", "python"))
    await wait_for_processes(marker)
    [process] = await asyncio.to_thread(marked, marker)
    launcher = await asyncio.to_thread(launcher_of, process)
    os.kill(launcher, signal.SIGKILL)
    with pytest.raises(SandboxDiedError):
        await block
    assert await all_gone(marker, within=2.0)
    await sandbox.close()
    await (await backend.create(SandboxPolicy())).close()
    assert await asyncio.to_thread(groups_of, launcher) == []


async def test_closing_leaves_no_process_and_no_control_group(backend: SandboxBackend) -> None:
    marker = uuid4().hex
    sandbox = await backend.create(SandboxPolicy())
    block = asyncio.create_task(sandbox.run(leave_process(marker) + "time.sleep(600)", "python"))
    await wait_for_processes(marker)
    [process] = await asyncio.to_thread(marked, marker)
    launcher = await asyncio.to_thread(launcher_of, process)
    await sandbox.close()
    await asyncio.wait([block])
    assert isinstance(block.exception(), SandboxDiedError)
    assert not await asyncio.to_thread(Path(f"/proc/{launcher}").exists)
    assert await asyncio.to_thread(groups_of, launcher) == []


async def test_a_cancelled_start_leaves_nothing(backend: SandboxBackend) -> None:
    before = await asyncio.to_thread(children)
    for rounds in range(30):
        start = asyncio.create_task(backend.create(SandboxPolicy()))
        for _ in range(rounds):
            await asyncio.sleep(0)
        start.cancel()
        await asyncio.wait([start])
        if not start.cancelled():
            await start.result().close()
    assert await asyncio.to_thread(children) <= before


def children() -> set[int]:
    return {int(pid) for file in Path("/proc/self/task").glob("*/children") for pid in file.read_text().split()}


@pytest.mark.parametrize("kind", KINDS)
async def test_a_python_that_would_be_covered_inside_is_refused(kind: type[NamespaceBackend]) -> None:
    python = SandboxPython(executable=Path("/work/env/bin/python"), read_only_paths=(Path("/work/env"),))
    with pytest.raises(InvalidArgumentError, match="/work is another one inside"):
        await kind(python).create(SandboxPolicy())


async def test_memory_that_ran_out_is_told_whether_or_not_the_server_survived_it(backend: SandboxBackend) -> None:
    before = await asyncio.to_thread(children)
    sandbox = await backend.create(SandboxPolicy(memory_bytes=40 * 2**20))
    try:
        [launcher] = await asyncio.to_thread(children) - before
        if not any("memory" in str(group) for group in await asyncio.to_thread(groups_of, launcher)):
            pytest.skip("no control group limits memory here")
        try:  # the files stay charged when the block is killed, and the kernel decides whom it kills next
            result = await sandbox.run("for n in range(60): open(str(n), 'wb').write(bytes(2**20))", "python")
            told = result.status
        except SandboxDiedError as error:
            told = str(error)
        assert told == "out_of_memory" or "memory ran out" in told
    finally:
        await sandbox.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user's sandbox has that user's rights to files")
@pytest.mark.parametrize("folder", [True, False])
async def test_a_file_of_root_that_the_sandbox_cannot_read_is_refused(
    backend: SandboxBackend, tmp_path: Path, folder: bool
) -> None:
    source = tmp_path / "secret"
    if folder:
        source.mkdir(mode=0o750)
    else:
        source.touch(mode=0o640)
    with pytest.raises(InvalidArgumentError, match=r"chmod -R o\+rX"):
        await backend.create(SandboxPolicy(), mounts=[SandboxMount(source=source, target="/data/secret")])


async def test_a_machine_without_bubblewrap_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    reason = await BubblewrapBackend().unavailable_reason()
    assert reason is not None
    assert "apt install bubblewrap" in reason
    with pytest.raises(SandboxUnavailableError, match="apt install bubblewrap"):
        await BubblewrapBackend(base_python()).create(SandboxPolicy())


async def test_a_machine_without_user_namespaces_is_told_which_switch(backend: SandboxBackend) -> None:
    kind = type(backend)
    ask = f"from {kind.__module__} import {kind.__name__} as kind; print(asyncio.run(kind().unavailable_reason()))"
    switch_off = f"echo 0 > /proc/sys/user/max_user_namespaces; exec {sys.executable} -c 'import asyncio; {ask}'"
    process = await asyncio.create_subprocess_exec("unshare", "-U", "-r", "sh", "-c", switch_off, stdout=PIPE)
    output, _ = await process.communicate()
    assert b"sysctl user.max_user_namespaces=65536" in output


async def test_another_system_than_linux_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "darwin")
    assert await NamespaceBackend().unavailable_reason() == "It needs Linux, and this is darwin."
