import gc
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from symposia.agentchat.messages import TextMessage
from symposia.core import FunctionCall
from symposia.core.exceptions import ArgumentTypeError, InvalidArgumentError
from symposia.core.models import (
    AssistantMessage,
    FunctionExecutionResult,
    FunctionExecutionResultMessage,
    LLMMessage,
    SystemMessage,
    UserMessage,
)
from symposia.core.tools import FunctionTool
from symposia.ext.models._conversation_fold import ConversationFold
from symposia.ext.models._conversions import ConversionCache
from symposia.ext.models._encoded_json import LONGEST_KEPT, EncodedItems, EncodedObject, encode_json, encode_object
from symposia.ext.models.anthropic import AnthropicChatCompletionClient
from symposia.ext.models.openai import OpenAIChatCompletionClient


def said(text: str) -> UserMessage:
    return UserMessage(content=text, source="user")


def test_each_message_is_converted_once() -> None:
    seen: list[UserMessage] = []

    def convert(message: UserMessage) -> str:
        seen.append(message)
        return str(message.content)

    conversions = ConversionCache(convert)
    one, other = said("one"), said("one")
    assert [conversions(one), conversions(other), conversions(one)] == ["one", "one", "one"]
    assert len(seen) == 2
    assert seen[0] is one
    assert seen[1] is other


def test_wire_format_end_with_their_messages() -> None:
    conversions = ConversionCache[UserMessage, str](repr)
    for number in range(100):
        conversions(said(str(number)))
    gc.collect()
    assert len(conversions) == 0


def any_message(number: int, kind: int) -> LLMMessage:
    match kind % 4:
        case 0:
            return SystemMessage(content=str(number))
        case 1:
            return UserMessage(content=[str(number)], source="user")
        case 2:
            blocks: dict[str, list[dict[str, object]]] = {"vendor": [{"signature": ["a"]}]}
            call = FunctionCall(id=str(number), name="add", arguments="{}")
            return AssistantMessage(content=[call], source="model", vendor_blocks=blocks)
        case _:
            result = FunctionExecutionResult(content="3", name="add", call_id=str(number))
            return FunctionExecutionResultMessage(content=[result])


def change(message: LLMMessage) -> None:
    """Change a part of a message in place, as deep in it as there is one."""
    match message:
        case SystemMessage():
            message.content += "!"
        case UserMessage(content=list(parts)):
            parts.append("!")
        case AssistantMessage(content=[FunctionCall() as call, *_], vendor_blocks={"vendor": [blocks, *_]}):
            if call.arguments == "{}":
                call.arguments = '{"a": 1}'
            else:
                cast("list[str]", blocks["signature"]).append("b")
        case FunctionExecutionResultMessage(content=[result, *_]):
            result.content += "!"
        case _:
            raise AssertionError(message)


def dumped(message: LLMMessage) -> str:
    return message.model_dump_json()


def joined(before: str, message: LLMMessage) -> str:
    return before + dumped(message)


STEPS = st.lists(st.tuples(st.sampled_from(["add", "change", "shorten", "slide", "branch"]), st.integers(0, 20)))


