"""Packages whose names are imported when they are first asked for.

Importing an agent and a team would otherwise import every agent, team, runtime and executor. A package lists its names
three times, for three readers: as imports for type checkers, in ``__all__`` for tools that read the source, and as a
table for this module, the only one that is used at run time. `tests/test_imports.py` compares them. Rejected: to parse
the imports or a stub file at run time (it needs the source files, and parsing all packages takes 6 ms), and to compute
``__all__`` (type checkers and the documentation's reference read it only as a list)::

    if TYPE_CHECKING:
        from package._agent import Agent
    else:
        __getattr__, __dir__ = lazy_names(__name__, {"_agent": ["Agent"]})
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module


def lazy_names(
    package: str, names: Mapping[str, Sequence[str]]
) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """The `__getattr__` and `__dir__` of a package.

    Args:
        package: Its ``__name__``.
        names: The names of each module that defines some, relative to the package.
    """
    homes = {name: f"{package}.{module}" for module, each in names.items() for name in each}

    def get(name: str) -> object:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}", name=name)
        value = getattr(import_module(homes[name]), name)
        setattr(sys.modules[package], name, value)  # found without asking from now on
        return value

    def names_of() -> list[str]:
        return sorted({*vars(sys.modules[package]), *homes})

    return get, names_of
