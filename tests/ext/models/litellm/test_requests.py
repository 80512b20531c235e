"""What is peculiar to LiteLLM: its errors, its streams that end early, its look-ups, and the models that it knows."""

import asyncio
import threading

import pytest
from tests.support.interpreter import printed
from tests.support.model_clients import ADD, ANTHROPIC, LITELLM, read

from symposia.core import CancellationToken, FunctionCall
from symposia.core.exceptions import InvalidArgumentError, ModelError
from symposia.core.models import LLMMessage, UserMessage
from symposia.ext.models import from_name
from symposia.ext.models.litellm import LiteLLMChatCompletionClient
from symposia.ext.models.retry import RetryingClient
from symposia.testing.model_server import (
    LOGIN_PAGE,
    Failure,
    Hold,
    MockModelServer,
    Raw,
    Reply,
    Thinking,
    ToolCall,
)

HELLO: list[LLMMessage] = [UserMessage(content="hello", source="user")]


@pytest.mark.parametrize(
    ("status", "advice"),
    [
        (400, "refused the request"),
        (401, "Check the key in the environment variable OPENAI_API_KEY"),
        (404, "found no such model or address"),
        (429, "wait, or send fewer requests at once"),
        (500, "failed to answer"),
    ],
)
@pytest.mark.parametrize("streaming", [False, True])
async def test_errors_have_the_status_and_the_words_of_the_vendor(
    server: MockModelServer, status: int, advice: str, streaming: bool
) -> None:
    client = LITELLM.client(server)
    server.script(Failure(status=status, message="no such luck", headers={"retry-after": "7"}))
    with pytest.raises(ModelError) as caught:
        await (read(client.create_stream(HELLO)) if streaming else client.create(HELLO))
    assert f"(status {status}): no such luck. " in str(caught.value)
    assert advice in str(caught.value)
    assert caught.value.status == status
    assert status != 429 or caught.value.retry_after == 7


async def test_another_vendors_error_is_told_in_its_words_and_another_key(server: MockModelServer) -> None:
    client = LiteLLMChatCompletionClient(model="anthropic/claude-sonnet-4-6", base_url=server.url, api_key="k")
    server.script(Failure(status=401, message="no such luck"))
    with pytest.raises(ModelError, match=r"\(status 401\): no such luck\. .* ANTHROPIC_API_KEY"):
        await client.create(HELLO, extra_create_args={"max_retries": 0})


@pytest.mark.parametrize("raw", [LOGIN_PAGE, Raw(body=b'{"x'), Raw(body=b"")], ids=["page", "cut", "empty"])
async def test_what_is_no_answer_is_an_error(server: MockModelServer, raw: Raw) -> None:
    client = LITELLM.client(server, raw)
    with pytest.raises(ModelError, match=f"The connection to the server at {server.openai_url} failed"):
        await client.create(HELLO)


@pytest.mark.parametrize("cut", [2, 4])
async def test_d06_a_stream_that_ends_early_is_an_error_though_litellm_ends_it(
    server: MockModelServer, cut: int
) -> None:
    client = LITELLM.client(server, Reply(text="one two three four", cut_after=cut))
    with pytest.raises(ModelError, match=r"ended the stream .* early|was lost in the middle of an answer") as caught:
        await read(client.create_stream(HELLO))
    assert caught.value.partial is not None
    assert "one two three four".startswith(caught.value.partial["text"])
    assert caught.value.is_transient


async def test_a_timeout_says_that_it_took_too_long(server: MockModelServer) -> None:
    hold = Hold()
    client = LITELLM.client(server, Reply(hold=hold), timeout=0.05)
    with pytest.raises(ModelError, match="took too long to answer"):
        await client.create(HELLO)


async def test_a_server_that_is_not_there_is_an_error() -> None:
    async with MockModelServer() as server:
        client = LITELLM.client(server)
    with pytest.raises(ModelError, match=r"failed for model .* Check that a server runs at http"):
        await client.create(HELLO)


