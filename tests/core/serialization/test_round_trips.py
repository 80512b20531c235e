"""What is written can be read, and is then what it was."""

import math
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import Message
from google.protobuf.struct_pb2 import Struct
from google.protobuf.timestamp_pb2 import Timestamp
from google.protobuf.wrappers_pb2 import Int32Value, StringValue
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from symposia.core import (
    JSON_DATA_CONTENT_TYPE,
    PROTOBUF_DATA_CONTENT_TYPE,
    FunctionCall,
    Image,
    MessageSerializer,
    try_get_known_serializers_for_type,
)
from symposia.core.models import AssistantMessage, LLMMessage, UserMessage


@dataclass
class Point:
    x: float
    y: float


class Note(BaseModel):
    text: str = ""
    points: list[Point] = []


@dataclass(frozen=True)
class Everything:
    """A dataclass with fields that AutoGen refuses beside those that it takes."""

    text: str
    number: int
    real: float
    raw: bytes
    point: Point
    note: Note
    points: list[Point]
    by_name: dict[str, Note]
    pair: tuple[int, str]
    when: datetime
    maybe: Point | None = None
    either: int | str = 0
    anything: Any = None
    _private: bool = True
    schema: str = "a name that pydantic keeps for itself"
    flags: set[int] = field(default_factory=set[int])


@dataclass
class Tree:
    name: str
    branches: "list[Tree]" = field(default_factory=list["Tree"])


@dataclass
class Conversation:
    messages: list[LLMMessage]


def serializer_of(message: object) -> MessageSerializer[Any]:
    (serializer,) = try_get_known_serializers_for_type(type(message))
    return serializer


def there_and_back(message: object) -> object:
    serializer = serializer_of(message)
    return serializer.deserialize(serializer.serialize(message))


reals = st.floats(allow_nan=False)
points = st.builds(Point, reals, reals)
notes = st.builds(Note, text=st.text(), points=st.lists(st.builds(Point, st.integers(-9, 9), st.integers(-9, 9))))
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda values: st.lists(values) | st.dictionaries(st.text(), values),
    max_leaves=5,
)
messages_of_every_type = st.builds(
    Everything,
    text=st.text(),
    number=st.integers(),
    real=reals,
    raw=st.binary(),
    point=points,
    note=notes,
    points=st.lists(points),
    by_name=st.dictionaries(st.text(), notes),
    pair=st.tuples(st.integers(), st.text()),
    when=st.datetimes(),
    maybe=st.none() | points,
    either=st.integers() | st.text(),
    anything=json_values,
    _private=st.booleans(),
    schema=st.text(),
    flags=st.sets(st.integers()),
)
trees = st.recursive(st.builds(Tree, st.text()), lambda branch: st.builds(Tree, st.text(), st.lists(branch)))


@given(messages_of_every_type)
def test_a_dataclass_comes_back_as_it_was(message: Everything) -> None:
    assert there_and_back(message) == message


@given(trees)
def test_a_dataclass_that_contains_itself_comes_back_as_it_was(message: Tree) -> None:
    assert there_and_back(message) == message


@given(notes)
def test_a_pydantic_model_comes_back_as_it_was(message: Note) -> None:
    assert there_and_back(message) == message


@given(st.text(), st.text())
def test_a_dataclass_with_a_union_that_is_told_apart_by_a_field_comes_back_as_it_was(text: str, source: str) -> None:
    message = Conversation([UserMessage(content=text, source=source), AssistantMessage(content=text, source=source)])
    assert there_and_back(message) == message


@given(st.builds(StringValue, value=st.text()) | st.builds(Int32Value, value=st.integers(-(2**31), 2**31 - 1)))
def test_a_protobuf_message_comes_back_as_it_was(message: Message) -> None:
    assert there_and_back(message) == message


@given(st.dictionaries(st.text(), st.booleans() | st.text() | reals.filter(math.isfinite), max_size=5))
def test_a_protobuf_struct_comes_back_as_it_was(values: dict[str, Any]) -> None:
    message = Struct()
    message.update(values)
    assert there_and_back(message) == message


def test_a_protobuf_message_inside_another_comes_back_as_it_was() -> None:
    message = AnyMessage()
    message.Pack(Timestamp(seconds=1, nanos=2))
    assert there_and_back(message) == message


def test_no_number_is_lost() -> None:
    back = there_and_back(Point(math.nan, -math.inf))
    assert isinstance(back, Point)
    assert math.isnan(back.x)
    assert back.y == -math.inf


def test_a_picture_in_a_dataclass_comes_back_as_it_was() -> None:
    @dataclass
    class Picture:
        image: Image

    image = Image.from_base64("iVBORw0KGgo=")
    assert there_and_back(Picture(image)) == Picture(image)


def test_a_function_call_is_a_message_like_any_other() -> None:
    call = FunctionCall(id="1", arguments="{}", name="add")
    assert there_and_back(call) == call


def test_a_field_that_is_none_by_default_may_be_none_whatever_its_type() -> None:
    @dataclass
    class Careless:
        text: str = None  # pyright: ignore[reportAssignmentType] - what is tested

    assert there_and_back(Careless()) == Careless()


def test_a_dataclass_is_read_by_its_own_constructor() -> None:
    @dataclass
    class Checked:
        base: int
        double: int = field(init=False)

        def __post_init__(self) -> None:
            self.double = 2 * self.base

    back = there_and_back(Checked(4))
    assert isinstance(back, Checked)
    assert back.double == 8


@pytest.mark.parametrize(
    ("message", "wire"),
    [
        (Point(1, 2), b'{"x":1.0,"y":2.0}'),
        (Note(text="hi"), b'{"text":"hi","points":[]}'),
        (StringValue(value="hi"), b"\n/type.googleapis.com/google.protobuf.StringValue\x12\x04\n\x02hi"),
    ],
)
def test_the_bytes_are_those_that_autogen_reads(message: object, wire: bytes) -> None:
    assert serializer_of(message).serialize(message) == wire


@pytest.mark.parametrize(
    ("message", "name", "content_type"),
    [
        (Point(1, 2), "Point", JSON_DATA_CONTENT_TYPE),
        (Note(), "Note", JSON_DATA_CONTENT_TYPE),
        (Struct(), "google.protobuf.Struct", PROTOBUF_DATA_CONTENT_TYPE),
    ],
)
def test_types_have_the_names_and_formats_of_autogen(message: object, name: str, content_type: str) -> None:
    serializer = serializer_of(message)
    assert (serializer.type_name, serializer.data_content_type) == (name, content_type)


def test_the_content_types_are_those_of_autogen() -> None:
    assert JSON_DATA_CONTENT_TYPE == "application/json"
    assert PROTOBUF_DATA_CONTENT_TYPE == "application/x-protobuf"
