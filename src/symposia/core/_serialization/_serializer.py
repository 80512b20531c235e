"""The contract of serializers, the names of formats and types, and the payload of an unknown type."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol, TypeGuard, TypeVar, runtime_checkable

if TYPE_CHECKING:
    from google.protobuf.message import Message

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


@dataclass
class UnknownPayload:
    """A message of a type that is not known here. Sent on, it goes as it came.

    Attributes:
        type_name: The type's name on the wire.
        data_content_type: The format of `payload`, as a media type.
        payload: The message's bytes.
    """

    type_name: str
    data_content_type: str
    payload: bytes


def is_protobuf(cls: type) -> TypeGuard[type[Message]]:
    """Whether a class is a protobuf message. Protobuf is not imported: without it there can be none."""
    module = sys.modules.get("google.protobuf.message")
    return module is not None and issubclass(cls, module.Message)


def wire_name(cls: type) -> str:
    """A message type's name on the wire: protobuf's full name, else the class's own, without its module."""
    return cls.DESCRIPTOR.full_name if is_protobuf(cls) else cls.__name__


def full_name(cls: type) -> str:
    """A class's name with its module, for error messages."""
    return f"{cls.__module__}.{cls.__qualname__}"
