"""The sandboxes by name: the one list that the command line, `symposia doctor`, `symposia setup` and the presets read.

Another package adds its own with `register_sandbox`, or without being imported first by an entry point of the group
``symposia.sandboxes`` that is a `SandboxKind`::

    [project.entry-points."symposia.sandboxes"]
    firecracker = "my_package:KIND"
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points
from typing import Final

from symposia.core.code_executor import SandboxBackend
from symposia.core.exceptions import InvalidArgumentError

AUTO: Final = "auto"
"""The name of the choice among the sandboxes, which no sandbox can have."""
ENTRY_POINTS: Final = "symposia.sandboxes"


@dataclass(frozen=True, kw_only=True, slots=True)
class SandboxKind:
    """A kind of sandbox, by the name of its backend.

    Attributes:
        name: As ``--sandbox`` takes it, and as the backend's `name`.
        requires: Its requirements on the machine, in a few words.
        make: Makes a backend with its defaults. Its dependencies are imported when it is called.
        extra: The extra of this distribution that it needs: ``pip install 'symposia[EXTRA]'``.
        isolated: Whether code is kept from the machine. ``auto`` takes no kind that does not.
    """

    name: str
    requires: str
    make: Callable[[], SandboxBackend]
    extra: str | None = None
    isolated: bool = True


def sandbox_kinds() -> tuple[SandboxKind, ...]:
    """Every registered kind, in the order in which ``auto`` tries them."""
    return (*_builtin(), *registered_kinds().values())


def sandbox_kind(name: str) -> SandboxKind:
    """Find a kind by its name.

    Raises:
        InvalidArgumentError: None has this name; the text lists those there are.
    """
    kinds = {kind.name: kind for kind in sandbox_kinds()}
    if name not in kinds:
        raise InvalidArgumentError(f"There is no sandbox {name!r}. There are: {', '.join((AUTO, *kinds))}")
    return kinds[name]


def register_sandbox(kind: SandboxKind) -> None:
    """Register a kind. ``auto`` tries it after those that are registered already.

    Raises:
        InvalidArgumentError: Another kind has its name.
    """
    if kind.name == AUTO or kind.name in {each.name for each in sandbox_kinds()}:
        raise InvalidArgumentError(f"A sandbox named {kind.name!r} is there already. Give this one another name.")
    registered_kinds()[kind.name] = kind


def sandbox_backends() -> tuple[SandboxBackend, ...]:
    """A backend of every kind that isolates code, in the order in which ``auto`` tries them."""
    return tuple(kind.make() for kind in sandbox_kinds() if kind.isolated)


def _builtin() -> Iterator[SandboxKind]:
    yield SandboxKind(name="docker", requires="a Docker engine", make=_docker, extra="docker")
    if sys.platform == "linux":
        yield SandboxKind(name="bubblewrap", requires="the program bwrap", make=_bubblewrap)
        yield SandboxKind(name="namespaces", requires="nothing but Linux", make=_namespaces)
    yield SandboxKind(
        name="local", requires="nothing: code runs on this machine, unprotected", make=_local, isolated=False
    )


@cache
def registered_kinds() -> dict[str, SandboxKind]:
    """The kinds of other packages: those with an entry point, sorted by name, then those that were registered."""
    found: dict[str, SandboxKind] = {}
    taken = {kind.name for kind in _builtin()} | {AUTO}
    # By entry points, so that `--sandbox NAME` finds a kind whose package no line of the program imports.
    for point in sorted(entry_points(group=ENTRY_POINTS), key=lambda point: point.name):
        try:
            kind = point.load()
        except Exception as error:  # noqa: BLE001 - a package that is broken must not break the others
            warnings.warn(f"The sandbox {point.name} ({point.value}) cannot be loaded: {error}", stacklevel=2)
            continue
        if not isinstance(kind, SandboxKind) or kind.name in taken | found.keys():
            said = f"The sandbox {point.name} ({point.value}) is no SandboxKind with a name of its own."
            warnings.warn(said, stacklevel=2)
            continue
        found[kind.name] = kind
    return found


def _docker() -> SandboxBackend:
    from symposia.ext.code_executors.docker import DockerBackend  # noqa: PLC0415 - only where it is used

    return DockerBackend()


def _bubblewrap() -> SandboxBackend:
    from symposia.ext.code_executors.bubblewrap import BubblewrapBackend  # noqa: PLC0415 - only where it is used

    return BubblewrapBackend()


def _namespaces() -> SandboxBackend:
    from symposia.ext.code_executors.namespaces import NamespaceBackend  # noqa: PLC0415 - only where it is used

    return NamespaceBackend()


def _local() -> SandboxBackend:
    from symposia.ext.code_executors.local import LocalBackend  # noqa: PLC0415 - only where it is used

    return LocalBackend()
