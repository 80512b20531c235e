"""What is peculiar to Mistral's format: ids of calls, the order of messages, thinking in chunks, retries by a count."""

from typing import Any

import pytest
from pydantic import BaseModel
from tests.support.model_clients import ADD, MISTRAL, read

from symposia.core import FunctionCall
from symposia.core.exceptions import ModelError
from symposia.core.models import (
    AssistantMessage,
    FunctionExecutionResult,
    FunctionExecutionResultMessage,
    LLMMessage,
    SystemMessage,
    UserMessage,
)
from symposia.core.tools import FunctionTool
from symposia.testing.model_server import Failure, MockModelServer, Raw, Reply, Thinking, ToolCall

HELLO: list[LLMMessage] = [UserMessage(content="hello", source="user")]


class Fingers(BaseModel):
    hands: int


def called(call_id: str) -> list[LLMMessage]:
    """A conversation with one call and its result."""
    call = FunctionCall(id=call_id, name="add", arguments="{}")
    result = FunctionExecutionResult(content="3", name="add", call_id=call_id)
    return [
        *HELLO,
        AssistantMessage(content=[call], source="model"),
        FunctionExecutionResultMessage(content=[result]),
    ]


async def test_arguments_are_sent_by_mistrals_names(server: MockModelServer) -> None:
    client = MISTRAL.client(server, Reply(text="hi"), seed=3, max_tokens=7, reasoning_effort="low", safe_prompt=True)
    await client.create(HELLO, extra_create_args={"temperature": 0})
    assert server.last_body == {
        "model": MISTRAL.model,
        "messages": [{"role": "user", "content": "hello"}],
        "random_seed": 3,
        "max_tokens": 7,
        "reasoning_effort": "low",
        "safe_prompt": True,
        "temperature": 0,
        "stream": False,
    }
    assert server.requests[-1].headers["user-agent"].startswith("speakeasy-sdk/python")
    assert server.requests[-1].headers["authorization"] == "Bearer key"


@pytest.mark.parametrize(("given", "sent"), [("D681PevKs", "D681PevKs"), ("call_1", None), ("toolu_01A", None)])
async def test_ids_of_calls_have_nine_letters_and_digits(server: MockModelServer, given: str, sent: str | None) -> None:
    await MISTRAL.client(server, Reply(text="ok")).create(called(given), tools=[ADD])
    _, answer, result = server.last_body["messages"]
    assert answer["tool_calls"][0]["id"] == result["tool_call_id"]
    assert sent in {None, result["tool_call_id"]}
    assert result["name"] == "add"


@pytest.mark.parametrize(
    ("messages", "roles"),
    [
        ([SystemMessage(content="s"), *HELLO, SystemMessage(content="t"), *HELLO], "system user user user"),
        ([*called("1"), *HELLO], "user assistant tool assistant user"),
        ([*called("1"), SystemMessage(content="memory")], "user assistant tool assistant user"),
        ([*HELLO, AssistantMessage(content="", source="model")], "user assistant user"),
        ([AssistantMessage(content="hi", source="model"), SystemMessage(content="s")], "assistant user"),
    ],
)
async def test_messages_come_in_an_order_that_the_vendor_takes(
    server: MockModelServer, messages: list[LLMMessage], roles: str
) -> None:
    assert (await MISTRAL.client(server, Reply(text="ok")).create(messages)).content == "ok"
    assert [message["role"] for message in server.last_body["messages"]] == roles.split()


async def test_the_form_of_answers_is_a_strict_schema_or_any_json(server: MockModelServer) -> None:
    client = MISTRAL.client(server, *[Reply(text="{}")] * 3, response_format=Fingers)
    await client.create(HELLO)
    form: Any = server.last_body["response_format"]
    assert (form["type"], form["json_schema"]["name"], form["json_schema"]["strict"]) == (
        "json_schema",
        "Fingers",
        True,
    )
    assert form["json_schema"]["schema"]["additionalProperties"] is False
    await client.create(HELLO, json_output=True)
    assert server.last_body["response_format"] == {"type": "json_object"}
    await client.create(HELLO, json_output=False)
    assert server.last_body["response_format"] == {"type": "text"}


async def test_tools_are_chosen_in_mistrals_words(server: MockModelServer) -> None:
    def now() -> str:
        return "noon"

    tool = FunctionTool(now, description="The time.")
    client = MISTRAL.client(server, *[Reply(text="ok")] * 3, parallel_tool_calls=False)
    await client.create(HELLO, tools=[ADD, tool], tool_choice=tool)
    assert server.last_body["tool_choice"] == {"type": "function", "function": {"name": "now"}}
    await client.create(HELLO, tools=[ADD], tool_choice="required")
    assert (server.last_body["tool_choice"], server.last_body["parallel_tool_calls"]) == ("any", False)
    await client.create(HELLO)
    assert {"tools", "tool_choice", "parallel_tool_calls"}.isdisjoint(server.last_body)


