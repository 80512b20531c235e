"""What the vendors' clients promise about what they can be asked: tools, forms of answers, images, any model."""

import json
import re
import sys
import warnings
from collections.abc import AsyncIterator
from types import FrameType
from typing import Any

import pytest
from pydantic import BaseModel
from tests.support.model_clients import ABLE, ADD, APART, FORMATS, Vendor, kind_name, read

from symposia.core import FunctionCall, Image
from symposia.core.exceptions import InvalidArgumentError
from symposia.core.models import (
    AssistantMessage,
    FunctionExecutionResult,
    FunctionExecutionResultMessage,
    LLMMessage,
    ModelInfo,
    SystemMessage,
    UserMessage,
)
from symposia.core.tools import FunctionTool
from symposia.testing.model_server import MockModelServer, Reply, Thinking, ToolCall

HELLO = [UserMessage(content="hello", source="user")]
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b550000000a49444154789c6360000000020001"
    "48afa4710000000049454e44ae426082"
)

pytestmark = pytest.mark.parametrize("vendor", [*FORMATS, *APART], ids=kind_name)


class Fingers(BaseModel):
    hands: int
    each: int = 5


def unable(**abilities: bool) -> ModelInfo:
    return {**ABLE, **abilities}  # pyright: ignore[reportReturnType] - the names are those of ModelInfo


@pytest.fixture
async def server() -> AsyncIterator[MockModelServer]:
    async with MockModelServer() as server:
        yield server


async def test_how_many_empty_chunks_to_bear_may_be_said_to_any_vendor(vendor: Vendor, server: MockModelServer) -> None:
    client = vendor.client(server, Reply(text="hi"))
    beyond_the_contract: Any = {"max_consecutive_empty_chunk_tolerance": 3}
    _, result = await read(client.create_stream(HELLO, **beyond_the_contract))
    assert result.content == "hi"


async def test_f45_an_unknown_model_works_with_one_warning(vendor: Vendor, server: MockModelServer) -> None:
    with pytest.warns(UserWarning, match="'nonesuch-9'.* is not known") as caught:
        client = vendor.client(server, Reply(text="hi"), model="nonesuch-9")
    assert len(caught) == 1
    assert caught[0].filename.endswith("model_clients.py")
    assert (await client.create(HELLO)).content == "hi"
    assert server.requests[-1].conversation is not None
    assert server.requests[-1].conversation.model == "nonesuch-9"
    assert client.model_info["function_calling"]


async def test_f45_a_new_model_has_the_abilities_of_the_one_that_it_resembles(
    vendor: Vendor, server: MockModelServer
) -> None:
    newer, like = vendor.like
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        client = vendor.client(server, model=newer)
    assert client.model_info["family"] == like


async def test_f45_model_info_overrides_what_is_inferred_and_silences_the_warning(
    vendor: Vendor, server: MockModelServer
) -> None:
    client = vendor.client(server, Reply(text="hi"), model="nonesuch-9", model_info=unable(vision=False))
    assert client.capabilities == client.model_info == unable(vision=False)
    assert (await client.create(HELLO)).content == "hi"


async def test_f50_structured_output_together_with_tools_that_are_not_strict(
    vendor: Vendor, server: MockModelServer
) -> None:
    client = vendor.client(
        server,
        Reply(tool_calls=(ToolCall(id="1", name="add", arguments='{"a": 1}'),)),
        Reply(text='{"hands": 2, "each": 5}'),
    )
    first = await client.create(HELLO, tools=[ADD], json_output=Fingers)
    results = FunctionExecutionResultMessage(content=[FunctionExecutionResult(content="3", name="add", call_id="1")])
    _, second = await read(
        client.create_stream([*HELLO, first.to_message("model"), results], tools=[ADD], json_output=Fingers)
    )
    assert first.content == [FunctionCall(id="1", name="add", arguments='{"a": 1}')]
    assert isinstance(second.content, str)
    assert Fingers.model_validate_json(second.content) == Fingers(hands=2)
    for request in server.requests:
        assert "hands" in json.dumps(request.body)
        assert not vendor.sent_tool(request.body).get("strict")


