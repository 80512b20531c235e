"""Objects that the wrappers of one process share by name."""

from __future__ import annotations

import asyncio
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
        """The object of this name, which `make` makes if there is none.

        Returns:
            The entry, which the user has to keep.

        Raises:
            InvalidArgumentError: There is one with other settings.
        """
        with self._lock:
            entry = self._known.get(name)
            if entry is None:
                entry = self._known[name] = _Entry(make, settings)
        if entry.settings != settings:
            raise InvalidArgumentError(
                f"There is a {self._what} named {name!r} with {entry.settings}, and not {settings}: give the same, or "
                "another name."
            )
        return entry


class _Entry(Generic[T]):
    """One object for all event loops that tell the system's time, and one for each loop with a clock of its own.

    Such a loop is that of a simulation. Its time means nothing to another one, and what calls of a simulation that has
    ended hold is never given back. A user lives longer than its simulation: in a global variable, in the traceback of
    an error.
    """

    __slots__ = ("__weakref__", "_of_loops", "_of_system", "settings")

    def __init__(self, make: Callable[[], T], settings: Hashable) -> None:
        self._of_system = make()
        self._of_loops = ByLoop(make)
        self.settings = settings

    @property
    def value(self) -> T:
        """The object for the running event loop."""
        loop = asyncio.get_running_loop()
        return self._of_loops.get(loop) if _has_own_clock(loop) else self._of_system


class ByLoop(Generic[T]):
    """An object for each event loop, which lasts until its loop is closed and another loop gets one.

    Weak references do not do: what belongs to a loop refers to it, and would keep it.

    Args:
        make: Makes the object of a loop.
    """

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._objects: dict[asyncio.AbstractEventLoop, T] = {}

    def get(self, loop: asyncio.AbstractEventLoop) -> T:
        """The object of a loop, made now if there is none."""
        with self._lock:
            if loop not in self._objects:
                self._objects = {known: each for known, each in self._objects.items() if not known.is_closed()}
                self._objects[loop] = self._make()
            return self._objects[loop]


def _has_own_clock(loop: asyncio.AbstractEventLoop) -> bool:
    return isinstance(loop, asyncio.BaseEventLoop) and type(loop).time is not asyncio.BaseEventLoop.time
