"""AutoGen's dotted names, and the names of ours that correspond to them, as far as they are here."""

from __future__ import annotations

import importlib
import sys
from dataclasses import dataclass
from functools import cache

from symposia._autogen_names import (
    PREVIEW_MODULES,
    ROOTS,
    catalogue,
    exists,
    is_private,
    planned,
    preview_module,
    renamed,
)
from symposia._missing_names import likely_names, names_in

V02_ROOT = "autogen"
V02_PACKAGE = ROOTS[V02_ROOT].ours


@dataclass(frozen=True)
class Resolved:
    """What a dotted name of AutoGen is here.

    Attributes:
        ours: The name here; empty if there is none.
        missing: The part of AutoGen's name that is not here; empty if all is.
        reason: Why it is not here, as a sentence.
    """

    ours: str
    missing: str = ""
    reason: str = ""


def is_theirs(name: str) -> bool:
    """Whether a dotted name begins with a package of AutoGen."""
    return name.partition(".")[0] in ROOTS


@cache
def resolved(theirs: str) -> Resolved:
    """A dotted name of AutoGen: a module, a name in one, or an attribute of such a name."""
    parts = theirs.split(".")
    for end in range(1, len(parts) + 1):
        name = _public(".".join(parts[:end]))
        if _is_module(name):
            continue
        if is_private(name) and any(name == module or module.startswith(f"{name}.") for module in catalogue().homes):
            continue
        if _has(name):
            return Resolved(".".join([renamed(name), *parts[end:]]))
        return Resolved("", name, _reason(name))
    if is_private(theirs):
        return Resolved("", theirs, f"{theirs} is a private module of AutoGen.")
    return Resolved(renamed(theirs))


def _public(name: str) -> str:
    """The public name of what AutoGen defines under a private path, where it has one."""
    module, _, leaf = name.rpartition(".")
    home = catalogue().homes.get(module, {}).get(leaf)
    return f"{home}.{leaf}" if home else name


def _is_module(name: str) -> bool:
    return not is_private(name) and exists(renamed(name))


def _has(name: str) -> bool:
    module, _, leaf = name.rpartition(".")
    if not module or is_private(name) or not _is_module(module):
        return False
    try:
        return hasattr(importlib.import_module(renamed(module)), leaf)
    except ImportError:  # an extra is not installed: the name is here, and importing it names the extra
        return True


def _reason(name: str) -> str:
    module, _, leaf = name.rpartition(".")
    if preview := preview_module(name):
        there = " and ".join(PREVIEW_MODULES[preview])
        return f"{preview} was a module of the previews of AutoGen 0.4. Its names are in {there} now."
    if is_private(name):
        return f"{name} is private in AutoGen, and Symposia has AutoGen's public names only."
    if text := planned(name):
        return text
    if not module or not _is_module(module):
        return f"Neither AutoGen nor Symposia has {name}."
    elsewhere = sorted(each for each, names in catalogue().exports.items() if leaf in names)
    theirs = catalogue().exports.get(module) or names_in(sys.modules.get(renamed(module)))
    near = f"There is one in {elsewhere[0]}." if elsewhere else likely_names(module, leaf, theirs)
    return f"Neither AutoGen nor Symposia has {name}. {near}"
