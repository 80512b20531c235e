"""Names that a module of AutoGen 0.2 imports from another one: programs import them from there, too."""

from __future__ import annotations

import importlib
from functools import partial
from types import ModuleType

from symposia._autogen_names import catalogue, renamed


def add_imported_names(module: ModuleType, theirs: str) -> None:
    """Let a module of ours answer for the names that AutoGen's imports. Each is looked for when it is asked for."""
    if theirs in catalogue().imported:
        vars(module).setdefault("__getattr__", partial(_attribute, theirs))


def _attribute(theirs: str, name: str) -> object:
    home = catalogue().imported[theirs].get(name)
    if home is not None:
        package = importlib.import_module(renamed(home))
        if hasattr(package, name):
            return getattr(package, name)
        if f"{home}.{name}" in catalogue().exports:
            return importlib.import_module(renamed(f"{home}.{name}"))
    raise AttributeError(f"module {renamed(theirs)!r} has no attribute {name!r}", name=name)
