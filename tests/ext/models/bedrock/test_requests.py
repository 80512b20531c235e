"""Requests of Converse: each one that is sent here is checked by botocore's own description of the service."""

import json
from collections.abc import AsyncIterator
from functools import cache
from importlib import import_module
from typing import Any

import pytest
from pydantic import BaseModel
from tests.support.model_clients import ADD, CONVERSE, read

from symposia.core import FunctionCall, Image
from symposia.core.exceptions import InvalidArgumentError
from symposia.core.models import (
    AssistantMessage,
    ChatCompletionClient,
    CreateResult,
    FunctionExecutionResult,
    FunctionExecutionResultMessage,
    LLMMessage,
    RequestUsage,
    SystemMessage,
    UserMessage,
)
from symposia.core.tools import FunctionTool
from symposia.testing.model_server import MockModelServer, Raw, Reply, Thinking, ToolCall

HELLO = [UserMessage(content="hello", source="user")]
CLAUDE = "us.anthropic.claude-sonnet-4-6-v1:0"
NOVA = "us.amazon.nova-pro-v1:0"
LLAMA = "us.meta.llama3-3-70b-instruct-v1:0"
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b550000000a49444154789c6360000000020001"
    "48afa4710000000049454e44ae426082"
)
CALL = FunctionCall(id="call_1", name="add", arguments='{"a": 1}')
USED: list[LLMMessage] = [
    SystemMessage(content="Be brief."),
    *HELLO,
    AssistantMessage(content=[CALL], thought="I add.", source="model"),
    FunctionExecutionResultMessage(
        content=[FunctionExecutionResult(content="no", name="add", call_id="call_1", is_error=True)]
    ),
]
THINKING: Any = {"additionalModelRequestFields": {"thinking": {"type": "enabled", "budget_tokens": 2000}}}


class Fingers(BaseModel):
    hands: int
    each: int = 5


def add(a: int, b: int) -> int:
    return a + b


ADDING = FunctionTool(add, description="Add two numbers.", strict=True)


@cache
def service() -> Any:
    loader = import_module("botocore.loaders").Loader()
    return import_module("botocore.model").ServiceModel(loader.load_service_model("bedrock-runtime", "service-2"))


@pytest.fixture
async def server() -> AsyncIterator[MockModelServer]:
    """A server whose requests are all valid by botocore's description, members that it does not know included."""
    async with MockModelServer() as server:
        yield server
    validator = import_module("botocore.validate").ParamValidator()
    shape = service().operation_model("Converse").input_shape
    for request in server.requests:
        report = validator.validate({**request.body, "modelId": CLAUDE}, shape)
        assert not report.has_errors(), report.generate_report()


def client(server: MockModelServer, *replies: Any, model: str = CLAUDE, **options: Any) -> ChatCompletionClient:
    return CONVERSE.client(server, *replies, model=model, **options)


# Messages ------------------------------------------------------------------------------------------------------------


async def test_every_kind_of_message_is_one_that_the_service_takes(server: MockModelServer) -> None:
    said = [*USED, UserMessage(content=["What is it?", Image(PNG)], source="user"), SystemMessage(content="Remember.")]
    await client(server, Reply(text="ok")).create(said, tools=[ADD])
    user, model, results = server.last_body["messages"]
    assert (user["role"], model["role"], results["role"]) == ("user", "assistant", "user")
    assert model["content"] == [
        {"text": "I add."},
        {"toolUse": {"toolUseId": "call_1", "name": "add", "input": {"a": 1}}},
    ]
    assert results["content"][0] == {
        "toolResult": {"toolUseId": "call_1", "content": [{"text": "no"}], "status": "error"}
    }
    assert results["content"][2] == {"image": {"format": "png", "source": {"bytes": Image(PNG).to_base64()}}}


async def test_calls_are_text_where_no_tools_are_offered(server: MockModelServer) -> None:
    """The service refuses blocks of tools in a request that offers none, such as that of a reflection."""
    asking = client(server, Reply(text="ok"), Reply(text="ok"), Reply(text="ok"))
    await asking.create(USED)
    await asking.create(USED, tools=[ADD], tool_choice="none")
    for request in server.requests:
        assert "toolConfig" not in request.body
        assert request.body["messages"][1]["content"][1] == {"text": '<tool_call name="add">\n{"a": 1}\n</tool_call>'}
        assert request.body["messages"][2]["content"][0] == {"text": '<tool_result name="add">\nno\n</tool_result>'}
    await asking.create(USED, tools=[ADD])
    assert "toolUse" in server.last_body["messages"][1]["content"][1]


