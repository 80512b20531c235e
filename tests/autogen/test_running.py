"""Each program runs twice, by python and by `python -m symposia.autogen`; whatever it can see is the same."""

import signal
import sys
from pathlib import Path

import pytest
from tests.support.interpreter import python

FACTS = """\
import sys, __main__
print(sys.argv, sys.path[0], sys.stdin.read())
print(__name__, globals().get("__file__"), type(__spec__).__name__, __package__, type(__loader__).__name__)
print(__main__.__dict__ is globals(), sys.modules["__main__"] is __main__, __builtins__.__name__)
print(sorted(globals()))
"""
HOOK = ("-m", "symposia.autogen")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "facts.py").write_text(FACTS)
    inner = tmp_path / "package" / "inner"
    inner.mkdir(parents=True)
    (tmp_path / "package" / "__init__.py").write_text("import sys; print('on the way:', sys.argv)")
    (tmp_path / "package" / "__main__.py").write_text(FACTS)
    (inner / "link.py").symlink_to(tmp_path / "facts.py")
    (inner / "facts.py").write_text(FACTS)
    return tmp_path


@pytest.mark.parametrize(
    "arguments",
    [
        ["facts.py", "one", "-m", "--two"],
        ["./package/../facts.py"],
        ["package/inner/link.py"],
        ["-m", "facts", "-c", "one"],
        ["-m", "package", "one"],
        ["-m", "package.inner.facts"],
        ["-c", FACTS, "one", "-"],
    ],
)
def test_a_program_finds_around_itself_what_it_finds_without_the_hook(folder: Path, arguments: list[str]) -> None:
    plain = python(*arguments, folder=folder, given="typed in")
    hooked = python(*HOOK, *arguments, folder=folder, given="typed in")
    assert (plain.returncode, plain.stderr) == (0, "")
    assert (hooked.stdout, hooked.stderr, hooked.returncode) == (plain.stdout, "", 0)


def test_a_program_may_come_on_standard_input(folder: Path) -> None:
    plain, hooked = (python(*how, "-", "one", folder=folder, given=FACTS) for how in ((), HOOK))
    assert hooked.stdout == plain.stdout


def test_the_path_stays_as_it_is_where_python_was_told_to_be_safe(folder: Path) -> None:
    plain, hooked = (python("-P", *how, "facts.py", folder=folder) for how in ((), HOOK))
    assert hooked.stdout == plain.stdout


@pytest.mark.parametrize(
    "body",
    [
        "import sys; sys.exit()",
        "import sys; sys.exit(7)",
        "import sys; sys.exit('bye')",
        "raise SystemExit(True)",
        "import atexit; atexit.register(print, 'at the end'); 1 / 0",
        "def f():\n    raise ValueError\ntry:\n    f()\nexcept ValueError as error:\n    raise KeyError from error",
        "raise ExceptionGroup('several', [ValueError(1), KeyError(2)])",
        "import sys; sys.excepthook = lambda *seen: print('mine:', seen[0], seen[2].tb_lineno, seen[2].tb_next); 1 / 0",
        "import asyncio\nasync def main():\n    raise TimeoutError\nasyncio.run(main())",
        "import no_such_module",
        "x = (",
        "print('é')\n  y = 1",
        "import threading\nthreading.Thread(target=lambda: print('in a thread')).start()",
        "raise KeyboardInterrupt",
    ],
)
def test_a_program_ends_as_it_does_without_the_hook(tmp_path: Path, body: str) -> None:
    (tmp_path / "program.py").write_text(body)
    plain, hooked = (python(*how, "program.py", folder=tmp_path) for how in ((), HOOK))
    assert (hooked.stdout, hooked.stderr, hooked.returncode) == (plain.stdout, plain.stderr, plain.returncode)


def test_an_interrupted_program_ends_by_the_signal(tmp_path: Path) -> None:
    done = python(*HOOK, "-c", "raise KeyboardInterrupt", folder=tmp_path)
    assert done.returncode == -signal.SIGINT


def test_the_traceback_of_a_missing_name_ends_in_the_users_line(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text("from autogen_agentchat.teams import Zzz\n")
    done = python(*HOOK, "program.py", folder=tmp_path)
    assert done.stderr.splitlines()[:3] == [
        "Traceback (most recent call last):",
        f'  File "{tmp_path}/program.py", line 1, in <module>',
        "    from autogen_agentchat.teams import Zzz",
    ]
    assert done.stderr.splitlines()[3].startswith("ModuleNotFoundError: Neither AutoGen 0.7.5 nor Symposia has ")
    assert done.returncode == 1


@pytest.mark.parametrize(
    ("arguments", "message", "status"),
    [
        (["nowhere.py"], "can't open file '{folder}/nowhere.py': [Errno 2] No such file or directory", 2),
        (["-m", "nowhere"], "No module named nowhere", 1),
        (["-m", "xml"], "No module named xml.__main__; 'xml' is a package and cannot be directly executed", 1),
        (["-m", "sys"], "No code object available for sys", 1),
    ],
)
def test_what_cannot_be_started_is_refused_as_python_does(
    tmp_path: Path, arguments: list[str], message: str, status: int
) -> None:
    plain, hooked = (python(*how, *arguments, folder=tmp_path) for how in ((), HOOK))
    assert plain.stderr == f"{sys.executable}: {message.format(folder=tmp_path)}\n"
    assert hooked.stderr == f"{sys.executable} -m symposia.autogen: {message.format(folder=tmp_path)}\n"
    assert hooked.returncode == plain.returncode == status


@pytest.mark.parametrize("arguments", [[], ["-x"], ["-m"], ["-c"]])
def test_a_command_line_that_names_no_program_is_answered_with_the_usage(arguments: list[str]) -> None:
    done = python(*HOOK, *arguments)
    assert (done.returncode, done.stderr.split("\n")[0]) == (2, "usage: python -m symposia.autogen SCRIPT [ARGUMENTS]")


def test_help_is_given() -> None:
    assert python(*HOOK, "--help").stdout.startswith("usage: python -m symposia.autogen SCRIPT")


def test_a_program_can_pickle_its_own_classes(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(
        "import pickle\nclass Mine: pass\nprint(type(pickle.loads(pickle.dumps(Mine()))) is Mine)"
    )
    assert python(*HOOK, "program.py", folder=tmp_path).stdout == "True\n"
