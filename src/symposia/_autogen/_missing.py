"""What an `ImportError` about a name of AutoGen says."""

import pkgutil
import sys
from collections.abc import Iterable, Iterator
from types import ModuleType

from symposia._autogen._roots import ROOTS, exists, our_name, their_name

LISTED = 12
"""A module with more names than this is not listed whole."""


def of_a_private_module(name: str) -> str:
    """About a module that AutoGen keeps to itself."""
    public = name[: name.index("._")]
    return (
        f"{name} is a private module of AutoGen, and Symposia has AutoGen's public modules only. "
        f"Import the name from {public} instead."
    )


def of_a_public_name(name: str) -> str:
    """About a module, class or function that Symposia does not have."""
    package, _, leaf = name.rpartition(".")
    return f"Symposia does not have {name} yet. {_instead(package, leaf)}"


def _instead(package: str, leaf: str) -> str:
    elsewhere = sorted(_modules_with(leaf))
    if elsewhere:
        return f"There is one in {elsewhere[0]}."
    names = sorted(_names_in(package))
    near = _nearest(leaf, names) if package else None
    if near:
        return f"The nearest name in {package} is {near}."
    shown = ", ".join(names[:LISTED]) + (" and others" if len(names) > LISTED else "")
    return f"{package or 'It'} has {shown}."


def _nearest(leaf: str, names: Iterable[str]) -> str | None:
    from difflib import get_close_matches  # noqa: PLC0415 - only an error needs it

    return next(iter(get_close_matches(leaf, list(names), n=1)), None)


def _names_in(package: str) -> set[str]:
    if not package:
        return {root for root in ROOTS if exists(root)}
    module = sys.modules[our_name(package) or package]
    return {*_exported(module), *_submodules(module)}


def _exported(module: ModuleType) -> Iterable[str]:
    return getattr(module, "__all__", ())


def _submodules(module: ModuleType) -> Iterator[str]:
    found = (info.name for info in pkgutil.iter_modules(getattr(module, "__path__", ())))
    return (name for name in found if not name.startswith("_"))


def _modules_with(leaf: str) -> Iterator[str]:
    """The public modules, among those imported so far, that export this name."""
    for name, module in list(sys.modules.items()):
        theirs = their_name(name)
        if theirs is not None and "._" not in theirs and leaf in _exported(module):
            yield theirs
