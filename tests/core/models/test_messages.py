from typing import TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from symposia.core import FunctionCall, Image
from symposia.core.models import (
    AssistantMessage,
    CreateResult,
    FunctionExecutionResult,
    FunctionExecutionResultMessage,
    LLMMessage,
    RequestUsage,
    SystemMessage,
    UserMessage,
    VendorBlocks,
)

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAC0lEQVR4nGNgQAYAAA4AAamRc7EAAAAASUVORK5CYII="
AnyMessage: TypeAdapter[LLMMessage] = TypeAdapter(LLMMessage)
Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | bool | None"

texts = st.text()
names = st.text(min_size=1)
json_values: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | st.integers() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)
vendor_blocks = st.none() | st.dictionaries(
    names, st.lists(st.dictionaries(names, json_values, max_size=2), max_size=2)
)
calls = st.builds(FunctionCall, id=names, arguments=texts, name=names)
results = st.builds(
    FunctionExecutionResult, content=texts, name=names, call_id=names, is_error=st.none() | st.booleans()
)
parts = texts | st.just(Image.from_base64(PNG))
messages: st.SearchStrategy[LLMMessage] = st.one_of(
    st.builds(SystemMessage, content=texts),
    st.builds(UserMessage, content=texts | st.lists(parts, max_size=3), source=names),
    st.builds(
        AssistantMessage,
        content=texts | st.lists(calls, max_size=3),
        thought=st.none() | texts,
        source=names,
        vendor_blocks=vendor_blocks,
    ),
    st.builds(FunctionExecutionResultMessage, content=st.lists(results, max_size=3)),
)


@given(messages)
def test_every_message_survives_json(message: LLMMessage) -> None:
    assert AnyMessage.validate_json(message.model_dump_json()) == message
    assert AnyMessage.validate_python(message.model_dump()) == message


def test_messages_are_written_as_autogen_writes_them() -> None:
    call = FunctionCall(id="1", arguments="{}", name="add")
    result = FunctionExecutionResult(content="3", name="add", call_id="1")
    written = {"content": "3", "name": "add", "call_id": "1", "is_error": None}
    assert SystemMessage(content="Hi").model_dump() == {"content": "Hi", "type": "SystemMessage"}
    assert UserMessage(content="Hi", source="u").model_dump() == {"content": "Hi", "source": "u", "type": "UserMessage"}
    assert AssistantMessage(content=[call], source="a").model_dump() == {
        "content": [{"id": "1", "arguments": "{}", "name": "add"}],
        "thought": None,
        "source": "a",
        "type": "AssistantMessage",
    }
    assert FunctionExecutionResultMessage(content=[result]).model_dump() == {
        "content": [written],
        "type": "FunctionExecutionResultMessage",
    }


def test_making_a_message_keeps_the_parts_that_it_is_given() -> None:
    call, picture = FunctionCall(id="1", arguments="{}", name="add"), Image.from_base64(PNG)
    result = FunctionExecutionResult(content="3", name="add", call_id="1")
    assert AssistantMessage(content=[call], source="a").content[0] is call
    assert UserMessage(content=[picture], source="u").content[0] is picture
    assert FunctionExecutionResultMessage(content=[result]).content[0] is result


def test_a_message_does_not_follow_the_list_that_it_was_made_from() -> None:
    calls_given = [FunctionCall(id="1", arguments="{}", name="add")]
    message = AssistantMessage(content=calls_given, source="a")
    calls_given.clear()
    assert len(message.content) == 1


@pytest.mark.parametrize("content", [1, None, [1], [{"data": "no base64"}]])
def test_content_of_a_wrong_type_is_refused(content: object) -> None:
    with pytest.raises(ValidationError):
        UserMessage.model_validate({"content": content, "source": "u"})


def test_vendor_blocks_travel_from_the_result_to_the_message_untouched() -> None:
    blocks: VendorBlocks = {"anthropic": [{"type": "thinking", "thinking": "hm", "signature": "x=="}]}
    result = CreateResult(
        finish_reason="stop",
        content="Hi",
        usage=RequestUsage(1, 2),
        cached=False,
        thought="hm",
        vendor_blocks=blocks,
    )
    message = result.to_message("a")
    assert message == AssistantMessage(content="Hi", source="a", thought="hm", vendor_blocks=blocks)
    assert AssistantMessage.model_validate_json(message.model_dump_json()).vendor_blocks == blocks


def test_vendor_blocks_are_not_shown() -> None:
    message = AssistantMessage(content="Hi", source="a", vendor_blocks={"anthropic": [{"signature": "secret"}]})
    assert "secret" not in repr(message)
