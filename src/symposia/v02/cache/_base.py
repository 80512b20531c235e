"""What the caches have alike: they close at the end of a ``with`` block."""

from __future__ import annotations

from abc import abstractmethod
from types import TracebackType
from typing import Any, Self

from typing_extensions import override

from symposia.v02.cache.abstract_cache_base import AbstractCache


class ClosingCache(AbstractCache):
    """A cache that ends with its ``with`` block."""

    @abstractmethod
    def get(self, key: str, default: Any | None = None) -> Any | None: ...  # Any: see `AbstractCache`

    @abstractmethod
    def set(self, key: str, value: Any) -> None: ...  # Any: see `AbstractCache`

    @abstractmethod
    def close(self) -> None: ...

    @override
    def __enter__(self) -> Self:
        return self

    @override
    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
