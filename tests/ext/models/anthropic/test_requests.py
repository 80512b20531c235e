"""What is sent to Anthropic."""

import json
import re
from typing import Any

import anthropic
import httpx2
import pytest
from pydantic import BaseModel
from tests.support.model_clients import ADD, Anthropic, read

from symposia.core import FunctionCall
from symposia.core.models import (
    AssistantMessage,
    FunctionExecutionResult,
    FunctionExecutionResultMessage,
    LLMMessage,
    SystemMessage,
    UserMessage,
)
from symposia.core.tools import FunctionTool
from symposia.ext.models.anthropic import BaseAnthropicChatCompletionClient
from symposia.testing.model_server import MockModelServer, Reply, Thinking, ToolCall

HELLO: list[LLMMessage] = [UserMessage(content="hello", source="user")]
RESULTS = FunctionExecutionResultMessage(content=[FunctionExecutionResult(content="3", name="add", call_id="1")])
CALL = ToolCall(id="1", name="add", arguments='{"a": 1}')


class Sum(BaseModel):
    total: int


def text(value: str) -> dict[str, str]:
    return {"type": "text", "text": value}


async def sent(server: MockModelServer, messages: list[LLMMessage], **options: Any) -> Any:
    client = Anthropic().client(server, Reply(text="ok"), **{"prompt_caching": False, **options})
    await client.create(messages)
    return server.last_body["messages"]


async def test_a_conversation_on_the_wire(server: MockModelServer) -> None:
    messages: list[LLMMessage] = [
        SystemMessage(content="Be brief."),
        UserMessage(content="Add one and two.", source="user"),
        AssistantMessage(
            content=[FunctionCall(id="1", name="add", arguments='{"a": 1}')], source="bot", thought="I add."
        ),
        FunctionExecutionResultMessage(
            content=[FunctionExecutionResult(content="no", name="add", call_id="1", is_error=True)]
        ),
        UserMessage(content="Well?", source="user"),
        SystemMessage(content="Be kind."),
    ]
    assert await sent(server, messages) == [
        {"role": "user", "content": [text("Add one and two.")]},
        {
            "role": "assistant",
            "content": [text("I add."), {"type": "tool_use", "id": "1", "name": "add", "input": {"a": 1}}],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "1", "content": "no", "is_error": True},
                text("Well?"),
                text("<system>\nBe kind.\n</system>"),
            ],
        },
    ]
    assert server.last_body["system"] == "Be brief."


async def test_a_conversation_begins_and_ends_with_the_user(server: MockModelServer) -> None:
    assert await sent(server, [AssistantMessage(content="I am here.", source="bot")]) == [
        {"role": "user", "content": [text("Begin.")]},
        {"role": "assistant", "content": [text("I am here.")]},
        {"role": "user", "content": [text("Continue.")]},
    ]


async def test_a_model_that_goes_on_from_an_assistant_message_is_let_to(server: MockModelServer) -> None:
    messages = [*HELLO, AssistantMessage(content="The sum is", source="bot")]
    assert (await sent(server, messages, model="claude-haiku-4-5"))[-1]["role"] == "assistant"


@pytest.mark.parametrize(
    ("arguments", "given"), [("", {}), ("[1]", {"arguments": [1]}), ("{oops", {"arguments": "{oops"})]
)
async def test_arguments_that_are_no_object_are_put_into_one(
    server: MockModelServer, arguments: str, given: object
) -> None:
    call = FunctionCall(id="1", name="add", arguments=arguments)
    messages = [*HELLO, AssistantMessage(content=[call], source="bot"), RESULTS]
    assert (await sent(server, messages))[1]["content"][0]["input"] == given


@pytest.mark.parametrize(("choice", "wire"), [("auto", "auto"), ("required", "any"), ("none", "none")])
async def test_a_choice_among_tools_is_sent(server: MockModelServer, choice: Any, wire: str) -> None:
    client = Anthropic().client(server, Reply(text="ok"), prompt_caching=False)
    await client.create(HELLO, tools=[ADD], tool_choice=choice)
    assert server.last_body["tool_choice"] == {"type": wire}
    assert server.last_body["tools"] == [
        {"name": "add", "description": "Add two numbers.", "input_schema": ADD.get("parameters")}
    ]


