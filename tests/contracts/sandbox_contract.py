"""What every sandbox backend promises. Subclass `SandboxContract` and say how to make yours."""

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from tests.support.sandboxes import require_in_loop

from symposia.core.code_executor import LEAST_LIMITS, OutputStream, Sandbox, SandboxBackend, SandboxMount, SandboxPolicy
from symposia.core.exceptions import InvalidArgumentError, SandboxDiedError, SandboxError

WAIT = 60.0
MIB = 1024 * 1024
SLACK = 2.5  # seconds: how late a limit may be told on a busy machine
IGNORE_EVERY_SIGNAL = """
import signal
for number in range(1, signal.NSIG):
    try:
        signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError):
        pass
print("deaf", flush=True)
while True:
    pass
"""
MakeSandbox = Callable[..., Coroutine[Any, Any, Sandbox]]


def marked(marker: str) -> list[int]:
    """Processes of this machine, in whatever namespace, that have `marker` on their command line."""
    found: list[int] = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                command_line = (folder / "cmdline").read_bytes()
            except OSError:  # it has ended meanwhile
                continue
            if marker.encode() in command_line:
                found.append(int(folder.name))
    return found


def leave_process(marker: str) -> str:
    """Python that starts a process of that mark, far from its parent: a double fork, a session and group of its own."""
    return f"""
import os, sys, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.execv(sys.executable, [sys.executable, "-c", "import time; time.sleep(600)", {marker!r}])
    os._exit(0)
os.wait()
while not any({marker!r} in open(f"/proc/{{pid}}/cmdline").read() for pid in os.listdir("/proc") if pid.isdigit()):
    pass
print("left", flush=True)
"""


async def wait_for_processes(marker: str) -> None:
    """Wait until a process of that mark runs."""
    while not await asyncio.to_thread(marked, marker):  # noqa: ASYNC110 - processes of others set no event
        await asyncio.sleep(0.01)


async def all_gone(marker: str, within: float) -> bool:
    """Whether all processes of that mark end in time."""
    deadline = time.monotonic() + within
    while await asyncio.to_thread(marked, marker):
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(0.01)  # between two looks, not instead of one
    return True


class SandboxTests:
    """Sandboxes for tests, closed after each."""

    def backend(self) -> SandboxBackend:
        raise NotImplementedError

    @pytest.fixture
    async def make(self) -> AsyncIterator[MakeSandbox]:
        backend = self.backend()
        await require_in_loop(backend)
        made: list[Sandbox] = []

        async def make(*mounts: SandboxMount, policy: SandboxPolicy | None = None) -> Sandbox:
            made.append(await backend.create(policy or SandboxPolicy(), mounts=mounts))
            return made[-1]

        async with asyncio.timeout(WAIT):
            yield make
            for sandbox in made:
                await sandbox.close()

    @pytest.fixture
    async def sandbox(self, make: MakeSandbox) -> Sandbox:
        return await make()


