"""What a cache of answers has to have, so that a program may bring its own."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Protocol, Self

__all__ = ["AbstractCache"]


class AbstractCache(Protocol):
    """Values by their keys. It is a context manager, which closes itself.

    The values are answers of models, each of the class that its client makes.
    """

    def get(self, key: str, default: Any | None = None) -> Any | None:  # Any: a program stores what it likes
        """The value of a key, or else the default."""
        ...

    def set(self, key: str, value: Any) -> None:  # Any: see above
        """Store a value."""
        ...

    def close(self) -> None:
        """Give back files and connections."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...
