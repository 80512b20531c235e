"""AutoGen's public names, and which of them are here."""

import importlib
import importlib.util
from collections import defaultdict
from importlib.resources import files

ROOTS = {
    "autogen": "symposia.v02",
    "autogen_core": "symposia.core",
    "autogen_agentchat": "symposia.agentchat",
    "autogen_ext": "symposia.ext",
}

LINES = [line.split() for line in files("symposia").joinpath("_autogen_names.txt").read_text().splitlines()]
NAMES = [
    (public, public + source if source.startswith(".") else source, name)
    for public, source, *names in LINES
    if public not in ("#", "from")
    for name in names
]
"""The module that exports a name, the module that defines it, the name."""
IMPORTED = [(module, source, name) for word, module, source, *names in LINES if word == "from" for name in names]
"""A module of AutoGen 0.2, another one from which it imports a name, the name."""


def ours(module: str) -> str:
    """The module of this project that answers to one of AutoGen's."""
    root, dot, rest = module.partition(".")
    return ROOTS[root] + dot + rest


def has_module(module: str) -> bool:
    """Whether the module that answers to one of AutoGen's exists."""
    parent = module.rpartition(".")[0]
    return (not parent or has_module(parent)) and importlib.util.find_spec(ours(module)) is not None


def has_name(module: str, name: str) -> bool:
    """Whether it has a name."""
    return has_module(module) and hasattr(importlib.import_module(ours(module)), name)


MISSING = [f"{public}.{name}" for public, _, name in NAMES if has_module(public) and not has_name(public, name)]
"""The names of AutoGen that are not here yet, in modules that are."""

PRIVATE: dict[str, list[tuple[str, str]]] = defaultdict(list)
"""For each private module of AutoGen: the public names that it defines and that are here, each after its module."""
for _public, _source, _name in NAMES:
    if "._" in _source and has_name(_public, _name):
        PRIVATE[_source].append((_public, _name))
