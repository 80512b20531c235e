"""A cache that lasts as long as its object."""

from __future__ import annotations

from typing import Any

from typing_extensions import override

from symposia.v02.cache._base import ClosingCache

__all__ = ["InMemoryCache"]


class InMemoryCache(ClosingCache):
    """Keeps values in memory.

    Args:
        seed: Tells the keys of one cache from those of another; each object has its own values anyway.
    """

    def __init__(self, seed: str | int = "") -> None:
        self._prefix = f"{seed}_" if seed else ""
        self._values: dict[str, Any] = {}  # Any: see `AbstractCache`

    @override
    def get(self, key: str, default: Any | None = None) -> Any | None:
        return self._values.get(self._prefix + key, default)

    @override
    def set(self, key: str, value: Any) -> None:
        self._values[self._prefix + key] = value

    @override
    def close(self) -> None:
        """Nothing is to be given back."""
