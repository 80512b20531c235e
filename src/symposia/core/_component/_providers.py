"""The names of components, and those that a program trusts.

A component is named by the public name of its class; AutoGen's names stand for ours. A program trusts this project's
classes, and no code in JSON, unless it says more.

The JSON of a component is data from outside: a gallery, a colleague, a web page. Its provider says which module to
import and which class to call, so without a check, loading it would run any code on the machine. Hence

- a list of what is allowed, and not of what is refused: a dangerous class that was not thought of is refused too;
- the name is checked before its module is imported, since importing runs the module's code already, and so is the
  module that defines the class found there: that an allowed package imports `subprocess.Popen` does not make it a
  component. That the class has the methods of a component is checked besides (`_loading`);
- the permission is a context variable, so that it ends with its ``with`` block, holds in what the block awaits, and is
  not seen by other tasks. A setting of the process was rejected: one library would allow for all others.

A class that the program itself names (``Pen.load_component(…)``) needs no permission: it is imported already.
"""

from __future__ import annotations

import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from importlib import import_module
from itertools import takewhile
from typing import Final

from symposia._autogen_names import ROOTS, catalogue, hook_is_installed, planned, renamed, their_name
from symposia.core.exceptions import ComponentError, MissingExtraError

SHORT_NAMES: Final[Mapping[str, str]] = {
    "OpenAIChatCompletionClient": "autogen_ext.models.openai.OpenAIChatCompletionClient",
    "openai_chat_completion_client": "autogen_ext.models.openai.OpenAIChatCompletionClient",
    "AzureOpenAIChatCompletionClient": "autogen_ext.models.openai.AzureOpenAIChatCompletionClient",
    "azure_openai_chat_completion_client": "autogen_ext.models.openai.AzureOpenAIChatCompletionClient",
    "OllamaChatCompletionClient": "autogen_ext.models.ollama.OllamaChatCompletionClient",
    "AnthropicChatCompletionClient": "autogen_ext.models.anthropic.AnthropicChatCompletionClient",
    "autogen_ext.memory.redis_memory.RedisMemory": "autogen_ext.memory.redis.RedisMemory",
}
"""AutoGen's names without a module, and the classes that they stand for. Only its documentation has Anthropic's. What
its `RedisMemory` is saved as names a module that there is not."""


def is_autogens(provider: str) -> bool:
    """Whether a name is one of AutoGen's."""
    return provider.partition(".")[0] in ROOTS or provider in SHORT_NAMES


def our_provider(provider: str) -> str:
    """Our name of a provider: for a class of AutoGen, of a private module too, its public name."""
    provider = SHORT_NAMES.get(provider, provider)
    module, _, name = provider.rpartition(".")
    return f"{our_module(module)}.{name}" if module and is_autogens(provider) else provider


def our_module(module: str) -> str:
    """Our name of a module: for one of AutoGen, that of its public module."""
    return _public(renamed(module)) if is_autogens(module) else module


def provider_of(cls: type) -> str:
    """The name under which a class is saved: AutoGen's under the import hook, if AutoGen has the class.

    Raises:
        ComponentError: The class is made inside a function or another class.
    """
    name = name_of(cls)
    theirs = their_name(name) if hook_is_installed() else None
    return theirs if theirs is not None and catalogue().has(theirs) else name


def saved_module(module: str, name: str) -> str:
    """The module from which JSON says to import a name: a public one where it is ours, AutoGen's under the hook."""
    public = _public(module)
    theirs = their_name(public)
    if theirs is None or not hasattr(sys.modules.get(public), name):
        return module
    return theirs if hook_is_installed() and catalogue().has(f"{theirs}.{name}") else public


