"""The public surface, pinned: a name that comes or goes is a decision, made in `public_names.txt` beside this file.

`python tests/test_public_names.py` writes that file anew.
"""

import importlib
import inspect
import pkgutil
import typing
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from typing import cast

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


def annotated(value: object) -> Iterator[object]:
    """What has annotations: a function; or a class, its constructor, and its public methods and properties."""
    if not str(getattr(value, "__module__", "")).startswith("symposia"):
        return  # inherited from a class of another library
    if inspect.isfunction(value):
        yield value
    elif inspect.isclass(value):
        yield value
        for name, attribute in inspect.getmembers_static(value):
            if (not name.startswith("_") or name == "__init__") and not inspect.isclass(attribute):
                yield from annotated(function_of(attribute))


def function_of(attribute: object) -> object:
    """The function below a class method, static method, property or cached property; anything else as it is."""
    match attribute:
        case property():
            return attribute.fget
        case cached_property(func=function) | staticmethod(__wrapped__=function):
            return cast("object", function)
        case classmethod():
            return inspect.unwrap(cast("Callable[..., object]", attribute))
        case _:
            return attribute


def test_n13_the_types_of_every_public_class_and_function_can_be_read() -> None:
    """Dependency injection, pydantic and tools made of methods read them, and a subclass inherits what cannot be."""
    read, unreadable = 0, set[str]()
    for public_name in public_names():
        module, _, name = public_name.rpartition(".")
        for each in annotated(getattr(importlib.import_module(module), name)):
            try:
                typing.get_type_hints(each, include_extras=True)
            except (NameError, TypeError, AttributeError) as error:
                unreadable.add(f"{getattr(each, '__module__', '')}.{getattr(each, '__qualname__', each)}: {error}")
            read += 1
    assert not unreadable
    assert read > 1000


if __name__ == "__main__":
    PINNED.write_text("\n".join(public_names()) + "\n")
