"""The serializers of the classes that messages are written as: pydantic models, dataclasses, protobuf messages."""

from __future__ import annotations

import dataclasses
import types
import typing
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Generic, TypeVar, Union

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, PydanticSerializationError

from symposia.core._serialization._serializer import (
    JSON_DATA_CONTENT_TYPE,
    PROTOBUF_DATA_CONTENT_TYPE,
    MessageSerializer,
    full_name,
    is_protobuf,
    wire_name,
)
from symposia.core.exceptions import MessageFormatError, MessageSerializationError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance
    from google.protobuf.message import Message

    from symposia.core._serialization._dataclass_fields import Record

T = TypeVar("T")
PydanticT = TypeVar("PydanticT", bound=BaseModel)
DataclassT = TypeVar("DataclassT", bound="DataclassInstance")
ProtobufT = TypeVar("ProtobufT", bound="Message")


def try_get_known_serializers_for_type(cls: Any) -> list[MessageSerializer[Any]]:
    """The serializers for a message type: of a union, those of all its members.

    Args:
        cls: A pydantic model, a dataclass, a protobuf message, or a union of such classes.

    Returns:
        One for each class; none for types that are nothing of the kind. Making them costs nothing: whether a
        dataclass's fields can be written shows when the first message is.
    """
    if isinstance(cls, type):
        return _of_class(cls)
    if typing.get_origin(cls) is Annotated:
        return try_get_known_serializers_for_type(typing.get_args(cls)[0])
    if typing.get_origin(cls) in (Union, types.UnionType):
        return [one for member in typing.get_args(cls) for one in try_get_known_serializers_for_type(member)]
    return []


def _of_class(cls: type[object]) -> list[MessageSerializer[Any]]:
    if issubclass(cls, BaseModel):
        return [PydanticJsonMessageSerializer(cls)]
    if dataclasses.is_dataclass(cls):
        return [DataclassJsonMessageSerializer(cls)]
    if is_protobuf(cls):
        return [ProtobufMessageSerializer(cls)]
    return []


class ClassSerializer(MessageSerializer[T], Generic[T]):
    """A serializer for a class of messages: implement `serialize` and `deserialize`.

    Args:
        cls: The messages' class.
    """

    content_type: ClassVar[str]

    def __init__(self, cls: type[T]) -> None:
        self.cls = cls

    @property
    def data_content_type(self) -> str:
        """The format, as a media type."""
        return self.content_type

    @property
    def type_name(self) -> str:
        """The class's name on the wire."""
        return wire_name(self.cls)

    def check(self, message: object) -> None:
        """Refuse a message of another class.

        Raises:
            MessageSerializationError: It is of another.
        """
        if not isinstance(message, self.cls):
            raise MessageSerializationError(
                f"The message type name '{self.type_name}' stands for {full_name(self.cls)}, and cannot be used for a "
                f"{full_name(type(message))}: types that leave the process need names of their own."
            )


class PydanticJsonMessageSerializer(ClassSerializer[PydanticT]):
    """Pydantic models as JSON.

    Args:
        cls: The messages' class.
    """

    content_type = JSON_DATA_CONTENT_TYPE

    def serialize(self, message: PydanticT) -> bytes:
        """Write a message.

        Raises:
            MessageSerializationError: It is of another class, or a field holds what JSON cannot.
        """
        self.check(message)
        try:
            return message.model_dump_json().encode()
        except PydanticSerializationError as error:
            raise _not_writable(self.cls, error) from error

    def deserialize(self, payload: bytes) -> PydanticT:
        """Read a message back.

        Raises:
            MessageFormatError: The bytes are no such message; the text names the field.
        """
        try:
            return self.cls.model_validate_json(payload)
        except ValidationError as error:
            raise _not_readable(self.cls, error) from error


class DataclassJsonMessageSerializer(ClassSerializer[DataclassT]):
    """Dataclasses as JSON objects, with anything in their fields that pydantic can write, and read as the same.

    A field that is not an argument of the constructor is neither written nor read. An unknown field is ignored. What a
    field holds is written as its annotation says: of an object of a subclass, only what the base class has.

    Args:
        cls: The messages' class.
    """

    content_type = JSON_DATA_CONTENT_TYPE

    def serialize(self, message: DataclassT) -> bytes:
        """Write a message.

        Raises:
            MessageSerializationError: It is of another class, or a field holds what its annotation does not say, or
                what JSON cannot; the text names the field.
        """
        self.check(message)
        record = self._record.model_construct({name: getattr(message, name) for name in self._fields})
        try:
            return record.model_dump_json(warnings="error").encode()
        except PydanticSerializationError as error:
            raise _not_writable(self.cls, error) from error

    def deserialize(self, payload: bytes) -> DataclassT:
        """Read a message back: its class is called with the fields that are there.

        Raises:
            MessageFormatError: The bytes are no such message; the text names the field.
        """
        record = self._record
        try:
            return self.cls(**record.model_validate_json(payload).root)
        except Exception as error:  # of pydantic, or of the class's own constructor
            raise _not_readable(self.cls, error) from error

    @cached_property
    def _fields(self) -> tuple[str, ...]:
        return tuple(field.name for field in dataclasses.fields(self.cls) if field.init)

    @cached_property
    def _record(self) -> type[Record]:
        from symposia.core._serialization._dataclass_fields import record_of  # noqa: PLC0415 - see there

        return record_of(self.cls)


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
            raise _not_readable(self.cls, error) from error
        if not is_ours:
            raise MessageFormatError(f"The bytes are no {full_name(self.cls)} but a '{envelope.type_url}'")
        return message


def _not_writable(cls: type, error: Exception) -> MessageSerializationError:
    """A value in a message is none that JSON could hold."""
    return MessageSerializationError(f"A {full_name(cls)} cannot be written as JSON: {error}")


def _not_readable(cls: type, error: Exception) -> MessageFormatError:
    """Bytes are no message of this class."""
    why = "; ".join(map(_fault, error.errors())) if isinstance(error, ValidationError) else str(error)
    return MessageFormatError(f"The bytes are no {full_name(cls)}: {why}")


def _fault(fault: ErrorDetails) -> str:
    return f"{'.'.join(map(str, fault['loc'])) or 'the payload'}: {fault['msg']}"
