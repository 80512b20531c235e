"""What only sandboxes promise that are forked from a process with their libraries imported."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.sandboxes import require_in_loop

from symposia.core.code_executor import Sandbox, SandboxBackend, SandboxPolicy
from symposia.core.exceptions import SandboxDiedError, SandboxUnavailableError
from symposia.ext.code_executors import namespaces
from symposia.ext.code_executors._sandbox import SandboxPython, base_python
from symposia.ext.code_executors._sandbox._connection import MEMORY_IS_COUNTED
from symposia.ext.code_executors.namespaces import NamespaceBackend

WAIT = 60.0
POLICY = SandboxPolicy(imported_ahead=("json",))
USES = "import ssl, tempfile; ssl.RAND_bytes(1); tempfile.gettempdir()  # as packages do when they are imported"
OWN_PROCESSES = "import os; print(sorted(int(name) for name in os.listdir('/proc') if name.isdigit()))"


def backend_of_a_test(folder: Path, modules: Sequence[str] = ()) -> tuple[NamespaceBackend, SandboxPolicy]:
    """A backend whose zygote no other test has: by a package of its own, which is imported ahead."""
    environment = folder / "environment"
    python = base_python()
    subprocess.run([python.interpreter, "-m", "venv", "--without-pip", environment], check=True)
    [packages] = environment.glob("lib/python*/site-packages")
    (packages / "small_package.py").write_text("HERE = []\n" + "\n".join(modules))
    for entry in (folder, *environment.rglob("*")):
        entry.chmod(entry.stat().st_mode | 0o755)
    own = SandboxPython(interpreter=python.interpreter, prefix=python.prefix, environment=environment)
    return NamespaceBackend(own), SandboxPolicy(imported_ahead=("small_package",))


@pytest.fixture
async def forking(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[NamespaceBackend, SandboxPolicy]]:
    """A backend that forks its sandboxes, and their policy."""
    await require_in_loop(NamespaceBackend(base_python(), fork=False))
    folder = tmp_path_factory.mktemp("forking")
    for parent in (folder, *folder.parents[:2]):
        await asyncio.to_thread(parent.chmod, 0o755)
    backend, policy = await asyncio.to_thread(backend_of_a_test, folder, [USES])
    async with asyncio.timeout(WAIT):
        await backend.prepare_fork(policy)
        yield backend, policy


def status_of(pid: int, field: str) -> list[int]:
    """Numbers of a process, as /proc/PID/status has them."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    [found] = [line.split()[1:] for line in lines if line.startswith(f"{field}:")]
    return [int(number) for number in found]


def children_of(pid: int) -> list[int]:
    """The processes that any thread of a process has started."""
    return [int(child) for file in Path(f"/proc/{pid}/task").glob("*/children") for child in file.read_text().split()]


def line_of(pid: int) -> list[int]:
    """A process, the only one that it has started, the only one of that, and so on."""
    children = children_of(pid)
    return [pid, *line_of(children[0])] if len(children) == 1 else [pid]


