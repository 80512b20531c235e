"""Packages and modules that are imported when a name of them is first asked for. A missing name says what it may be.

Importing an agent and a team would otherwise import every agent, team, runtime and executor. A package lists its names
three times, for three readers: as imports for type checkers, in ``__all__`` for tools that read the source, and as a
table for this module, the only one that is used at run time. `tests/test_imports.py` compares them. Rejected: to parse
the imports or a stub file at run time (it needs the source files, and parsing all packages takes 6 ms), and to compute
``__all__`` (type checkers and the documentation's reference read it only as a list)::

    if TYPE_CHECKING:
        from package._agent import Agent
    else:
        __getattr__, __dir__ = lazy_names(__name__, {"_agent": ["Agent"]})

The error for a missing name is of two types. ``from package import name`` replaces an `AttributeError` of the package,
whatever its class, by a plain "cannot import name", and lets other errors pass. `hasattr`, `getattr` with a default and
`pickle` need the `AttributeError`. So the instruction that asks decides. Rejected: one class that is both
`AttributeError` and `ImportError` (it is replaced too), and a finder in `sys.meta_path`, which every failing import of
the process would pass.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from types import FrameType


def lazy_names(
    package: str, names: Mapping[str, Sequence[str]], *, submodules: Sequence[str] = ()
) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """The `__getattr__` and `__dir__` of a package.

    Args:
        package: Its ``__name__``.
        names: The names of each module that defines some, relative to the package.
        submodules: Modules of it that are attributes before anything has imported them.
    """
    homes = {name: f"{package}.{module}" for module, each in names.items() for name in each}

    def get(name: str) -> object:
        if name in submodules:
            return import_module(f"{package}.{name}")  # which sets the attribute
        if name not in homes:
            raise missing_name(package, name, sys._getframe().f_back)  # noqa: SLF001 - nothing else tells who asks
        value = getattr(import_module(homes[name]), name)
        setattr(sys.modules[package], name, value)  # found without asking from now on
        return value

    def names_of() -> list[str]:
        return sorted({*vars(sys.modules[package]), *homes, *submodules})

    return get, names_of


def is_installed(module: str) -> bool:
    """Whether a library's module is installed. It is not imported, but the package that it is in may be."""
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # not even the package that it would be in
        return False


class lazy_module:  # noqa: N801 - used like a function
    """A module that is imported when the first of its attributes is read, for the names in annotations.

    Annotations are evaluated only when `typing.get_type_hints` or pydantic asks for them. A name that only type
    checkers import is a `NameError` then, also for every subclass; that the annotated module has a `__getattr__` does
    not help, since only its ``__dict__`` is read. So the annotation is an attribute of one of these, ``otel.Tracer``::

        if TYPE_CHECKING:
            from opentelemetry import trace as otel
        else:
            otel = lazy_module("opentelemetry.trace")

    Args:
        name: The full name of the module.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._module: object = None

    def __getattr__(self, attribute: str) -> object:
        if attribute.startswith("__"):  # asked of every value by tools that look for wrappers, mocks and the like
            raise AttributeError(f"{self!r} has no attribute {attribute!r}", name=attribute, obj=self)
        if self._module is None:  # `import_module` takes microseconds also for what is imported
            self._module = import_module(self._name)
        return getattr(self._module, attribute)


def explained_names(package: str) -> Callable[[str], object]:
    """The `__getattr__` of a package whose names are all imported with it.

    Args:
        package: Its ``__name__``.
    """

    def get(name: str) -> object:
        raise missing_name(package, name, sys._getframe().f_back)  # noqa: SLF001 - nothing else tells who asks

    return get


class MissingNameError(AttributeError):
    """A package has no such name. The text is made when it is read: most who ask only want to know whether it has."""

    def __init__(self, package: str, name: str) -> None:
        super().__init__(package, name, name=name)

    def __str__(self) -> str:
        package, name = self.args
        return f"module {package!r} has no attribute {name!r}. {_explanation(package, name)}"


def missing_name(package: str, name: str, asking: FrameType | None) -> AttributeError | ImportError:
    """The error for a missing name, for the frame that called the package's `__getattr__`."""
    if name.startswith("__") and name.endswith("__"):  # asked for by Python and by tools, which expect no help
        return AttributeError(f"module {package!r} has no attribute {name!r}", name=name)
    # An AttributeError sends the `from` form to `sys.modules`, where it finds a submodule that is still being imported.
    if f"{package}.{name}" not in sys.modules and _imports_a_name(asking):
        return ImportError(f"cannot import name {name!r} from {package!r}. {_explanation(package, name)}", name=package)
    return MissingNameError(package, name)


def _imports_a_name(frame: FrameType | None) -> bool:
    """Whether a frame is at the instruction of ``from package import name`` that takes the name from the package.

    Where an interpreter calls its instructions differently, this is false, and Python's own error is raised.
    """
    import opcode  # noqa: PLC0415 - only a missing name needs it

    return frame is not None and opcode.opname[frame.f_code.co_code[frame.f_lasti]] == "IMPORT_FROM"


def _explanation(package: str, name: str) -> str:
    from symposia._missing_names import explanation  # noqa: PLC0415 - only an error that is read needs it

    return explanation(package, name)
