"""OpenAI's models at Azure: addresses, credentials, and its content filter."""

import asyncio
import json
import threading
from typing import Any

import pytest
from tests.support.model_clients import ADD, read

from symposia import __version__
from symposia.core.exceptions import InvalidArgumentError, ModelError, UsageError
from symposia.core.models import ChatCompletionClient, UserMessage
from symposia.ext.auth.azure import AzureTokenProvider
from symposia.ext.models.openai import AZURE_OPENAI_USER_AGENT, AzureOpenAIChatCompletionClient
from symposia.testing.model_server import MockModelServer, Raw, Reply, ToolCall

HELLO = [UserMessage(content="hello", source="user")]
VERSION = "2024-10-21"


def client_of(server: MockModelServer, *replies: Any, **options: Any) -> ChatCompletionClient:
    server.script(*replies)
    given: Any = {"model": "gpt-4o", "azure_endpoint": server.url, "api_version": VERSION, "max_retries": 0, **options}
    if not given.keys() & {"api_key", "azure_ad_token", "azure_ad_token_provider"}:
        given["api_key"] = "key"
    return AzureOpenAIChatCompletionClient(**given)


@pytest.mark.parametrize(
    ("options", "path"),
    [
        ({"azure_deployment": "mine"}, "/openai/deployments/mine/chat/completions"),
        ({}, "/openai/deployments/gpt-4o/chat/completions"),
        ({"azure_deployment": "mine", "api": "responses"}, "/openai/responses"),
    ],
)
async def test_requests_go_to_the_deployment_in_the_given_version(
    server: MockModelServer, options: dict[str, Any], path: str
) -> None:
    result = await client_of(server, Reply(tool_calls=(ToolCall(id="1", name="add"),)), **options).create(
        HELLO, tools=[ADD]
    )
    assert result.finish_reason == "function_calls"
    request = server.requests[0]
    assert (request.path, request.query) == (path, f"api-version={VERSION}")
    assert request.headers["api-key"] == "key"
    assert request.headers["user-agent"] == AZURE_OPENAI_USER_AGENT == f"symposia/{__version__}"
    assert request.body["model"] == ("mine" if path.endswith("responses") else "gpt-4o")


async def test_the_environment_gives_what_the_program_does_not(
    server: MockModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UsageError, match="set the environment variable AZURE_OPENAI_API_KEY"):
        AzureOpenAIChatCompletionClient(model="gpt-4o")
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", "from-the-environment")
    with pytest.raises(ValueError, match="set AZURE_OPENAI_ENDPOINT"):
        AzureOpenAIChatCompletionClient(model="gpt-4o")
    monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", server.url)
    with pytest.raises(ValueError, match="set OPENAI_API_VERSION"):
        AzureOpenAIChatCompletionClient(model="gpt-4o")
    monkeypatch.setenv("OPENAI_API_VERSION", VERSION)
    server.script(Reply(text="hi"))
    assert (await AzureOpenAIChatCompletionClient(model="gpt-4o").create(HELLO)).content == "hi"
    assert server.requests[0].headers["api-key"] == "from-the-environment"


async def test_several_credentials_are_refused(server: MockModelServer) -> None:
    with pytest.raises(InvalidArgumentError, match="Give one of api_key and azure_ad_token: they are different"):
        client_of(server, api_key="key", azure_ad_token="token")


async def test_a_token_is_sent_as_bearer(server: MockModelServer) -> None:
    await client_of(server, Reply(text="hi"), azure_ad_token="mine").create(HELLO)
    assert server.requests[0].headers["authorization"] == "Bearer mine"


async def test_a_token_provider_that_blocks_runs_outside_of_the_event_loop(server: MockModelServer) -> None:
    asked, loop = threading.Event(), asyncio.get_running_loop()
    given = asyncio.Event()

    def provide() -> str:
        loop.call_soon_threadsafe(given.set)
        asked.wait(timeout=5)  # as one does that asks the network
        return "renewed"

    client = client_of(server, Reply(text="hi"), azure_ad_token_provider=provide)
    async with asyncio.timeout(5):
        asking = asyncio.create_task(client.create(HELLO))
        await given.wait()  # the loop goes on meanwhile
        asked.set()
        await asking
    assert server.requests[0].headers["authorization"] == "Bearer renewed"


async def test_a_token_provider_may_be_a_coroutine_function_or_a_credential(server: MockModelServer) -> None:
    from azure.core.credentials import AccessToken  # noqa: PLC0415 - heavy

    class Credential:
        def get_token(self, *scopes: str, **_: object) -> AccessToken:
            return AccessToken(f"for {scopes[0]}", 2**40)

    async def provide() -> str:
        await asyncio.sleep(0)
        return "awaited"

    providers = {"awaited": provide, "for scope": AzureTokenProvider(Credential(), "scope")}
    for token, provider in providers.items():
        await client_of(server, Reply(text="hi"), azure_ad_token_provider=provider).create(HELLO)
        assert server.requests[-1].headers["authorization"] == f"Bearer {token}"


FILTERED = {
    "error": {
        "message": "The response was filtered due to the prompt triggering the content management policy.",
        "code": "content_filter",
        "param": "prompt",
        "status": 400,
        "innererror": {
            "code": "ResponsibleAIPolicyViolation",
            "content_filter_result": {
                "hate": {"filtered": False, "severity": "safe"},
                "violence": {"filtered": True, "severity": "medium"},
                "jailbreak": {"filtered": True, "detected": True},
            },
        },
    }
}


@pytest.mark.parametrize("streaming", [False, True])
async def test_a_prompt_that_the_content_filter_refuses_is_an_error_with_what_it_found(
    server: MockModelServer, streaming: bool
) -> None:
    client = client_of(server, Raw(body=json.dumps(FILTERED).encode(), status=400))
    with pytest.raises(ModelError) as caught:
        await (read(client.create_stream(HELLO)) if streaming else client.create(HELLO))
    assert str(caught.value).endswith(
        "(status 400): The response was filtered due to the prompt triggering the content management policy. "
        "Its filter found: violence (medium), jailbreak. Change the prompt, or the filter of the deployment."
    )


@pytest.mark.parametrize("streaming", [False, True])
async def test_the_notes_of_the_content_filter_are_no_part_of_an_answer(
    server: MockModelServer, streaming: bool
) -> None:
    notes = {"hate": {"filtered": True, "severity": "high"}}
    said = {"index": 0, "finish_reason": "content_filter", "content_filter_results": notes}
    frame: dict[str, Any] = {"id": "1", "model": "gpt-4o", "usage": {"prompt_tokens": 3, "completion_tokens": 1}}
    if streaming:
        chunks = [
            {"choices": [], "prompt_filter_results": [{"prompt_index": 0, "content_filter_results": notes}]},
            {"choices": [{"index": 0, "delta": {"content": "I"}, "content_filter_results": {}}]},
            {**frame, "choices": [{**said, "delta": {}}]},
            {"choices": [{"index": 0, "content_filter_offsets": {"check_offset": 4}, "content_filter_results": {}}]},
        ]
        body = b"".join(b"data: " + json.dumps(chunk).encode() + b"\n\n" for chunk in chunks) + b"data: [DONE]\n\n"
        client = client_of(server, Raw(body=body, content_type="text/event-stream"))
        pieces, result = await read(client.create_stream(HELLO))
        assert pieces == ["I"]
    else:
        whole = {**frame, "choices": [{**said, "message": {"role": "assistant", "content": "I"}}]}
        result = await client_of(server, Raw(body=json.dumps(whole).encode())).create(HELLO)
    assert (result.content, result.finish_reason) == ("I", "content_filter")
