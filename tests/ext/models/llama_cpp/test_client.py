"""llama.cpp itself, with a model of random weights: what it says has no meaning, and its form has."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Literal

import pytest
from pydantic import BaseModel
from tests.support.model_clients import ADD, read
from tests.support.tiny_model import write_model

from symposia.core import CancellationToken, FunctionCall
from symposia.core.exceptions import InvalidArgumentError, ModelError
from symposia.core.models import ChatCompletionClient, LLMMessage, SystemMessage, UserMessage
from symposia.core.tools import FunctionTool
from symposia.ext.models import from_name
from symposia.ext.models.llama_cpp import LlamaCppChatCompletionClient

HELLO: list[LLMMessage] = [SystemMessage(content="Be brief."), UserMessage(content="hello", source="user")]


class Choice(BaseModel):
    answer: Literal["yes", "no"]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("model") / "tiny.gguf")


@pytest.fixture
async def client(model: Path) -> AsyncIterator[LlamaCppChatCompletionClient]:
    client = LlamaCppChatCompletionClient(model_path=str(model), n_ctx=512, seed=1, n_threads=1, max_tokens=8)
    yield client
    await client.close()


async def test_an_answer_has_its_tokens_and_its_end(client: LlamaCppChatCompletionClient) -> None:
    result = await client.create(HELLO)
    assert isinstance(result.content, str)
    assert result.finish_reason in {"length", "stop"}  # the model may end as well
    assert 0 < result.usage.completion_tokens <= 9  # the library counts the token at which it stops
    assert result.usage.prompt_tokens > len("Be brief.hello")  # a token for each byte
    assert not result.usage.estimated


async def test_a_stream_gives_pieces_and_counts_as_the_whole(client: LlamaCppChatCompletionClient) -> None:
    pieces, result = await read(client.create_stream(HELLO))
    assert "".join(pieces) == result.content
    assert not result.usage.estimated
    again = await client.create(HELLO)
    assert result.usage.prompt_tokens == again.usage.prompt_tokens
    assert client.total_usage().completion_tokens == result.usage.completion_tokens + again.usage.completion_tokens


@pytest.mark.parametrize("streaming", [False, True])
async def test_a_schema_constrains_every_token(client: LlamaCppChatCompletionClient, streaming: bool) -> None:
    for wanted in (Choice, Choice.model_json_schema()):
        extra: Any = {"max_tokens": 400}
        if not isinstance(wanted, type):
            extra["response_format"] = {"type": "json_schema", "json_schema": {"name": "choice", "schema": wanted}}
        json_output = wanted if isinstance(wanted, type) else None
        asked = client.create_stream(HELLO, json_output=json_output, extra_create_args=extra)
        if streaming:
            result = (await read(asked))[1]
        else:
            result = await client.create(HELLO, json_output=json_output, extra_create_args=extra)
        assert isinstance(result.content, str)
        assert Choice.model_validate_json(result.content).answer in {"yes", "no"}
        assert result.finish_reason == "stop"


@pytest.mark.parametrize("streaming", [False, True])
async def test_a_tool_is_called_with_arguments_of_its_schema(model: Path, streaming: bool) -> None:
    def choose(answer: Literal["yes", "no"]) -> str:
        return answer

    tool = FunctionTool(choose, description="Choose.")
    client = LlamaCppChatCompletionClient(
        model_path=str(model), n_ctx=2048, n_threads=1, chat_format="chatml-function-calling", max_tokens=200
    )
    assert client.model_info["function_calling"]
    if streaming:
        _, result = await read(client.create_stream(HELLO, tools=[tool], tool_choice=tool))
    else:
        result = await client.create(HELLO, tools=[tool], tool_choice=tool)
    assert result.finish_reason == "function_calls"
    (call,) = result.content
    assert isinstance(call, FunctionCall)
    assert call.name == "choose"
    assert json.loads(call.arguments)["answer"] in {"yes", "no"}
    await client.close()


@pytest.mark.parametrize("streaming", [False, True])
async def test_a_request_that_is_cancelled_stops_at_the_next_token(model: Path, streaming: bool) -> None:
    client = LlamaCppChatCompletionClient(model_path=str(model), n_ctx=4096, n_threads=1)
    token = CancellationToken()
    async with asyncio.timeout(60):
        if streaming:
            stream = client.create_stream(HELLO, cancellation_token=token)
            await anext(stream)
            token.cancel()
            with pytest.raises(asyncio.CancelledError):
                await read(stream)
        else:
            asking = asyncio.create_task(client.create(HELLO, cancellation_token=token))
            await asyncio.sleep(0)
            token.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asking
        result = await client.create(HELLO, extra_create_args={"max_tokens": 2})  # the thread is free again
    assert 0 < result.usage.completion_tokens <= 3
    await client.close()


async def test_requests_wait_for_each_other_in_one_thread(client: LlamaCppChatCompletionClient) -> None:
    async with asyncio.timeout(60):
        results = await asyncio.gather(*(client.create(HELLO) for _ in range(3)))
    assert all(0 < result.usage.completion_tokens <= 9 for result in results)
    assert sum(thread.name.startswith("llama-cpp") for thread in threading.enumerate()) >= 1


@pytest.mark.parametrize("streaming", [False, True])
async def test_a_prompt_longer_than_the_context_says_by_how_much(
    client: LlamaCppChatCompletionClient, streaming: bool
) -> None:
    long: list[LLMMessage] = [UserMessage(content="x" * 600, source="user")]
    with pytest.raises(ModelError, match=r"Requested tokens \(6\d\d\) exceed context window of 512"):
        await (read(client.create_stream(long)) if streaming else client.create(long))


async def test_a_missing_or_broken_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgumentError, match=r"There is no model file '.*nothing\.gguf'"):
        await LlamaCppChatCompletionClient(model_path=str(tmp_path / "nothing.gguf")).create(HELLO)
    broken = tmp_path / "broken.gguf"
    await asyncio.to_thread(broken.write_bytes, b"GGUF no")
    with pytest.raises(InvalidArgumentError, match=r"cannot load the model 'broken\.gguf'"):
        await LlamaCppChatCompletionClient(model_path=str(broken)).create(HELLO)


async def test_tools_need_a_format_that_has_them(client: LlamaCppChatCompletionClient) -> None:
    with pytest.raises(InvalidArgumentError, match="cannot take tools"):
        await client.create(HELLO, tools=[ADD])


def test_options_are_checked_before_anything_is_loaded() -> None:
    with pytest.raises(InvalidArgumentError, match=r"no option 'n_cxt'\. Did you mean 'n_ctx'"):
        LlamaCppChatCompletionClient(model_path="a.gguf", n_cxt=4)  # pyright: ignore[reportCallIssue] - wrong
    with pytest.raises(InvalidArgumentError, match="needs model_path="):
        LlamaCppChatCompletionClient(n_ctx=4)


async def test_a_name_is_the_path_of_a_file(model: Path) -> None:
    client = from_name(f"llama-cpp/{model}", max_tokens=2, n_threads=1)
    assert 0 < (await client.create(HELLO)).usage.completion_tokens <= 3
    saved = client.dump_component()
    assert saved.config["model_path"] == str(model)
    assert isinstance(ChatCompletionClient.load_component(saved), LlamaCppChatCompletionClient)
    await client.close()
