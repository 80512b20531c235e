"""What a Python block finds: an interpreter as if it were new, though it was forked ahead of it.

Subclass `InterpreterContract` and say how to make your sandboxes.
"""

import asyncio

from tests.contracts.sandbox_contract import WAIT, MakeSandbox, SandboxTests

from symposia.core.code_executor import Sandbox, SandboxPolicy

POISON = """
import builtins, os, resource, signal, sys, threading, time
builtins.print = None
sys.modules["json"] = None
sys.path.clear()
os.environ["POISON"] = "1"
os.umask(0o777)
resource.setrlimit(resource.RLIMIT_NOFILE, (8, 8))
signal.signal(signal.SIGTERM, signal.SIG_IGN)
sys.setrecursionlimit(60)
try:
    import numpy
    numpy.pi = 3
except ImportError:
    pass
threading.Thread(target=time.sleep, args=(600,), daemon=True).start()
"""
LOOK = """
import json, os, resource, signal, sys, threading
numpy_pi = round(sys.modules["numpy"].pi, 2) if "numpy" in sys.modules else 3.14
print(callable(print), "POISON" in os.environ, os.umask(0o022), resource.getrlimit(resource.RLIMIT_NOFILE)[0] > 8,
      signal.getsignal(signal.SIGTERM) is signal.SIG_DFL, sys.getrecursionlimit(), numpy_pi, threading.active_count())
"""
CLEAN = "True False 18 True True 1000 3.14 1\n"


async def imported(sandbox: Sandbox, module: str) -> None:
    """Wait until the sandbox has imported a module ahead, which it does when it has nothing else to do."""
    async with asyncio.timeout(WAIT):
        while (await sandbox.run(f"import sys; print({module!r} in sys.modules)", "python")).stdout != "True\n":  # noqa: ASYNC110
            await asyncio.sleep(0.2)  # the sandbox's idle time


