"""The registry of message serializers, and messages of types that it does not know."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

from symposia.core._serialization._classes import ClassSerializer, try_get_known_serializers_for_type
from symposia.core._serialization._serializer import MessageSerializer, UnknownPayload, full_name, wire_name
from symposia.core.exceptions import MessageSerializationError

Key: TypeAlias = tuple[str, str]
"""A message type's name and a format."""


class SerializationRegistry:
    """The serializers of a runtime that reaches other processes.

    Types are known by their names on the wire. A serializer takes the place of an earlier one of the same name and
    format, so that a program can bring its own; but when two classes of one name meet, using that name is an error,
    since it does not say which of them is meant.
    """

    def __init__(self) -> None:
        self._serializers: dict[Key, MessageSerializer[Any]] = {}
        self._clashes: dict[Key, str] = {}

    def add_serializer(self, serializer: MessageSerializer[Any] | Sequence[MessageSerializer[Any]]) -> None:
        """Learn to write and read the messages of one or several types."""
        for one in serializer if isinstance(serializer, Sequence) else (serializer,):
            key = (one.type_name, one.data_content_type)
            clash = _clash(self._serializers.get(key), one)
            if clash is not None:
                self._clashes[key] = clash
            self._serializers[key] = one

    def is_registered(self, type_name: str, data_content_type: str) -> bool:
        """Whether messages of that name can be written and read in that format."""
        return (type_name, data_content_type) in self._serializers

    def type_name(self, message: object) -> str:
        """The name on the wire of a message, or of a message class."""
        if isinstance(message, UnknownPayload):
            return message.type_name
        return wire_name(message if isinstance(message, type) else type(message))

    def data_content_types(self, message: object) -> list[str]:
        """The formats in which a message can be written, the first registered first; none if nothing says how."""
        if isinstance(message, UnknownPayload):
            return [message.data_content_type]
        self._learn(type(message))
        name = self.type_name(message)
        return [format_ for type_name, format_ in self._serializers if type_name == name]

    def serialize(self, message: object, *, type_name: str, data_content_type: str) -> bytes:
        """Write a message. The types that `try_get_known_serializers_for_type` knows need not be added before.

        Raises:
            MessageSerializationError: It cannot leave the process; the text names its type and says how it could.
        """
        if isinstance(message, UnknownPayload):
            return _as_it_came(message, data_content_type)
        if not self.is_registered(type_name, data_content_type):
            self._learn(type(message))
        serializer = self._find(type_name, data_content_type)
        if serializer is None:
            raise self._no_serializer(message, data_content_type)
        return serializer.serialize(message)

    def deserialize(self, payload: bytes, *, type_name: str, data_content_type: str) -> Any:
        """Read a message back.

        Returns:
            The message; an `UnknownPayload` if nothing is known of its type.

        Raises:
            MessageFormatError: The bytes are no such message.
            MessageSerializationError: Two types have that name.
        """
        serializer = self._find(type_name, data_content_type)
        if serializer is None:
            return UnknownPayload(type_name, data_content_type, payload)
        return serializer.deserialize(payload)

    def _learn(self, cls: type[object]) -> None:
        known = try_get_known_serializers_for_type(cls)
        self.add_serializer([one for one in known if not self.is_registered(one.type_name, one.data_content_type)])

    def _find(self, type_name: str, data_content_type: str) -> MessageSerializer[Any] | None:
        key = (type_name, data_content_type)
        if key in self._clashes:
            raise MessageSerializationError(self._clashes[key])
        return self._serializers.get(key)

    def _no_serializer(self, message: object, data_content_type: str) -> MessageSerializationError:
        cls = type(message)
        formats = self.data_content_types(message)
        if formats:
            return MessageSerializationError(
                f"A {full_name(cls)} cannot be written as {data_content_type}, only as {' or '.join(formats)}."
            )
        return MessageSerializationError(
            f"A {full_name(cls)} cannot leave the process: nothing says how to write it. Make it a dataclass, a "
            "pydantic model or a protobuf message, or teach the runtime with runtime.add_message_serializer(...)."
        )


def _as_it_came(message: UnknownPayload, data_content_type: str) -> bytes:
    if message.data_content_type != data_content_type:
        raise MessageSerializationError(
            f"A message of the unknown type '{message.type_name}' came as {message.data_content_type}, and cannot be "
            f"sent on as {data_content_type}."
        )
    return message.payload


def _clash(present: MessageSerializer[Any] | None, new: MessageSerializer[Any]) -> str | None:
    """What is wrong with two serializers for one name, if anything: a class defined anew takes the old one's place."""
    if not isinstance(present, ClassSerializer) or not isinstance(new, ClassSerializer) or present.cls is new.cls:
        return None
    first, second = full_name(present.cls), full_name(new.cls)
    if first == second:
        return None
    return (
        f"Two message types are named '{new.type_name}', {first} and {second}: rename one before it leaves the process."
    )
