from dataclasses import dataclass, make_dataclass
from datetime import datetime
from typing import Annotated, Any, Literal, Optional, TypedDict, Union  # noqa: TID251 - what programs use

import pytest
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.wrappers_pb2 import Int32Value, StringValue
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from symposia.core import MessageSerializer, try_get_known_serializers_for_type
from symposia.core.exceptions import MessageFormatError, MessageSerializationError


@dataclass
class Point:
    x: int
    y: int = 0


class Note(BaseModel):
    text: str
    about: Any = None


class Record(TypedDict):
    text: str


class Plain:
    pass


def known(cls: Any) -> MessageSerializer[Any]:
    (serializer,) = try_get_known_serializers_for_type(cls)
    return serializer


@pytest.mark.parametrize(
    "union",
    [
        Point | Note,
        Union[Point, Note],  # noqa: UP007 - both spellings are tested
        Optional[Union[Point, Note]],  # noqa: UP007, UP045 - likewise
        Annotated[Point | Note, "either"],
        Union[Point, Annotated[Note, "the other"], str, None],  # noqa: UP007 - likewise
    ],
)
def test_a_union_has_the_serializers_of_its_members(union: Any) -> None:
    assert [one.type_name for one in try_get_known_serializers_for_type(union)] == ["Point", "Note"]


@pytest.mark.parametrize(
    "cls", [str, int, dict, list, list[Point], Record, Plain, object, Any, None, type(None), "Point"]
)
def test_what_is_no_message_class_has_no_serializer(cls: Any) -> None:
    assert try_get_known_serializers_for_type(cls) == []


@pytest.mark.parametrize("cls", [Point, Note, StringValue])
def test_a_known_serializer_is_a_message_serializer(cls: type) -> None:
    assert isinstance(known(cls), MessageSerializer)


def test_wrong_bytes_name_the_type_the_field_and_the_fault() -> None:
    with pytest.raises(MessageFormatError, match=r"test_known_types\.Point: x: Input should be a valid integer"):
        known(Point).deserialize(b'{"x": "far"}')
    with pytest.raises(MessageFormatError, match=r"test_known_types\.Note: text: Field required"):
        known(Note).deserialize(b"{}")


@given(st.binary(max_size=30))
def test_bytes_are_a_message_or_an_error_of_the_other_side(payload: bytes) -> None:
    for cls in (Point, Note, StringValue):
        try:
            message = known(cls).deserialize(payload)
        except MessageFormatError:
            continue
        assert isinstance(message, cls)


def test_a_field_that_the_reader_does_not_know_is_ignored() -> None:
    assert known(Point).deserialize(b'{"x":1,"y":2,"z":3}') == Point(1, 2)


def test_a_field_that_the_writer_did_not_know_has_its_default() -> None:
    assert known(Point).deserialize(b'{"x":1}') == Point(1)


def test_a_field_that_holds_another_type_than_it_says_is_refused_where_it_is_written() -> None:
    with pytest.raises(MessageSerializationError, match=r"Point cannot be written as JSON[\s\S]*'x'[\s\S]*'far'"):
        known(Point).serialize(Point("far"))  # pyright: ignore[reportArgumentType] - what is tested


def test_a_model_with_a_value_that_json_cannot_hold_is_refused() -> None:
    with pytest.raises(MessageSerializationError, match=r"Note cannot be written as JSON: .*Plain"):
        known(Note).serialize(Note(text="", about=Plain()))


def test_a_dataclass_with_a_field_of_no_known_type_is_refused_with_the_way_out() -> None:
    @dataclass
    class Holder:
        plain: Plain

    with pytest.raises(MessageSerializationError, match=r"Holder cannot leave the process.*Plain.*add_message_serial"):
        known(Holder).serialize(Holder(Plain()))


def test_a_dataclass_whose_annotations_cannot_be_read_is_refused() -> None:
    @dataclass
    class Holder:
        other: "Nowhere"  # pyright: ignore[reportUndefinedVariable]  # noqa: F821 - what is tested

    with pytest.raises(MessageSerializationError, match=r"Holder cannot leave the process.*Nowhere"):
        known(Holder).serialize(Holder(None))


def test_a_dataclass_that_holds_one_whose_annotations_cannot_be_read_is_refused() -> None:
    @dataclass
    class Inner:
        other: "Nowhere"  # pyright: ignore[reportUndefinedVariable]  # noqa: F821 - what is tested

    Outer = make_dataclass("Outer", [("inner", Inner)])  # noqa: N806 - a class
    with pytest.raises(MessageSerializationError, match=r"Outer cannot leave the process.*Nowhere"):
        known(Outer).serialize(Outer(Inner(None)))


class Circle(BaseModel):
    kind: Literal["circle"] = "circle"


class Square(BaseModel):
    kind: Literal["square"] = "square"


@dataclass
class Place:
    at: Point | Note


TOLD_APART: list[Any] = [
    int | str,
    float | int | bool | None,
    Point | str | list[int] | None,
    Literal["auto"] | str,  # noqa: PYI051 - what is tested
    Any | None,
    dict[str, list[int | str]],
    Annotated[Circle | Square, Field(discriminator="kind")],
    list[Annotated[Circle | Square, Field(discriminator="kind")]],
]
LOOK_ALIKE: list[Any] = [
    Point | Note,
    bytes | str,
    datetime | str | None,
    list[int] | tuple[int, ...],
    dict[str, list[Circle | Square]],
    Place,
]


@pytest.mark.parametrize("hint", TOLD_APART)
def test_a_union_that_json_can_tell_apart_is_taken(hint: Any) -> None:
    Holder = make_dataclass("Holder", [("value", hint), ("number", int, 0)])  # noqa: N806 - a class
    with pytest.raises(MessageFormatError, match="number: Input should be a valid integer"):
        known(Holder).deserialize(b'{"number": "no"}')


@pytest.mark.parametrize("hint", LOOK_ALIKE)
def test_a_union_whose_members_look_alike_in_json_is_refused_with_the_way_out(hint: Any) -> None:
    Holder = make_dataclass("Holder", [("value", hint)])  # noqa: N806 - a class
    with pytest.raises(MessageSerializationError, match=r"Holder cannot leave .*'value'.*look alike.*discriminator"):
        known(Holder).deserialize(b"{}")


@pytest.mark.parametrize("cls", [Point, Note, StringValue])
def test_a_message_of_another_class_is_refused(cls: type) -> None:
    with pytest.raises(MessageSerializationError, match=r"stands for .*, and cannot be used for a .*Plain"):
        known(cls).serialize(Plain())


def test_a_protobuf_message_of_another_type_is_refused_by_name() -> None:
    with pytest.raises(MessageFormatError, match=r"StringValue but a 'type\.googleapis\.com/google\.protobuf\.Int32V"):
        known(StringValue).deserialize(known(Int32Value).serialize(Int32Value(value=3)))


def test_an_envelope_is_a_message_too() -> None:
    envelope = AnyMessage()
    envelope.Pack(StringValue(value="x"))
    assert known(AnyMessage).deserialize(known(AnyMessage).serialize(envelope)) == envelope


def test_bytes_that_the_class_itself_does_not_take_are_no_such_message() -> None:
    @dataclass
    class Positive:
        number: int

        def __post_init__(self) -> None:
            if self.number <= 0:
                raise ValueError(f"{self.number} is not positive")

    with pytest.raises(MessageFormatError, match="Positive: -1 is not positive"):
        known(Positive).deserialize(b'{"number": -1}')
