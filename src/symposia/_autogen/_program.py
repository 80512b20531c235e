"""`python -m symposia.autogen`: runs a program exactly as `python` does.

Three parts: finding the program's code and what it finds around itself, executing it as `__main__`, and taking the
hook's frames out of its tracebacks.
"""

from __future__ import annotations

import builtins
import importlib.util
import io
import sys
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.abc import InspectLoader
from importlib.machinery import BuiltinImporter, ModuleSpec, SourceFileLoader
from itertools import dropwhile
from pathlib import Path
from types import CodeType, ModuleType, TracebackType

USAGE = """\
usage: python -m symposia.autogen SCRIPT [ARGUMENTS]
       python -m symposia.autogen -m MODULE [ARGUMENTS]
       python -m symposia.autogen -c CODE [ARGUMENTS]
       python -m symposia.autogen - [ARGUMENTS]          (the program comes on standard input)

Runs a program written for AutoGen on Symposia, as python itself would run it.
Options of Python go before -m: python -u -W error -m symposia.autogen SCRIPT
"""

ExceptHook = Callable[[type[BaseException], BaseException, TracebackType | None], object]

_OURS = (str(Path(__file__).parent), str(Path(__file__).parent.with_name("autogen.py")))
_STARTERS = "<frozen runpy>"  # what started us, not the program


class CannotStartError(Exception):
    """The program cannot be started. Carries the message and Python's exit status for it."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Program:
    """Code to be run as `__main__`.

    Attributes:
        attributes: The attributes of the module `__main__` that not every module has.
        name: `sys.argv[0]`.
    """

    code: CodeType
    attributes: Mapping[str, object]
    name: str


def script(path: str) -> Program:
    """The program in a file."""
    absolute = path if Path(path).is_absolute() else f"{Path.cwd()}/{path}"
    try:
        with io.open_code(absolute) as file:
            source = file.read()
    except OSError as error:
        raise CannotStartError(f"can't open file {absolute!r}: [Errno {error.errno}] {error.strerror}", 2) from None
    attributes = {"__file__": absolute, "__loader__": SourceFileLoader("__main__", absolute), "__cached__": None}
    return Program(_compiled(source, absolute), _main(attributes), path)


def command(code: str) -> Program:
    """The program in an argument."""
    return Program(_compiled(code, "<string>"), _main({"__loader__": BuiltinImporter}), "-c")


def standard_input() -> Program:
    """The program that is written to us."""
    attributes = {"__file__": "<stdin>", "__loader__": BuiltinImporter, "__cached__": None}
    return Program(_compiled(sys.stdin.read(), "<stdin>"), _main(attributes), "-")


def module(name: str) -> Program:
    """The program that a module is, or the `__main__` of a package. Imports the packages that it is in."""
    spec = _spec(name)
    loader = spec.loader
    code = loader.get_code(spec.name) if isinstance(loader, InspectLoader) else None
    if code is None:
        raise CannotStartError(f"No code object available for {spec.name}", 1)
    attributes = {
        "__file__": spec.origin, "__loader__": loader, "__cached__": spec.cached, "__spec__": spec,
        "__package__": spec.parent,
    }  # fmt: skip
    return Program(code, _main(attributes), spec.origin or name)


def _spec(name: str) -> ModuleSpec:
    try:
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.submodule_search_locations is not None:
            inner = importlib.util.find_spec(f"{name}.__main__")
            if inner is None:
                reason = f"{name!r} is a package and cannot be directly executed"
                raise CannotStartError(f"No module named {name}.__main__; {reason}", 1)
            spec = inner
    except (ImportError, ValueError) as error:
        found = f"{type(error).__name__}: {error}"
        raise CannotStartError(f"Error while finding module specification for {name!r} ({found})", 1) from error
    if spec is None:
        raise CannotStartError(f"No module named {name}", 1)
    return spec


def _compiled(source: str | bytes, filename: str) -> CodeType:
    return compile(source, filename, "exec", dont_inherit=True)


def _main(attributes: Mapping[str, object]) -> Mapping[str, object]:
    annotations: dict[str, object] = {}
    return {
        "__builtins__": builtins,
        "__annotations__": annotations,
        "__package__": None,
        "__spec__": None,
        **attributes,
    }


def run(arguments: Sequence[str]) -> None:
    """Run the program that the command line names, with its exit status, and its tracebacks without our frames."""
    with _as_python_ends():
        match arguments:
            case ["-h" | "--help", *_]:
                sys.stdout.write(USAGE)
            case ["-m", name, *rest]:
                sys.argv = ["-m", *rest]  # seen by the packages that are imported first
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
    """Replace the current folder, which Python has put there for `-m` unless it runs with `-P`."""
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
        # Left to the interpreter, which has an exit status for each; only the traceback is changed.
        sys.excepthook = hiding_us(sys.excepthook)
        raise


def hiding_us(hook: ExceptHook) -> ExceptHook:
    """An exception hook that shows `hook` tracebacks without our frames."""

    def shown(kind: type[BaseException], error: BaseException, _: TracebackType | None) -> None:
        for each in _chain(error):
            each.__traceback__ = without_us(each.__traceback__)
        hook(kind, error, error.__traceback__)

    return shown


def without_us(traceback: TracebackType | None) -> TracebackType | None:
    """The same traceback, less the frames that led to the program and those of the import hook. Relinks it in place."""
    began = dropwhile(lambda entry: _is_ours(entry) or _file(entry) == _STARTERS, _entries(traceback))
    rest: TracebackType | None = None
    for entry in reversed([entry for entry in began if not _is_ours(entry)]):
        entry.tb_next = rest
        rest = entry
    return rest


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        each = waiting.pop()
        if each is not None and id(each) not in seen:
            seen.add(id(each))
            yield each
            waiting += [each.__cause__, each.__context__]


def _entries(traceback: TracebackType | None) -> Iterator[TracebackType]:
    while traceback is not None:
        yield traceback
        traceback = traceback.tb_next


def _is_ours(entry: TracebackType) -> bool:
    return _file(entry).startswith(_OURS)


def _file(entry: TracebackType) -> str:
    return entry.tb_frame.f_code.co_filename
