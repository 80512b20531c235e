"""The adapter on Semantic Kernel's own connector of OpenAI, against the scripted server."""

import asyncio
from collections.abc import AsyncIterator
from importlib import import_module
from typing import Any

import pytest
from tests.support.model_clients import ABLE, ADD, read

from symposia.core import CancellationToken, FunctionCall
from symposia.core.exceptions import InvalidArgumentError, ModelError
from symposia.core.models import (
    FunctionExecutionResult,
    FunctionExecutionResultMessage,
    LLMMessage,
    RequestUsage,
    SystemMessage,
    UserMessage,
)
from symposia.core.tools import FunctionTool
from symposia.ext.models.semantic_kernel import SKChatCompletionAdapter
from symposia.testing.model_server import Failure, Hold, MockModelServer, Reply, ToolCall

sk: Any = import_module("semantic_kernel")
open_ai: Any = import_module("semantic_kernel.connectors.ai.open_ai")
AsyncOpenAI: Any = import_module("openai").AsyncOpenAI

HELLO: list[LLMMessage] = [SystemMessage(content="Be brief."), UserMessage(content="hello", source="user")]
CALLS = (
    ToolCall(id="call_1", name="tools-add", arguments='{"a": 1, "b": 2}'),
    ToolCall(id="call_2", name="tools-add", arguments='{"a": 3, "b": 4}'),
)


def adapter(server: MockModelServer, *replies: Reply, **options: Any) -> SKChatCompletionAdapter:
    server.script(*replies)
    client = AsyncOpenAI(api_key="key", base_url=server.openai_url, max_retries=0)
    connector = open_ai.OpenAIChatCompletion(ai_model_id="gpt-4o", async_client=client)
    given: Any = {"model_info": ABLE, **options}
    return SKChatCompletionAdapter(connector, **given)


@pytest.fixture
async def server() -> AsyncIterator[MockModelServer]:
    async with MockModelServer(strict=False) as server:  # the connector sends fields of its own
        yield server


@pytest.mark.parametrize("streaming", [False, True])
async def test_a_text_comes_with_its_tokens_and_its_end(server: MockModelServer, streaming: bool) -> None:
    client = adapter(server, Reply(text="Five, a hand.", usage=(30, 4)))
    if streaming:
        pieces, result = await read(client.create_stream(HELLO))
        assert len(pieces) > 1
    else:
        result = await client.create(HELLO)
    assert (result.content, result.finish_reason) == ("Five, a hand.", "stop")
    assert result.usage == client.total_usage() == RequestUsage(prompt_tokens=30, completion_tokens=4)
    assert [message["role"] for message in server.last_body["messages"]] == ["system", "user"]


@pytest.mark.parametrize("streaming", [False, True])
async def test_tools_are_shown_and_their_calls_come_back(server: MockModelServer, streaming: bool) -> None:
    kernel = sk.Kernel()
    client = adapter(server, Reply(tool_calls=CALLS), Reply(text="ten"), kernel=kernel)
    asked = client.create_stream(HELLO, tools=[ADD])
    result = (await read(asked))[1] if streaming else await client.create(HELLO, tools=[ADD])
    assert result.content == [FunctionCall(id=call.id, name="add", arguments=call.arguments) for call in CALLS]
    assert result.finish_reason == "function_calls"
    function = server.last_body["tools"][0]["function"]
    assert (function["name"], set(function["parameters"]["properties"])) == ("tools-add", {"a", "b"})
    assert kernel.plugins == {}
    results = [FunctionExecutionResult(content="3", name="add", call_id=call.id) for call in CALLS]
    history = [*HELLO, result.to_message("model"), FunctionExecutionResultMessage(content=results)]
    assert (await client.create(history, tools=[ADD])).content == "ten"
    *_, answer, first, second = server.last_body["messages"]
    assert [call["function"]["name"] for call in answer["tool_calls"]] == ["tools-add", "tools-add"]
    assert [first["tool_call_id"], second["tool_call_id"]] == ["call_1", "call_2"]


async def test_a_certain_tool_is_required_alone(server: MockModelServer) -> None:
    def now() -> str:
        return "noon"

    tool = FunctionTool(now, description="The time.")
    client = adapter(server, Reply(text="ok"))
    await client.create(HELLO, tools=[ADD, tool], tool_choice=tool)
    assert [sent["function"]["name"] for sent in server.last_body["tools"]] == ["tools-now"]


async def test_settings_are_those_of_the_client_or_of_a_request(server: MockModelServer) -> None:
    settings = open_ai.OpenAIChatPromptExecutionSettings(temperature=0.5)
    client = adapter(server, Reply(text="ok"), Reply(text="ok"), Reply(text="ok"), prompt_settings=settings)
    await client.create(HELLO)
    assert server.last_body["temperature"] == 0.5
    other = open_ai.OpenAIChatPromptExecutionSettings(temperature=0.1)
    await client.create(HELLO, extra_create_args={"prompt_settings": other, "kernel": sk.Kernel(), "max_tokens": 3})
    assert (server.last_body["temperature"], server.last_body["max_tokens"]) == (0.1, 3)
    await client.create(HELLO)
    assert (server.last_body["temperature"], "max_tokens" in server.last_body) == (0.5, False)
    with pytest.raises(InvalidArgumentError, match="has no 'temprature'"):
        await client.create(HELLO, extra_create_args={"temprature": 1})


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize("status", [401, 429, 500])
async def test_an_error_of_the_vendor_has_its_status_and_words(
    server: MockModelServer, status: int, streaming: bool
) -> None:
    client = adapter(server)
    server.script(Failure(status=status, message="no such luck"))
    with pytest.raises(ModelError, match=rf"\(status {status}\): no such luck") as caught:
        await (read(client.create_stream(HELLO)) if streaming else client.create(HELLO))
    assert caught.value.status == status


async def test_cancelling_ends_the_request(server: MockModelServer) -> None:
    hold, token = Hold(), CancellationToken()
    client = adapter(server, Reply(hold=hold))
    async with asyncio.timeout(10):
        asking = asyncio.create_task(client.create(HELLO, cancellation_token=token))
        await hold.reached.wait()
        token.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        await server.requests[0].disconnected.wait()


async def test_without_model_info_the_model_is_asked_for_text_alone(server: MockModelServer) -> None:
    with pytest.raises(InvalidArgumentError, match="cannot take tools"):
        await adapter(server, model_info=None).create(HELLO, tools=[ADD])
