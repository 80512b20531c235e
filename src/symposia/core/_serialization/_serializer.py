from __future__ import annotations

from typing import Final, Protocol, TypeVar, runtime_checkable

T = TypeVar("T")

JSON_DATA_CONTENT_TYPE: Final = "application/json"
"""What dataclasses and pydantic models become."""

PROTOBUF_DATA_CONTENT_TYPE: Final = "application/x-protobuf"
"""What protobuf messages become: a ``google.protobuf.Any`` that holds them."""


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
