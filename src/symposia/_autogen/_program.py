"""A program as Python's own command line would start it: its code, and what it finds around itself."""

import builtins
import importlib.util
import io
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.abc import InspectLoader
from importlib.machinery import BuiltinImporter, ModuleSpec, SourceFileLoader
from pathlib import Path
from types import CodeType


class CannotStartError(Exception):
    """The program cannot be started. Carries the message and Python's exit status for it."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Program:
    """Code to be run as `__main__`.

    Attributes:
        attributes: What the module `__main__` holds besides what every module does.
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
