"""`python -m symposia.autogen`: runs a program so that it cannot tell the difference."""

import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from symposia._autogen._program import CannotStartError, Program, command, module, script, standard_input
from symposia._autogen._tracebacks import hiding_us

USAGE = """\
usage: python -m symposia.autogen SCRIPT [ARGUMENTS]
       python -m symposia.autogen -m MODULE [ARGUMENTS]
       python -m symposia.autogen -c CODE [ARGUMENTS]
       python -m symposia.autogen - [ARGUMENTS]          (the program comes on standard input)

Runs a program written for AutoGen on Symposia, as python itself would run it.
Options of Python go before -m: python -u -W error -m symposia.autogen SCRIPT
"""


def run(arguments: Sequence[str]) -> None:
    """Run the program that the command line names, with its exit status, and its tracebacks without our frames."""
    with _as_python_ends():
        match arguments:
            case ["-h" | "--help", *_]:
                sys.stdout.write(USAGE)
            case ["-m", name, *rest]:
                sys.argv = ["-m", *rest]  # what a package that is imported on the way sees
                _execute(module(name), rest)
            case ["-c", code, *rest]:
                _set_first_path("")
                _execute(command(code), rest)
            case ["-", *rest]:
                _set_first_path("")
                _execute(standard_input(), rest)
            case [path, *rest] if not path.startswith("-"):
                program = script(path)
                _set_first_path(str(Path(path).resolve().parent))
                _execute(program, rest)
            case _:
                sys.stderr.write(USAGE)
                sys.exit(2)


def _execute(program: Program, arguments: Sequence[str]) -> None:
    sys.argv = [program.name, *arguments]
    main = ModuleType("__main__")
    vars(main).update(program.attributes)
    sys.modules["__main__"] = main
    exec(program.code, vars(main))  # noqa: S102 - running the user's program is what this is for


def _set_first_path(folder: str) -> None:
    """Replace the current folder, which Python has put there for `-m` unless it was told not to (`-P`)."""
    if not sys.flags.safe_path:
        sys.path[0] = folder


@contextmanager
def _as_python_ends() -> Generator[None]:
    try:
        yield
    except CannotStartError as error:
        sys.stderr.write(f"{sys.executable} -m symposia.autogen: {error}\n")
        sys.exit(error.status)
    except SystemExit:
        raise
    except BaseException:
        # Left to the interpreter, which knows the exit status of each; only what it prints is ours to clean.
        sys.excepthook = hiding_us(sys.excepthook)
        raise
