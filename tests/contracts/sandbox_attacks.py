"""What must fail in every sandbox. Subclass `SandboxAttacks` and say how to make yours."""

import asyncio
import ctypes
import os
import signal
import sys
import textwrap
import time
from pathlib import Path
from uuid import uuid4

import pytest
from tests.contracts.sandbox_contract import (
    MIB,
    SLACK,
    MakeSandbox,
    SandboxTests,
    all_gone,
    leave_process,
    wait_for_processes,
)
from tests.support.sandboxes import require_in_loop

from symposia.core.code_executor import Sandbox, SandboxMount, SandboxPolicy, SandboxResult
from symposia.ext.code_executors.attacks import ATTACKS, GAPS, run_attack

VARIABLES = {
    *("PATH", "HOME", "LANG", "PWD", "MPLBACKEND", "MPLCONFIGDIR", "PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED"),
    "PYTHONNOUSERSITE",
    *("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "LC_CTYPE"),
    "FONTCONFIG_FILE",
}
ROOT = Path(__file__).parents[2]
LANDLOCK = ctypes.CDLL(None).syscall(444, 0, 0, 1) > 0  # landlock_create_ruleset, asked for its version
RUN_A_BLOCK = """
import asyncio
from {module} import {name} as tests
from symposia.core.code_executor import SandboxPolicy

async def main():
    sandbox = await tests().backend().create(SandboxPolicy())
    await sandbox.run({code!r}, "python")

asyncio.run(main())
"""


ROWS = {
    "s01": ("memory-of-many-processes", "unreadable-process", "without-first-thread", "unreadable-program"),
    "s02": ("socket-buffers",),
    "s03": ("internet-sockets",),
    "s04": ("sockets-and-pipes",),
    "s05": ("locks",),
    "s06": ("watches",),
    "s07": ("inodes",),
    "s08": ("script",),
    "s09": ("folder-for-file",),
    "s10": ("growing-copy",),
    "s11": ("obeyed-names",),
    "s12": ("queued-signals", "inotify-instances"),
    "s14": ("names",),
    "s15": ("packages",),
    "s16": ("path",),
    "s18": ("priority",),
}
"""The attacks that were found to get through once, by the row of the list of them."""


def attacks(row: str) -> pytest.MarkDecorator:
    """One test for each attack of a row; those of no row for the empty one."""
    in_rows = {name for names in ROWS.values() for name in names}
    others = [attack.name for attack in ATTACKS if attack.name not in in_rows]
    return pytest.mark.parametrize("name", ROWS[row] if row else others)


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


async def attempt(sandbox: Sandbox, code: str) -> SandboxResult:
    """Run an attack that prints what it got, and ``refused`` where an OSError stopped it."""
    body = textwrap.indent(textwrap.dedent(code).strip(), "    ")
    guarded = f"try:\n{body}\nexcept OSError as error:\n    print('refused')"
    return await sandbox.run(guarded, "python", timeout=20)


class SandboxAttacks(SandboxTests):
    """Code that tries to get out, to look out, or to take the machine down."""

    async def hold(self, name: str) -> None:
        """The sandbox holds against an attack, or the documentation names it as a gap, which it then is."""
        backend = self.backend()
        await require_in_loop(backend)
        [attack] = [attack for attack in ATTACKS if attack.name == name]
        outcome = await run_attack(attack, backend)
        if (name, backend.name) in GAPS:
            assert outcome.got_through != "", "it is stopped now: take it out of GAPS"
        else:
            assert outcome.got_through == ""

    @attacks("s01")
    async def test_s01_memory_cannot_be_hidden_from_its_limit(self, name: str) -> None:
        await self.hold(name)

    @attacks("s02")
    async def test_s02_the_buffers_of_sockets_count_as_memory(self, name: str) -> None:
        await self.hold(name)

    @attacks("s03")
    async def test_s03_there_are_no_internet_sockets(self, name: str) -> None:
        await self.hold(name)

    @attacks("s04")
    async def test_s04_no_program_of_the_host_can_be_talked_to_through_a_mount(self, name: str) -> None:
        await self.hold(name)

    @attacks("s05")
    async def test_s05_no_writer_of_the_host_waits_for_a_lock(self, name: str) -> None:
        await self.hold(name)

    @attacks("s06")
    async def test_s06_the_use_of_files_cannot_be_watched(self, name: str) -> None:
        await self.hold(name)

    @attacks("s07")
    async def test_s07_a_sandbox_without_inodes_is_replaced(self, name: str) -> None:
        await self.hold(name)

    @attacks("s08")
    async def test_s08_a_folder_at_the_scripts_place_stops_no_later_block(self, name: str) -> None:
        await self.hold(name)

    @attacks("s09")
    async def test_s09_a_folder_in_the_place_of_a_data_file_raises_nothing(self, name: str) -> None:
        await self.hold(name)

    @attacks("s10")
    async def test_s10_the_hosts_copy_is_limited(self, name: str) -> None:
        await self.hold(name)

    @attacks("s11")
    async def test_s11_results_replace_nothing_and_are_obeyed_by_no_tool(self, name: str) -> None:
        await self.hold(name)

    @attacks("s12")
    async def test_s12_limits_of_a_user_of_the_host_cannot_be_used_up(self, name: str) -> None:
        await self.hold(name)

    @attacks("s14")
    async def test_s14_names_of_results_forge_nothing(self, name: str) -> None:
        await self.hold(name)

    @attacks("s15")
    async def test_s15_the_packages_of_the_host_cannot_be_listed(self, name: str) -> None:
        await self.hold(name)

    @attacks("s16")
    async def test_s16_programs_of_the_work_folder_take_no_others_place(self, name: str) -> None:
        await self.hold(name)

    @attacks("s18")
    async def test_s18_no_priority_can_be_taken(self, name: str) -> None:
        await self.hold(name)

    @attacks("")
    async def test_every_other_attack_is_stopped(self, name: str) -> None:
        await self.hold(name)

    @pytest.mark.parametrize("address", ["('127.0.0.1', {port})", "('1.1.1.1', 53)"])
    async def test_tcp_does_not_get_out(self, sandbox: Sandbox, address: str) -> None:
        reached = asyncio.Event()
        server = await asyncio.start_server(lambda _reader, _writer: reached.set(), "127.0.0.1", 0)
        async with server:
            target = address.format(port=server.sockets[0].getsockname()[1])
            code = f"import socket; socket.create_connection({target}, timeout=5); print('connected')"
            assert (await attempt(sandbox, code)).stdout == "refused\n"
        assert not reached.is_set()

    async def test_udp_and_dns_do_not_get_out(self, sandbox: Sandbox) -> None:
        code = """
        import socket
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("8.8.8.8", 53))
        print("sent")
        """
        assert (await attempt(sandbox, code)).stdout == "refused\n"
        code = "import socket; print(socket.getaddrinfo('example.com', 80))"
        assert (await attempt(sandbox, code)).stdout == "refused\n"

    @pytest.mark.parametrize(
        "family", [40, 16, 17, 38, 31, 44], ids=["vsock", "netlink", "packet", "alg", "bluetooth", "xdp"]
    )
    async def test_a_socket_of_another_family_cannot_be_made(self, sandbox: Sandbox, family: int) -> None:
        code = f"import socket; socket.socket({family}, socket.SOCK_DGRAM); print('made')"
        assert (await attempt(sandbox, code)).stdout == "refused\n"

    async def test_an_abstract_socket_of_the_host_is_not_there(self, sandbox: Sandbox) -> None:
        name = f"\0symposia-{uuid4().hex}"
        server = await asyncio.start_unix_server(lambda _reader, _writer: None, name)
        async with server:
            code = f"import socket; socket.socket(socket.AF_UNIX).connect({name!r}); print('connected')"
            assert (await attempt(sandbox, code)).stdout == "refused\n"

    async def test_processes_inside_reach_each_other(self, sandbox: Sandbox) -> None:
        code = """
        import asyncio, multiprocessing, sys
        from concurrent.futures import ProcessPoolExecutor

        async def communicate():
            echo = await asyncio.create_subprocess_exec(sys.executable, "-c", "print(input())", stdin=-1, stdout=-1)
            server = await asyncio.start_unix_server(lambda _reader, writer: writer.write(b"unix "), "/tmp/socket")
            reader, writer = await asyncio.open_unix_connection("/tmp/socket")
            print((await reader.readexactly(5)).decode(), (await echo.communicate(b"pipe"))[0].decode(), end="")

        asyncio.run(communicate())
        with multiprocessing.Manager() as manager, ProcessPoolExecutor(2) as processes:
            print(manager.list([1]), list(processes.map(abs, [-2])))
        """
        assert (await sandbox.run(textwrap.dedent(code), "python")).stdout == "unix  pipe\n[1] [2]\n"

    async def test_files_of_the_host_are_not_there(self, sandbox: Sandbox, tmp_path: Path) -> None:
        (tmp_path / "secret").write_text("the secret of the host")
        for path in (tmp_path / "secret", Path("/etc/shadow"), Path("/proc/1/root/etc/shadow"), Path(__file__)):
            assert (await attempt(sandbox, f"print(open({str(path)!r}).read())")).stdout == "refused\n"

    async def test_f42_the_environment_is_a_scrubbed_one(
        self, make: MakeSandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SECRET_OF_THE_HOST", "a very secret value")
        sandbox = await make()
        result = await sandbox.run("import os; print(*os.environ)", "python")
        assert set(result.stdout.split()) <= VARIABLES
        code = "cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline | tr '\\0' '\\n'"
        everything = (await sandbox.run(code, "sh")).stdout
        assert "a very secret value" not in everything
        assert (await attempt(sandbox, "print(open('/proc/1/environ', 'rb').read())")).stdout == "refused\n"

    async def test_the_server_cannot_be_looked_into_or_ended(self, sandbox: Sandbox) -> None:
        code = """
        import ctypes, os, signal
        libc = ctypes.CDLL(None, use_errno=True)
        for number in range(1, signal.NSIG):
            os.kill(1, number)
        assert libc.ptrace(16, 1, 0, 0) == -1
        buffer = ctypes.create_string_buffer(8)
        assert libc.process_vm_readv(1, buffer, 1, buffer, 1, 0) == -1
        assert libc.prlimit(1, 7, buffer, None) == -1
        for name in ("mem", "fd/0", "cwd", "root", "auxv", "maps"):
            try:
                print(os.readlink("/proc/1/" + name) if name in ("cwd", "root") else open("/proc/1/" + name).read(1))
            except OSError:
                pass
        """
        result = await attempt(sandbox, code)
        assert (result.status, result.stdout) == ("ok", "")
        assert (await sandbox.run("echo alive", "sh")).stdout == "alive\n"

    @pytest.mark.parametrize(
        "call",
        [
            *("unshare(0x10000000)", "setns(0, 0)", "mount(b'x', b'/tmp', b'tmpfs', 0, None)", "chroot(b'/tmp')"),
            *("ptrace(0, 0, 0, 0)", "personality(0x0040000)", "syscall(425, 4, 0)", "syscall(321, 0, 0, 0)"),
            *("syscall(250, 0, -3, 0)", "syscall(323, 0)", "syscall(435, 0, 0)", "syscall(438, 0, 0, 0)"),
            *("syscall(56, 0x10000011, 0, 0, 0, 0)", "syscall(298, 0, 0, -1, -1, 0)", "syscall(304, 0, b'', 0)"),
            *("shmget(0, 4096, 0o1600)", "memfd_create(b'x', 0)", "msgget(0, 0o1600)", "syscall(240, b'x', 0, 0, 0)"),
        ],
        ids=lambda call: call.split("(0x")[0].replace("syscall(", "number ").split(",")[0].split("(")[0],
    )
    @pytest.mark.skipif(os.uname().machine != "x86_64", reason="the numbers of system calls are those of x86_64")
    async def test_a_system_call_that_leads_out_is_refused(self, sandbox: Sandbox, call: str) -> None:
        code = f"import ctypes; libc = ctypes.CDLL(None, use_errno=True); print(libc.{call}, ctypes.get_errno())"
        result = await sandbox.run(code, "python")
        assert result.stdout in ("-1 1\n", "-1 38\n")

    async def test_nothing_can_be_gained(self, sandbox: Sandbox) -> None:
        code = "import os; print(os.getuid() != 0); print(*open('/proc/self/status'))"
        lines = (await sandbox.run(code, "python")).stdout.split("\n")
        status = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        assert lines[0] == "True"
        assert all(int(status[name], 16) == 0 for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"))
        assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")

    @pytest.mark.skipif(not LANDLOCK, reason="this kernel has no Landlock")
    async def test_landlock_holds_beside_the_mounts(self, make: MakeSandbox, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe")
        for path in (tmp_path, tmp_path / "pipe"):
            await asyncio.to_thread(path.chmod, 0o777)
        sandbox = await make(SandboxMount(source=tmp_path, target="/data/m"))
        assert not [text for text in sandbox.weaknesses() if "Landlock" in text]
        code = """
        import errno, os
        try:
            os.open("/data/m/pipe", os.O_WRONLY | os.O_NONBLOCK)
        except OSError as error:
            print(errno.errorcode[error.errno])  # of the FIFO itself it would be ENXIO
        os.mkdir("/tmp/a"); os.mkdir("/work/a"); open("/dev/shm/a", "w").write("x"); open("/dev/null", "w").write("x")
        os.symlink("/etc/passwd", "/tmp/link"); os.mkfifo("/work/pipe"); os.rename("/work/a", "/work/b")
        print(open("/tmp/link").read(1) != "", {"etc", "usr", "work"} <= set(os.listdir("/")))
        """
        assert (await attempt(sandbox, code)).stdout == "EACCES\nTrue True\n"

    async def test_nothing_outside_the_folders_can_be_written(self, sandbox: Sandbox) -> None:
        code = """
        import os, tempfile
        for folder, below, _ in os.walk("/"):
            if folder.startswith(("/work", "/tmp", "/dev/shm", "/proc", "/sys")) or folder.count("/") > 3:
                below.clear()
                continue
            try:
                open(folder + "/x", "w")
                print(folder)
            except OSError:
                pass
        for name in ("/proc/sys/kernel/core_pattern", "/proc/sysrq-trigger", "/etc/passwd", "/dev/mem", "/dev/kmsg"):
            try:
                open(name, "w")
                print(name)
            except OSError:
                pass
        """
        assert (await attempt(sandbox, code)).stdout == ""

    async def test_a_fork_bomb_ends_with_its_block(self, sandbox: Sandbox) -> None:
        marker = uuid4().hex
        code = f"""
        import os, sys, time
        made = 0
        while True:
            try:
                if os.fork() == 0:
                    while True:
                        try:
                            os.fork()
                        except OSError:
                            time.sleep(0.001)
                made += 1
            except OSError:
                break
        print(made < 64, flush=True)
        {marker!r}
        time.sleep(600)
        """
        result = await sandbox.run(textwrap.dedent(code), "python", timeout=2)
        assert (result.status, result.stdout) == ("timeout", "True\n")
        assert (await sandbox.run("echo alive", "sh")).stdout == "alive\n"

    async def test_a_pipe_without_a_holder_does_not_delay_the_result(self, sandbox: Sandbox) -> None:
        code = """
        import array, os, socket
        one, two = socket.socketpair()
        for sender, receiver in ((one, two), (two, one)):  # each in flight to the other, and stdout with them
            fds = array.array("i", [1, 2, sender.fileno(), receiver.fileno()])
            sender.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)])
        print("sent", flush=True)
        """
        result = await sandbox.run(textwrap.dedent(code), "python", timeout=20)
        assert (result.status, result.stdout) == ("ok", "sent\n")
        assert result.wall_seconds < 10

    async def test_a_memory_bomb_is_told_as_such(self, sandbox: Sandbox) -> None:
        result = await sandbox.run("kept = b'x' * 2**30", "python", timeout=20)
        assert (result.status, result.exit_code) == ("out_of_memory", 137)
        assert (await sandbox.run("echo alive", "sh")).stdout == "alive\n"

    async def test_a_memory_bomb_of_several_processes_is_told_as_such(self, sandbox: Sandbox) -> None:
        code = "import os, time\nfor _ in range(3): os.fork()\nkept = b'x' * (120 * 2**20)\ntime.sleep(600)"
        result = await sandbox.run(code, "python", timeout=20)
        assert result.status == "out_of_memory"
        assert (await sandbox.run("echo alive", "sh")).stdout == "alive\n"

    async def test_a_memory_bomb_of_shared_memory_is_told_as_such(self, sandbox: Sandbox) -> None:
        code = "import mmap, time\nkept = mmap.mmap(-1, 2**30)\nfor page in range(0, 2**30, 4096): kept[page] = 1"
        assert (await sandbox.run(code, "python", timeout=20)).status == "out_of_memory"

    async def test_more_processors_than_the_policy_gives_cannot_be_used(self, sandbox: Sandbox) -> None:
        code = """
        import os, time
        try:
            os.sched_setaffinity(0, range(os.cpu_count()))
        except OSError:
            pass
        for _ in range(2):
            os.fork()
        end = time.monotonic() + 1.5
        while time.monotonic() < end:
            pass
        os._exit(0)
        """
        result = await sandbox.run(textwrap.dedent(code), "python")
        assert result.cpu_seconds < 1.3 * result.wall_seconds

    @pytest.mark.parametrize("folder", ["/work", "/tmp", "/dev/shm"])
    async def test_the_disk_cannot_be_filled(self, sandbox: Sandbox, folder: str) -> None:
        code = f"kept = open('{folder}/big', 'wb')\nwhile True: kept.write(bytes(2**20))"
        result = await sandbox.run(code, "python", timeout=20)
        assert result.status == "disk_full"
        await sandbox.reset()
        assert (await sandbox.run(f"echo free > {folder}/x && cat {folder}/x", "sh")).stdout == "free\n"

    async def test_the_inodes_cannot_be_used_up(self, sandbox: Sandbox) -> None:
        code = "for number in range(200_000): open(str(number), 'w').close()"
        result = await sandbox.run(code, "python", timeout=20)
        assert result.status == "disk_full"
        assert len(result.artifacts) + len(result.artifacts_skipped) < 300
        await sandbox.reset()
        assert (await sandbox.run("ls | wc -l", "sh")).stdout == "0\n"

    async def test_f55_a_gigabyte_of_output_costs_the_host_nothing(self, sandbox: Sandbox) -> None:
        await sandbox.run("print('x' * 2**20)", "python")
        before = resident_bytes()
        started = time.monotonic()
        result = await sandbox.run("head -c 1000000000 /dev/zero", "sh", timeout=20)
        assert time.monotonic() - started < SLACK
        assert resident_bytes() - before < 5 * MIB
        assert (result.status, result.exit_code) == ("output_limit", 137)
        assert result.stdout_cut == 15 * MIB

    async def test_f53_links_and_pipes_do_not_come_back_as_results(self, sandbox: Sandbox) -> None:
        code = """
        ln -s /etc/passwd link; ln -s /etc folder; mkfifo pipe; echo x > one; ln one two
        truncate -s 50M sparse; mkdir -p deep; ln -s ../../../etc/passwd deep/link; echo fine > fine
        """
        result = await sandbox.run(code, "sh")
        assert [file.path for file in result.artifacts] == ["fine"]
        assert dict(result.artifacts_skipped) == {
            **dict.fromkeys(("link", "folder", "pipe", "deep/link"), "not a regular file"),
            **dict.fromkeys(("one", "two"), "several links to one file"),
            "sparse": "too large",
        }

    async def test_names_that_are_no_text_and_endless_folders_are_left_behind(self, sandbox: Sandbox) -> None:
        code = (
            "import os\nopen(b'\\xff', 'w')\nfor level in range(300):\n    os.mkdir('d'); os.chdir('d')\nopen('x', 'w')"
        )
        result = await sandbox.run(code, "python")
        assert (result.status, len(result.artifacts)) == ("ok", 0)
        assert sorted(reason for _, reason in result.artifacts_skipped) == ["its name is not UTF-8", "too deep"]

    async def test_the_next_blocks_script_cannot_be_prepared(self, sandbox: Sandbox) -> None:
        code = """
        echo old > /tmp/target
        rm -f .block.py; ln -s /tmp/target .block.py; ln -sf /tmp/target .block.sh
        chmod 0 /work
        """
        await sandbox.run(code, "sh")
        assert (await sandbox.run("print(open('/tmp/target').read())", "python")).stdout == "old\n\n"

    async def test_f56_everything_is_gone_soon_after_the_parent_is_killed(self, make: MakeSandbox) -> None:
        await make()  # or skip
        marker = uuid4().hex
        code = leave_process(marker) + "time.sleep(600)"
        program = RUN_A_BLOCK.format(module=type(self).__module__, name=type(self).__name__, code=code)
        parent = await asyncio.create_subprocess_exec(sys.executable, "-c", program, cwd=ROOT)
        try:
            async with asyncio.timeout(30):
                await wait_for_processes(marker)
        finally:
            parent.send_signal(signal.SIGKILL)
            await parent.wait()
        assert await all_gone(marker, within=2.0)

    async def test_a_smaller_policy_holds(self, make: MakeSandbox) -> None:
        sandbox = await make(policy=SandboxPolicy(memory_bytes=64 * MIB, processes=8, open_files=32))
        assert (await sandbox.run("kept = b'x' * (80 * 2**20)", "python")).status == "out_of_memory"
        result = await attempt(sandbox, "kept = [open('/dev/null') for _ in range(32)]; print('opened')")
        assert result.stdout == "refused\n"