class InterpreterContract(SandboxTests):
    """How a block of Python begins and ends."""

    async def test_a_block_looks_like_a_program_that_was_started(self, sandbox: Sandbox) -> None:
        code = (
            "import os, sys\n"
            "print(__name__, __file__, sys.argv, os.getcwd(), sys.path[0], __builtins__ is sys.modules['builtins'])\n"
            "print(repr(sys.stdin.read()), sys.stdin.name, sys.stdout.name, sys.stderr.name)\n"
            "print([name for name in sys.modules if 'sandbox' in name], os.getsid(0) == os.getpid())"
        )
        result = await sandbox.run(code, "python")
        assert result.stdout.splitlines() == [
            "__main__ /work/.block.py ['/work/.block.py'] /work /work True",
            "'' <stdin> <stdout> <stderr>",
            "[] True",
        ]

    async def test_the_names_that_a_block_finds_are_those_of_a_program(self, sandbox: Sandbox) -> None:
        code = "print(*sorted(globals()), __spec__, __doc__, __package__)"
        fresh = await sandbox.run(f"echo '{code}' > program.py; python3 program.py", "sh")
        assert (await sandbox.run(code, "python")).stdout == fresh.stdout

    async def test_a_block_starts_as_clean_as_the_first_whatever_those_before_did(self, sandbox: Sandbox) -> None:
        assert (await sandbox.run(LOOK, "python")).stdout == CLEAN
        assert (await sandbox.run(POISON, "python")).status == "ok"
        result = await sandbox.run(LOOK, "python")
        assert (result.stdout, result.stderr) == (CLEAN, "")

    async def test_s08_a_folder_in_the_place_of_its_file_does_not_keep_a_block_from_running(
        self, sandbox: Sandbox
    ) -> None:
        await sandbox.run("import os; os.remove('.block.py'); os.makedirs('.block.py/k')", "python")
        assert (await sandbox.run("print('runs')", "python")).stdout == "runs\n"
        assert (await sandbox.run("echo runs", "sh")).stdout == "runs\n"

    async def test_what_is_printed_at_an_error_is_what_python_prints(self, sandbox: Sandbox) -> None:
        failing = (
            "def f():\n    return 1 / 0\n\ntry:\n    f()\n"
            "except ZeroDivisionError as error:\n    raise KeyError('k') from error"
        )
        for code in (failing, "print(1)\nx = = 2", "raise SystemExit('why')", "import sys; sys.exit([1])"):
            forked = await sandbox.run(code, "python")
            fresh = await sandbox.run(f"cat > .block.py <<'END'\n{code}\nEND\npython3 .block.py", "sh")
            assert (forked.exit_code, forked.stdout) == (fresh.exit_code, fresh.stdout)
            assert forked.stderr.replace("/work/", "") == fresh.stderr.replace("/work/", "")

    async def test_the_end_of_a_block_is_that_of_a_program(self, sandbox: Sandbox) -> None:
        code = (
            "import atexit, threading, time\n"
            "atexit.register(print, 'exit handler')\n"
            "class Last:\n    def __del__(self): print('freed')\n"
            "last, unflushed = Last(), open('unflushed.txt', 'w')\n"
            "unflushed.write('whole')\n"
            "go = threading.Event()\n"
            "threading.Thread(target=lambda: (go.wait(), print('thread'))).start()\n"
            "threading.Timer(0.05, go.set).start()\n"
            "print('main')"
        )
        result = await sandbox.run(code, "python")
        assert (result.status, result.stdout) == ("ok", "main\nthread\nexit handler\nfreed\n")
        assert [(file.path, file.data) for file in result.artifacts] == [("unflushed.txt", b"whole")]

    async def test_what_is_freed_at_the_end_finds_the_names_of_its_module(self, sandbox: Sandbox) -> None:
        code = (
            "import os\n"
            "name = 'here'\n"
            "class Last:\n    def __del__(self): print(os.path.basename(os.getcwd()), name, __name__)\n"
            "last = Last()"
        )
        result = await sandbox.run(code, "python")
        assert (result.stdout, result.stderr) == ("work here __main__\n", "")

    async def test_a_file_that_is_held_in_a_circle_is_written_whole(self, sandbox: Sandbox) -> None:
        code = (
            "class Holder: pass\n"
            "holder = Holder()\n"
            "holder.itself, holder.file = holder, open('held.txt', 'w')\n"
            "holder.file.write('whole')"
        )
        [file] = (await sandbox.run(code, "python")).artifacts
        assert file.data == b"whole"

    async def test_a_file_that_has_the_number_of_a_stream_is_written_whole(self, sandbox: Sandbox) -> None:
        code = "import os; os.close(0); file = open('left.txt', 'w'); file.write('whole'); print(file.fileno())"
        ring = "\nring = [file]; ring.append(ring); del file"
        result = await sandbox.run(code + ring, "python")
        assert (result.stdout, result.artifacts[0].data) == ("0\n", b"whole")

    async def test_a_daemon_thread_at_the_end_is_silent(self, sandbox: Sandbox) -> None:
        code = (
            "import threading, time\n"
            "def work():\n    while True: time.sleep(0.001)\n"
            "threading.Thread(target=work, daemon=True).start()\n"
            "print('main')"
        )
        result = await sandbox.run(code, "python")
        assert (result.status, result.stdout, result.stderr) == ("ok", "main\n", "")

    async def test_stdout_that_a_block_has_closed_is_no_error(self, sandbox: Sandbox) -> None:
        for code in ("import sys; sys.stdout = None", "import sys; sys.stdout = open('log', 'w'); sys.stdout.close()"):
            assert (await sandbox.run(code, "python")).exit_code == 0

    async def test_an_interrupted_block_ends_as_a_program_and_its_handlers_run(self, sandbox: Sandbox) -> None:
        code = "import atexit; atexit.register(print, 'handler'); raise KeyboardInterrupt"
        result = await sandbox.run(code, "python")
        assert (result.status, result.exit_code, result.stdout) == ("crashed", 130, "handler\n")

    async def test_a_traceback_shows_the_lines_of_python(self, sandbox: Sandbox) -> None:
        """Which ends a line at a line feed, and not at each character that may separate lines of a text."""
        for first in ("\x0c", "text = 'a\u2028b'", "\ufeff# a byte order mark", "# -*- coding: latin-1 -*-"):
            failing = f"{first}\ndef f():\n    return 1 / 0\nf()"
            result = await sandbox.run(failing, "python")
            assert "line 4, in <module>\n    f()\n" in result.stderr
            assert "line 3, in f\n    return 1 / 0\n" in result.stderr

    async def test_endless_recursion_is_told_at_once(self, sandbox: Sandbox) -> None:
        code = "import sys; sys.setrecursionlimit(20_000)\ndef f(): f()\nf()"
        result = await sandbox.run(code, "python", timeout=20)
        assert result.status == "error"
        assert result.stderr.endswith("RecursionError: maximum recursion depth exceeded\n")
        assert len(result.stderr) < 100_000

    async def test_a_failing_excepthook_is_told_with_the_error(self, sandbox: Sandbox) -> None:
        code = "import sys\ndef hook(*_): raise LookupError('hook')\nsys.excepthook = hook\n1 / 0"
        result = await sandbox.run(code, "python")
        assert result.exit_code == 1
        for text in ("Error in sys.excepthook", "LookupError: hook", "Original exception was", "ZeroDivisionError"):
            assert text in result.stderr

    async def test_what_has_the_number_of_the_report_is_left_alone(self, sandbox: Sandbox) -> None:
        code = (
            "import os\n"
            "os.closerange(3, 16)\n"
            "files = [os.open(name, os.O_CREAT | os.O_WRONLY) for name in ('three', 'four')]\n"
            "for file in files: os.write(file, b'data')\n"
            "print(files)"
        )
        result = await sandbox.run(code, "python")
        assert (result.status, result.stdout) == ("ok", "[3, 4]\n")
        assert {file.data for file in result.artifacts} == {b"data"}

    async def test_folders_that_a_block_has_closed_are_open_to_the_next(self, sandbox: Sandbox) -> None:
        await sandbox.run("chmod 000 /tmp /dev/shm .", "sh")
        assert (await sandbox.run("touch /tmp/a /dev/shm/b c && echo open", "sh")).stdout == "open\n"

    async def test_a_fork_at_the_end_is_killed_with_the_block(self, sandbox: Sandbox) -> None:
        code = (
            "import atexit, os, time\natexit.register(lambda: os.fork() or time.sleep(600))\nprint('main', flush=True)"
        )
        result = await sandbox.run(code, "python", timeout=20)
        assert (result.status, result.stdout) == ("ok", "main\n")
        count = "import os; print(len([name for name in os.listdir('/proc') if name.isdigit()]))"
        assert (await sandbox.run(count, "python")).stdout == "2\n"  # the server and this block

    async def test_a_block_that_says_that_it_has_ended_and_goes_on_is_killed(self, sandbox: Sandbox) -> None:
        code = (
            "import os, struct, threading, time\n"
            "os.write(4, struct.pack('=Bdq', 0, 0.0, 0))\n"
            "open('before.txt', 'w').close()\n"
            "while True: open('after.txt', 'a').write('x')"
        )
        result = await sandbox.run(code, "python", timeout=20)
        assert result.status == "ok"
        listed = await sandbox.run("ls -l after.txt | wc -l; sleep 0.2; ls -l after.txt", "sh")
        again = await sandbox.run("ls -l after.txt | wc -l; sleep 0.2; ls -l after.txt", "sh")
        assert listed.stdout == again.stdout

    async def test_a_block_that_is_cancelled_with_its_request_leaves_the_sandbox_alive(self, sandbox: Sandbox) -> None:
        for ticks in range(8):
            run = asyncio.create_task(sandbox.run("import time; time.sleep(600)", "python"))
            for _ in range(ticks):
                await asyncio.sleep(0)
            run.cancel()
            await asyncio.wait([run])
            assert run.cancelled()
        assert (await sandbox.run("print('alive')", "python")).stdout == "alive\n"

    async def test_processes_that_a_block_starts_by_multiprocessing_print_at_once(self, sandbox: Sandbox) -> None:
        code = (
            "import multiprocessing, os\n"
            "def work():\n    print('child'); os._exit(0)\n"
            "if __name__ == '__main__':\n"
            "    child = multiprocessing.get_context('spawn').Process(target=work)\n"
            "    child.start(); child.join(); print(child.exitcode)"
        )
        assert (await sandbox.run(code, "python")).stdout == "child\n0\n"

    async def test_nonsense_where_a_block_reports_its_end_is_ignored(self, sandbox: Sandbox) -> None:
        code = "import os, sys; os.write(4, b'nonsense' * 100); sys.exit(3)"
        assert (await sandbox.run(code, "python")).exit_code == 3
        nan = "import os, struct, sys; os.write(4, struct.pack('=Bdq', 0, float('nan'), -1)); sys.exit(4)"
        assert (await sandbox.run(nan, "python")).exit_code == 4
        assert (await sandbox.run("import os; os.close(4); print('closed')", "python")).stdout == "closed\n"

    async def test_a_block_keeps_no_way_to_the_server(self, sandbox: Sandbox) -> None:
        result = await sandbox.run("import os; print(sorted(os.listdir('/proc/self/fd')))", "python")
        assert result.stdout in ("['0', '1', '2', '3', '4']\n", "['0', '1', '2', '4', '5']\n")


