"""Messages are dumped and made in lists exactly as one by one, whatever is in them."""

import json
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from tests.support.messages import every_message

from symposia.agentchat.messages import (
    BaseAgentEvent,
    BaseChatMessage,
    MessageFactory,
    StructuredMessage,
    TextMessage,
    dump_messages,
)
from symposia.core.exceptions import RegistrationError

Message = BaseAgentEvent | BaseChatMessage


class Invoice(BaseModel):
    number: int


class Loud(TextMessage):
    """Has its own ways of dumping and loading."""

    def dump(self) -> Mapping[str, Any]:
        return {**super().dump(), "content": self.content.upper()}

    @classmethod
    def load(cls, data: Mapping[str, Any]) -> "Loud":
        return super().load({**data, "content": data["content"].lower()})


class Camel(TextMessage):
    """Is configured otherwise than the messages of the library."""

    model_config = ConfigDict(serialize_by_alias=True, validate_by_name=True, extra="forbid")

    is_short: bool = Field(False, alias="isShort")


class Even(TextMessage):
    """Is checked by the application."""

    number: int = 0

    @field_validator("number")
    @classmethod
    def check_number(cls, number: int) -> int:
        if number % 2:
            raise KeyError(number)
        return number


own_messages: st.SearchStrategy[Message] = st.one_of(
    st.builds(StructuredMessage[Invoice], content=st.builds(Invoice, number=st.integers()), source=st.text()),
    *(st.builds(cls, content=st.text(), source=st.text()) for cls in (Loud, Camel, Even)),
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.text("\ud800a"),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)
junk = json_values | st.sampled_from([b"bytes", {1, 2}, (1,), object(), Invoice(number=1), "2025-01-01", "user"])
KEYS = (
    "id",
    "source",
    "models_usage",
    "metadata",
    "created_at",
    "content",
    "type",
    "message_class",
    "number",
    "\ud800",
)


@st.composite
def damaged(draw: st.DrawFn) -> dict[str, Any]:
    """A dumped message with fields that are other than they should be, missing or too many."""
    data = dict(draw(every_message | own_messages).dump())
    for key in draw(st.sets(st.sampled_from([*KEYS, *data]), max_size=2)):
        if draw(st.booleans()):
            data.pop(key, None)
        else:
            data[key] = draw(junk)
    return data


@st.composite
def changed(draw: st.DrawFn) -> Message:
    """A message whose attributes were set to whatever a program sets them to, which pydantic does not check."""
    message = draw(every_message | own_messages)
    for name in draw(st.sets(st.sampled_from(list(type(message).model_fields)), max_size=2)):
        setattr(message, name, draw(junk))
    return message


def factory() -> MessageFactory:
    made = MessageFactory()
    for cls in (StructuredMessage[Invoice], Loud, Camel, Even):
        made.register(cls)
    return made


def described(one: object) -> object:
    """All that can be told of a message or its dump, except an id and a time that were made with the message."""
    if not isinstance(one, BaseModel):
        return repr(one)
    new = {"id", "created_at"} - one.model_fields_set
    return type(one), one.model_fields_set, [(name, repr(value)) for name, value in one if name not in new]


def result(function: Callable[[], Sequence[object]]) -> tuple[object, ...]:
    """What a call returns, in full, or how it fails; and what it warns of."""
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        try:
            returned = [described(one) for one in function()]
        except Exception as error:  # noqa: BLE001 - the error is what is compared
            returned = [(type(error), str(error))]
    return (*returned, *(str(each.message) for each in warned))


@given(st.lists(every_message | own_messages, max_size=8))
def test_a_list_of_messages_is_dumped_and_made_again(messages: list[Message]) -> None:
    dumped = dump_messages(messages)

    assert dumped == [message.dump() for message in messages]
    read = factory().create_all(json.loads(json.dumps(dumped)))
    assert read == [factory().create(one) for one in dumped]
    assert all(one == message for one, message in zip(read, messages, strict=True) if not isinstance(message, Loud))


@given(st.lists(changed(), max_size=4))
def test_messages_with_anything_in_them_are_dumped_in_a_list_as_one_by_one(messages: list[Message]) -> None:
    assert result(lambda: dump_messages(messages)) == result(lambda: [message.dump() for message in messages])


@given(st.lists(damaged(), max_size=4))
def test_damaged_messages_are_made_or_refused_in_a_list_as_one_by_one(data: list[dict[str, Any]]) -> None:
    made = factory()

    assert result(lambda: made.create_all(data)) == result(lambda: [made.create(one) for one in data])


def test_the_error_of_the_first_message_that_cannot_be_made_is_raised() -> None:
    good = TextMessage(content="a", source="x").dump()

    with pytest.raises(ValidationError, match=r"^1 validation error for TextMessage\nsource\n"):
        MessageFactory().create_all([good, {"type": "TextMessage", "content": ""}, {"type": "Unknown"}])
    with pytest.raises(RegistrationError, match="Unknown message type: Unknown"):
        MessageFactory().create_all([good, {"type": "Unknown"}, {"type": "TextMessage"}])


def test_dumped_and_made_messages_share_nothing_that_can_change() -> None:
    message = TextMessage(content="a", source="x", metadata={"kept": "yes"})
    data = dump_messages([message, message])
    made = MessageFactory().create_all(data)
    message.metadata.clear()
    data[1]["metadata"].clear()
    made[1].metadata.clear()

    assert data[0]["metadata"] == made[0].metadata == {"kept": "yes"}
