"""What is peculiar to Google's format: signatures, results, thoughts, filters, and Google Cloud."""

import asyncio
from typing import Any

import pytest
from pydantic import BaseModel
from tests.support.model_clients import ADD, GEMINI, read

from symposia.core import FunctionCall
from symposia.core.exceptions import InvalidArgumentError, ModelError
from symposia.core.models import (
    AssistantMessage,
    FunctionExecutionResult,
    FunctionExecutionResultMessage,
    LLMMessage,
    RequestUsage,
    SystemMessage,
    UserMessage,
)
from symposia.core.tools import FunctionTool, ToolSchema
from symposia.ext.models.gemini import GeminiChatCompletionClient
from symposia.testing.model_server import Failure, MockModelServer, Raw, Reply, Thinking, ToolCall

HELLO: list[LLMMessage] = [UserMessage(content="hello", source="user")]
CALLS = (ToolCall(id="1", name="add", arguments='{"a": 1}'), ToolCall(id="2", name="add", arguments='{"a": 2}'))
RESULTS = FunctionExecutionResultMessage(
    content=[
        FunctionExecutionResult(content="3", name="add", call_id="1"),
        FunctionExecutionResult(content="no such number", name="add", call_id="2", is_error=True),
    ]
)


class Fingers(BaseModel):
    hands: int


@pytest.mark.parametrize("streaming", [False, True])
async def test_signed_parts_go_back_as_they_came(server: MockModelServer, streaming: bool) -> None:
    signed = Reply(text="I add.", thinking=(Thinking(text="Hm. Two."),), tool_calls=CALLS)
    client = GEMINI.client(server, signed, Reply(text="3"))
    if streaming:
        first = (await read(client.create_stream(HELLO, tools=[ADD])))[1]
    else:
        first = await client.create(HELLO, tools=[ADD])
    assert first.thought == "Hm. Two.\nI add."
    await client.create([*HELLO, first.to_message("model"), RESULTS], tools=[ADD])
    _, answer, results = server.last_body["contents"]
    assert answer["role"] == "model"
    assert answer["parts"][:2] == [{"text": "Hm. Two.", "thought": True}, {"text": "I add."}]
    assert [part["functionCall"]["id"] for part in answer["parts"][2:]] == ["1", "2"]
    assert [bool(part.get("thoughtSignature")) for part in answer["parts"]] == [False, False, True, False]
    assert [part["functionResponse"] for part in results["parts"]] == [
        {"id": "1", "name": "add", "response": {"output": "3"}},
        {"id": "2", "name": "add", "response": {"error": "no such number"}},
    ]


@pytest.mark.parametrize(("model", "signed"), [("gemini-3.8-flash", True), ("gemini-2.5-flash", False)])
async def test_calls_of_another_model_are_marked_where_signatures_are_checked(
    server: MockModelServer, model: str, signed: bool
) -> None:
    client = GEMINI.client(server, Reply(text="3"), model=model)
    calls = [FunctionCall(id=call.id, name=call.name, arguments=call.arguments) for call in CALLS]
    await client.create([*HELLO, AssistantMessage(content=calls, source="other"), RESULTS], tools=[ADD])
    parts = server.last_body["contents"][1]["parts"]
    marks = [part.get("thoughtSignature") for part in parts]
    assert marks == ["skip_thought_signature_validator" if signed else None, None]


async def test_a_changed_answer_goes_without_the_parts_that_no_longer_stand_for_it(server: MockModelServer) -> None:
    client = GEMINI.client(server, Reply(tool_calls=CALLS, thinking=(Thinking(text="Hm."),)), Reply(text="ok"))
    first = await client.create(HELLO, tools=[ADD])
    assert isinstance(first.content, list)
    changed = first.to_message("model").model_copy(update={"content": first.content[:1], "thought": None})
    result = RESULTS.model_copy(update={"content": RESULTS.content[:1]})
    await client.create([*HELLO, changed, result], tools=[ADD])
    (part,) = server.last_body["contents"][1]["parts"]
    assert part["functionCall"] == {"id": "1", "name": "add", "args": {"a": 1}}


async def test_calls_without_ids_get_some_of_their_own(server: MockModelServer) -> None:
    call = {"functionCall": {"name": "add", "args": {"a": 1}}}
    body = b'{"candidates": [{"content": {"parts": [%s, %s]}, "finishReason": "STOP"}]}'
    text = str(call).replace("'", '"').encode()
    client = GEMINI.client(server, Raw(body=body % (text, text)))
    with pytest.warns(UserWarning, match="no token counts"):
        result = await client.create(HELLO, tools=[ADD])
    first, second = result.content
    assert isinstance(first, FunctionCall)
    assert isinstance(second, FunctionCall)
    assert first.id != second.id


async def test_a_blocked_prompt_is_an_answer_that_the_filter_stopped(server: MockModelServer) -> None:
    body = b'{"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {"promptTokenCount": 5}}'
    client = GEMINI.client(
        server, Raw(body=body), Raw(body=b"data: " + body + b"\n\n", content_type="text/event-stream")
    )
    whole = await client.create(HELLO)
    _, streamed = await read(client.create_stream(HELLO))
    for result in (whole, streamed):
        assert (result.content, result.finish_reason) == ("", "content_filter")
        assert result.usage == RequestUsage(prompt_tokens=5, completion_tokens=0)


async def test_a_stop_for_an_unlisted_reason_is_unknown(server: MockModelServer) -> None:
    body = b'{"candidates": [{"finishReason": "MALFORMED_FUNCTION_CALL"}], "usageMetadata": {"promptTokenCount": 5}}'
    assert (await GEMINI.client(server, Raw(body=body)).create(HELLO)).finish_reason == "unknown"