class ImportedAheadContract(SandboxTests):
    """What a sandbox imports when it has nothing else to do. Needs a Python with numpy, pandas and matplotlib."""

    async def test_libraries_are_imported_ahead_and_random_numbers_differ(self, sandbox: Sandbox) -> None:
        await imported(sandbox, "matplotlib.pyplot")
        code = "import random, numpy; print(random.random(), numpy.random.random())"
        first, second = [(await sandbox.run(code, "python")).stdout.split() for _ in range(2)]
        assert not set(first) & set(second)

    async def test_what_is_imported_ahead_is_the_policys_choice(self, make: MakeSandbox) -> None:
        sandbox = await make(policy=SandboxPolicy(imported_ahead=("decimal", "no_such_module")))
        await imported(sandbox, "decimal")
        loaded = await sandbox.run("import sys; print('numpy' in sys.modules)", "python")
        assert loaded.stdout == "False\n"

    async def test_plots_that_are_shown_or_left_open_come_back(self, sandbox: Sandbox) -> None:
        code = (
            "import matplotlib.pyplot as plt\n"
            "plt.plot([1, 2]); plt.show()\n"
            "plt.figure(); plt.plot([3]); plt.savefig('mine.png')\n"
            "plt.figure(); plt.bar([1], [2])\n"
            "plt.figure()"
        )
        for state in ("not imported yet", "imported ahead"):
            result = await sandbox.run(code, "python")
            assert (result.status, result.stderr) == ("ok", ""), state
            assert sorted(file.path for file in result.artifacts) == ["mine.png", "plot-1.png", "plot-2.png"], state
            assert all(file.data.startswith(b"\x89PNG") for file in result.artifacts)
            await sandbox.reset()
            await imported(sandbox, "matplotlib.pyplot")

    async def test_what_a_block_has_imported_is_there_for_the_next_one_at_once(self, sandbox: Sandbox) -> None:
        assert (await sandbox.run("import pandas; print(pandas.NA)", "python")).status == "ok"
        loaded = await sandbox.run("import sys; print('pandas' in sys.modules)", "python")
        assert loaded.stdout == "True\n"

    async def test_what_a_module_prints_or_exits_with_when_it_is_imported_ahead_is_not_the_blocks(
        self, make: MakeSandbox
    ) -> None:
        sandbox = await make(policy=SandboxPolicy(imported_ahead=("this", "unittest.__main__", "decimal")))
        await imported(sandbox, "decimal")
        assert (await sandbox.run("print('mine')", "python")).stdout == "mine\n"

    async def test_what_is_imported_ahead_reads_nothing_of_a_block(self, make: MakeSandbox) -> None:
        sandbox = await make()
        poison = (
            "mkdir -p /tmp/matplotlib /tmp/.config/matplotlib\n"
            "echo 'lines.linewidth: 77' > /tmp/matplotlib/matplotlibrc\n"
            "cp /tmp/matplotlib/matplotlibrc /tmp/.config/matplotlib\n"
            "cp /tmp/matplotlib/matplotlibrc .\n"
            "mkfifo /tmp/matplotlib/fontlist-v390.json"
        )
        await sandbox.run(poison, "sh")
        await imported(sandbox, "matplotlib.pyplot")
        look = "import matplotlib; print(matplotlib.rcParams['lines.linewidth'])"
        assert (await sandbox.run(look, "python")).stdout == "1.5\n"

    async def test_a_plot_is_saved_wherever_the_block_has_gone_and_as_it_was_last(self, sandbox: Sandbox) -> None:
        code = (
            "import os, matplotlib.pyplot as plt\n"
            "plt.plot([1]); plt.savefig('first.png'); plt.plot([5, 1]); os.chdir('/tmp')"
        )
        result = await sandbox.run(code, "python")
        assert sorted(file.path for file in result.artifacts) == ["first.png", "plot-1.png"]

    async def test_a_figure_that_cannot_be_drawn_is_told_and_the_others_come(self, sandbox: Sandbox) -> None:
        code = (
            "import matplotlib.pyplot as plt\n"
            "plt.plot([1]); plt.title(r'$\\frac{$')\n"
            "plt.figure(); plt.plot([2]); plt.show()"
        )
        result = await sandbox.run(code, "python")
        assert "ParseException" in result.stderr or "ValueError" in result.stderr
        assert [file.path for file in result.artifacts] == ["plot-2.png"]
