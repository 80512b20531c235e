"""The sandboxes by name: the one list that the command line, `symposia doctor`, `symposia setup` and the presets read.

Another package adds its own with `register_sandbox`, or without being imported first by an entry point of the group
``symposia.sandboxes`` that is a `SandboxKind`::

    [project.entry-points."symposia.sandboxes"]
    firecracker = "my_package:KIND"
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Final

from symposia.core.code_executor import SandboxBackend
from symposia.core.exceptions import ArgumentTypeError, InvalidArgumentError
from symposia.ext._registry import Registry, check_entry_name

AUTO: Final = "auto"
"""The name of the choice among the sandboxes, which no sandbox can have."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SandboxKind:
    """A kind of sandbox, by the name of its backend.

    Attributes:
        name: As ``--sandbox`` takes it, and as the backend's `name`.
        requires: Its requirements on the machine, in a few words.
        make: Makes a backend with its defaults. Its dependencies are imported when it is called.
        extra: The extra of this distribution that it needs: ``pip install 'symposia[EXTRA]'``.
        isolation: What keeps code in it from the machine, in a sentence.
        isolated: Whether code is kept from the machine. ``auto`` takes no kind that does not.

    Raises:
        ArgumentTypeError: `name` is not a text, or `make` cannot be called.
        InvalidArgumentError: `name` has a space, or another character that a command line would have to quote.
    """

    name: str
    requires: str
    make: Callable[[], SandboxBackend]
    extra: str | None = None
    isolation: str = ""
    isolated: bool = True

    def __post_init__(self) -> None:
        check_entry_name("sandbox", self.name)
        if not callable(self.make):
            raise ArgumentTypeError(
                f"make of the sandbox {self.name!r} is {self.make!r}: give a function that makes a SandboxBackend."
            )


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


def _built_in() -> Iterator[SandboxKind]:
    shared = "no network, no privileges, a filter of system calls, a read-only root; it shares the kernel"
    yield SandboxKind(
        name="docker",
        requires="a Docker engine",
        make=_docker,
        extra="docker",
        isolation=f"A hardened container: {shared} of the engine's machine.",
    )
    if sys.platform == "linux":
        yield SandboxKind(
            name="bubblewrap",
            requires="the program bwrap",
            make=_bubblewrap,
            isolation=f"Namespaces that bwrap makes: {shared}.",
        )
        yield SandboxKind(
            name="namespaces",
            requires="nothing but Linux",
            make=_namespaces,
            isolation=f"Namespaces that Symposia makes: {shared}.",
        )
    yield SandboxKind(
        name="local",
        requires="nothing: code runs on this machine, unprotected",
        make=_local,
        isolation="None: code has all the rights of this user.",
        isolated=False,
    )


_kinds: Final = Registry(SandboxKind, what="sandbox", group="symposia.sandboxes", built_in=_built_in, reserved=(AUTO,))


def sandbox_kinds() -> tuple[SandboxKind, ...]:
    """All kinds, in the order in which ``auto`` tries them: built-in, registered, offered by other distributions.

    The first call searches the installed distributions, which reads files. A kind that cannot be loaded is a
    `UserWarning`.
    """
    return tuple(_kinds.all().values())


def sandbox_kind(name: str) -> SandboxKind:
    """Find a kind by its name.

    Raises:
        InvalidArgumentError: None has this name, or it is ``auto``; the text lists those there are.
    """
    kinds = _kinds.all()
    if name == AUTO:
        raise InvalidArgumentError(
            f"{AUTO!r} is the choice of the first sandbox that starts, and none of its own: in a program, it is "
            f"AutoBackend(). The sandboxes are: {', '.join(kinds)}"
        )
    if name not in kinds:
        raise InvalidArgumentError(f"There is no sandbox {name!r}. There are: {', '.join((AUTO, *kinds))}")
    return kinds[name]


def register_sandbox(kind: SandboxKind) -> None:
    """Register a kind, in place of one of its name that a distribution offers.

    Raises:
        ArgumentTypeError: It is not a `SandboxKind`.
        RegistrationError: A built-in kind or one that was registered has its name, or the name is ``auto``.
    """
    _kinds.register(kind)


def unregister_sandbox(name: str) -> None:
    """Remove a kind that `register_sandbox` added.

    Raises:
        RegistrationError: There is none of this name.
    """
    _kinds.unregister(name)


def only_sandboxes(*kinds: SandboxKind) -> AbstractContextManager[None]:
    """Have these kinds and no others inside a ``with`` block, in all threads: for tests, or to restrict ``auto``."""
    return _kinds.only(kinds)


def sandbox_backends() -> tuple[SandboxBackend, ...]:
    """A backend of every kind that isolates code, in the order in which ``auto`` tries them."""
    return tuple(kind.make() for kind in sandbox_kinds() if kind.isolated)
