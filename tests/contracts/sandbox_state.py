"""What lives on from block to block in a sandbox whose policy is stateful, and what does not.

Subclass `StatefulContract` and say how to make your sandboxes.
"""

import asyncio
from dataclasses import replace

import pytest
from tests.contracts.sandbox_contract import IGNORE_EVERY_SIGNAL, MIB, SLACK, MakeSandbox, SandboxTests

from symposia.core.code_executor import LEAST_LIMITS, Sandbox, SandboxPolicy, SandboxResult

STATEFUL = SandboxPolicy(stateful=True)
ROLLED_BACK = "Variables are as before this block."
LOST = "The variables are lost. The next block begins anew."
LOST_BEFORE = "The variables of earlier blocks were lost before this block, which began anew."
PROCESSES = "print(len([name for name in os.listdir('/proc') if name.isdigit()]))"
# From a block, the other processes but PID 1: the checkpoint of the interpreter.
CHECKPOINT = "[int(name) for name in os.listdir('/proc') if name.isdigit() and int(name) not in (1, os.getpid())]"

# The interpreter forks the checkpoint of the next block when this block has ended. It stops at 800 MiB.
GRABS_MEMORY_IN_A_FORK = """
import os, time
kept = []
def grab():
    while len(kept) < 80:
        kept.append(b"x" * (10 << 20))
        with open("grabbed", "w") as file:
            file.write(str(10 * len(kept)))
        time.sleep(0.01)
    time.sleep(60)
os.register_at_fork(before=grab)
"""


async def printed(sandbox: Sandbox, code: str) -> str:
    """What a block prints that ends well, and that has nothing to note."""
    result = await sandbox.run(code, "python")
    assert (result.status, result.stderr, result.notes) == ("ok", "", ())
    return result.stdout


async def failed(sandbox: Sandbox, code: str, *, timeout: float | None = None) -> SandboxResult:
    """The result of a block that does not end well."""
    result = await sandbox.run(code, "python", timeout=timeout)
    assert result.status != "ok"
    return result