async def test_a_tool_object_is_sent_with_its_schema(vendor: Vendor, server: MockModelServer) -> None:
    def add(a: int, b: int) -> int:
        return a + b

    client = vendor.client(server, Reply(text="ok"), Reply(text="ok"))
    tool = FunctionTool(add, description="Add two numbers.", strict=True)
    await client.create(HELLO, tools=[tool])
    sent = vendor.sent_tool(server.last_body)
    schema: Any = sent[vendor.parameters]
    assert (sent["name"], sent["description"]) == ("add", "Add two numbers.")
    assert sent.get("strict", vendor.name in {"Gemini", "Ollama"})  # which have no such field
    assert set(schema["properties"]) == {"a", "b"}


async def test_a_tool_choice_that_is_not_among_the_tools_is_refused(vendor: Vendor, server: MockModelServer) -> None:
    def subtract(a: int, b: int) -> int:
        return a - b

    client = vendor.client(server)
    with pytest.raises(InvalidArgumentError, match="'subtract', which is not among the tools"):
        await client.create(HELLO, tools=[ADD], tool_choice=FunctionTool(subtract, description="Subtract."))


async def test_a_tool_name_that_the_vendor_refuses_is_named(vendor: Vendor, server: MockModelServer) -> None:
    client = vendor.client(server, Reply(text="ok"))
    if vendor.refused_name is None:
        assert (await client.create(HELLO, tools=[{**ADD, "name": "add two"}])).content == "ok"
        return
    with pytest.raises(InvalidArgumentError, match=re.escape(repr(vendor.refused_name))):
        await client.create(HELLO, tools=[{**ADD, "name": vendor.refused_name}])


async def test_images_are_sent_in_their_own_format(vendor: Vendor, server: MockModelServer) -> None:
    image = Image(PNG)
    client = vendor.client(server, Reply(text="a dot"))
    await client.create([UserMessage(content=["What is this?", image], source="user")])
    sent = json.dumps(server.last_body[vendor.messages])
    assert image.to_base64() in sent
    assert vendor.png in sent


async def test_an_image_for_a_model_without_vision_is_refused(vendor: Vendor, server: MockModelServer) -> None:
    client = vendor.client(server, model_info=unable(vision=False))
    with pytest.raises(InvalidArgumentError, match=f"'{vendor.model}' takes none"):
        await client.create([UserMessage(content=[Image(PNG)], source="user")])


async def test_what_the_model_cannot_do_is_refused_before_it_is_sent(vendor: Vendor, server: MockModelServer) -> None:
    client = vendor.client(
        server, model_info=unable(function_calling=False, json_output=False, structured_output=False)
    )
    with pytest.raises(InvalidArgumentError, match="cannot take tools"):
        await client.create(HELLO, tools=[ADD])
    with pytest.raises(InvalidArgumentError, match="cannot be told to answer in JSON"):
        await client.create(HELLO, json_output=True)
    with pytest.raises(InvalidArgumentError, match="cannot keep to the schema of Fingers"):
        await client.create(HELLO, json_output=Fingers)
    assert server.requests == []


async def test_extra_arguments_win_and_reach_the_vendor(vendor: Vendor, server: MockModelServer) -> None:
    client = vendor.client(server, Reply(text="hi"), max_tokens=100)
    extra = {"max_tokens": 70, "extra_headers": {"x-team": "blue"}}
    await client.create(HELLO, extra_create_args=extra)
    assert vendor.sent_limit(server.last_body) == 70
    assert server.requests[-1].headers["x-team"] == "blue"
    assert "extra_headers" not in server.last_body