def name_of(cls: type) -> str:
    """The name by which a class can be found: in the public module that exports it, else in its own.

    Raises:
        ComponentError: The class is made inside a function or another class.
    """
    if "." in cls.__qualname__:
        raise ComponentError(
            f"{cls.__qualname__} of {cls.__module__} cannot be found again by name, since it is defined inside "
            "something else. Define it at the top of its module."
        )
    public = _public(cls.__module__)
    exported = getattr(sys.modules.get(public), cls.__name__, None)
    return f"{public if exported is cls else cls.__module__}.{cls.__name__}"


def _names_of(cls: type) -> set[str | None]:
    """The names of a class."""
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
    name = our_provider(provider)
    if asked_for is not None and name in _names_of(asked_for):
        return asked_for
    module_name, _, class_name = name.rpartition(".")
    if not module_name:
        raise ComponentError(f"The provider {provider!r} names no class: it has to be like 'package.module.Class'.")
    _check_allowed(provider, module_name)
    found = getattr(_imported(provider, name), class_name, None)
    if found is None:
        _check_not_planned(provider, name)
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


def _imported(provider: str, name: str) -> object:
    module = name.rpartition(".")[0]
    try:
        return import_module(module)
    except MissingExtraError:
        raise
    except ImportError as error:
        if f"{module}.".startswith(f"{error.name}."):  # the module itself, not one that it imports
            _check_not_planned(provider, name)
        raise ComponentError(f"{_subject(provider, module)} cannot be imported: {error}") from error


def _check_not_planned(provider: str, name: str) -> None:
    """Check that a class that is not here is not one of AutoGen that is to come.

    Raises:
        ComponentError: It is.
    """
    text = planned(their_name(name) or name)
    if text is not None:
        raise ComponentError(f"The provider {provider!r} cannot be loaded: {text}")


def _subject(provider: str, name: str) -> str:
    return f"The provider {provider!r}" + (f" ({name!r} here)" if is_autogens(provider) else "")


def _public(module: str) -> str:
    """The public module that a private one belongs to."""
    return ".".join(takewhile(_is_public, module.split(".")))


def _is_public(part: str) -> bool:
    return not part.startswith("_") or part == "__main__"


@dataclass(frozen=True, kw_only=True, slots=True)
class _Trust:
    packages: frozenset[str] = frozenset({"symposia"})
    code: bool = False


_trust: Final = ContextVar("symposia_component_trust", default=_Trust())  # noqa: B039 - it is frozen


@contextmanager
def allow_components_from(*packages: str) -> Generator[None]:
    """Let components of these packages or modules be loaded inside a ``with`` block, in what it awaits too.

    A provider's module is imported in order to load it, so allow only packages whose import you would write yourself.

    Args:
        packages: Each by name (``"my_package"``), with everything below it; ``"__main__"`` is the program itself.
    """
    trusted = _trust.get()
    token = _trust.set(replace(trusted, packages=trusted.packages | set(packages)))
    try:
        yield
    finally:
        _trust.reset(token)


@contextmanager
def trust_component_code() -> Generator[None]:
    """Let code in JSON run in this process when it is loaded inside a ``with`` block, such as that of a `FunctionTool`.

    Without it, the code runs in a sandbox; see `FunctionTool`.

    It runs with all the rights of the program, so trust only what you have written or read.
    """
    token = _trust.set(replace(_trust.get(), code=True))
    try:
        yield
    finally:
        _trust.reset(token)


def is_allowed(module: str) -> bool:
    """Whether components of a module may be loaded."""
    packages = _trust.get().packages
    parts = module.split(".")
    return any(".".join(parts[: end + 1]) in packages for end in range(len(parts)))


def code_is_trusted() -> bool:
    """Whether code in the JSON of components may run in this process."""
    return _trust.get().code


def require_trusted_code(component: str) -> None:
    """Check that the code in the JSON of a component may run.

    Raises:
        ComponentError: It may not.
    """
    if not code_is_trusted():
        raise ComponentError(
            f"{component} has code in its configuration, which loading would run. If you have written it, or read it, "
            "load it with load_component(…, trust_code=True)."
        )