class StatefulContract(SandboxTests):
    """One interpreter for all Python blocks, with a checkpoint before each."""

    @pytest.fixture
    async def sandbox(self, make: MakeSandbox) -> Sandbox:
        return await make(policy=STATEFUL)

    async def test_variables_imports_and_classes_live_on(self, sandbox: Sandbox) -> None:
        await printed(sandbox, "import json as j\nx = [1]\nclass Point: pass\np = Point()")
        await printed(sandbox, "x.append(2)\ndef double(): return [2 * each for each in x]")
        assert (
            await printed(sandbox, "print(j.dumps(double()), type(p) is Point, __name__)") == "[2, 4] True __main__\n"
        )

    async def test_the_folder_the_environment_and_open_files_live_on(self, sandbox: Sandbox) -> None:
        await printed(sandbox, "import os; os.chdir('/tmp'); os.environ['MINE'] = '1'; f = open('notes', 'w+')")
        await printed(sandbox, "f.write('one ')")
        assert await printed(sandbox, "print(os.getcwd(), os.environ['MINE'], open('notes').read())") == "/tmp 1 one \n"
        assert await printed(sandbox, "f.write('two'); f.flush(); print(open('notes').read())") == "one two\n"

    async def test_a_socket_stays_connected(self, sandbox: Sandbox) -> None:
        await printed(sandbox, "import socket; near, far = socket.socketpair(); near.send(b'sent')")
        assert await printed(sandbox, "print(far.recv(10))") == "b'sent'\n"

    async def test_a_class_of_an_earlier_block_can_be_pickled(self, sandbox: Sandbox) -> None:
        await printed(sandbox, "import pickle\nclass Point:\n    def __init__(self, x): self.x = x")
        await printed(sandbox, "kept = pickle.dumps(Point(3))")
        assert await printed(sandbox, "print(pickle.loads(kept).x)") == "3\n"

    async def test_the_process_and_its_random_numbers_go_on(self, sandbox: Sandbox) -> None:
        whole = await printed(sandbox, "import random; random.seed(7); print([random.random() for _ in range(2)])")
        first = await printed(sandbox, "import os; random.seed(7); pid = os.getpid(); first = random.random()")
        assert first == ""
        assert await printed(sandbox, "print([first, random.random()])") == whole
        assert await printed(sandbox, "print(os.getpid() == pid)") == "True\n"

    async def test_what_was_assigned_before_an_error_is_kept(self, sandbox: Sandbox) -> None:
        for ending in ("1 / 0", "raise SystemExit(1)", "raise KeyboardInterrupt"):
            result = await failed(sandbox, f"x = {ending!r}\n{ending}\nx = 'after'")
            assert (result.status, result.notes) == ("error", ())
            assert await printed(sandbox, "print(x)") == f"{ending}\n"

    async def test_a_traceback_shows_the_lines_of_earlier_blocks(self, sandbox: Sandbox) -> None:
        await printed(sandbox, "def divide():\n    return 1 / 0  # by nothing")
        result = await failed(sandbox, "print('here')\ndivide()")
        assert 'File "<block 2>", line 2, in <module>' in result.stderr
        assert 'File "<block 1>", line 2, in divide' in result.stderr
        assert "return 1 / 0  # by nothing" in result.stderr
        source = await printed(sandbox, "import inspect; print(inspect.getsource(divide))")
        assert source == "def divide():\n    return 1 / 0  # by nothing\n\n"

    async def test_code_that_runs_while_the_next_block_is_prepared_keeps_to_the_memory_limit(
        self, make: MakeSandbox
    ) -> None:
        sandbox = await make(policy=replace(STATEFUL, memory_bytes=128 * MIB))
        await printed(sandbox, GRABS_MEMORY_IN_A_FORK)
        result = await sandbox.run("print(open('grabbed').read())", "python")
        assert LOST_BEFORE in result.notes
        assert 10 <= int(result.stdout) <= 300

    async def test_a_block_that_is_ended_by_its_time_limit_changes_no_variable(self, sandbox: Sandbox) -> None:
        await printed(sandbox, "x = [1]")
        for code in ("x.append(2)\nwhile True: pass", "x.append(3)\n" + IGNORE_EVERY_SIGNAL):
            result = await failed(sandbox, code, timeout=1)
            assert (result.status, result.exit_code, list(result.notes)) == ("timeout", 124, [ROLLED_BACK])
            assert 1 <= result.wall_seconds < 1 + SLACK
            assert await printed(sandbox, "print(x)") == "[1]\n"

    async def test_random_numbers_go_on_as_before_the_block_that_was_ended(self, sandbox: Sandbox) -> None:
        await printed(sandbox, "import random; random.seed(7)")
        await failed(sandbox, "random.random()\nwhile True: pass", timeout=0.5)
        again = await printed(sandbox, "after = random.random(); random.seed(7); print(after == random.random())")
        assert again == "True\n"

    async def test_a_block_that_takes_too_much_memory_changes_no_variable(self, make: MakeSandbox) -> None:
        sandbox = await make(policy=replace(STATEFUL, memory_bytes=128 * MIB))
        await printed(sandbox, "x = 'small'")
        result = await failed(sandbox, "x = 'large'\nkept = [bytearray(b'x' * (8 << 20)) for _ in range(100)]")
        assert (result.status, list(result.notes)) == ("out_of_memory", [ROLLED_BACK])
        assert await printed(sandbox, "print(x)") == "small\n"

    async def test_a_block_that_prints_too_much_changes_no_variable(self, make: MakeSandbox) -> None:
        sandbox = await make(policy=replace(STATEFUL, output_limit_bytes=MIB))
        await printed(sandbox, "x = 1")
        result = await failed(sandbox, "x = 2\nwhile True: print('x' * 1000)")
        assert (result.status, list(result.notes)) == ("output_limit", [ROLLED_BACK])
        assert await printed(sandbox, "print(x)") == "1\n"

    async def test_a_block_that_is_cancelled_changes_no_variable(self, sandbox: Sandbox) -> None:
        await printed(sandbox, "x = 1")
        started = asyncio.Event()
        block = asyncio.create_task(
            sandbox.run(
                "x = 2; print('go')\nwhile True: pass", "python", on_output=lambda _stream, _text: started.set()
            )
        )
        await started.wait()
        block.cancel()
        with pytest.raises(asyncio.CancelledError):
            await block
        assert await printed(sandbox, "print(x)") == "1\n"

    async def test_a_block_that_is_cancelled_at_any_moment_loses_no_variable(self, sandbox: Sandbox) -> None:
        await printed(sandbox, "import time; x = 1")
        for moment in range(40):
            block = asyncio.create_task(sandbox.run("y = 2; time.sleep(0.005)", "python"))
            await asyncio.sleep(moment * 0.0005)
            block.cancel()
            await asyncio.wait([block])
            assert await printed(sandbox, "print(x)") == "1\n"

    async def test_a_block_that_ends_its_process_changes_no_variable(self, sandbox: Sandbox) -> None:
        await printed(sandbox, "import os, signal; x = 1")
        result = await failed(sandbox, "x = 2; os._exit(3)")
        assert (result.status, result.exit_code, list(result.notes)) == ("error", 3, [ROLLED_BACK])
        result = await failed(sandbox, "x = 2; os.kill(os.getpid(), signal.SIGSEGV)")
        assert (result.status, result.exit_code, list(result.notes)) == ("crashed", 139, [ROLLED_BACK])
        result = await sandbox.run("x = 2; os.execv('/bin/sh', ['sh', '-c', 'echo replaced'])", "python")
        assert (result.stdout, list(result.notes)) == ("replaced\n", [ROLLED_BACK])
        assert await printed(sandbox, "print(x)") == "1\n"

    async def test_the_first_block_is_rolled_back_to_nothing(self, sandbox: Sandbox) -> None:
        result = await failed(sandbox, "x = 1\nwhile True: pass", timeout=0.5)
        assert list(result.notes) == [ROLLED_BACK]
        assert await printed(sandbox, "print('x' in globals())") == "False\n"

    async def test_files_are_not_rolled_back(self, sandbox: Sandbox) -> None:
        await failed(sandbox, "print('kept', file=open('file', 'w'), flush=True)\nwhile True: pass", timeout=0.5)
        assert await sandbox.get("file") == b"kept\n"

    async def test_a_shell_block_runs_beside_the_variables(self, sandbox: Sandbox) -> None:
        await printed(sandbox, "x = 1")
        for code, status in (("echo made > file", "ok"), ("exit 3", "error"), ("sleep 600 & echo left", "ok")):
            result = await sandbox.run(code, "sh")
            assert (result.status, result.notes) == (status, ())
        result = await sandbox.run("while :; do :; done", "sh", timeout=0.5)
        assert (result.status, result.notes) == ("timeout", ())
        assert await printed(sandbox, "import os; print(x, open('file').read())") == "1 made\n\n"
        assert await printed(sandbox, PROCESSES) == "3\n"

    async def test_processes_and_threads_end_with_their_block(self, sandbox: Sandbox) -> None:
        await printed(sandbox, "import os, subprocess, threading, time; x = 1; " + PROCESSES)
        await printed(sandbox, "left = subprocess.Popen(['sleep', '600']); x += 1")
        assert await printed(sandbox, PROCESSES) == "3\n"
        await printed(sandbox, "threading.Thread(target=time.sleep, args=(600,), daemon=True).start(); x += 1")
        assert (
            await printed(sandbox, "print(x, threading.active_count(), len(os.listdir('/proc/self/task')))")
            == "3 1 1\n"
        )

    async def test_threads_that_are_no_daemons_are_waited_for(self, sandbox: Sandbox) -> None:
        await printed(
            sandbox,
            "import threading\nfrom concurrent.futures import ThreadPoolExecutor\ngo, done = threading.Event(), []\n"
            "threading.Thread(target=lambda: (go.wait(), done.append('thread'))).start()\n"
            "pool = ThreadPoolExecutor(1); future = pool.submit(lambda: done.append('pool'))\n"
            "threading.Timer(0.05, go.set).start()",
        )
        assert await printed(sandbox, "print(sorted(done))") == "['pool', 'thread']\n"
        assert await printed(sandbox, "with ThreadPoolExecutor(2) as pool: print(*pool.map(abs, [-1, -2]))") == "1 2\n"

    async def test_a_process_that_a_block_forked_runs_no_later_block(self, sandbox: Sandbox) -> None:
        await printed(sandbox, "import os; x = 1; child = os.fork()")
        assert await printed(sandbox, "print(child > 0, x); " + PROCESSES) == "True 1\n3\n"

    async def test_each_block_has_its_own_streams(self, sandbox: Sandbox) -> None:
        await printed(sandbox, "import io, os, sys; sys.stdout = io.StringIO(); print('into the air')")
        assert await printed(sandbox, "print('heard'); os.close(1); os.close(0); sys.stderr = None") == "heard\n"
        assert await printed(sandbox, "print(repr(sys.stdin.read())); exit()") == "''\n"
        result = await sandbox.run("print('out'); print('err', file=sys.stderr)", "python")
        assert (result.stdout, result.stderr) == ("out\n", "err\n")

    async def test_exit_handlers_do_not_run_at_the_end_of_a_block(self, sandbox: Sandbox) -> None:
        assert await printed(sandbox, "import atexit; atexit.register(print, 'handler')") == ""
        assert await printed(sandbox, "print('next')") == "next\n"

    async def test_what_files_buffer_is_in_the_results_and_not_written_twice(self, sandbox: Sandbox) -> None:
        result = await sandbox.run("f = open('rows', 'w'); f.write('one\\n')", "python")
        assert [(file.path, file.data) for file in result.artifacts] == [("rows", b"one\n")]
        await failed(sandbox, "while True: pass", timeout=0.5)
        await printed(sandbox, "f.write('two\\n')")
        assert await sandbox.get("rows") == b"one\ntwo\n"

    async def test_limits_that_a_block_has_lowered_stop_no_later_block(self, sandbox: Sandbox) -> None:
        await printed(sandbox, "import resource; x = 1")
        for limit in ("RLIMIT_NOFILE, (3, 3)", "RLIMIT_NOFILE, (5, 5)", "RLIMIT_FSIZE, (0, 0)", "RLIMIT_AS, (1, 1)"):
            await sandbox.run(f"import resource; resource.setrlimit(resource.{limit})", "python")
            # That the interpreter is broken takes seconds to tell. They are not this block's.
            result = await sandbox.run("print('runs')", "python", timeout=2)
            assert (result.status, result.stdout) == ("ok", "runs\n"), limit

    async def test_the_use_of_each_block_is_its_own(self, sandbox: Sandbox) -> None:
        busy = await sandbox.run("import time\nx = b'x' * (64 << 20)\nwhile time.process_time() < 0.2: pass", "python")
        assert busy.cpu_seconds > 0.1
        assert busy.peak_memory_bytes > 32 * MIB
        idle = await sandbox.run("del x", "python")
        assert idle.cpu_seconds < 0.1
        assert idle.peak_memory_bytes < 32 * MIB
        assert (await failed(sandbox, "while True: pass", timeout=0.3)).cpu_seconds < 0.3 + SLACK

    async def test_the_least_limits_leave_room_for_the_checkpoint(self, make: MakeSandbox) -> None:
        least = {name: int(LEAST_LIMITS[name]) for name in ("memory_bytes", "processes", "open_files")}
        sandbox = await make(policy=replace(STATEFUL, **least))  # pyright: ignore[reportArgumentType] - limits are numbers
        await printed(sandbox, "x = 1")
        await printed(sandbox, "x += 1")
        assert list((await failed(sandbox, "x = 0\nwhile True: pass", timeout=0.5)).notes) == [ROLLED_BACK]
        assert await printed(sandbox, "print(x)") == "2\n"

    async def test_a_reset_ends_the_variables(self, sandbox: Sandbox) -> None:
        await printed(sandbox, "x = 1")
        await sandbox.reset()
        assert await printed(sandbox, "print('x' in globals())") == "False\n"

    async def test_a_large_block_runs(self, sandbox: Sandbox) -> None:
        await printed(sandbox, f"x = {'1' * 4_000_000!r}")
        assert await printed(sandbox, f"# {'-' * 4_000_000}\nprint(len(x))") == "4000000\n"

    async def test_many_blocks_leave_nothing(self, sandbox: Sandbox) -> None:
        await printed(sandbox, "import os; total = 0\ndef open_files(): return sorted(os.listdir('/proc/self/fd'))")
        before = await printed(sandbox, "print(open_files())")
        for _ in range(50):
            await printed(sandbox, "total += 1")
        assert await printed(sandbox, "print(total)") == "50\n"
        assert await printed(sandbox, "print(open_files())") == before
        assert await printed(sandbox, PROCESSES) == "3\n"

    async def test_the_work_between_two_blocks_does_not_go_on(self, sandbox: Sandbox) -> None:
        """A block that only says that it has ended is stopped all the same."""
        await printed(sandbox, "import os, struct, threading, time")
        forged = (
            "os.write(3, struct.pack('=Bdq', 0, 0.0, 0))\n"
            "while True: open('/tmp/ticks', 'a').write('x'); time.sleep(0.001)"
        )
        result = await sandbox.run(forged, "python")
        assert result.status == "ok"
        count = "wc -c < /tmp/ticks"
        first = (await sandbox.run(count, "sh")).stdout
        assert (await sandbox.run(count, "sh")).stdout == first
        result = await sandbox.run("print('runs')", "python")
        assert result.stdout == "runs\n"

    async def test_a_block_that_kills_or_continues_its_checkpoint_costs_no_later_block(self, sandbox: Sandbox) -> None:
        await printed(sandbox, "import os, signal, time; x = 1")
        await printed(sandbox, f"for each in {CHECKPOINT}: os.kill(each, signal.SIGKILL)\nx = 2")
        assert await printed(sandbox, "print(x)") == "2\n"
        await printed(sandbox, f"for each in {CHECKPOINT}: os.kill(each, signal.SIGCONT)")
        assert await printed(sandbox, "print(x)") == "2\n"
        killed = f"for each in {CHECKPOINT}: os.kill(each, signal.SIGKILL)\nwhile True: pass"
        result = await failed(sandbox, killed, timeout=1)
        assert LOST in result.notes
        assert await printed(sandbox, "print('x' in globals())") == "False\n"


