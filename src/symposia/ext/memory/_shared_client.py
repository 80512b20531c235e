"""A client of a store, which calls in several threads use at the same time, and which is closed when none does."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Generic, TypeVar

C = TypeVar("C")


class SharedClient(Generic[C]):
    """A client that the first call makes, and the first one after `close`.

    The libraries of stores close the connections of calls that are under way, which then fail with errors of their own.

    Args:
        make: Makes the client.
        close: Closes one.
    """

    def __init__(self, make: Callable[[], C], close: Callable[[C], object]) -> None:
        self._make = make
        self._close = close
        self._client: C | None = None
        self._calls = 0
        self._is_closing = False
        self._changed = threading.Condition()

    @contextmanager
    def used(self) -> Generator[C]:
        """The client, for one call."""
        with self._changed:
            self._changed.wait_for(lambda: not self._is_closing)
            if self._client is None:
                self._client = self._make()
            client = self._client
            self._calls += 1
        try:
            yield client
        finally:
            with self._changed:
                self._calls -= 1
                self._changed.notify_all()

    def close(self) -> None:
        """Close the client after the calls that are under way, and before those that begin meanwhile."""
        with self._changed:
            self._changed.wait_for(lambda: not self._is_closing)
            self._is_closing = True
            try:
                self._changed.wait_for(lambda: not self._calls)
                client, self._client = self._client, None
                if client is not None:
                    self._close(client)
            finally:
                self._is_closing = False
                self._changed.notify_all()
