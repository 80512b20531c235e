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
            "print(*sorted(globals()), sys.stdin.read(), sys.flags.utf8_mode in (0, 1))\n"
            "print([name for name in sys.modules if 'sandbox' in name], os.getsid(0) == os.getpid())"
        )
        result = await sandbox.run(code, "python")
        assert result.stdout.splitlines() == [
            "__main__ /work/.block.py ['/work/.block.py'] /work /work True",
            "__builtins__ __doc__ __file__ __loader__ __name__ __package__ __spec__ os sys  True",
            "[] True",
        ]

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
