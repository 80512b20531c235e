"""Registries: entries by name, built in, registered by the program, or offered by other distributions.

A distribution offers an entry by an entry point, so that a name in a command finds it though no line of the program
imports it. What is offered is kept apart from what is registered: an installed package replaces neither a built-in
entry nor one that the program registered, whatever was called first, and unregistering leaves it in place.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Collection, Generator, Iterable, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from symposia.core.exceptions import ArgumentTypeError, InvalidArgumentError, RegistrationError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint


class Named(Protocol):
    """An entry of a registry."""

    @property
    def name(self) -> str:
        """The name by which it is found."""
        ...


def check_entry_name(what: str, name: object) -> None:
    """Raise an error for a name that cannot be given on a command line, or before the slash of ``vendor/model``.

    Args:
        what: What has the name, for the error.
        name: The name.

    Raises:
        ArgumentTypeError: It is not a text.
        InvalidArgumentError: It is empty, or has other characters than letters, digits, ``-``, ``_`` and ``.``.
    """
    if not isinstance(name, str):
        raise ArgumentTypeError(f"The name of a {what} is {name!r}: give a text, such as 'acme'.")
    if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", name) is None:
        raise InvalidArgumentError(
            f"The name of a {what} is {name!r}: give letters, digits, '-', '_' and '.' alone, such as 'acme'."
        )


EntryT = TypeVar("EntryT", bound=Named)


class Registry(Generic[EntryT]):
    """Entries of one type by name, for this process.

    Args:
        entry_type: The class of the entries.
        what: What an entry is called in errors and warnings.
        group: The group of the entry points by which distributions offer entries.
        built_in: Makes the built-in entries, when they are first needed.
        reserved: Names that no entry can have.
    """

    def __init__(
        self,
        entry_type: type[EntryT],
        *,
        what: str,
        group: str,
        built_in: Callable[[], Iterable[EntryT]],
        reserved: Collection[str] = (),
    ) -> None:
        self._entry_type = entry_type
        self._what = what
        self._group = group
        self._make_built_in = built_in
        self._reserved = frozenset(reserved)
        self._registered: dict[str, EntryT] = {}
        self._only: dict[str, EntryT] | None = None

    def all(self) -> dict[str, EntryT]:
        """All entries: the built-in ones, those that were registered, and those that distributions offer.

        The first call searches the installed distributions, which reads files. What they offer and cannot be used is
        a `UserWarning`.
        """
        if self._only is not None:
            return dict(self._only)
        # A registered entry that is offered too keeps its place and its value.
        offered = {name: entry for name, entry in self._offered.items() if name not in self._registered}
        return {**self._built_in, **self._registered, **offered}

    def without_offered(self) -> dict[str, EntryT]:
        """The built-in entries and those that were registered: what the program and this library have named."""
        return {**self._built_in, **self._registered}

    def register(self, entry: EntryT) -> None:
        """Add an entry, in place of an offered one of its name. The same entry again changes nothing.

        Raises:
            ArgumentTypeError: It is something else, such as a name alone.
            RegistrationError: A built-in or another registered entry has its name.
        """
        if not isinstance(entry, self._entry_type):
            raise ArgumentTypeError(f"A {self._what} has to be a {self._entry_type.__name__}, not {entry!r}")
        name = entry.name
        if name in self._built_in or name in self._reserved or self._registered.get(name, entry) is not entry:
            raise RegistrationError(f"A {self._what} named {name!r} is registered already. Give this one another name.")
        self._registered[name] = entry

    def unregister(self, name: str) -> None:
        """Remove an entry that `register` added.

        Raises:
            RegistrationError: There is none of this name.
        """
        if self._registered.pop(name, None) is None:
            registered = ", ".join(self._registered) or "none"
            raise RegistrationError(f"No {self._what} named {name!r} was registered. Registered are: {registered}.")

    @contextmanager
    def only(self, entries: Iterable[EntryT]) -> Generator[None]:
        """Have these entries and no others inside a ``with`` block, in all threads."""
        before, self._only = self._only, {entry.name: entry for entry in entries}
        try:
            yield
        finally:
            self._only = before

    @cached_property
    def _built_in(self) -> dict[str, EntryT]:
        return {entry.name: entry for entry in self._make_built_in()}

    @cached_property
    def _offered(self) -> dict[str, EntryT]:
        from importlib.metadata import entry_points  # noqa: PLC0415 - takes 10 ms to import

        found: dict[str, EntryT] = {}
        for point in sorted(entry_points(group=self._group), key=lambda point: point.name):
            for entry in self._loaded(point):
                if entry.name in found or entry.name in self._built_in or entry.name in self._reserved:
                    self._warn(point, f"has the name {entry.name!r}, which is taken")
                else:
                    found[entry.name] = entry
        return found

    def _loaded(self, point: EntryPoint) -> Iterator[EntryT]:
        try:
            entry: object = point.load()
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a distribution that is broken must not break the others
            # SystemExit too: a module that is a script, without a check of `__name__`, must not end the program that
            # only asks which entries there are. KeyboardInterrupt stays the user's.
            self._warn(point, f"cannot be loaded: {type(error).__name__}: {str(error).rstrip('.')}")
            return
        if isinstance(entry, self._entry_type):
            yield entry
        else:
            self._warn(point, f"is not a {self._entry_type.__name__}: {entry!r}")

    def _warn(self, point: EntryPoint, problem: str) -> None:
        distribution = f"the distribution {point.dist.name}" if point.dist is not None else "its distribution"
        warnings.warn(
            f"The {self._what} {point.name} ({point.value}) {problem}. It is ignored: update or uninstall"
            f" {distribution}.",
            stacklevel=2,
        )
