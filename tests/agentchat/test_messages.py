import random
import uuid
from datetime import UTC, datetime
from typing import Literal, assert_type

import pytest
from hypothesis import given
from pydantic import BaseModel, ValidationError
from tests.support.chat_agents import PIXEL
from tests.support.messages import every_message

from symposia.agentchat.messages import (
    BaseAgentEvent,
    BaseChatMessage,
    BaseTextChatMessage,
    MessageFactory,
    MultiModalMessage,
    StructuredMessage,
    StructuredMessageFactory,
    TextMessage,
    ToolCallExecutionEvent,
    ToolCallResultMessage,
)
from symposia.core.exceptions import InvalidArgumentError, RegistrationError
from symposia.core.models import UserMessage


class Invoice(BaseModel):
    number: int
    payer: str


@given(every_message)
def test_every_message_is_made_again_from_its_dump(message: BaseChatMessage | BaseAgentEvent) -> None:
    dumped = message.dump()

    assert type(message).load(dumped) == message
    assert MessageFactory().create(dumped) == message


@given(every_message)
def test_every_message_has_a_text_for_the_console(message: BaseChatMessage | BaseAgentEvent) -> None:
    assert isinstance(message.to_text(), str)


def test_a_message_knows_when_it_was_made_and_has_an_id_of_its_own() -> None:
    before = datetime.now(UTC)
    first, second = TextMessage(content="a", source="x"), TextMessage(content="a", source="x")

    assert before <= first.created_at <= datetime.now(UTC)
    assert first.id != second.id
    assert uuid.UUID(first.id).version == 4


def test_seeding_the_random_module_does_not_repeat_ids() -> None:
    random.seed(1)
    first = TextMessage(content="a", source="x").id
    random.seed(1)

    assert TextMessage(content="a", source="x").id != first


def test_a_message_needs_a_source() -> None:
    with pytest.raises(ValidationError, match="source"):
        TextMessage.model_validate({"content": "a"})


def test_text_reads_the_same_on_the_console_and_to_a_model() -> None:
    message = TextMessage(content="hi", source="ann")

    assert message.to_text() == message.to_model_text() == "hi"
    assert message.to_model_message() == UserMessage(content="hi", source="ann")


def test_pictures_are_placeholders_where_only_text_is_read() -> None:
    message = MultiModalMessage(content=["look", PIXEL, "there"], source="ann")

    assert message.to_text() == "look\n<image>\nthere"
    assert message.to_model_text() == "look [image]there"
    assert message.to_model_text(image_placeholder="<pic>") == "look <pic>there"
    assert message.to_model_text(image_placeholder=None) == f"look {PIXEL.to_base64()}there"
    assert message.to_model_message() == UserMessage(content=["look", PIXEL, "there"], source="ann")


def test_a_terminal_that_draws_pictures_gets_them() -> None:
    assert PIXEL.to_base64() in MultiModalMessage(content=[PIXEL], source="ann").to_text(iterm=True)


def test_a_structured_message_reads_as_its_format_says_and_is_json_to_a_model() -> None:
    invoice = Invoice(number=7, payer="Ann")
    message = StructuredMessage[Invoice](content=invoice, source="clerk", format_string="No. {number} for {payer}")

    assert message.to_text() == message.to_model_text() == "No. 7 for Ann"
    assert message.to_model_message() == UserMessage(content='{"number":7,"payer":"Ann"}', source="clerk")
    assert StructuredMessage[Invoice](content=invoice, source="clerk").to_text() == '{"number":7,"payer":"Ann"}'


def test_a_structured_message_is_made_again_once_its_class_is_registered() -> None:
    message = StructuredMessage[Invoice](content=Invoice(number=7, payer="Ann"), source="clerk")
    factory = MessageFactory()
    factory.register(StructuredMessage[Invoice])

    assert message.type == "StructuredMessage[Invoice]"
    assert factory.create(message.dump()) == message


def test_the_type_of_structured_content_is_known_to_the_type_checker() -> None:
    message = StructuredMessage[Invoice](content=Invoice(number=7, payer="Ann"), source="clerk")

    assert_type(message.content, Invoice)
    assert message.content.number == 7


