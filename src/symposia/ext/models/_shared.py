"""Objects that the wrappers of one process share by name."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar
from weakref import WeakValueDictionary

from symposia.core.exceptions import InvalidArgumentError

T = TypeVar("T")


class SharedByName(Generic[T]):
    """Objects by name, for as long as somewhere one of their users lives.

    Args:
        what: What the objects are, for errors.
    """

    def __init__(self, what: str) -> None:
        self._what = what
        self._lock = threading.Lock()
        self._known: WeakValueDictionary[Hashable, _Entry[T]] = WeakValueDictionary()

    def get(self, name: Hashable, settings: Hashable, make: Callable[[], T]) -> _Entry[T]:
        """The object of this name, made now if there is none.

        Returns:
            The entry, which the user has to keep.

        Raises:
            InvalidArgumentError: There is one with other settings.
        """
        with self._lock:
            entry = self._known.get(name)
            if entry is None:
                entry = self._known[name] = _Entry(make(), settings)
        if entry.settings != settings:
            raise InvalidArgumentError(
                f"There is a {self._what} named {name!r} with {entry.settings}, and not {settings}: give the same, or "
                "another name."
            )
        return entry


class _Entry(Generic[T]):
    __slots__ = ("__weakref__", "settings", "value")

    def __init__(self, value: T, settings: Hashable) -> None:
        self.value = value
        self.settings = settings
