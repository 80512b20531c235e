"""The contract of caches, and a cache in memory."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Generic, TypeVar, overload

from symposia.core._component import ComponentBase

T = TypeVar("T")


class CacheStore(ABC, ComponentBase, Generic[T]):
    """Values by key, kept for as long as the store pleases."""

    component_type = "cache_store"

    @abstractmethod
    def get(self, key: str, default: T | None = None) -> T | None:
        """The value under `key`, or `default` where there is none.

        One signature, and not one for each kind of default, so that a subclass can write it down the same way.
        """

    @abstractmethod
    def set(self, key: str, value: T) -> None:
        """Store `value` under `key`, in place of an earlier value."""

    def close(self) -> None:
        """Give back connections and threads, which the next call opens again. By default there are none."""


class InMemoryStore(CacheStore[T]):
    """Keeps values for as long as the store itself lives."""

    def __init__(self) -> None:
        self._values: dict[str, T] = {}

    @overload
    def get(self, key: str) -> T | None: ...
    @overload
    def get(self, key: str, default: T) -> T: ...
    @overload
    def get(self, key: str, default: T | None = None) -> T | None: ...
    def get(self, key: str, default: T | None = None) -> T | None:
        """The value under `key`, or `default` where there is none."""
        return self._values.get(key, default)

    def set(self, key: str, value: T) -> None:
        """Store `value` under `key`, in place of an earlier value."""
        self._values[key] = value