def test_a_structured_message_class_is_made_from_a_json_schema() -> None:
    made = StructuredMessageFactory(
        json_schema=Invoice.model_json_schema(), format_string="{number}", content_model_name="Bill"
    )
    message = made.StructuredMessage(
        content=made.ContentModel.model_validate({"number": 1, "payer": "a"}), source="x", format_string="{number}"
    )

    assert made.ContentModel.__name__ == "Bill"
    assert message.type == "StructuredMessage[Bill]"
    assert message.to_text() == "1"


def test_a_structured_message_class_needs_either_a_schema_or_a_model() -> None:
    with pytest.raises(InvalidArgumentError, match="Either `json_schema` or `input_model` must be provided"):
        StructuredMessageFactory()
    with pytest.raises(InvalidArgumentError, match="not both"):
        StructuredMessageFactory(json_schema={}, input_model=Invoice)


class Poke(BaseChatMessage):
    """A message of the application's own, without a `type`."""

    force: int

    def to_text(self) -> str:
        return f"poke {self.force}"

    def to_model_text(self) -> str:
        return self.to_text()

    def to_model_message(self) -> UserMessage:
        return UserMessage(content=self.to_text(), source=self.source)


class Renamed(BaseTextChatMessage):
    type: Literal["Other"] = "Other"


@pytest.mark.parametrize("message", [Poke(force=2, source="x"), Renamed(content="c", source="x")])
def test_messages_of_your_own_are_made_again_once_registered(message: BaseChatMessage) -> None:
    factory = MessageFactory()
    assert not factory.is_registered(type(message))

    factory.register(type(message))

    assert factory.is_registered(type(message))
    assert factory.create(message.dump()) == message


def test_a_factory_refuses_what_it_does_not_know_and_says_what_it_does() -> None:
    factory = MessageFactory()

    with pytest.raises(RegistrationError, match=r"Unknown message type: Nope\. Known: .*TextMessage"):
        factory.create({"type": "Nope"})
    with pytest.raises(RegistrationError, match="Field 'type' is required"):
        factory.create({"content": "x"})


def test_a_factory_refuses_a_second_class_of_one_type_and_what_is_no_message() -> None:
    factory = MessageFactory()

    with pytest.raises(RegistrationError, match="already registered"):
        factory.register(TextMessage)
    with pytest.raises(RegistrationError, match="must be a subclass"):
        factory.register(int)  # pyright: ignore[reportArgumentType] - the point of the test


def test_tool_results_are_found_in_a_stream_under_the_name_that_programs_use() -> None:
    assert ToolCallResultMessage is ToolCallExecutionEvent


class _Other:
    """A place for another class of the same name."""

    class Invoice(BaseModel):
        number: int
        due: str = "now"

    Invoice.__qualname__ = "Invoice"


def test_classes_of_one_name_each_make_their_own_messages_again() -> None:
    """Two agents of one team may each have a class of that name for their answers."""
    messages = [
        StructuredMessage[Invoice](content=Invoice(number=7, payer="Ann"), source="clerk"),
        StructuredMessage[_Other.Invoice](content=_Other.Invoice(number=7, due="soon"), source="bank"),
    ]
    factory = MessageFactory()
    for message in [*messages, *messages]:
        factory.add(type(message))

    assert messages[0].type == messages[1].type
    assert factory.registered == tuple(type(message) for message in messages)
    assert factory.create_all([message.dump() for message in messages]) == messages
    # Of a message that no class dumps again the same, the first that can load it: as of another version.
    assert factory.create({**messages[1].dump(), "more": 1}) == messages[1]
    with pytest.raises(ValidationError):
        factory.create({**messages[1].dump(), "content": {}})


def test_classes_of_one_schema_are_one_type() -> None:
    factory = MessageFactory()
    for _ in range(2):
        made = StructuredMessageFactory(json_schema=Invoice.model_json_schema())
        factory.add(made.StructuredMessage)
    assert len(factory.registered) == 1
