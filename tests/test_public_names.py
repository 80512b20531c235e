"""The public surface, pinned: a name that comes or goes is a decision, made in `public_names.txt` beside this file.

`python tests/test_public_names.py` writes that file anew.
"""

import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path

import pytest

import symposia

pytestmark = pytest.mark.usefixtures("without_the_import_hook")

PINNED = Path(__file__).with_name("public_names.txt")


def public_modules() -> Iterator[str]:
    for module in pkgutil.walk_packages(symposia.__path__, "symposia."):
        if not any(part.startswith("_") for part in module.name.split(".")):
            yield module.name


def public_names() -> list[str]:
    names: set[str] = set()
    for module in public_modules():
        names |= {f"{module}.{name}" for name in getattr(importlib.import_module(module), "__all__", ())}
    return sorted(names)


def test_the_public_names_are_the_pinned_ones() -> None:
    assert public_names() == PINNED.read_text().splitlines()


def test_every_public_module_says_what_it_exports() -> None:
    silent = [m for m in public_modules() if not hasattr(importlib.import_module(m), "__all__")]
    assert not silent


def test_every_exported_name_exists() -> None:
    for module in public_modules():
        loaded = importlib.import_module(module)
        assert not [name for name in getattr(loaded, "__all__", ()) if not hasattr(loaded, name)], module


if __name__ == "__main__":
    PINNED.write_text("\n".join(public_names()) + "\n")
