"""Nothing grows with the number of blocks: not the server, not the host's process, and nothing that either leaves.

300 blocks in each kind of sandbox; 10,000 with ``SYMPOSIA_LONG=1``, which have numpy, pandas and matplotlib imported.
"""

import asyncio
import gc
import os
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.support.sandboxes import require_in_loop

from symposia.core.code_executor import Sandbox, SandboxBackend, SandboxPolicy
from symposia.ext.code_executors._sandbox import base_python
from symposia.ext.code_executors.bubblewrap import BubblewrapBackend
from symposia.ext.code_executors.docker import DockerBackend
from symposia.ext.code_executors.namespaces import NamespaceBackend

LONG = os.environ.get("SYMPOSIA_LONG") == "1"
BLOCKS = 10_000 if LONG else 300
WARM = BLOCKS // 3
WAIT = 1800.0 if LONG else 60.0
IDLE_SECONDS = 5.0 if LONG else 0.0
"""For the libraries to be imported before the first look."""
MOST_KILOBYTES = 2048
PYTHON = "open('file', 'w').write('text' * 1000); print('out')"
FAILING = "import os, subprocess; subprocess.run(['/bin/true']); 1 / 0"
SHELL = "rm -f file; echo out"
# The shell's own words alone, as each program that it starts would be one process more.
LOOK = """
while read -r line; do echo "$line"; done < /proc/1/status
for each in /proc/[0-9]* /tmp/* /tmp/.[!.]* /dev/shm/* /work/*; do echo "there: $each"; done
"""


class Held(NamedTuple):
    """What a sandbox and its host hold: kilobytes, and numbers of things."""

    server_kilobytes: int
    host_kilobytes: int
    server_table: tuple[int, ...]
    host_descriptors: int
    host_tasks: int
    folders: int
    sandboxes_and_groups: int


async def held(backend: SandboxBackend, sandbox: Sandbox) -> Held:
    """Look at both. What the sandbox says of its server counts its virtual memory, descriptors, threads and files."""
    result = await sandbox.run(LOOK, "sh")
    numbers = {name: int(value) for name, value in re.findall(r"(\w+):\s+(\d+)", result.stdout)}
    own = [each.name for each in await backend.running() if each.owner == os.getpid()]
    gc.collect()
    resident, descriptors = await asyncio.to_thread(_of_this_process)
    return Held(
        numbers["VmRSS"],
        resident,
        (numbers["FDSize"], numbers["Threads"], result.stdout.count("there: ")),
        descriptors,
        len(asyncio.all_tasks()),
        *await asyncio.to_thread(_left_on_the_host, own),
    )


def _of_this_process() -> tuple[int, int]:
    resident = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return resident // 1024, len(list(Path("/proc/self/fd").iterdir()))


def _left_on_the_host(sandboxes: Sequence[str]) -> tuple[int, int]:
    """The folders of this process, and the control groups of its launchers, by whose numbers they are named."""
    folders = list(Path(tempfile.gettempdir()).glob(f"symposia-*-{os.getpid()}-*"))
    named = {f"symposia-{sandbox}" for sandbox in sandboxes}
    groups = [name for _, names, _ in os.walk("/sys/fs/cgroup") for name in names if name in named]
    return len(folders), len(sandboxes) + len(groups)


class NothingGrows:
    """For each kind of sandbox."""

    def backend(self) -> SandboxBackend:
        raise NotImplementedError

    @pytest.mark.timeout(WAIT + 10)
    async def test_with_the_number_of_blocks(self) -> None:
        backend = self.backend()
        await require_in_loop(backend)
        policy = SandboxPolicy() if LONG else SandboxPolicy(imported_ahead=())
        async with asyncio.timeout(WAIT):
            sandbox = await backend.create(policy)
            try:
                await asyncio.sleep(IDLE_SECONDS)
                await run_blocks(sandbox, WARM)
                before = await held(backend, sandbox)
                await run_blocks(sandbox, BLOCKS - WARM)
                after = await held(backend, sandbox)
            finally:
                await sandbox.close()
        assert after.server_kilobytes - before.server_kilobytes < MOST_KILOBYTES, (before, after)
        assert after.host_kilobytes - before.host_kilobytes < MOST_KILOBYTES, (before, after)
        assert after[2:] == before[2:]
        assert not [each for each in await backend.running() if each.owner == os.getpid()]


async def run_blocks(sandbox: Sandbox, count: int) -> None:
    """Blocks of each sort: most are Python that makes a file, some fail, some are of the shell."""
    for number in range(count):
        if number % 10 == 0:
            assert (await sandbox.run(SHELL, "sh")).stdout == "out\n"
        elif number % 10 == 1:
            assert (await sandbox.run(FAILING, "python")).status == "error"
        else:
            result = await sandbox.run(PYTHON, "python")
            assert (result.stdout, len(result.artifacts)) == ("out\n", 1), result


class TestNamespaces(NothingGrows):
    def backend(self) -> SandboxBackend:
        return NamespaceBackend() if LONG else NamespaceBackend(base_python())


class TestBubblewrap(NothingGrows):
    def backend(self) -> SandboxBackend:
        return BubblewrapBackend() if LONG else BubblewrapBackend(base_python())


class TestDocker(NothingGrows):
    def backend(self) -> SandboxBackend:
        return DockerBackend()
