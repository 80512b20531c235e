from dataclasses import dataclass
from types import new_class
from typing import Any

import pytest
from google.protobuf.wrappers_pb2 import StringValue
from pydantic import BaseModel

from symposia.core import (
    JSON_DATA_CONTENT_TYPE,
    PROTOBUF_DATA_CONTENT_TYPE,
    SerializationRegistry,
    UnknownPayload,
    try_get_known_serializers_for_type,
)
from symposia.core.exceptions import MessageSerializationError


@dataclass
class Point:
    x: int


class Note(BaseModel):
    text: str


class Plain:
    pass


class PlainSerializer:
    """Says nothing but that there was one."""

    data_content_type = "text/plain"
    type_name = "Plain"

    def serialize(self, message: Plain) -> bytes:
        return b"plain"

    def deserialize(self, payload: bytes) -> Plain:
        return Plain()


class PointAsText:
    data_content_type = JSON_DATA_CONTENT_TYPE
    type_name = "Point"

    def serialize(self, message: Point) -> bytes:
        return str(message.x).encode()

    def deserialize(self, payload: bytes) -> Point:
        return Point(int(payload))


def write(registry: SerializationRegistry, message: object, content_type: str = JSON_DATA_CONTENT_TYPE) -> bytes:
    return registry.serialize(message, type_name=registry.type_name(message), data_content_type=content_type)


def test_what_was_added_is_written_and_read() -> None:
    registry = SerializationRegistry()
    registry.add_serializer(try_get_known_serializers_for_type(Point | Note))
    for message in (Point(1), Note(text="a")):
        name = registry.type_name(message)
        assert registry.is_registered(name, JSON_DATA_CONTENT_TYPE)
        payload = write(registry, message)
        assert registry.deserialize(payload, type_name=name, data_content_type=JSON_DATA_CONTENT_TYPE) == message


def test_names_are_those_of_messages_and_of_their_classes() -> None:
    registry = SerializationRegistry()
    assert registry.type_name(Point(1)) == registry.type_name(Point) == "Point"
    assert registry.type_name(StringValue()) == registry.type_name(StringValue) == "google.protobuf.StringValue"


def test_what_is_not_known_is_read_as_an_unknown_payload() -> None:
    registry = SerializationRegistry()
    read = registry.deserialize(b"...", type_name="Else", data_content_type="text/odd")
    assert read == UnknownPayload(type_name="Else", data_content_type="text/odd", payload=b"...")
    assert not registry.is_registered("Else", "text/odd")


def test_an_unknown_payload_is_sent_on_as_it_came() -> None:
    registry = SerializationRegistry()
    unknown = UnknownPayload("Else", "text/odd", b"...")
    assert registry.type_name(unknown) == "Else"
    assert write(registry, unknown, "text/odd") == b"..."
    with pytest.raises(
        MessageSerializationError, match="'Else' came as text/odd, and cannot be sent on as application"
    ):
        write(registry, unknown)


def test_a_known_kind_of_message_can_be_written_without_being_added() -> None:
    assert write(SerializationRegistry(), Point(1)) == b'{"x":1}'


def test_a_message_that_cannot_leave_is_named_with_the_ways_to_make_it() -> None:
    ways = "a dataclass, a pydantic model or a protobuf message, or teach .*add_message_serializer"
    with pytest.raises(MessageSerializationError, match=rf"test_registry\.Plain cannot leave the process.*{ways}"):
        write(SerializationRegistry(), Plain())


def test_a_message_that_leaves_in_another_format_says_in_which() -> None:
    with pytest.raises(MessageSerializationError, match="cannot be written as application/x-protobuf, only as appl"):
        write(SerializationRegistry(), Point(1), PROTOBUF_DATA_CONTENT_TYPE)
    with pytest.raises(MessageSerializationError, match="cannot be written as application/json, only as application/x"):
        write(SerializationRegistry(), StringValue())


def test_a_serializer_of_ones_own_makes_any_class_leave() -> None:
    registry = SerializationRegistry()
    registry.add_serializer(PlainSerializer())
    assert write(registry, Plain(), "text/plain") == b"plain"
    assert isinstance(registry.deserialize(b"", type_name="Plain", data_content_type="text/plain"), Plain)


def test_a_serializer_of_ones_own_takes_the_place_of_the_known_one() -> None:
    registry = SerializationRegistry()
    registry.add_serializer(try_get_known_serializers_for_type(Point))
    registry.add_serializer(PointAsText())
    assert write(registry, Point(7)) == b"7"


def test_two_classes_of_one_name_are_refused_where_the_name_is_used() -> None:
    def in_module(module: str) -> type[BaseModel]:
        def fill(namespace: dict[str, Any]) -> None:
            namespace["__module__"] = module

        return new_class("Message", (BaseModel,), exec_body=fill)

    registry = SerializationRegistry()
    first, second = in_module("one"), in_module("two")
    for cls in (first, second):
        registry.add_serializer(try_get_known_serializers_for_type(cls))
    with pytest.raises(MessageSerializationError, match=r"named 'Message', one\.Message and two\.Message"):
        write(registry, first())
    with pytest.raises(MessageSerializationError, match="rename one"):
        registry.deserialize(b"{}", type_name="Message", data_content_type=JSON_DATA_CONTENT_TYPE)


def test_a_class_that_is_defined_again_takes_the_place_of_the_old_one() -> None:
    def define() -> type[BaseModel]:
        class Message(BaseModel):
            text: str = ""

        return Message

    registry = SerializationRegistry()
    old, new = define(), define()
    registry.add_serializer(try_get_known_serializers_for_type(old))
    registry.add_serializer(try_get_known_serializers_for_type(new))
    read = registry.deserialize(b"{}", type_name="Message", data_content_type=JSON_DATA_CONTENT_TYPE)
    assert isinstance(read, new)
