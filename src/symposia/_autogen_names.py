"""AutoGen's names: the package of ours that corresponds to each of its packages, and the names that it exports.

The names themselves are data, in `_autogen_names.txt`. This module is below core, which names components as AutoGen
does. It imports nothing else of ours, so that the import hook, which is above all layers, stays light.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.abc import MetaPathFinder
from pathlib import Path


@dataclass(frozen=True)
class Root:
    """A package of AutoGen.

    Attributes:
        ours: Our package that answers to its name; while it does not exist, the name is left alone.
        distribution: The distribution on the package index that carries it.
        version: The version whose interface ours has, and which it reports.
    """

    ours: str
    distribution: str
    version: str


ROOTS: Mapping[str, Root] = {
    "autogen_core": Root("symposia.core", "autogen-core", "0.7.5"),
    "autogen_agentchat": Root("symposia.agentchat", "autogen-agentchat", "0.7.5"),
    "autogen_ext": Root("symposia.ext", "autogen-ext", "0.7.5"),
    "autogen": Root("symposia.v02", "pyautogen", "0.2.40"),
}


PREVIEW_MODULES: Mapping[str, tuple[str, ...]] = {
    "autogen_core.application": ("autogen_core",),
    "autogen_core.application.logging": ("autogen_core", "autogen_core.logging"),
    "autogen_core.base": ("autogen_core",),
    "autogen_core.base.exceptions": ("autogen_core.exceptions",),
    "autogen_core.base.intervention": ("autogen_core",),
    "autogen_core.components": ("autogen_core",),
    "autogen_core.components.code_executor": ("autogen_core.code_executor", "autogen_ext.code_executors"),
    "autogen_core.components.model_context": ("autogen_core.model_context",),
    "autogen_core.components.models": ("autogen_core.models", "autogen_ext.models"),
    "autogen_core.components.tool_agent": ("autogen_core.tool_agent",),
    "autogen_core.components.tools": ("autogen_core.tools",),
    "autogen_agentchat.task": ("autogen_agentchat.conditions", "autogen_agentchat.ui"),
}
"""Modules of the previews of AutoGen 0.4 (0.4.0.dev…), each with the modules of 0.7.5 that have its names.

They do not resolve here, as they do not in AutoGen 0.7.5: some names have other parameters today (a
`FunctionExecutionResult` needs a `name`), so that a program would start and fail later. The error says what to import.
"""


PAGE_02 = 'The page "Coming from AutoGen 0.2" of the documentation says what there is instead.'
PAGES_02 = (
    'The pages "Coming from AutoGen 0.2" and, for what AG2 has added, "Coming from AG2" of the documentation say what '
    "there is."
)


def is_of_02(theirs: str) -> bool:
    """Whether this is a name of AutoGen 0.2, and not of 0.4 and later."""
    return theirs.partition(".")[0] == "autogen"


def our_name(theirs: str) -> str | None:
    """The module of ours for a name of AutoGen, whether it exists or not; None for other names."""
    return renamed(theirs) if theirs.partition(".")[0] in ROOTS else None


def renamed(theirs: str) -> str:
    """The same for a name that is known to be AutoGen's."""
    root, dot, rest = theirs.partition(".")
    return ROOTS[root].ours + dot + rest


def their_name(ours: str) -> str | None:
    """AutoGen's name for a module or name of ours; None for what AutoGen has no name for."""
    for root, entry in ROOTS.items():
        if ours == entry.ours or ours.startswith(f"{entry.ours}."):
            return root + ours.removeprefix(entry.ours)
    return None


def exists(module: str) -> bool:
    """Whether a module of ours can be found."""
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # not even the package that it would be in
        return False


def preview_module(name: str) -> str | None:
    """The module of AutoGen's previews that this name is, or is in."""
    parts = name.split(".")
    packages = (".".join(parts[:end]) for end in range(len(parts), 0, -1))
    return next((package for package in packages if package in PREVIEW_MODULES), None)


def is_private(name: str) -> bool:
    """Whether a dotted name goes through a private module, or is private itself."""
    return any(part.startswith("_") and not part.endswith("__") for part in name.split("."))


@dataclass(frozen=True)
class Catalogue:
    """What AutoGen 0.7.5 exports, and 0.2.40 below `autogen`.

    Attributes:
        exports: The names of each public module, and of the packages above it, which may have none.
        homes: For each private module, and the private packages above it: the public module of each public name that it
            defines.
        imported: For modules of 0.2.40: the module of each name that they import from another one.
    """

    exports: Mapping[str, frozenset[str]]
    homes: Mapping[str, Mapping[str, str]]
    imported: Mapping[str, Mapping[str, str]]

    def has(self, name: str) -> bool:
        """Whether this is a public module of AutoGen, or a public name in one."""
        module, _, leaf = name.rpartition(".")
        return name in self.exports or leaf in self.exports.get(module, ())

    def private_modules_of(self, package: str) -> list[str]:
        """The private modules directly in a package."""
        return [module for module in self.homes if module.rpartition(".")[0] == package]


@cache
def catalogue() -> Catalogue:
    """Read AutoGen's public names."""
    exports: dict[str, frozenset[str]] = {}
    homes: dict[str, dict[str, str]] = {}
    imported: dict[str, dict[str, str]] = {}
    for line in Path(__file__).with_name("_autogen_names.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            continue
        if line.startswith("from "):
            _, module, source, *names = line.split()
            imported.setdefault(module, {}).update(dict.fromkeys(names, source))
            continue
        public, source, *names = line.split()
        for package in _with_packages(public):
            exports.setdefault(package, frozenset())
        exports[public] |= set(names)
        source = public + source if source.startswith(".") else source
        for module in filter(is_private, _with_packages(source)):
            homes.setdefault(module, {})
        if is_private(source):
            for name in names:
                homes[source].setdefault(name, public)
    return Catalogue(exports, homes, imported)


def planned(theirs: str, shown: str | None = None) -> str | None:
    """The text about a name of AutoGen that is planned and not here yet; None for names that AutoGen does not have.

    Args:
        theirs: The name.
        shown: The name in the text, where that is ours.
    """
    if not catalogue().has(theirs):
        return None
    if is_of_02(theirs):
        return f"Symposia does not have {shown or theirs}, which AutoGen 0.2 has. {PAGE_02}"
    return f"Symposia does not have {shown or theirs} yet. AutoGen has it, and it is planned."


class AutogenFinder(MetaPathFinder):
    """A finder of the import hook, which answers to AutoGen's names."""


def hook_is_installed() -> bool:
    """Whether AutoGen's names resolve to Symposia in this process."""
    return any(isinstance(finder, AutogenFinder) for finder in sys.meta_path)


def _with_packages(module: str) -> list[str]:
    parts = module.split(".")
    return [".".join(parts[:end]) for end in range(1, len(parts) + 1)]
