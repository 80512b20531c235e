"""Which packages of AutoGen are answered, by which of ours. Adding a root is adding a line to `ROOTS`."""

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Root:
    """A package of AutoGen.

    Attributes:
        ours: Our package that answers to its name; while it does not exist, the name is left alone.
        distribution: The distribution on the package index that carries it.
        version: The version whose interface ours has; programs that ask are told this.
    """

    ours: str
    distribution: str
    version: str


ROOTS: Mapping[str, Root] = {
    "autogen_core": Root("symposia.core", "autogen-core", "0.7.5"),
    "autogen_agentchat": Root("symposia.agentchat", "autogen-agentchat", "0.7.5"),
    "autogen_ext": Root("symposia.ext", "autogen-ext", "0.7.5"),
    "autogen": Root("symposia.v02", "pyautogen", "0.2.35"),
}


def our_name(theirs: str) -> str | None:
    """The module of ours that answers to AutoGen's name, whether it exists or not; None for what is not AutoGen's."""
    root, dot, rest = theirs.partition(".")
    return ROOTS[root].ours + dot + rest if root in ROOTS else None


def their_name(ours: str) -> str | None:
    """AutoGen's name for a module or name of ours; None for what AutoGen has no name for."""
    for root, entry in ROOTS.items():
        if ours == entry.ours or ours.startswith(f"{entry.ours}."):
            return root + ours.removeprefix(entry.ours)
    return None


def exists(root: str) -> bool:
    """Whether we have the package that answers to this root."""
    return importlib.util.find_spec(ROOTS[root].ours) is not None
