"""How components are named: by the public name of their class. AutoGen's names stand for ours."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib import import_module
from itertools import takewhile
from typing import Final

from symposia.core._component._trust import is_allowed
from symposia.core.exceptions import ComponentError, MissingExtraError

ROOTS: Final[Mapping[str, str]] = {
    "autogen_core": "symposia.core",
    "autogen_agentchat": "symposia.agentchat",
    "autogen_ext": "symposia.ext",
}
SHORT_NAMES: Final[Mapping[str, str]] = {
    "OpenAIChatCompletionClient": "symposia.ext.models.openai.OpenAIChatCompletionClient",
    "openai_chat_completion_client": "symposia.ext.models.openai.OpenAIChatCompletionClient",
    "AzureOpenAIChatCompletionClient": "symposia.ext.models.openai.AzureOpenAIChatCompletionClient",
    "azure_openai_chat_completion_client": "symposia.ext.models.openai.AzureOpenAIChatCompletionClient",
}


def is_autogens(provider: str) -> bool:
    """Whether AutoGen has written this name."""
    return provider.partition(".")[0] in ROOTS or provider in SHORT_NAMES


def our_name(provider: str) -> str:
    """What a provider is called here: a class of AutoGen, of a private module too, by its public name."""
    if provider in SHORT_NAMES:
        return SHORT_NAMES[provider]
    if provider.partition(".")[0] not in ROOTS:
        return provider
    module, _, name = provider.rpartition(".")
    return f"{our_module(module)}.{name}" if module else provider


def our_module(module: str) -> str:
    """What a module is called here: one of AutoGen, by the public module that it belongs to."""
    root, *modules = module.split(".")
    return ".".join([ROOTS[root], *takewhile(_is_public, modules)]) if root in ROOTS else module


def name_of(cls: type) -> str:
    """The name under which a class is found again: from where its package exports it, if it does.

    Raises:
        ComponentError: The class is made inside a function or another class.
    """
    if "." in cls.__qualname__:
        raise ComponentError(
            f"{cls.__qualname__} of {cls.__module__} cannot be found again by name, since it is defined inside "
            "something else. Define it at the top of its module."
        )
    public = ".".join(takewhile(_is_public, cls.__module__.split(".")))
    exported = getattr(sys.modules.get(public), cls.__name__, None)
    return f"{public if exported is cls else cls.__module__}.{cls.__name__}"


def _names_of(cls: type) -> set[str | None]:
    """The names that a class goes by."""
    found_by: set[str] = set() if "." in cls.__qualname__ else {name_of(cls)}
    return {f"{cls.__module__}.{cls.__qualname__}", getattr(cls, "component_provider_override", None), *found_by}


def find_class(provider: str, *, asked_for: type | None = None) -> type:
    """Find the class that a provider names, importing its module if it may be.

    Args:
        provider: A name of ours or AutoGen's.
        asked_for: A class that the program itself has named, which therefore needs no permission.

    Raises:
        ComponentError: It names no class, or one that may not be loaded.
        MissingExtraError: It needs an optional dependency.
    """
    name = our_name(provider)
    if asked_for is not None and name in _names_of(asked_for):
        return asked_for
    module_name, _, class_name = name.rpartition(".")
    if not module_name:
        raise ComponentError(f"The provider {provider!r} names no class: it has to be like 'package.module.Class'.")
    _check_allowed(provider, module_name)
    found = getattr(_imported(provider, module_name), class_name, None)
    if not isinstance(found, type):
        raise ComponentError(f"{_subject(provider, name)} does not exist: {module_name!r} has no class {class_name!r}.")
    _check_allowed(provider, found.__module__)
    return found


def _check_allowed(provider: str, module: str) -> None:
    if not is_allowed(module):
        package = module.partition(".")[0]
        raise ComponentError(
            f"The provider {provider!r} is not trusted: loading it would import {module!r}. If you trust it, load it "
            f"with load_component(…, allow=[{package!r}]), or inside `with allow_components_from({package!r}):`."
        )


def _imported(provider: str, module: str) -> object:
    try:
        return import_module(module)
    except MissingExtraError:
        raise
    except ImportError as error:
        raise ComponentError(f"{_subject(provider, module)} cannot be imported: {error}") from error


def _subject(provider: str, name: str) -> str:
    return f"The provider {provider!r}" + (f" ({name!r} here)" if is_autogens(provider) else "")


def _is_public(module: str) -> bool:
    return not module.startswith("_") or module == "__main__"