@pytest.mark.parametrize("streaming", [False, True])
async def test_extra_arguments_that_are_no_json_are_refused_by_name_before_anything_is_sent(
    vendor: Vendor, server: MockModelServer, streaming: bool
) -> None:
    client = vendor.client(server)
    circle: dict[str, Any] = {}
    circle["circle"] = circle
    for value in (circle, 10**5000):
        extra = {"metadata": value}
        stream = client.create_stream(HELLO, extra_create_args=extra)
        asked = read(stream) if streaming else client.create(HELLO, extra_create_args=extra)
        with pytest.raises(InvalidArgumentError, match="'metadata' in extra_create_args cannot be written as JSON"):
            await asked
    assert server.requests == []


async def test_a_conversation_with_an_empty_text_and_a_system_message_in_it_is_accepted(
    vendor: Vendor, server: MockModelServer
) -> None:
    client = vendor.client(server, Reply(text="hi"))
    await client.create(
        [
            SystemMessage(content="one"),
            UserMessage(content="", source="user"),
            AssistantMessage(content="", source="model"),
            SystemMessage(content="two"),
            UserMessage(content=" ", source="user"),
        ]
    )
    sent = json.dumps(server.last_body)
    assert "one" in sent
    assert "two" in sent


async def test_half_of_a_surrogate_pair_ends_no_conversation(vendor: Vendor, server: MockModelServer) -> None:
    call = FunctionCall(id="1", name="add", arguments='{"a": 1, "b": 2}')
    said = [
        SystemMessage(content="one\ud83d"),
        UserMessage(content="file\udcff.txt", source="user"),
        AssistantMessage(content=[call], thought="\ud800", source="model"),
        FunctionExecutionResultMessage(
            content=[FunctionExecutionResult(content="\udfff3", name="add", call_id="1", is_error=False)]
        ),
        AssistantMessage(content="smile \ud83d\ude00", source="model"),
        UserMessage(content="on", source="user"),
    ]
    client = vendor.client(server, Reply(text="whole"), Reply(text="streamed"))
    assert (await client.create(said, tools=[ADD])).content == "whole"
    assert (await read(client.create_stream(said, tools=[ADD])))[1].content == "streamed"
    for request in server.requests:
        sent = json.dumps(request.body, ensure_ascii=False)
        assert all(text in sent for text in ("one\ufffd", "file\ufffd.txt", "\ufffd3", "smile \N{GRINNING FACE}"))


