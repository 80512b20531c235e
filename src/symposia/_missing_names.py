"""The text about a name that a package of ours does not have: planned, elsewhere, or similar to another one."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from collections.abc import Collection, Iterator
from difflib import get_close_matches
from types import ModuleType

from symposia._autogen_names import catalogue, planned, renamed, their_name

LISTED = 12
"""A module with more names than this is not listed whole."""


def explanation(package: str, name: str) -> str:
    """A sentence about a name that is missing from a package of ours."""
    ours = f"{package}.{name}"
    if text := planned(their_name(ours) or ours, ours):
        return text
    elsewhere = sorted(renamed(module) for module, names in catalogue().exports.items() if name in names)
    if elsewhere:
        here = next((module for module in elsewhere if _has(module, name)), None)
        there = f"{elsewhere[0]}.{name}"
        return f"There is one in {here}." if here else planned(their_name(there) or there, there) or ""
    return likely_names(package, name, names_in(sys.modules.get(package)))


def likely_names(module: str, name: str, names: Collection[str]) -> str:
    """A sentence with the names of a module that may have been meant: longer ones, the most similar one, or all."""
    longer = [each for each in sorted(names) if each.startswith(name)][:LISTED] if module else []
    if len(longer) > 1:
        return f"The names in {module} that begin so are {', '.join(longer)}."
    near = longer or (get_close_matches(name, sorted(names), n=1) if module else [])
    if near:
        return f"The nearest name in {module} is {near[0]}."
    shown = ", ".join(sorted(names)[:LISTED]) + (" and others" if len(names) > LISTED else "")
    return f"{module or 'It'} has {shown}."


def names_in(module: ModuleType | None) -> set[str]:
    """The public names of a module, and its public submodules."""
    return {*getattr(module, "__all__", ()), *_submodules(module)}


def _has(module: str, name: str) -> bool:
    try:
        return hasattr(importlib.import_module(module), name)
    except ImportError:  # not here, or it needs an extra that is not installed
        return False


def _submodules(module: ModuleType | None) -> Iterator[str]:
    found = (info.name for info in pkgutil.iter_modules(getattr(module, "__path__", ())))
    return (name for name in found if not name.startswith("_"))