def own_children() -> set[int]:
    """The processes that this one has started, and that run."""
    return {pid for pid in children_of(os.getpid()) if "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()}


class Family:
    """The processes around a forked sandbox, by the number of its server: keeper, supervisor and zygote."""

    def __init__(self, server: int) -> None:
        [self.supervisor] = status_of(server, "PPid")
        [self.keeper] = status_of(self.supervisor, "PPid")
        [self.zygote] = [child for child in children_of(self.supervisor) if status_of(child, "NSpid")[-1] != 1]


async def servers(backend: SandboxBackend) -> list[int]:
    """The first processes of this program's sandboxes."""
    return [int(found.name) for found in await backend.running() if found.owner == os.getpid()]


async def forked(backend: SandboxBackend, policy: SandboxPolicy) -> tuple[Sandbox, int]:
    """A new sandbox, and its server."""
    before = await servers(backend)
    sandbox = await backend.create(policy)
    [server] = set(await servers(backend)) - set(before)
    assert (await asyncio.to_thread(status_of, server, "NSpid"))[-1] == 1, "it was launched"
    return sandbox, server


async def printed(sandbox: Sandbox, source: str) -> str:
    result = await sandbox.run(source, "python")
    assert (result.status, result.stderr) == ("ok", "")
    return result.stdout


async def test_the_first_sandbox_is_launched_and_later_ones_are_forked(tmp_path: Path) -> None:
    await require_in_loop(NamespaceBackend(base_python(), fork=False))
    backend, policy = await asyncio.to_thread(backend_of_a_test, tmp_path)
    counts: list[int] = []
    async with asyncio.timeout(WAIT):
        sandboxes = [await backend.create(policy), await backend.create(policy)]
        await backend.prepare_fork(policy)  # the second has begun it
        sandboxes += [await backend.create(policy), await NamespaceBackend(fork=False).create(policy)]
        for sandbox in sandboxes:
            assert await printed(sandbox, "import sys; print('small_package' in sys.modules)") in {"True\n", "False\n"}
        counts += [len(await asyncio.to_thread(status_of, server, "NSpid")) for server in await servers(backend)]
        for sandbox in sandboxes:
            await sandbox.close()
    assert counts.count(3) == 1
    assert await servers(backend) == []


async def test_forked_sandboxes_share_no_process_user_or_file(forking: tuple[NamespaceBackend, SandboxPolicy]) -> None:
    backend, policy = forking
    (first, server), (second, other) = await forked(backend, policy), await forked(backend, policy)
    family = await asyncio.to_thread(Family, server)
    assert await asyncio.to_thread(Family, other) is not family
    block = asyncio.create_task(
        first.run("open('/tmp/mine', 'w').close(); print('here', flush=True); import time; time.sleep(60)", "python")
    )
    assert await printed(second, OWN_PROCESSES) == "[1, 3]\n"
    assert await printed(second, "import os; print(os.listdir('/tmp'), os.listdir('/work'))") == "[] ['.block.py']\n"
    if os.geteuid() == 0:
        users = [(await asyncio.to_thread(status_of, pid, "Uid"))[0] for pid in (server, other, family.zygote)]
        assert len(set(users)) == len(users)
        assert 0 not in users
    for kind in ("user", "pid", "mnt", "net", "ipc", "uts", "cgroup"):
        if os.geteuid() == 0:
            spaces = [Path(f"/proc/{pid}/ns/{kind}") for pid in (server, other, family.zygote, os.getpid())]
            assert len({await asyncio.to_thread(os.readlink, space) for space in spaces}) >= len(spaces) - 1
    block.cancel()
    await asyncio.wait([block])
    await first.close()
    await second.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="a server does not show its descriptors to its own user")
async def test_a_server_has_its_own_streams_and_nothing_of_the_zygote(
    forking: tuple[NamespaceBackend, SandboxPolicy],
) -> None:
    backend, policy = forking
    sandbox, server = await forked(backend, policy)
    # The standard streams, the way of its report, and the one of the listing.
    assert await printed(sandbox, "import os; print(len(os.listdir('/proc/self/fd')))") == "5\n"
    descriptors = await asyncio.to_thread(lambda: {str(fd.readlink()) for fd in Path(f"/proc/{server}/fd").iterdir()})
    assert not any(target.startswith("socket:") for target in descriptors)
    files = {target for target in descriptors if target.startswith("/")}
    assert all(target == "/dev/null" or "symposia." in target for target in files), files
    await sandbox.close()


async def test_sandboxes_that_end_at_once_take_no_other_with_them(
    forking: tuple[NamespaceBackend, SandboxPolicy],
) -> None:
    backend, policy = forking
    stays, server = await forked(backend, policy)
    keeper = (await asyncio.to_thread(Family, server)).keeper
    for _ in range(3):
        ending = await asyncio.gather(*(backend.create(policy) for _ in range(4)))
        blocks = [asyncio.create_task(sandbox.run("while True: pass", "python")) for sandbox in ending]
        await asyncio.gather(*(sandbox.close() for sandbox in ending))
        await asyncio.wait(blocks)
        assert all(isinstance(block.exception(), SandboxDiedError) for block in blocks)
        start = asyncio.create_task(backend.create(policy))
        await asyncio.sleep(0)
        start.cancel()
        await asyncio.wait([start])
    last, server = await forked(backend, policy)
    assert (await asyncio.to_thread(Family, server)).keeper == keeper
    for sandbox in (stays, last):
        assert await printed(sandbox, "print('alive')") == "alive\n"
        await sandbox.close()