async def test_thoughts_are_tokens_of_the_completion(server: MockModelServer) -> None:
    usage = b'{"promptTokenCount": 9, "cachedContentTokenCount": 4, "candidatesTokenCount": 2, "thoughtsTokenCount": 3}'
    body = b'{"candidates": [{"content": {"parts": [{"text": "hi"}]}, "finishReason": "STOP"}], "usageMetadata": %s}'
    usage_of = (await GEMINI.client(server, Raw(body=body % usage)).create(HELLO)).usage
    assert (usage_of.prompt_tokens, usage_of.cached_tokens) == (9, 4)
    assert (usage_of.completion_tokens, usage_of.reasoning_tokens) == (5, 3)
    assert usage_of.usd is not None


async def test_arguments_stand_where_the_api_has_them(server: MockModelServer) -> None:
    client = GEMINI.client(
        server,
        Reply(text="hi"),
        temperature=0.5,
        stop=["END"],
        thinking_config={"thinking_level": "low", "include_thoughts": True},
        safety_settings=[{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}],
        labels={"my_team": "blue"},
        tools=[{"google_search": {}}],
        timeout=3.5,
    )
    extra: Any = {"top_k": 3, "extra_body": {"store": True}, "extra_query": {"prettyPrint": "false"}}
    await client.create([SystemMessage(content="Be brief."), *HELLO], extra_create_args=extra)
    assert server.last_body == {
        "systemInstruction": {"parts": [{"text": "Be brief."}]},
        "contents": [{"role": "user", "parts": [{"text": "hello"}]}],
        "generationConfig": {
            "temperature": 0.5,
            "stopSequences": ["END"],
            "thinkingConfig": {"thinkingLevel": "low", "includeThoughts": True},
            "topK": 3,
        },
        "safetySettings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}],
        "labels": {"my_team": "blue"},
        "tools": [{"googleSearch": {}}],
        "store": True,
    }
    assert server.requests[-1].headers["x-server-timeout"] == "4"
    assert server.requests[-1].query == "prettyPrint=false"


@pytest.mark.parametrize(
    ("choice", "mode"), [("auto", {"mode": "AUTO"}), ("required", {"mode": "ANY"}), ("none", {"mode": "NONE"})]
)
async def test_the_choice_among_tools_is_a_mode(server: MockModelServer, choice: Any, mode: object) -> None:
    client = GEMINI.client(server, Reply(text="ok"))
    await client.create(HELLO, tools=[ADD], tool_choice=choice)
    assert server.last_body["toolConfig"] == {"functionCallingConfig": mode}


async def test_a_certain_tool_is_the_one_that_is_allowed(server: MockModelServer) -> None:
    def now() -> str:
        return "noon"

    tool = FunctionTool(now, description="The time.")
    client = GEMINI.client(server, Reply(text="ok"))
    await client.create(HELLO, tools=[ADD, tool], tool_choice=tool)
    assert server.last_body["toolConfig"] == {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["now"]}}
    bare = ToolSchema(name="now", description="The time.")
    assert server.last_body["tools"][0]["functionDeclarations"][1] == bare  # without a schema of no parameters


async def test_a_model_that_takes_no_schema_beside_tools_is_not_asked_for_both(server: MockModelServer) -> None:
    client = GEMINI.client(server, Reply(text="{}"), Reply(text="{}"), model="gemini-2.5-pro")
    with pytest.raises(InvalidArgumentError, match="cannot keep to the schema of Fingers in a request that has tools"):
        await client.create(HELLO, tools=[ADD], json_output=Fingers)
    await client.create(HELLO, tools=[ADD], json_output=True)
    assert "generationConfig" not in server.last_body
    assert "JSON" in server.last_body["systemInstruction"]["parts"][0]["text"]
    await client.create(HELLO, json_output=Fingers)
    assert server.last_body["generationConfig"]["responseJsonSchema"] == Fingers.model_json_schema()


async def test_an_opening_and_an_ending_by_the_model_get_turns_of_the_user(server: MockModelServer) -> None:
    client = GEMINI.client(server, Reply(text="ok"))
    await client.create([AssistantMessage(content="I open.", source="model")])
    assert [content["role"] for content in server.last_body["contents"]] == ["user", "model", "user"]


async def test_a_wrong_name_of_a_model_is_told_before_a_request() -> None:
    with pytest.raises(InvalidArgumentError, match=r"Google has no model of the name 'gemini-3-\?'"):
        GeminiChatCompletionClient(model="gemini-3-?", api_key="k")


async def test_google_cloud_is_asked_at_its_own_path_with_a_token(server: MockModelServer) -> None:
    from google.oauth2.credentials import Credentials  # noqa: PLC0415 - heavy

    make: Any = Credentials
    given: Any = {"project": "mine", "location": "europe-west4", "credentials": make(token="a-token")}
    client = await asyncio.to_thread(  # the SDK looks for certificates on the disk
        lambda: GEMINI.client(server, Reply(text="hi"), api_key=None, vertexai=True, **given)
    )
    assert (await client.create(HELLO)).content == "hi"
    request = server.requests[-1]
    assert request.headers["authorization"] == "Bearer a-token"
    assert "/projects/mine/locations/europe-west4/publishers/google/models/gemini-3.8-flash:" in request.path
    server.script(Failure(status=401))
    with pytest.raises(ModelError, match="GOOGLE_APPLICATION_CREDENTIALS"):
        await client.create(HELLO)
    await client.close()


def test_options_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(InvalidArgumentError, match="Google's SDK refuses the options"):
        GeminiChatCompletionClient(model="gemini-3.8-flash", api_key="k", project="mine")