async def test_one_tool_call_at_a_time_can_be_asked_for(server: MockModelServer) -> None:
    def add(a: int) -> int:
        return a

    tool = FunctionTool(add, description="Add.")
    client = Anthropic().client(server, Reply(text="ok"), Reply(text="ok"), parallel_tool_calls=False)
    await client.create(HELLO, tools=[tool], tool_choice=tool)
    assert server.last_body["tool_choice"] == {"type": "tool", "name": "add", "disable_parallel_tool_use": True}
    await client.create(HELLO)
    assert {"tools", "tool_choice", "parallel_tool_calls"}.isdisjoint(server.last_body)


async def test_tools_of_anthropics_own_go_along(server: MockModelServer) -> None:
    search = {"type": "web_search_20260318", "name": "web_search"}
    client = Anthropic().client(server, Reply(text="ok"), tools=[search])
    await client.create(HELLO, tools=[ADD])
    assert [tool["name"] for tool in server.last_body["tools"]] == ["web_search", "add"]


async def test_a_model_class_is_sent_as_its_schema_beside_other_output_options(server: MockModelServer) -> None:
    client = Anthropic().client(server, Reply(text='{"total": 3}'), output_config={"effort": "low"})
    await client.create(HELLO, json_output=Sum)
    config = server.last_body["output_config"]
    assert config["effort"] == "low"
    assert config["format"]["type"] == "json_schema"
    assert config["format"]["schema"]["required"] == ["total"]


@pytest.mark.parametrize("by", ["json_output", "constructor"])
async def test_json_of_any_shape_is_asked_for_in_words(server: MockModelServer, by: str) -> None:
    options: dict[str, Any] = {"response_format": {"type": "json_object"}} if by == "constructor" else {}
    client = Anthropic().client(server, Reply(text="{}"), prompt_caching=False, **options)
    messages = [SystemMessage(content="Be brief."), *HELLO]
    await client.create(messages, json_output=True if by == "json_output" else None)
    assert server.last_body["system"].startswith("Be brief.\nAnswer with one JSON object")


async def test_a_temperature_is_sent_by_the_version_of_the_api_that_has_it(server: MockModelServer) -> None:
    client = Anthropic().client(server, Reply(text="ok"), Reply(text="ok"), temperature=0, top_k=3)
    await client.create(HELLO)
    assert (server.last_body["temperature"], server.last_body["top_k"]) == (0, 3)
    await read(client.create_stream(HELLO))
    assert server.requests[-1].headers["anthropic-version"] == "2023-06-01"


async def test_a_temperature_is_left_out_for_a_model_that_has_none(server: MockModelServer) -> None:
    with pytest.warns(UserWarning, match="'claude-opus-5-5' takes no temperature") as caught:
        client = Anthropic().client(server, Reply(text="ok"), model="claude-opus-5-5", temperature=0)
    assert len(caught) == 1
    await client.create(HELLO)
    assert "temperature" not in server.last_body


@pytest.mark.parametrize(("model", "tokens"), [("claude-opus-5-5", 16_384), ("claude-3-haiku-20240307", 4_096)])
async def test_answers_have_a_usual_limit_that_the_model_can_give(
    server: MockModelServer, model: str, tokens: int
) -> None:
    await sent(server, HELLO, model=model, max_tokens=None)
    assert server.last_body["max_tokens"] == tokens