async def test_litellm_runs_in_a_thread_where_it_delays_no_agent(server: MockModelServer) -> None:
    assert (await LITELLM.client(server, Reply(text="hi")).create(HELLO)).content == "hi"
    assert "litellm" in {thread.name for thread in threading.enumerate()}


async def test_cancelling_ends_the_request_there(server: MockModelServer) -> None:
    hold = Hold()
    client, token = LITELLM.client(server, Reply(hold=hold)), CancellationToken()
    async with asyncio.timeout(10):
        asking = asyncio.create_task(client.create(HELLO, cancellation_token=token))
        await hold.reached.wait()
        token.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        await server.requests[0].disconnected.wait()


async def test_litellm_does_not_retry_inside_of_the_wrapper_for_it(server: MockModelServer) -> None:
    client = RetryingClient(LITELLM.client(server, max_retries=5), max_attempts=2, longest_wait=0.01)
    server.script(Failure(status=503), Failure(status=503))
    with pytest.raises(ModelError):
        await client.create(HELLO)
    assert len(server.requests) == 2


@pytest.mark.parametrize("streaming", [False, True])
async def test_another_vendor_is_asked_in_its_own_format(server: MockModelServer, streaming: bool) -> None:
    call = ToolCall(id="toolu_1", name="add", arguments='{"a": 1}')
    server.script(Reply(text="I add.", thinking=(Thinking(text="Hm."),), tool_calls=(call,), usage=(30, 4)))
    client = LiteLLMChatCompletionClient(model=f"anthropic/{ANTHROPIC.model}", base_url=server.url, api_key="k")
    asked = client.create_stream(HELLO, tools=[ADD])
    result = (await read(asked))[1] if streaming else await client.create(HELLO, tools=[ADD])
    assert result.content == [FunctionCall(id="toolu_1", name="add", arguments='{"a": 1}')]
    assert (result.thought, result.usage.prompt_tokens) == ("Hm.\nI add.", 30)
    assert server.requests[-1].vendor == "anthropic"


def test_models_are_those_that_litellm_knows() -> None:
    client = from_name("litellm/groq/openai/gpt-oss-120b")
    assert isinstance(client, LiteLLMChatCompletionClient)
    assert client.model_info["function_calling"]
    assert not client.model_info["vision"]
    assert client.remaining_tokens([]) == 131_072
    assert client.token_price is not None
    assert client.token_price.completion > client.token_price.prompt > 0
    assert from_name("litellm/openai/gpt-4o").model_info["family"] == "gpt-4o"


def test_options_of_single_vendors_are_taken_and_wrong_ones_named() -> None:
    LiteLLMChatCompletionClient(model="bedrock/anthropic.claude-haiku-4-5-20251001-v1:0", aws_region_name="x")  # pyright: ignore[reportCallIssue] - beyond the names
    with pytest.raises(InvalidArgumentError, match=r"no option 'temprature'\. Did you mean 'temperature'"):
        LiteLLMChatCompletionClient(model="gpt-4o", temprature=0)  # pyright: ignore[reportCallIssue] - wrong


def test_it_saves_without_the_key_and_loads() -> None:
    client = LiteLLMChatCompletionClient(model="openai/gpt-4o", api_key="hush", temperature=0)
    saved = client.dump_component()
    assert saved.config == {"model": "openai/gpt-4o", "api_key": "**********", "temperature": 0}
    assert isinstance(LiteLLMChatCompletionClient.load_component(saved), LiteLLMChatCompletionClient)


def test_litellm_is_imported_for_no_client_and_looks_nothing_up() -> None:
    program = """
import socket, sys
def refuse(*_):
    raise AssertionError("the network is asked")
socket.getaddrinfo = refuse
from symposia.ext.models.litellm import LiteLLMChatCompletionClient
from symposia.ext._litellm import load
LiteLLMChatCompletionClient(model="groq/openai/gpt-oss-120b")
print("litellm" in sys.modules)
library = load()
print(library.telemetry, len(library.model_cost) > 1000)
"""
    assert printed(program).split() == ["False", "False", "True"]