async def test_random_numbers_and_names_differ_between_forked_sandboxes(
    forking: tuple[NamespaceBackend, SandboxPolicy],
) -> None:
    backend, policy = forking
    drawn: set[str] = set()
    for _ in range(3):
        sandbox, _ = await forked(backend, policy)
        drawn.add(await printed(sandbox, "import ssl; print(ssl.RAND_bytes(8).hex())"))
        drawn.add(await printed(sandbox, "import random; print(random.random())"))
        drawn.add(await printed(sandbox, "import tempfile; print(tempfile.mkstemp()[1])"))
        await sandbox.close()
    assert len(drawn) == 9


async def test_no_process_of_a_sandbox_has_the_number_of_the_zygote(
    forking: tuple[NamespaceBackend, SandboxPolicy],
) -> None:
    backend, policy = forking
    sandbox, server = await forked(backend, policy)
    number_of_zygote = await asyncio.to_thread(lambda: status_of(Family(server).zygote, "NSpid")[-1])
    assert int(await printed(sandbox, "import os; print(os.getpid())")) > number_of_zygote > 1
    await sandbox.close()


async def test_packages_that_were_installed_are_imported_by_the_next_sandbox(
    forking: tuple[NamespaceBackend, SandboxPolicy],
) -> None:
    backend, policy = forking
    python = backend._python  # noqa: SLF001 - it is the test's own
    assert python is not None
    assert python.environment is not None
    [packages] = python.environment.glob("lib/python*/site-packages")
    await asyncio.to_thread((packages / "small_package.py").write_text, "HERE = ['new']")
    await asyncio.to_thread((packages / "small_package-2.dist-info").mkdir)
    await backend.prepare_fork(policy)
    sandbox, _ = await forked(backend, policy)
    assert await printed(sandbox, "import small_package; print(small_package.HERE)") == "['new']\n"
    await sandbox.close()


async def test_what_code_does_to_a_library_reaches_no_other_sandbox(
    forking: tuple[NamespaceBackend, SandboxPolicy],
) -> None:
    backend, policy = forking
    first, _ = await forked(backend, policy)
    poison = (
        "import small_package, builtins; small_package.HERE.append(1); builtins.poison = 1; print(small_package.HERE)"
    )
    assert await printed(first, poison) == "[1]\n"
    second, _ = await forked(backend, policy)
    for sandbox in (first, second):
        assert (
            await printed(sandbox, "import small_package; print(small_package.HERE, 'poison' in dir(__builtins__))")
            == "[] False\n"
        )
        await sandbox.close()


async def test_the_memory_limit_of_a_forked_sandbox_holds_for_it_alone(
    forking: tuple[NamespaceBackend, SandboxPolicy],
) -> None:
    backend, policy = forking
    small = replace(policy, memory_bytes=256 * 1024 * 1024)
    (first, _), (second, _) = await forked(backend, small), await forked(backend, small)
    block = asyncio.create_task(second.run("import time; x = bytearray(10**8); time.sleep(60)", "python"))
    result = await first.run("x = [bytearray(10**7) for _ in range(100)]", "python")
    assert result.status == "out_of_memory"
    assert await printed(first, "print('next')") == "next\n"
    assert not block.done()
    block.cancel()
    await asyncio.wait([block])
    for sandbox in (first, second):
        await sandbox.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root chooses what the kernel kills")
@pytest.mark.parametrize("fork", [True, False])
async def test_that_the_memory_ran_out_is_known_where_the_kernel_kills_the_server(
    forking: tuple[NamespaceBackend, SandboxPolicy], fork: bool
) -> None:
    backend, policy = forking
    if not fork:
        backend = NamespaceBackend(base_python(), fork=False)
    sandbox = await backend.create(replace(policy, memory_bytes=256 * 1024 * 1024))
    if MEMORY_IS_COUNTED in sandbox.weaknesses():
        pytest.skip("no memory cgroup can be made here")
    [first] = await servers(backend)
    server = first if fork else (await asyncio.to_thread(children_of, first))[0]
    await asyncio.to_thread(Path(f"/proc/{server}/oom_score_adj").write_text, "1000")
    block = "open('/proc/self/oom_score_adj', 'w').write('0'); x = [bytearray(10**7) for _ in range(100)]"
    with pytest.raises(SandboxDiedError, match="memory ran out") as caught:
        await sandbox.run(block, "python")
    assert caught.value.memory_ran_out
    await sandbox.close()


