"""Requests to Azure AI: credentials, further arguments, forms of answers, and endpoints of one model."""

import threading
from collections.abc import AsyncIterator
from typing import Any

import pytest
from azure.ai.inference.models import JsonSchemaFormat
from azure.core.credentials import AccessToken, AzureKeyCredential
from azure.core.exceptions import ClientAuthenticationError
from pydantic import BaseModel
from tests.support.model_clients import ABLE, ADD, AZURE_AI, read

from symposia.core import ComponentLoader
from symposia.core.exceptions import InvalidArgumentError, ModelError, UsageError
from symposia.core.models import ChatCompletionClient, RequestUsage, UserMessage
from symposia.ext.models import from_name
from symposia.ext.models.azure import AzureAIChatCompletionClient
from symposia.ext.models.azure.config import GITHUB_MODELS_ENDPOINT
from symposia.testing.model_server import MockModelServer, Reply

HELLO = [UserMessage(content="hello", source="user")]


class Fingers(BaseModel):
    """What a hand has."""

    class Finger(BaseModel):
        name: str = "thumb"

    each: int = 5
    fingers: list[Finger]
    default: str | None = None


@pytest.fixture
async def server() -> AsyncIterator[MockModelServer]:
    async with MockModelServer() as server:
        yield server


async def ask(server: MockModelServer, **options: Any) -> Any:
    """The body of the request that a client sends."""
    client = AZURE_AI.client(server, Reply(text="hi"), **options)
    await client.create(HELLO)
    return server.last_body


async def test_arguments_that_are_not_of_the_api_are_passed_on(server: MockModelServer) -> None:
    body = await ask(server, model_extras={"logit_bias": {"1": 2}}, temperature=0.5)
    assert (body["logit_bias"], body["temperature"]) == ({"1": 2}, 0.5)
    assert server.requests[-1].headers["extra-parameters"] == "pass-through"
    assert server.requests[-1].query == "api-version=2024-05-01-preview"
    await ask(server, temperature=0.5)
    assert "extra-parameters" not in server.requests[-1].headers


async def test_an_answer_keeps_to_a_schema_in_which_all_is_required(server: MockModelServer) -> None:
    body = await ask(server, response_format=Fingers)
    form = body["response_format"]["json_schema"]
    assert (form["name"], form["strict"]) == ("Fingers", True)
    assert form["schema"]["required"] == ["each", "fingers", "default"]
    assert form["schema"]["$defs"]["Finger"]["additionalProperties"] is False
    assert "default" not in form["schema"]["properties"]["each"]


async def test_the_form_of_answers_is_given_as_the_sdk_takes_it(server: MockModelServer) -> None:
    schema: Any = {"type": "object", "properties": {}, "additionalProperties": False}
    given = JsonSchemaFormat(name="empty", schema=schema, strict=True)
    assert (await ask(server, response_format=given))["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "empty", "schema": schema, "strict": True},
    }
    assert (await ask(server, response_format="text"))["response_format"] == {"type": "text"}


async def test_tools_of_the_client_are_offered_beside_those_of_a_call(server: MockModelServer) -> None:
    own = {"type": "function", "function": {"name": "look", "description": "", "parameters": {"type": "object"}}}
    client = AZURE_AI.client(server, Reply(text="hi"), Reply(text="hi"), tools=[own], tool_choice="required")
    await client.create(HELLO, tools=[ADD])
    assert [tool["function"]["name"] for tool in server.last_body["tools"]] == ["look", "add"]
    assert server.last_body["tool_choice"] == "required"
    await client.create(HELLO, tools=[ADD], tool_choice="none")
    assert server.last_body["tool_choice"] == "none"


