"""Whom a program believes when it loads components: by default nobody but this project, and no code in JSON."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Final

from symposia.core.exceptions import ComponentError


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
    """Let code that stands in JSON run when it is loaded inside a ``with`` block, such as that of a `FunctionTool`.

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


def require_trusted_code(component: str) -> None:
    """Check that the code in the JSON of a component may run.

    Raises:
        ComponentError: It may not.
    """
    if not _trust.get().code:
        raise ComponentError(
            f"{component} has code in its configuration, which loading would run. If you have written it, or read it, "
            "load it with load_component(…, trust_code=True)."
        )