async def test_a_message_is_converted_once(
    vendor: Vendor, server: MockModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoded = 0
    encode = Image.to_base64

    class CountingImage(Image):
        def to_base64(self) -> str:
            nonlocal encoded
            encoded += 1
            return encode(self)

        @property
        def data_uri(self) -> str:
            return f"data:image/png;base64,{self.to_base64()}"

    client = vendor.client(server, *(Reply(text="a dot") for _ in range(3)))
    messages = [UserMessage(content=[CountingImage(PNG)], source="user")]
    for _ in range(3):
        await client.create(messages)
    assert encoded == 1


async def test_a_message_that_is_changed_in_place_is_sent_changed(vendor: Vendor, server: MockModelServer) -> None:
    instructions = SystemMessage(content="old instructions")
    parts: list[str | Image] = ["old part", Image(PNG)]
    call = FunctionCall(id="1", name="add", arguments='{"a": "old arguments"}')
    result = FunctionExecutionResult(content="old result", name="add", call_id="1")
    calling = AssistantMessage(content=[call], thought="old thought", source="model")
    question = UserMessage(content="old question", source="user")
    messages = [
        instructions,
        UserMessage(content=parts, source="user"),
        calling,
        FunctionExecutionResultMessage(content=[result]),
        question,
    ]
    client = vendor.client(server, *[Reply(text="hi")] * 8)

    async def sent() -> str:
        await client.create(messages)
        return json.dumps(server.requests[-1].body)

    body = await sent()
    assert body.count("old ") == 6
    message: Any = messages[1]
    for number, change in enumerate(
        (
            lambda: setattr(instructions, "content", "new instructions"),
            lambda: message.content.__setitem__(0, "new part"),
            lambda: setattr(call, "arguments", '{"a": "new arguments"}'),
            lambda: setattr(calling, "thought", "new thought"),
            lambda: setattr(result, "content", "new result"),
            lambda: setattr(question, "content", "new question"),
        )
    ):
        change()
        body = await sent()
        assert (body.count("new "), body.count("old ")) == (number + 1, 5 - number)
    message.content.append("one more part")
    assert "one more part" in await sent()


async def test_an_answer_of_which_a_program_keeps_the_text_alone_is_sent_without_its_calls(vendor: Vendor) -> None:
    call = ToolCall(id="call_1", name="add", arguments='{"a": 1, "b": 2}')
    answer = Reply(text="I add them.", thinking=(Thinking(text="How many?"),), tool_calls=(call,))
    async with MockModelServer() as server:
        client = vendor.client(server, answer, Reply(text="3"))
        result = await client.create(HELLO, tools=[ADD])
        kept = AssistantMessage(content="I add them.", source="model", vendor_blocks=result.vendor_blocks)
        await client.create([*HELLO, kept, UserMessage(content="go on", source="user")], tools=[ADD])
        await client.close()
    sent = json.dumps(server.last_body[vendor.messages])
    assert "I add them." in sent
    assert "add" not in sent.replace("I add them.", "")


async def test_the_work_of_a_request_does_not_grow_with_its_conversation(
    vendor: Vendor, server: MockModelServer
) -> None:
    """Work is counted in functions of the clients that are called, so that the test says the same on any machine."""
    client = vendor.client(server, *[Reply(text="hi")] * 4)

    async def calls(messages: list[LLMMessage]) -> int:
        count = 0

        def profile(frame: FrameType, event: str, _: object) -> None:
            nonlocal count
            count += event == "call" and "/ext/models/" in frame.f_code.co_filename

        await client.create(messages)
        messages += turns(len(messages), 2)
        sys.setprofile(profile)
        try:
            await client.create(messages)
        finally:
            sys.setprofile(None)
        return count

    short, long = await calls(turns(0, 11)), await calls(turns(0, 301))
    assert long < short + 20, f"{short} calls with 11 messages, {long} with 301"


def turns(first: int, count: int) -> list[LLMMessage]:
    return [
        AssistantMessage(content=str(number), source="model")
        if number % 2
        else UserMessage(content=str(number), source="user")
        for number in range(first, first + count)
    ]


ODD_HISTORIES: dict[str, list[LLMMessage]] = {
    "arguments with half a surrogate pair": [
        UserMessage(content="hello", source="user"),
        AssistantMessage(content=[FunctionCall(id="c", name="add", arguments='{"a": "\ud800"}')], source="bot"),
        FunctionExecutionResultMessage(content=[FunctionExecutionResult(content="\udc00", name="add", call_id="c")]),
    ],
    "a user who sends nothing": [UserMessage(content=[], source="user")],
    "an assistant who calls nothing": [
        UserMessage(content="hello", source="user"),
        AssistantMessage(content=[], source="bot"),
        UserMessage(content="go on", source="user"),
    ],
    "no results": [UserMessage(content="hello", source="user"), FunctionExecutionResultMessage(content=[])],
}


@pytest.mark.parametrize("history", ODD_HISTORIES.values(), ids=ODD_HISTORIES)
async def test_an_odd_history_is_sent_as_the_vendor_takes_it(vendor: Vendor, history: list[LLMMessage]) -> None:
    async with MockModelServer() as server:
        client = vendor.client(server, Reply(text="ok"))
        assert (await client.create(history, tools=[ADD])).content == "ok"
        await client.close()
    sent = json.dumps(server.last_body[vendor.messages])
    assert not set(re.findall(r'"(?:content|parts|tool_calls)": \[\]', sent))
    assert "\\ud800" not in sent
