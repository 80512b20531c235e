"""How messages become bytes, for runtimes that reach other processes."""

from __future__ import annotations

from typing import Protocol, TypeVar, runtime_checkable

T = TypeVar("T")


@runtime_checkable
class MessageSerializer(Protocol[T]):
    """Turns messages of one type into bytes of one format, and back."""

    @property
    def data_content_type(self) -> str:
        """The format, as a media type."""
        ...

    @property
    def type_name(self) -> str:
        """The message type's name on the wire."""
        ...

    def deserialize(self, payload: bytes) -> T:
        """Read a message back."""
        ...

    def serialize(self, message: T) -> bytes:
        """Write a message."""
        ...