class SandboxContract(SandboxTests):
    """Running blocks, files in and out, limits of time and output."""

    async def test_a_block_that_works_is_ok_with_its_output_apart(self, sandbox: Sandbox) -> None:
        result = await sandbox.run("import sys; print(1 + 1); print('oh', file=sys.stderr)", "python")
        assert (result.status, result.exit_code, result.stdout, result.stderr) == ("ok", 0, "2\n", "oh\n")

    async def test_a_block_that_fails_is_an_error_with_its_traceback(self, sandbox: Sandbox) -> None:
        result = await sandbox.run("print('before')\nraise LookupError('nothing')", "python")
        assert (result.status, result.exit_code, result.stdout) == ("error", 1, "before\n")
        assert "line 2" in result.stderr
        assert result.stderr.endswith("LookupError: nothing\n")

    async def test_a_block_may_choose_its_exit_code(self, sandbox: Sandbox) -> None:
        assert (await sandbox.run("raise SystemExit(7)", "python")).exit_code == 7

    async def test_a_shell_block_runs_with_the_same_python(self, sandbox: Sandbox) -> None:
        inside = await sandbox.run("import sys; print(sys.version)", "python")
        result = await sandbox.run('python3 -c "import sys; print(sys.version)"; yes | head -1; exit 3', "sh")
        assert (result.status, result.exit_code, result.stdout) == ("error", 3, inside.stdout + "y\n")

    async def test_a_block_that_a_signal_ends_has_crashed(self, sandbox: Sandbox) -> None:
        result = await sandbox.run("import os; os.kill(os.getpid(), 11)", "python")
        assert (result.status, result.exit_code) == ("crashed", 128 + 11)

    async def test_a_block_reads_an_empty_stdin(self, sandbox: Sandbox) -> None:
        assert (await sandbox.run("import sys; print(repr(sys.stdin.read()))", "python")).stdout == "''\n"

    @pytest.mark.parametrize(("language", "timeout"), [("ruby", 1.0), ("python", 0.0), ("python", -1.0)])
    async def test_what_cannot_be_run_is_refused(self, sandbox: Sandbox, language: str, timeout: float) -> None:
        with pytest.raises(InvalidArgumentError):
            await sandbox.run("", language, timeout=timeout)
        assert (await sandbox.run("print('fine')", "python")).stdout == "fine\n"

    async def test_output_comes_while_the_block_runs(self, sandbox: Sandbox) -> None:
        first = asyncio.Event()
        pieces: list[tuple[OutputStream, str]] = []

        def listen(stream: OutputStream, text: str) -> None:
            pieces.append((stream, text))
            first.set()

        block = asyncio.create_task(sandbox.run("echo one; sleep 600", "sh", on_output=listen))
        await first.wait()
        block.cancel()
        await asyncio.wait([block])
        assert pieces == [("stdout", "one\n")]

    async def test_a_character_in_two_pieces_is_one_character(self, sandbox: Sandbox) -> None:
        pieces: list[str] = []
        code = "import os, time\nfor byte in 'é'.encode():\n    os.write(1, bytes([byte])); time.sleep(0.05)"
        result = await sandbox.run(code, "python", on_output=lambda _stream, text: pieces.append(text))
        assert (pieces, result.stdout) == (["é"], "é")

    async def test_requests_of_several_tasks_run_one_after_another(self, sandbox: Sandbox) -> None:
        code = "import os\nos.mkdir('busy')\nos.rmdir('busy')\nprint({})"
        results = await asyncio.gather(*(sandbox.run(code.format(number), "python") for number in range(5)))
        assert [result.stdout for result in results] == [f"{number}\n" for number in range(5)]

    async def test_what_a_block_used_is_told(self, sandbox: Sandbox) -> None:
        code = "import time\nkept = bytearray(64 * 2**20)\nwhile time.process_time() < 0.2: pass"
        result = await sandbox.run(code, "python")
        assert result.cpu_seconds >= 0.2
        assert result.wall_seconds >= 0.2
        assert 64 * MIB < result.peak_memory_bytes < 200 * MIB

    async def test_files_stay_from_block_to_block_and_variables_do_not(self, sandbox: Sandbox) -> None:
        await sandbox.run("kept = open('note', 'w').write('hello')", "python")
        result = await sandbox.run("print(open('note').read(), 'kept' in globals())", "python")
        assert result.stdout == "hello False\n"

    async def test_a_file_goes_in_and_comes_back(self, sandbox: Sandbox) -> None:
        content = bytes(range(256)) * 4096
        await sandbox.put("in/data.bin", b"replaced")
        await sandbox.put("in/data.bin", content)
        code = "import hashlib; print(hashlib.sha256(open('in/data.bin', 'rb').read()).hexdigest())"
        assert (await sandbox.run(code, "python")).stdout.strip() == hashlib.sha256(content).hexdigest()
        assert await sandbox.get("in/data.bin") == content

    async def test_only_regular_files_can_be_read(self, sandbox: Sandbox) -> None:
        await sandbox.run("mkdir folder; mkfifo pipe; ln -s /etc/passwd link; ln -s /etc away", "sh")
        for path in ("nothing", "folder", "pipe", "link", "away/passwd"):
            with pytest.raises(FileNotFoundError):
                await sandbox.get(path)

    async def test_a_file_is_never_put_through_a_link(self, sandbox: Sandbox) -> None:
        await sandbox.run(
            "mkdir /tmp/away; ln -s /tmp/away folder; echo old > /tmp/target; ln -s /tmp/target file", "sh"
        )
        with pytest.raises(SandboxError):
            await sandbox.put("folder/file", b"new")
        await sandbox.put("file", b"new")
        assert (await sandbox.run("ls /tmp/away; cat /tmp/target", "sh")).stdout == "old\n"
        assert await sandbox.get("file") == b"new"

    @pytest.mark.parametrize("path", ["/etc/passwd", "../up", "a/../../up", "", ".", "nul\0"])
    async def test_a_path_that_leaves_the_work_folder_is_refused(self, sandbox: Sandbox, path: str) -> None:
        with pytest.raises(ValueError, match="inside the work folder"):
            await sandbox.put(path, b"")
        with pytest.raises(ValueError, match="inside the work folder"):
            await sandbox.get(path)

    async def test_a_file_that_does_not_fit_is_refused(self, make: MakeSandbox) -> None:
        sandbox = await make(policy=SandboxPolicy(work_bytes=2 * MIB))
        await sandbox.put("first", bytes(MIB))
        for size in (MIB + 1, 3 * MIB):
            with pytest.raises(SandboxError):
                await sandbox.put("second", bytes(size))
        assert await sandbox.get("first") == bytes(MIB)

    async def test_reset_empties_every_folder_however_it_was_left(self, sandbox: Sandbox) -> None:
        code = """
import os
open("/tmp/left", "w"), open("/dev/shm/left", "w")
os.mkdir("closed"); open("closed/file", "w"); os.chmod("closed", 0)
open(b"\\xff", "w")
for level in range(1500):
    os.mkdir("d"); os.chdir("d")
os.chmod("/work", 0)
"""
        assert (await sandbox.run(code, "python")).status == "ok"
        await sandbox.reset()
        assert (await sandbox.run("ls -A /tmp /dev/shm; ls", "sh")).stdout == "/dev/shm:\n\n/tmp:\n"

    async def test_files_that_a_block_made_or_changed_come_back(self, sandbox: Sandbox) -> None:
        await sandbox.put("same", b"same")
        await sandbox.put("changed", b"old")
        result = await sandbox.run("mkdir out; printf new > changed; printf PNG > out/plot.png; touch out/empty", "sh")
        found = {file.path: (file.kind, file.size, file.data) for file in result.artifacts}
        unknown = "application/octet-stream"
        assert found == {
            "changed": (unknown, 3, b"new"),
            "out/empty": (unknown, 0, b""),
            "out/plot.png": ("image/png", 3, b"PNG"),
        }
        assert all(file.sha256 == hashlib.sha256(file.data).hexdigest() for file in result.artifacts)
        await sandbox.put("same", b"by the host")
        assert (await sandbox.run("cat changed", "sh")).artifacts == ()

    async def test_files_come_back_up_to_the_caps_and_the_rest_is_named(self, make: MakeSandbox) -> None:
        sandbox = await make(policy=SandboxPolicy(artifacts=3, artifact_bytes=1000))
        result = await sandbox.run(
            "for n in 1 2 3 4; do head -c 300 /dev/zero > $n; done; head -c 500 /dev/zero > 0", "sh"
        )
        assert [file.path for file in result.artifacts] == ["0", "1"]
        assert result.artifacts_skipped == (("2", "too large"), ("3", "too large"), ("4", "too large"))
        result = await sandbox.run("touch 1 2 3 4; for n in 0 1 2 3 4; do echo > $n; done", "sh")
        assert [file.path for file in result.artifacts] == ["0", "1", "2"]
        assert result.artifacts_skipped == (("3", "too many files"), ("4", "too many files"))

    async def test_a_file_of_the_host_is_seen_below_data_and_cannot_be_changed(
        self, make: MakeSandbox, tmp_path: Path
    ) -> None:
        (tmp_path / "table.csv").write_text("a,b\n")
        (tmp_path / "folder").mkdir()
        (tmp_path / "folder" / "more.csv").write_text("c\n")
        sandbox = await make(
            SandboxMount(source=tmp_path / "table.csv", target="/data/table.csv"),
            SandboxMount(source=tmp_path / "folder", target="/data/all"),
        )
        result = await sandbox.run("cat /data/table.csv /data/all/more.csv", "sh")
        assert result.stdout == "a,b\nc\n"
        code = "echo x >> /data/table.csv || touch /data/all/x || rm /data/table.csv || touch /data/x || echo no"
        assert (await sandbox.run(code, "sh")).stdout == "no\n"
        assert (tmp_path / "table.csv").read_text() == "a,b\n"

    async def test_data_may_be_at_other_places_than_below_data(self, make: MakeSandbox, tmp_path: Path) -> None:
        tables = tmp_path / "tables"
        tables.mkdir()
        (tables / "a.csv").write_text("a,b\n")
        places = ["/srv/deep/tables", "/workspace", "/opt/tables"]
        sandbox = await make(*(SandboxMount(source=tables, target=place) for place in places))
        result = await sandbox.run("cat /srv/deep/tables/a.csv /workspace/a.csv /opt/tables/a.csv", "sh")
        assert result.stdout == "a,b\n" * 3
        code = (
            "touch /srv/x || touch /srv/deep/tables/x || echo x >> /workspace/a.csv || rm /opt/tables/a.csv || echo no"
        )
        assert (await sandbox.run(code, "sh")).stdout == "no\n"

    @pytest.mark.parametrize(("limit", "least"), LEAST_LIMITS.items())
    async def test_a_block_runs_with_the_least_value_of_each_limit(
        self, make: MakeSandbox, limit: str, least: float
    ) -> None:
        sandbox = await make(policy=SandboxPolicy(**{limit: least}))  # pyright: ignore[reportArgumentType] - of the field's type
        result = await sandbox.run("open('made.txt', 'w').write('x')", "python")
        assert (result.status, result.exit_code) == ("ok", 0)

    async def test_a_mount_of_nothing_is_refused(self, make: MakeSandbox, tmp_path: Path) -> None:
        with pytest.raises(InvalidArgumentError, match="does not exist"):
            await make(SandboxMount(source=tmp_path / "nothing", target="/data/nothing"))

    async def test_data_can_be_read_below_a_folder_that_images_close(self, make: MakeSandbox, tmp_path: Path) -> None:
        (tmp_path / "tables").mkdir(mode=0o755)
        (tmp_path / "tables" / "table.csv").write_text("seen")
        (tmp_path / "tables" / "table.csv").chmod(0o644)
        home = "/root"  # inside the sandbox, where images let root alone in
        sandbox = await make(SandboxMount(source=tmp_path / "tables", target=f"{home}/tables"))
        code = f"print(open('{home}/tables/table.csv').read())\nopen('{home}/x', 'w')"
        result = await sandbox.run(code, "python")
        assert (result.stdout, result.exit_code) == ("seen\n", 1)

    async def test_a_block_right_behind_a_large_one_has_all_memory_and_counts_alone(self, make: MakeSandbox) -> None:
        sandbox = await make(policy=SandboxPolicy(memory_bytes=192 * 2**20))
        large = [await sandbox.run("x = b'1' * 120_000_000", "python") for _ in range(3)]
        small = [await sandbox.run("print(1)", "python") for _ in range(3)]
        assert [result.status for result in (*large, *small)] == ["ok"] * 6
        assert min(result.peak_memory_bytes for result in large) > 100_000_000
        assert max(result.peak_memory_bytes for result in small) < 50_000_000

    async def test_closing_twice_is_harmless_and_nothing_runs_afterwards(self, make: MakeSandbox) -> None:
        marker = uuid4().hex
        sandbox = await make()
        block = asyncio.create_task(sandbox.run(leave_process(marker) + "time.sleep(600)", "python"))
        await wait_for_processes(marker)
        await sandbox.close()
        await sandbox.close()
        assert await all_gone(marker, within=0.5)
        with pytest.raises(SandboxDiedError):
            await block
        with pytest.raises(SandboxDiedError, match="closed"):
            await sandbox.run("", "python")

    async def test_f39_a_cancelled_block_is_killed_before_the_cancellation_goes_on(self, sandbox: Sandbox) -> None:
        marker = uuid4().hex
        running = asyncio.Event()

        def listen(_stream: OutputStream, _text: str) -> None:
            running.set()

        code = "open('note', 'w').write('kept')\n" + leave_process(marker) + IGNORE_EVERY_SIGNAL
        block = asyncio.create_task(sandbox.run(code, "python", on_output=listen))
        await running.wait()
        block.cancel()
        with pytest.raises(asyncio.CancelledError):
            await block
        assert await asyncio.to_thread(marked, marker) == []
        assert (await sandbox.run("print(open('note').read())", "python")).stdout == "kept\n"

    async def test_a_block_whose_listener_fails_is_killed(self, sandbox: Sandbox) -> None:
        def fail(_stream: OutputStream, _text: str) -> None:
            raise TimeoutError("the listener's own")

        with pytest.raises(TimeoutError, match="the listener's own"):
            await sandbox.run("echo one; sleep 600", "sh", on_output=fail)
        assert (await sandbox.run("echo two", "sh")).stdout == "two\n"

    async def test_f41_a_block_over_its_time_keeps_what_it_printed(self, sandbox: Sandbox) -> None:
        result = await sandbox.run("import time\nprint('so far')\ntime.sleep(600)", "python", timeout=0.5)
        assert (result.status, result.exit_code, result.stdout) == ("timeout", 124, "so far\n")

    async def test_the_policys_time_limit_holds_where_the_call_gives_none(self, make: MakeSandbox) -> None:
        sandbox = await make(policy=SandboxPolicy(time_limit=0.3))
        assert (await sandbox.run("sleep 600", "sh")).status == "timeout"

    async def test_f54_a_block_that_ignores_every_signal_ends_at_its_limit(self, sandbox: Sandbox) -> None:
        started = time.monotonic()
        result = await sandbox.run(IGNORE_EVERY_SIGNAL, "python", timeout=0.5)
        assert time.monotonic() - started < 0.5 + SLACK
        assert (result.status, result.stdout) == ("timeout", "deaf\n")
        assert (await sandbox.run("echo next", "sh")).stdout == "next\n"

    async def test_f40_a_child_that_holds_stdout_ends_with_its_block(self, sandbox: Sandbox) -> None:
        marker = uuid4().hex
        started = time.monotonic()
        result = await sandbox.run(leave_process(marker), "python", timeout=30)
        assert time.monotonic() - started < 10
        assert (result.status, result.stdout) == ("ok", "left\n")
        assert await asyncio.to_thread(marked, marker) == []

    async def test_f55_bytes_that_are_not_utf_8_are_decoded_with_replacement(self, sandbox: Sandbox) -> None:
        result = await sandbox.run("import os; os.write(1, b'a\\xff\\xfeb')", "python")
        assert (result.status, result.stdout) == ("ok", "a\ufffd\ufffdb")

    async def test_of_much_output_the_head_and_the_tail_are_kept(self, make: MakeSandbox) -> None:
        sandbox = await make(policy=SandboxPolicy(output_kept_bytes=1000))
        result = await sandbox.run("for number in range(10_000): print(number)", "python")
        assert result.status == "ok"
        assert result.stdout.startswith("0\n1\n2\n")
        assert result.stdout.endswith("9998\n9999\n")
        assert f"{result.stdout_cut} bytes cut" in result.stdout
        assert result.stdout_cut == 48_890 - 1000