async def test_sandboxes_outlive_their_zygote_and_the_next_gets_a_new_one(
    forking: tuple[NamespaceBackend, SandboxPolicy],
) -> None:
    backend, policy = forking
    sandbox, server = await forked(backend, policy)
    family = await asyncio.to_thread(Family, server)
    os.kill(family.zygote, signal.SIGKILL)
    assert await printed(sandbox, "print('alive')") == "alive\n"
    next_one = await backend.create(policy)
    assert await printed(next_one, "print('launched, or forked by chance')") != ""
    await next_one.close()
    await backend.prepare_fork(policy)
    another, server = await forked(backend, policy)
    assert (await asyncio.to_thread(Family, server)).keeper != family.keeper
    for each in (sandbox, another):
        await each.close()


async def test_a_zygote_that_does_not_answer_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    await require_in_loop(NamespaceBackend(base_python(), fork=False))
    backend, policy = await asyncio.to_thread(backend_of_a_test, tmp_path)
    async with asyncio.timeout(WAIT):
        monkeypatch.setattr(namespaces, "ANSWER_SECONDS", 1.0)
        await backend.prepare_fork(policy)
        sandbox, server = await forked(backend, policy)
        os.kill((await asyncio.to_thread(Family, server)).zygote, signal.SIGSTOP)
        launched = await asyncio.gather(*(backend.create(policy) for _ in range(2)))
        for each in (sandbox, *launched):
            assert await printed(each, "print('alive')") == "alive\n"
            await each.close()


@pytest.mark.parametrize("member", ["keeper", "supervisor"])
async def test_sandboxes_end_with_their_keeper_and_the_next_is_made(
    forking: tuple[NamespaceBackend, SandboxPolicy], member: str
) -> None:
    backend, policy = forking
    sandbox, server = await forked(backend, policy)
    family = await asyncio.to_thread(Family, server)
    os.kill(getattr(family, member), signal.SIGKILL)
    with pytest.raises(SandboxDiedError):
        await sandbox.run("import time; time.sleep(60)", "python")
    await sandbox.close()
    await wait_until_gone(server, family.supervisor, family.zygote)
    next_one = await backend.create(policy)
    assert await printed(next_one, "print('next')") == "next\n"
    await next_one.close()


async def wait_until_gone(*processes: int) -> None:
    def gone() -> bool:
        return not any(Path(f"/proc/{pid}").exists() and "\nState:\tZ" not in read(pid) for pid in processes)

    def read(pid: int) -> str:
        try:
            return Path(f"/proc/{pid}/status").read_text()
        except OSError:
            return "\nState:\tZ"

    while not await asyncio.to_thread(gone):  # noqa: ASYNC110 - processes of others set no event
        await asyncio.sleep(0.01)


OWNER = """
import asyncio, os, sys, time
from pathlib import Path
from symposia.core.code_executor import SandboxPolicy
from symposia.ext.code_executors._sandbox import SandboxPython, base_python
from symposia.ext.code_executors._sandbox._zygotes import ZYGOTES
from symposia.ext.code_executors.namespaces import NamespaceBackend

async def main():
    base = base_python()
    python = SandboxPython(interpreter=base.interpreter, prefix=base.prefix, environment=Path(sys.argv[1]))
    backend, policy = NamespaceBackend(python), SandboxPolicy(imported_ahead=("small_package",))
    {then}

async def create(backend, policy):
    await backend.prepare_fork(policy)
    sandboxes = [await backend.create(policy), await NamespaceBackend(base_python(), fork=False).create(policy)]
    print(os.getpid(), *(found.name for found in await backend.running() if found.owner == os.getpid()), flush=True)
    return sandboxes

asyncio.run(main())
"""
CREATE = "sandboxes = await create(backend, policy); await asyncio.sleep(600)"
FORK = """sandboxes = await create(backend, policy)
    with ZYGOTES._lock:  # as another thread may have it
        forked = os.fork()
    if forked:
        await asyncio.sleep(600)
    import threading
    used = threading.Thread(target=lambda: asyncio.run(create(backend, policy)))  # in a loop of its own
    used.start()
    used.join()
    os.close(1)  # whose end asyncio waits for when the program has ended
    time.sleep(600)
"""


@asynccontextmanager
async def owner(folder: Path, then: str) -> AsyncGenerator[asyncio.subprocess.Process]:
    """A program with a zygote of its own, which is killed at the end."""
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", OWNER.format(then=then), folder / "environment"), stdout=asyncio.subprocess.PIPE
    )
    try:
        yield program
    finally:
        program.kill()
        await program.wait()