@given(STEPS)
def test_conversions_are_those_of_the_messages_as_they_are(steps: list[tuple[str, int]]) -> None:
    conversions = ConversionCache[LLMMessage, str](dumped)
    fold = ConversationFold("", joined)
    messages: list[LLMMessage] = []
    for step, number in steps:
        match step:
            case "change" if messages:
                change(messages[number % len(messages)])
            case "shorten":
                messages = messages[:number]
            case "slide":
                messages = messages[number % 3 :]
            case "branch":
                messages = [*messages[: number // 2], any_message(number, number)]
            case _:
                messages.append(any_message(number, number))
        expected = [dumped(message) for message in messages]
        assert conversions.each(messages) == expected
        assert fold(messages) == "".join(expected)


def test_a_conversation_that_goes_on_is_not_compared_message_by_message() -> None:
    seen: list[LLMMessage] = []

    def convert(message: LLMMessage) -> str:
        seen.append(message)
        return dumped(message)

    conversions = ConversionCache[LLMMessage, str](convert)
    messages = [any_message(number, number) for number in range(100)]
    for _ in range(10):
        messages.append(any_message(len(messages), len(messages)))
        conversions.each(messages)
    assert len(seen) == 110


def test_conversations_are_forgotten_with_their_messages() -> None:
    conversions = ConversionCache[LLMMessage, str](dumped)
    fold = ConversationFold("", joined)
    for number in range(100):
        conversions.each(conversation := [any_message(number, kind) for kind in range(4)])
        fold(conversation)
        conversation.clear()
    gc.collect()
    assert len(conversions) == 0


def test_one_conversation_is_converted_by_several_threads_at_once() -> None:
    conversions = ConversionCache[LLMMessage, str](dumped)
    messages = [any_message(number, number) for number in range(300)]
    lengths = [length for length in range(1, 300, 2) for _ in range(4)]

    def converted(length: int) -> list[str]:
        return conversions.each(messages[:length])

    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(converted, lengths))
    expected = [dumped(message) for message in messages]
    assert found == [expected[:length] for length in lengths]


@pytest.mark.parametrize(
    "request_",
    [
        {},
        {"messages": []},
        {"model": "m", "messages": [EncodedObject(role="user", content="ä\n")]},
        {"messages": [EncodedObject(a=1)], "input": [EncodedObject(b=2), EncodedObject(c=3)], "stream": True},
        {"model": "m", "messages": [EncodedObject(role="user", content="a"), {"role": "user"}]},
        {"contents": [EncodedObject(role="user", parts=[EncodedObject(text="a"), EncodedObject(text="b")])]},
        {"model": "m", "messages": [EncodedObject(role="user", content="a" * LONGEST_KEPT)]},
    ],
)
def test_a_request_is_encoded_like_any_json(request_: dict[str, object]) -> None:
    for _ in range(2):  # the second time from what was kept
        assert json.loads(encode_json(request_)) == request_


def test_items_that_are_bytes_of_json_are_sent_as_they_are_and_can_be_read_again() -> None:
    messages = [{"role": "user", "content": 'ä"\\\n\x00\x7f\u2028'}, {"role": "user", "images": ["="], "number": 1}]
    items = EncodedItems(map(encode_object, messages))
    assert json.loads(encode_json({"model": "m", "messages": items})) == {"model": "m", "messages": messages}
    assert json.loads(encode_json({"messages": EncodedItems()})) == {"messages": []}
    assert items.decoded() == messages


@pytest.mark.parametrize("value", [float("nan"), b"bytes", {"a set"}])
def test_what_json_does_not_have_is_refused(value: object) -> None:
    with pytest.raises((TypeError, ValueError)):
        encode_object({"role": "user", "content": value})


def test_half_of_a_surrogate_pair_is_replaced_wherever_it_stands() -> None:
    request = {"model": "\ud800", "messages": [EncodedObject(content="b\udc00"), EncodedObject(content="\U0001f600")]}
    sent = {"model": "\ufffd", "messages": [{"content": "b\ufffd"}, {"content": "\U0001f600"}]}
    assert json.loads(encode_json(request)) == sent
    items = EncodedItems([encode_object({"content": "b\udc00"}), encode_object({"content": "\U0001f600"})])
    assert json.loads(encode_json({"model": "\ud800", "messages": items})) == sent


CLIENTS = {
    "openai": lambda: OpenAIChatCompletionClient(model="gpt-5.5", api_key="none"),
    "anthropic": lambda: AnthropicChatCompletionClient(model="claude-sonnet-5-5", api_key="none"),
}
MISTAKES: dict[str, Any] = {  # Any: of wrong types
    "a text": "hello",
    "a dictionary": [{"role": "user", "content": "hello"}],
    "one message": said("hello"),
    "a message of a team": [TextMessage(content="hello", source="user")],
}


@pytest.mark.parametrize("vendor", CLIENTS)
@pytest.mark.parametrize("mistake", MISTAKES)
async def test_what_is_no_list_of_messages_is_refused(vendor: str, mistake: str) -> None:
    with pytest.raises(ArgumentTypeError, match="A model is given a list of SystemMessage, UserMessage"):
        await CLIENTS[vendor]().create(MISTAKES[mistake])


@pytest.mark.parametrize("vendor", CLIENTS)
async def test_a_function_is_no_tool_of_a_model(vendor: str) -> None:
    function: Any = print  # Any: of the wrong type
    with pytest.raises(ArgumentTypeError, match="A tool of a model is a Tool, such as FunctionTool"):
        await CLIENTS[vendor]().create([said("hello")], tools=[function])


@pytest.mark.parametrize("vendor", CLIENTS)
async def test_one_tool_is_no_list_of_tools(vendor: str) -> None:
    tool: Any = FunctionTool(said, "Say something.")  # Any: of the wrong type
    with pytest.raises(ArgumentTypeError, match="The tools of a model are given as a list, not <"):
        await CLIENTS[vendor]().create([said("hello")], tools=tool)


@pytest.mark.parametrize("vendor", CLIENTS)
async def test_the_name_of_a_format_is_no_json_output(vendor: str) -> None:
    name: Any = "json"  # Any: of the wrong type
    with pytest.raises(InvalidArgumentError, match="json_output is 'json': give True, False or a pydantic model"):
        await CLIENTS[vendor]().create([said("hello")], json_output=name)