async def test_an_id_of_another_vendor_is_replaced_in_the_call_and_its_result(server: MockModelServer) -> None:
    call = FunctionCall(id="call/" + "x" * 80, name="add", arguments="{}")
    result = FunctionExecutionResult(content="3", name="add", call_id=call.id)
    said = [*HELLO, AssistantMessage(content=[call], source="m"), FunctionExecutionResultMessage(content=[result])]
    await client(server, Reply(text="ok")).create(said, tools=[ADD])
    used = server.last_body["messages"][1]["content"][0]["toolUse"]["toolUseId"]
    assert used == server.last_body["messages"][2]["content"][0]["toolResult"]["toolUseId"]
    assert len(used) <= 64


@pytest.mark.parametrize("streaming", [False, True])
async def test_signed_reasoning_is_returned_as_it_came(server: MockModelServer, streaming: bool) -> None:
    thinking = (Thinking(text="Let me see."), Thinking(data="opaque"))
    reply = Reply(text="I add.", thinking=thinking, tool_calls=(ToolCall(id="c", name="add", arguments='{"a": 1}'),))
    asking = client(server, reply, Reply(text="ok"))
    if streaming:
        _, first = await read(asking.create_stream(HELLO, tools=[ADD]))
    else:
        first = await asking.create(HELLO, tools=[ADD])
    assert first.thought == "Let me see.\nI add."
    results = FunctionExecutionResultMessage(content=[FunctionExecutionResult(content="1", name="add", call_id="c")])
    await asking.create([*HELLO, first.to_message("model"), results], tools=[ADD])
    assert server.last_body["messages"][1]["content"] == [
        {"reasoningContent": {"reasoningText": {"text": "Let me see.", "signature": "signed-by-the-vendor"}}},
        {"reasoningContent": {"redactedContent": "b3BhcXVl"}},
        {"text": "I add."},
        {"toolUse": {"toolUseId": "c", "name": "add", "input": {"a": 1}}},
    ]


async def test_reasoning_without_a_signature_is_not_returned(server: MockModelServer) -> None:
    asking = client(server, Reply(text="Five.", thinking=(Thinking(text="Hm.", signature=""),)), Reply(text="ok"))
    first = await asking.create(HELLO)
    assert first.thought == "Hm."
    await asking.create([*HELLO, first.to_message("model"), *HELLO])
    assert server.last_body["messages"][1]["content"] == [{"text": "Five."}]


# Tools ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("choice", "sent"), [("auto", None), ("required", {"any": {}}), (ADDING, {"tool": {"name": "add"}})]
)
async def test_the_choice_of_a_tool_is_sent(server: MockModelServer, choice: Any, sent: object) -> None:
    await client(server, Reply(text="ok")).create(HELLO, tools=[ADDING], tool_choice=choice)
    assert server.last_body["toolConfig"].get("toolChoice") == sent
    assert server.last_body["toolConfig"]["tools"][0]["toolSpec"]["strict"]


async def test_a_choice_that_the_model_cannot_be_given_is_refused(server: MockModelServer) -> None:
    llama = client(server, model=LLAMA)
    with pytest.raises(InvalidArgumentError, match="cannot be told to call a tool"):
        await llama.create(HELLO, tools=[ADDING], tool_choice="required")
    with pytest.raises(InvalidArgumentError, match="cannot be told to call the tool 'add'"):
        await llama.create(HELLO, tools=[ADDING], tool_choice=ADDING)
    assert server.requests == []


async def test_tools_of_the_service_stand_beside_those_of_the_program(server: MockModelServer) -> None:
    own: Any = {"tools": [{"systemTool": {"name": "nova_grounding"}}]}
    asking = client(server, Reply(text="ok"), Reply(text="ok"), model=NOVA, toolConfig=own)
    await asking.create(HELLO, tools=[ADDING])
    assert [next(iter(tool)) for tool in server.last_body["toolConfig"]["tools"]] == ["systemTool", "toolSpec"]
    await asking.create(USED)
    assert server.last_body["toolConfig"] == own


# Structured output ---------------------------------------------------------------------------------------------------