async def numbers(program: asyncio.subprocess.Process) -> list[int]:
    """What it prints in a line."""
    assert program.stdout is not None
    return [int(number) for number in (await program.stdout.readline()).split()]


async def test_everything_ends_with_a_program_that_is_killed(tmp_path: Path) -> None:
    await require_in_loop(NamespaceBackend(base_python(), fork=False))
    await asyncio.to_thread(backend_of_a_test, tmp_path)
    async with asyncio.timeout(WAIT):
        async with owner(tmp_path, CREATE) as program:
            _, *sandboxes = await numbers(program)
            launcher, server = sorted(sandboxes, key=lambda pid: status_of(pid, "NSpid")[-1] == 1)
            family = await asyncio.to_thread(Family, server)
        await wait_until_gone(launcher, server, family.keeper, family.supervisor, family.zygote)
    left = await asyncio.to_thread(lambda: [*Path("/sys/fs/cgroup").rglob(f"symposia*{family.keeper}*")])
    assert left == []


async def test_everything_ends_with_a_program_that_is_killed_while_libraries_are_imported(tmp_path: Path) -> None:
    await require_in_loop(NamespaceBackend(base_python(), fork=False))
    await asyncio.to_thread(backend_of_a_test, tmp_path, ["import time; time.sleep(600)"])
    async with asyncio.timeout(WAIT):
        family: list[int] = []
        async with owner(tmp_path, "await backend.prepare_fork(policy)") as program:
            while len(family) < 4:
                await asyncio.sleep(0.01)
                family = await asyncio.to_thread(line_of, program.pid)
        await wait_until_gone(*family)


async def test_everything_ends_with_a_program_though_one_that_it_has_forked_goes_on(tmp_path: Path) -> None:
    await require_in_loop(NamespaceBackend(base_python(), fork=False))
    await asyncio.to_thread(backend_of_a_test, tmp_path)
    async with asyncio.timeout(WAIT):
        async with owner(tmp_path, FORK) as program:
            _, *first = await numbers(program)
            forked, *second = await numbers(program)  # it can use sandboxes too
            assert (len(first), len(second)) == (2, 2)
        try:
            await wait_until_gone(*first)
            assert await asyncio.to_thread(lambda: [Path(f"/proc/{pid}").exists() for pid in second]) == [True, True]
        finally:
            os.kill(forked, signal.SIGKILL)
        await wait_until_gone(*second)


async def test_a_zygote_without_sandboxes_ends_after_a_while(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    await require_in_loop(NamespaceBackend(base_python(), fork=False))
    monkeypatch.setattr(namespaces, "IDLE_SECONDS", 0.01)
    backend, policy = await asyncio.to_thread(backend_of_a_test, tmp_path)
    async with asyncio.timeout(WAIT):
        before = await asyncio.to_thread(own_children)
        await backend.prepare_fork(policy)
        while await asyncio.to_thread(own_children) - before:  # noqa: ASYNC110 - other processes set no event
            await asyncio.sleep(0.01)
        next_one = await backend.create(policy)
        assert await printed(next_one, "print('launched')") == "launched\n"
        await next_one.close()


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("import threading, time\nthreading.Thread(target=time.sleep, args=(600,), daemon=True).start()", "threads"),
        ("import os\nos._exit(1)", "the import ended"),
        ("import mmap\nshared = mmap.mmap(-1, 4096)", "shares memory"),
    ],
)
async def test_a_zygote_whose_import_fails_is_never_used(tmp_path: Path, source: str, reason: str) -> None:
    await require_in_loop(NamespaceBackend(base_python(), fork=False))
    backend, policy = await asyncio.to_thread(backend_of_a_test, tmp_path, [source])
    async with asyncio.timeout(WAIT):
        for _ in range(2):  # the second time without a start
            with pytest.raises(SandboxUnavailableError, match=reason):
                await backend.prepare_fork(policy)


async def test_it_is_known_whether_sandboxes_can_be_forked() -> None:
    backend = NamespaceBackend(base_python())
    await require_in_loop(NamespaceBackend(base_python(), fork=False))
    assert await backend.fork_problem() is None


async def test_fork_false_forks_nothing() -> None:
    backend = NamespaceBackend(base_python(), fork=False)
    with pytest.raises(SandboxUnavailableError, match="fork=False"):
        await backend.prepare_fork(POLICY)
    assert await backend.fork_problem() == "It was made with fork=False."
