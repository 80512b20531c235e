import gc
from typing import Any

import pytest

from symposia.agentchat.messages import TextMessage
from symposia.core.exceptions import ArgumentTypeError, InvalidArgumentError
from symposia.core.models import UserMessage
from symposia.core.tools import FunctionTool
from symposia.ext.models._wire_format import ConversionCache
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