async def test_tools_of_the_vendor_are_offered_with_those_of_a_call(server: MockModelServer) -> None:
    client = MISTRAL.client(server, Reply(text="ok"), tools=[{"type": "image_generation"}])
    await client.create(HELLO, tools=[ADD])
    assert [tool["type"] for tool in server.last_body["tools"]] == ["image_generation", "function"]


@pytest.mark.parametrize("streaming", [False, True])
async def test_thinking_before_a_call_goes_back_as_it_came(server: MockModelServer, streaming: bool) -> None:
    call = ToolCall(id="D681PevKs", name="add", arguments='{"a": 1}')
    client = MISTRAL.client(
        server, Reply(text="I add.", thinking=(Thinking(text="Two numbers."),), tool_calls=(call,)), Reply(text="3")
    )
    asked = client.create_stream(HELLO, tools=[ADD])
    first = (await read(asked))[1] if streaming else await client.create(HELLO, tools=[ADD])
    assert first.thought == "Two numbers.\nI add."
    result = FunctionExecutionResult(content="3", name="add", call_id="D681PevKs")
    await client.create(
        [*HELLO, first.to_message("model"), FunctionExecutionResultMessage(content=[result])], tools=[ADD]
    )
    assert server.last_body["messages"][1]["content"] == [
        {"type": "thinking", "thinking": [{"type": "text", "text": "Two numbers."}]},
        {"type": "text", "text": "I add."},
    ]


async def test_thinking_that_is_signed_goes_back_without_a_call_too(server: MockModelServer) -> None:
    chunks = (
        b'[{"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}], "signature": "s"},'
        b'{"type": "reference", "reference_ids": [1]}, {"type": "text", "text": "Yes."}]'
    )
    body = b'{"choices": [{"message": {"content": %s}, "finish_reason": "stop"}], "usage": {"prompt_tokens": 3, '
    body += b'"completion_tokens": 2, "num_cached_tokens": 1}}'
    client = MISTRAL.client(server, Raw(body=body % chunks), Reply(text="ok"))
    first = await client.create(HELLO)
    assert (first.content, first.thought, first.usage.cached_tokens) == ("Yes.", "Hm.", 1)
    await client.create([*HELLO, first.to_message("model"), *HELLO])
    assert [chunk["type"] for chunk in server.last_body["messages"][1]["content"]] == ["thinking", "reference", "text"]


async def test_calls_may_come_in_pieces_with_one_index_and_without_ids(server: MockModelServer) -> None:
    def event(calls: str, end: str = "null") -> str:
        return f'data: {{"choices": [{{"delta": {{"tool_calls": [{calls}]}}, "finish_reason": {end}}}]}}\n\n'

    body = (
        event('{"id": "null", "function": {"name": "add", "arguments": "{\\"a\\""}}')
        + event('{"function": {"name": "", "arguments": ": 1}"}}')
        + event('{"id": "bbbbbbbbb", "function": {"name": "add", "arguments": {"a": 2}}}', '"tool_calls"')
        + "data: [DONE]\n\n"
    )
    client = MISTRAL.client(server, Raw(body=body.encode(), content_type="text/event-stream"))
    with pytest.warns(UserWarning, match="sent no token counts"):
        _, result = await read(client.create_stream(HELLO, tools=[ADD]))
    first, second = result.content
    assert isinstance(first, FunctionCall)
    assert isinstance(second, FunctionCall)
    assert (len(first.id), first.arguments) == (9, '{"a": 1}')
    assert (second.id, second.arguments) == ("bbbbbbbbb", '{"a": 2}')


async def test_a_check_of_the_vendors_is_told_in_its_words(server: MockModelServer) -> None:
    client = MISTRAL.client(server)
    server.script(Failure(status=422, message="Input should be less than 2"))
    with pytest.raises(ModelError, match=r"\(status 422\): Input should be less than 2\."):
        await client.create(HELLO)


@pytest.mark.parametrize("retries", [0, 2])
async def test_attempts_are_counted_and_the_last_answer_is_told(server: MockModelServer, retries: int) -> None:
    failure = Failure(status=503, message="no such luck", headers={"retry-after-ms": "1"})
    client = MISTRAL.client(server, max_retries=retries)
    server.script(*[failure] * (retries + 1))
    with pytest.raises(ModelError, match="no such luck"):
        await client.create(HELLO)
    assert len(server.requests) == retries + 1
