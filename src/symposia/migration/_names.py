"""AutoGen's dotted names, and the names of ours that correspond to them, as far as they are here."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from symposia._autogen_names import ROOTS, catalogue, exists, is_private, renamed
from symposia._autogen_states import is_here, public_name, state_of

V02_ROOT = "autogen"
V02_PACKAGE = ROOTS[V02_ROOT].ours

_VERSION = re.compile(r"autogen_(core|agentchat|ext)\.__version__")


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
    if _VERSION.fullmatch(theirs):
        return Resolved("symposia.__version__")
    parts = theirs.split(".")
    for end in range(1, len(parts) + 1):
        name = public_name(".".join(parts[:end]))
        if _is_module(name):
            continue
        if is_private(name) and any(name == module or module.startswith(f"{name}.") for module in catalogue().homes):
            continue
        if is_here(name):
            return Resolved(".".join([renamed(name), *parts[end:]]))
        return Resolved("", name, state_of(name))
    if is_private(theirs):
        return Resolved("", theirs, f"{theirs} is a private module of AutoGen.")
    return Resolved(renamed(theirs))


def _is_module(name: str) -> bool:
    return not is_private(name) and exists(renamed(name))
