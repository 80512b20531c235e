from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from symposia.core._serialization._class_serializer import ClassSerializer
from symposia.core._serialization._refusals import not_readable
from symposia.core._serialization._serializer import PROTOBUF_DATA_CONTENT_TYPE
from symposia.core._serialization._type_name import full_name
from symposia.core.exceptions import MessageFormatError

if TYPE_CHECKING:
    from google.protobuf.message import Message

ProtobufT = TypeVar("ProtobufT", bound="Message")


class ProtobufMessageSerializer(ClassSerializer[ProtobufT]):
    """Protobuf messages, inside a ``google.protobuf.Any`` that names their type.

    Args:
        cls: The messages' generated class.
    """

    content_type = PROTOBUF_DATA_CONTENT_TYPE

    def serialize(self, message: ProtobufT) -> bytes:
        """Write a message.

        Raises:
            MessageSerializationError: It is of another class.
        """
        from google.protobuf.any_pb2 import Any as AnyMessage  # noqa: PLC0415 - protobuf is optional

        self.check(message)
        envelope = AnyMessage()
        envelope.Pack(message)
        return envelope.SerializeToString()

    def deserialize(self, payload: bytes) -> ProtobufT:
        """Read a message back.

        Raises:
            MessageFormatError: The bytes are no such message.
        """
        from google.protobuf.any_pb2 import Any as AnyMessage  # noqa: PLC0415 - protobuf is optional
        from google.protobuf.message import DecodeError  # noqa: PLC0415 - likewise

        message = self.cls()
        try:
            envelope = AnyMessage.FromString(payload)
            is_ours = envelope.Unpack(message)
        except DecodeError as error:
            raise not_readable(self.cls, error) from error
        if not is_ours:
            raise MessageFormatError(f"The bytes are no {full_name(self.cls)} but a '{envelope.type_url}'")
        return message