async def test_a_schema_is_sent_to_a_model_that_keeps_to_one(server: MockModelServer) -> None:
    await client(server, Reply(text='{"hands": 2, "each": 5}')).create(HELLO, json_output=Fingers)
    text_format = server.last_body["outputConfig"]["textFormat"]
    schema = json.loads(text_format["structure"]["jsonSchema"]["schema"])
    assert text_format["type"] == "json_schema"
    assert schema["additionalProperties"] is False
    assert schema["required"] == ["hands", "each"]


ANSWER = ToolCall(id="c", name="structured_answer", arguments='{"hands": 2, "each": 5}')


@pytest.mark.parametrize("streaming", [False, True])
async def test_any_other_model_answers_by_a_tool(server: MockModelServer, streaming: bool) -> None:
    asking = client(server, Reply(text="Counting.", tool_calls=(ANSWER,)), Reply(text="ok"), model=NOVA)
    if streaming:
        pieces, result = await read(asking.create_stream(HELLO, json_output=Fingers))
        assert "".join(pieces) == "Counting." + ANSWER.arguments
    else:
        result = await asking.create(HELLO, json_output=Fingers)
    assert (result.content, result.finish_reason, result.thought) == (ANSWER.arguments, "stop", "Counting.")
    config = server.last_body["toolConfig"]
    assert config["toolChoice"] == {"tool": {"name": "structured_answer"}}
    assert set(config["tools"][0]["toolSpec"]["inputSchema"]["json"]["properties"]) == {"hands", "each"}
    await asking.create([*HELLO, result.to_message("model"), *HELLO])
    assert server.last_body["messages"][1]["content"] == [{"text": ANSWER.arguments}]


@pytest.mark.parametrize(
    ("model", "options", "tools", "choice"),
    [
        (NOVA, {}, [ADD], {"any": {}}),
        ("us.anthropic.claude-3-7-sonnet-20250219-v1:0", {}, [], {"tool": {"name": "structured_answer"}}),
        ("us.anthropic.claude-3-7-sonnet-20250219-v1:0", THINKING, [], None),
        ("mistral.mistral-large-2402-v1:0", {}, [], {"any": {}}),
        (LLAMA, {}, [ADD], None),
    ],
)
async def test_a_model_is_made_to_answer_by_the_tool_as_far_as_it_can_be(
    server: MockModelServer, model: str, options: Any, tools: list[Any], choice: object
) -> None:
    asking = client(server, Reply(tool_calls=(ANSWER,)), model=model, **options)
    assert (await asking.create(HELLO, tools=tools, json_output=Fingers)).content == ANSWER.arguments
    assert server.last_body["toolConfig"].get("toolChoice") == choice
    told = "structured_answer" in json.dumps(server.last_body.get("system", []))
    assert told is (choice is None)


async def test_thinking_that_a_call_asks_for_is_seen(server: MockModelServer) -> None:
    asking = client(server, Reply(tool_calls=(ANSWER,)), model="us.anthropic.claude-3-7-sonnet-20250219-v1:0")
    await asking.create(HELLO, json_output=Fingers, extra_create_args=THINKING)
    assert "toolChoice" not in server.last_body["toolConfig"]


async def test_a_call_of_another_tool_comes_before_the_answer(server: MockModelServer) -> None:
    calls = (ToolCall(id="1", name="add", arguments="{}"), ANSWER)
    result = await client(server, Reply(tool_calls=calls), model=NOVA).create(HELLO, tools=[ADD], json_output=Fingers)
    assert result.content == [FunctionCall(id="1", name="add", arguments="{}")]


async def test_a_tool_of_the_answers_name_is_refused(server: MockModelServer) -> None:
    with pytest.raises(InvalidArgumentError, match="the client has a tool of this name"):
        await client(server).create(HELLO, tools=[{**ADD, "name": "structured_answer"}])


# Cache points and other arguments ------------------------------------------------------------------------------------

POINT = {"cachePoint": {"type": "default"}}


def points(body: Any) -> list[str]:
    """The places of a request's cache points."""
    found = [name for name, parts in (("tools", body.get("toolConfig", {}).get("tools", [])),) if POINT in parts]
    found += ["system"] if POINT in body.get("system", []) else []
    return [*found, *(str(place) for place, turn in enumerate(body["messages"]) if POINT in turn["content"])]