async def test_an_endpoint_that_has_one_model_is_not_told_its_name(server: MockModelServer) -> None:
    client = AzureAIChatCompletionClient(endpoint="https://127.0.0.1:1", credential="k", model_info=ABLE, max_retries=0)
    with pytest.raises(ModelError, match="for model 'of the endpoint'"):
        await client.create(HELLO)
    assert "model" not in client.effect_identity()["arguments"]  # pyright: ignore[reportOperatorIssue] - a mapping
    with pytest.raises(InvalidArgumentError, match="the name of a model at GitHub"):
        AzureAIChatCompletionClient(endpoint=GITHUB_MODELS_ENDPOINT, credential="key", model_info=ABLE)


SCOPE = "https://cognitiveservices.azure.com/.default"


class Tokens:
    """A credential of azure.identity that blocks, and that works once."""

    def __init__(self) -> None:
        self.threads: list[threading.Thread] = []

    def get_token(self, *scopes: str, **options: object) -> AccessToken:
        assert scopes == (SCOPE,)
        self.threads.append(threading.current_thread())
        if len(self.threads) > 1:
            raise ClientAuthenticationError("Please run 'az login'.")
        return AccessToken("token", 0)


async def test_a_credential_that_blocks_runs_in_a_worker_thread_and_its_failure_is_told() -> None:
    tokens = Tokens()
    client = AzureAIChatCompletionClient(
        model="gpt-4o",
        endpoint="https://127.0.0.1:1/models",  # where nothing listens; the SDK sends tokens over TLS alone
        credential=tokens,
        credential_scopes=[SCOPE],
        max_retries=0,
    )
    with pytest.raises(ModelError, match=r"The connection to the server at https://127\.0\.0\.1:1/models failed"):
        await client.create(HELLO)
    with pytest.raises(UsageError, match=r"There is no token .*: Please run 'az login'"):
        await client.create(HELLO)
    assert len(tokens.threads) == 2
    assert threading.current_thread() not in tokens.threads


def test_what_is_no_credential_is_refused() -> None:
    with pytest.raises(UsageError, match="credential is a int: give an AzureKeyCredential"):
        AzureAIChatCompletionClient(model="gpt-4o", endpoint="https://x", credential=3)


async def test_a_key_and_an_endpoint_of_the_environment_are_used(
    server: MockModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZURE_INFERENCE_CREDENTIAL", "of-the-environment")
    monkeypatch.setenv("AZURE_INFERENCE_ENDPOINT", f"{server.url}/models/")
    client = from_name("azure-ai/gpt-4o")
    server.script(Reply(text="one two"))
    assert (await read(client.create_stream(HELLO)))[1].content == "one two"
    assert server.requests[-1].headers["authorization"] == "Bearer of-the-environment"
    assert server.requests[-1].path == "/models/chat/completions"
    monkeypatch.delenv("AZURE_INFERENCE_ENDPOINT")
    with pytest.raises(UsageError, match="AZURE_INFERENCE_ENDPOINT"):
        AzureAIChatCompletionClient(model="gpt-4o")


def test_a_model_that_is_not_openais_is_known_with_its_price() -> None:
    client = AzureAIChatCompletionClient(
        model="DeepSeek-R1", endpoint="https://x.services.ai.azure.com/models", credential=AzureKeyCredential("k")
    )
    assert client.model_info["family"] == "r1"
    client.add_usage(RequestUsage(prompt_tokens=3, completion_tokens=4))
    assert client.total_usage() == RequestUsage(prompt_tokens=3, completion_tokens=4)


def test_a_client_is_saved_without_its_credential(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_INFERENCE_CREDENTIAL", "of-the-environment")
    client: ChatCompletionClient = AzureAIChatCompletionClient(
        model="gpt-4o", endpoint="https://x/models", credential=AzureKeyCredential("hush"), temperature=0.5
    )
    saved = client.dump_component()
    assert saved.config == {
        "model": "gpt-4o", "endpoint": "https://x/models", "credential": "**********", "temperature": 0.5,
    }  # fmt: skip
    assert isinstance(ComponentLoader.load_component(saved), AzureAIChatCompletionClient)