class StatefulWithLibrariesContract(SandboxTests):
    """Figures and tables in one interpreter. Needs a Python with numpy, pandas and matplotlib."""

    @pytest.fixture
    async def sandbox(self, make: MakeSandbox) -> Sandbox:
        return await make(policy=STATEFUL)

    async def test_figures_are_saved_once_and_closed_with_their_block(self, sandbox: Sandbox) -> None:
        draw = "import matplotlib.pyplot as plt\nplt.plot([1, 4, 9])"
        result = await sandbox.run(draw, "python")
        assert [file.path for file in result.artifacts] == ["plot-1.png"]
        result = await sandbox.run("print(plt.get_fignums()); plt.plot([1]); plt.show()", "python")
        assert result.stdout == "[]\n"
        assert [file.path for file in result.artifacts] == ["plot-2.png"]

    async def test_numpys_random_numbers_go_on_and_tables_are_rolled_back(self, sandbox: Sandbox) -> None:
        await printed(sandbox, "import numpy as np, pandas as pd; np.random.seed(1); a = np.random.random(2)")
        await printed(sandbox, "np.random.seed(1); b = [np.random.random()]; table = pd.DataFrame({'x': [1, 2]})")
        assert await printed(sandbox, "b.append(np.random.random()); print(list(a) == b)") == "True\n"
        await failed(sandbox, "table['x'] = 0\nwhile True: pass", timeout=1)
        assert await printed(sandbox, "print(table.x.sum())") == "3\n"