@pytest.mark.parametrize(
    ("model", "places"), [(CLAUDE, ["system", "0", "2", "4"]), (NOVA, ["system", "0", "2", "4"]), (LLAMA, [])]
)
async def test_cache_points_are_where_the_model_takes_them(
    server: MockModelServer, model: str, places: list[str]
) -> None:
    turns = [UserMessage(content="q", source="user"), AssistantMessage(content="a", source="model")]
    asking = client(server, Reply(text="ok"), Reply(text="ok"), model=model)
    await asking.create([SystemMessage(content="Be brief."), *turns, *turns, turns[0]], tools=[ADD])
    assert points(server.last_body) == places
    await asking.create([SystemMessage(content="Be brief."), *turns[:1]], tools=[ADD])
    assert points(server.last_body) == (["tools"] if model == CLAUDE else []) + places[:2]


async def test_cache_points_of_the_program_and_none_at_all(server: MockModelServer) -> None:
    spec: Any = {"name": "f", "inputSchema": {"json": {"type": "object"}}}
    own: Any = {"tools": [{"toolSpec": spec}, POINT]}
    await client(server, Reply(text="ok"), toolConfig=own).create(HELLO)
    assert points(server.last_body) == ["tools"]
    await client(server, Reply(text="ok"), prompt_caching=False).create(USED, tools=[ADD])
    assert points(server.last_body) == []


async def test_arguments_have_their_places(server: MockModelServer) -> None:
    asking = client(
        server,
        Reply(text="ok"),
        max_tokens=100,
        stop_sequences=["END"],
        inferenceConfig={"topP": 0.5},
        additionalModelRequestFields={"top_k": 5},
        guardrailConfig={"guardrailIdentifier": "g", "guardrailVersion": "1"},
        additionalModelResponseFieldPaths=["/stop_sequence"],
        response_format={"type": "json_object"},
    )
    await asking.create(HELLO, extra_create_args={"temperature": 0.25})
    body = server.last_body
    assert body["inferenceConfig"] == {"maxTokens": 100, "stopSequences": ["END"], "topP": 0.5, "temperature": 0.25}
    assert body["additionalModelRequestFields"] == {"top_k": 5}
    assert body["guardrailConfig"] == {"guardrailIdentifier": "g", "guardrailVersion": "1"}
    assert "JSON object" in body["system"][0]["text"]


# Answers -------------------------------------------------------------------------------------------------------------


def answer(reason: str, **fields: Any) -> Raw:
    content = [{"text": "Sorry."}]
    whole = {"output": {"message": {"role": "assistant", "content": content}}, "stopReason": reason, **fields}
    return Raw(body=json.dumps(whole).encode())


async def ask(server: MockModelServer, raw: Raw) -> CreateResult:
    return await client(server, raw).create(HELLO)


@pytest.mark.filterwarnings("ignore:.* sent no token counts")
@pytest.mark.parametrize(
    ("reason", "meant"),
    [
        ("guardrail_intervened", "content_filter"),
        ("model_context_window_exceeded", "length"),
        ("stop_sequence", "stop"),
        ("malformed_tool_use", "unknown"),
    ],
)
async def test_reasons_of_the_service_are_told_in_our_words(server: MockModelServer, reason: str, meant: str) -> None:
    result = await ask(server, answer(reason))
    assert (result.content, result.finish_reason) == ("Sorry.", meant)


async def test_tokens_of_the_cache_are_tokens_of_the_prompt(server: MockModelServer) -> None:
    counts = {"inputTokens": 5, "outputTokens": 2, "cacheReadInputTokens": 100, "cacheWriteInputTokens": 10}
    result = await ask(server, answer("end_turn", usage=counts))
    assert result.usage == RequestUsage(
        prompt_tokens=115, completion_tokens=2, cached_tokens=100, cache_write_tokens=10
    )
    assert result.usage.usd == pytest.approx((5 * 3.3 + 2 * 16.5 + 100 * 0.33 + 10 * 4.125) / 1e6)


async def test_a_call_that_the_service_makes_itself_is_none_of_the_programs(server: MockModelServer) -> None:
    use: Any = {"toolUseId": "c", "name": "nova_grounding", "input": {}, "type": "server_tool_use"}
    whole: Any = {"output": {"message": {"content": [{"toolUse": use}, {"text": "Found."}]}}, "stopReason": "end_turn"}
    raw = Raw(body=json.dumps({**whole, "usage": {"inputTokens": 1, "outputTokens": 1}}).encode())
    assert (await ask(server, raw)).content == "Found."
