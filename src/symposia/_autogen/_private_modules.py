"""AutoGen's private modules, such as ``autogen_core._routed_agent``, as far as they define public names.

Editors write private paths into imports by themselves. Such a module has the public names that AutoGen defines in it,
and the private modules below it.
"""

from __future__ import annotations

import importlib
from functools import partial
from importlib.abc import Loader
from importlib.machinery import ModuleSpec
from types import ModuleType

from symposia._autogen_names import catalogue, exists, renamed
from symposia._autogen_states import public_name, state_of


class PrivateModule(ModuleType):
    """A private module of AutoGen that has no counterpart here."""

    def __getattr__(self, name: str) -> object:
        return _attribute(self.__name__, name)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *catalogue().homes[self.__name__]})


class PrivateModuleLoader(Loader):
    """Makes the module that answers to a private path of AutoGen.

    Importing ``a._b`` sets the attribute ``_b`` of ``a``, which is our package. Where that has a module of this name
    itself, that one is handed out, with AutoGen's names added by a module-level ``__getattr__``: a second object would
    take its place in the package.
    """

    def __init__(self) -> None:
        self._own_spec: ModuleSpec | None = None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        ours = renamed(spec.name)
        if not exists(ours):
            module = PrivateModule(spec.name)
            vars(module)["__all__"] = sorted(catalogue().homes[spec.name])
            return module
        module = importlib.import_module(ours)
        add_autogens_names(module, spec.name)
        self._own_spec = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        if self._own_spec is not None:
            module.__spec__ = self._own_spec


def add_autogens_names(module: ModuleType, theirs: str) -> None:
    """Let a private module of ours answer for AutoGen's of the same name too."""
    vars(module).setdefault("__getattr__", partial(_attribute, theirs))


def _attribute(module: str, name: str) -> object:
    home = catalogue().homes[module].get(name)
    if home is not None:
        found = getattr(importlib.import_module(renamed(home)), name, None)
        if found is not None:
            return found
    elif f"{module}.{name}" in catalogue().homes:
        return importlib.import_module(f"{module}.{name}")
    elif name in getattr(package := importlib.import_module(renamed(module.partition("._")[0])), "__all__", ()):
        return getattr(package, name)  # private in AutoGen, and public here
    text = f"module {module!r} has no attribute {name!r}"
    is_asked_by_python = name.startswith("__") and name.endswith("__")
    raise AttributeError(
        text if is_asked_by_python else f"{text}. {state_of(public_name(f'{module}.{name}'))}", name=name
    )