async def test_an_answer_that_may_take_long_is_streamed_for_create_too(server: MockModelServer) -> None:
    client = Anthropic().client(server, Reply(text="a long story", usage=(5, 9)), max_tokens=64_000)
    result = await client.create(HELLO)
    assert server.last_body["stream"] is True
    assert (result.content, result.usage.completion_tokens) == ("a long story", 9)


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize("words", ["", "I add."])
async def test_f47_signed_thinking_goes_back_untouched_with_the_tool_calls(
    server: MockModelServer, streaming: bool, words: str
) -> None:
    thoughts = (
        Thinking(text="One and two: ", signature="signed-by-the-vendor/1"),
        Thinking(data="cmVkYWN0ZWQ="),
        Thinking(text="three."),
    )
    client = Anthropic().client(
        server, Reply(text=words, thinking=thoughts, tool_calls=(CALL,)), Reply(text="3"), thinking={"type": "adaptive"}
    )
    if streaming:
        pieces, first = await read(client.create_stream(HELLO, tools=[ADD]))
        assert "".join(pieces) == words
    else:
        first = await client.create(HELLO, tools=[ADD])
    assert first.thought == "\n".join(filter(None, ("One and two: three.", words)))
    second = await client.create([*HELLO, first.to_message("bot"), RESULTS], tools=[ADD])
    assert second.content == "3"
    assert server.last_body["messages"][1]["content"] == [
        {"type": "thinking", "thinking": "One and two: ", "signature": "signed-by-the-vendor/1"},
        {"type": "redacted_thinking", "data": "cmVkYWN0ZWQ="},
        {"type": "thinking", "thinking": "three.", "signature": "signed-by-the-vendor"},
        *([text(words)] if words else []),
        {"type": "tool_use", "id": "1", "name": "add", "input": {"a": 1}},
    ]


async def test_f47_the_thinking_survives_being_saved_and_loaded(server: MockModelServer) -> None:
    client = Anthropic().client(
        server,
        Reply(thinking=(Thinking(text="Hm."),), tool_calls=(CALL,)),
        Reply(text="3"),
        thinking={"type": "adaptive"},
    )
    said = (await client.create(HELLO, tools=[ADD])).to_message("bot")
    loaded = AssistantMessage.model_validate_json(said.model_dump_json())
    assert (await client.create([*HELLO, loaded, RESULTS], tools=[ADD])).content == "3"


async def test_a_message_whose_words_were_changed_is_sent_as_it_is_now(server: MockModelServer) -> None:
    client = Anthropic().client(server, Reply(text="secret", thinking=(Thinking(text="Hm."),)), Reply(text="ok"))
    said = (await client.create(HELLO)).to_message("bot")
    censored = said.model_copy(update={"content": "******"})
    await client.create([*HELLO, censored, *HELLO])
    assert server.last_body["messages"][1]["content"] == [text("******")]


async def test_tokens_read_from_a_cache_are_tokens_of_the_prompt(server: MockModelServer) -> None:
    client = Anthropic().client(server, Reply(text="ok", usage=(5, 2), cached_tokens=100))
    assert (await client.create(HELLO)).usage.prompt_tokens == 105


@pytest.mark.parametrize(("host", "same"), [("api.anthropic.com", False), ("models.example", True)])
async def test_ids_of_calls_are_written_as_anthropic_takes_them(host: str, same: bool) -> None:
    bodies: list[Any] = []

    def receive(request: httpx2.Request) -> httpx2.Response:
        bodies.append(json.loads(request.content))
        return httpx2.Response(200, json={"content": [{"type": "text", "text": "3"}], "stop_reason": "end_turn"})

    http = httpx2.AsyncClient(transport=httpx2.MockTransport(receive))
    sdk = anthropic.AsyncAnthropic(api_key="key", base_url=f"https://{host}", http_client=http)
    client = BaseAnthropicChatCompletionClient(sdk, create_args={"model": "claude-sonnet-4-6"})
    calls = [FunctionCall(id=f"functions.add:{place}", name="add", arguments="{}") for place in (0, 1)]
    results = [FunctionExecutionResult(content="3", name="add", call_id=call.id) for call in calls]
    answer = AssistantMessage(content=calls, source="bot")
    with pytest.warns(UserWarning, match="sent no token counts"):
        await client.create([*HELLO, answer, FunctionExecutionResultMessage(content=results)])
    await client.close()

    _, called, answered = bodies[0]["messages"]
    ids = [block["id"] for block in called["content"]]
    assert ids == [block["tool_use_id"] for block in answered["content"]]
    assert len(set(ids)) == 2
    assert (ids == [call.id for call in calls]) is same
    assert same or all(re.fullmatch("[a-zA-Z0-9_-]{1,64}", one) for one in ids)
