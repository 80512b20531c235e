"""What only the sandboxes that this project builds itself promise."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import pytest
from tests.contracts.sandbox_contract import all_gone, leave_process, marked, wait_for_processes
from tests.support.sandboxes import require_in_loop

from symposia.core.code_executor import SandboxBackend, SandboxMount, SandboxPolicy
from symposia.core.exceptions import InvalidArgumentError, SandboxDiedError, SandboxUnavailableError
from symposia.ext.code_executors._sandbox import SandboxPython, base_python
from symposia.ext.code_executors.bubblewrap import BubblewrapBackend
from symposia.ext.code_executors.namespaces import NamespaceBackend

KINDS = (NamespaceBackend, BubblewrapBackend)


def launching(kind: type[NamespaceBackend | BubblewrapBackend], python: SandboxPython) -> SandboxBackend:
    """A backend that launches all of its sandboxes."""
    return NamespaceBackend(python, fork=False) if kind is NamespaceBackend else kind(python)


@pytest.fixture(params=KINDS, ids=lambda kind: kind.__name__)
async def backend(request: pytest.FixtureRequest) -> AsyncIterator[SandboxBackend]:
    backend = launching(request.param, base_python())
    await require_in_loop(backend)
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


@pytest.fixture(params=["/tmp", "/dev/shm", "/var/tmp"])
def place(request: pytest.FixtureRequest) -> Iterator[Path]:
    """A folder below one of those that a sandbox has for itself, or elsewhere, with a name that needs care."""
    with TemporaryDirectory(prefix="symposia sündig 'x' ", dir=request.param) as name:
        Path(name).chmod(0o755)
        yield Path(name)


def installed_at(prefix: Path) -> SandboxPython:
    """A copy of this interpreter with the part of its standard library that a bare start needs."""
    base = base_python()
    interpreter = base.interpreter.resolve()
    library = Path("lib", f"python{sys.version_info.major}.{sys.version_info.minor}")
    leave = shutil.ignore_patterns("site-packages", "dist-packages", "test", "__pycache__", "config-*", "idlelib")
    shutil.copytree(base.prefix / library, prefix / library, ignore=leave)
    for shared in base.prefix.glob("lib/libpython*"):
        shutil.copy(shared, prefix / "lib")
    (prefix / "bin").mkdir()
    shutil.copy(interpreter, prefix / "bin")
    return SandboxPython(interpreter=prefix / "bin" / interpreter.name, prefix=prefix)


def environment_of(python: SandboxPython, folder: Path) -> SandboxPython:
    """A virtual environment with one package, made as the set-up makes it."""
    subprocess.run([python.interpreter, "-m", "venv", "--without-pip", folder], check=True)
    [packages] = folder.glob("lib/python*/site-packages")
    (packages / "pinned_package.py").write_text("HERE = True\n")
    return replace(python, environment=folder)


def with_python(backend: SandboxBackend, python: SandboxPython) -> SandboxBackend:
    """A backend of the same kind that runs another Python."""
    kind = BubblewrapBackend if isinstance(backend, BubblewrapBackend) else NamespaceBackend
    return launching(kind, python)


async def test_n01_python_and_its_packages_may_lie_anywhere(backend: SandboxBackend, place: Path) -> None:
    moved = await asyncio.to_thread(installed_at, place / "python")
    await asyncio.to_thread((place / "linked").symlink_to, place / "python")
    linked = SandboxPython(interpreter=place / "linked/bin" / moved.interpreter.name, prefix=place / "linked")
    here = await asyncio.to_thread(environment_of, base_python(), place / "environment")
    both = await asyncio.to_thread(environment_of, moved, place / "environment of both")
    asked = "import sys, json, ctypes; print('pinned' if sys.prefix != sys.base_prefix else 'bare')\n"
    for python, printed in ((moved, "bare\n"), (linked, "bare\n"), (here, "pinned\n"), (both, "pinned\n")):
        sandbox = await with_python(backend, python).create(SandboxPolicy())
        imports = "import pinned_package\n" if python.environment else ""
        result = await sandbox.run(asked + imports, "python")
        await sandbox.close()
        assert (result.stdout, result.stderr) == (printed, "")


async def test_n01_code_cannot_change_the_python_of_the_next_block(backend: SandboxBackend, place: Path) -> None:
    here = await asyncio.to_thread(environment_of, base_python(), place / "environment")
    sandbox = await with_python(backend, here).create(SandboxPolicy())
    attack = (
        "mv /opt /tmp/x; mv /opt/symposia /opt/y; rm -rf /opt/symposia/lib; touch /opt/symposia/z; ls /opt/symposia"
    )
    result = await sandbox.run(attack, "sh")
    assert "lib" in result.stdout.split()
    assert "z" not in result.stdout.split()
    assert (await sandbox.run("import pinned_package; print(pinned_package.HERE)", "python")).stdout == "True\n"
    await sandbox.close()


async def test_n01_data_may_lie_anywhere(backend: SandboxBackend, place: Path) -> None:
    file = place / "dätä file.csv"
    await asyncio.to_thread(file.write_text, "1,2")
    await asyncio.to_thread((place / "link.csv").symlink_to, file)
    mounts = [SandboxMount(source=path, target=f"/data/{path.name}") for path in (file, place / "link.csv")]
    sandbox = await backend.create(SandboxPolicy(), mounts=mounts)
    result = await sandbox.run("cat '/data/dätä file.csv' /data/link.csv", "sh")
    await sandbox.close()
    assert result.stdout == "1,21,2"


async def test_n01_a_python_outside_of_its_own_installation_is_refused_with_the_reason(
    backend: SandboxBackend, place: Path
) -> None:
    stray = place / "python"
    await asyncio.to_thread(shutil.copy, sys.executable, stray)
    python = SandboxPython(interpreter=stray, prefix=base_python().prefix)
    with pytest.raises(SandboxUnavailableError, match="outside of its own installation"):
        await with_python(backend, python).create(SandboxPolicy())


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


@pytest.mark.parametrize("kind", KINDS)
async def test_n01_a_cache_that_cannot_be_written_is_told_before_anything_is_made(
    kind: type[NamespaceBackend | BubblewrapBackend], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await require_in_loop(kind(base_python()))
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    said = await kind().unavailable_reason()
    assert said is not None
    assert f"{tmp_path / 'file'} cannot be written" in said
    assert "set XDG_CACHE_HOME" in said
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "new"))
    assert await kind().unavailable_reason() is None
    assert not (tmp_path / "new").exists()


async def test_a_mount_over_the_interpreter_is_refused(backend: SandboxBackend, tmp_path: Path) -> None:
    prefix = Path(sys.base_prefix)  # where it is in /usr, no mount may be there in any sandbox
    place = "/opt/symposia/lib" if prefix.is_relative_to("/usr") else str(prefix)
    with pytest.raises(InvalidArgumentError, match=r"Python.* Give another place, such as '/data/"):
        await backend.create(
            SandboxPolicy(), mounts=[SandboxMount(source=await asyncio.to_thread(tmp_path.resolve), target=place)]
        )
