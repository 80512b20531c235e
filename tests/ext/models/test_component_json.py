"""Component JSON of the vendors' clients: as AutoGen 0.7.5 writes it, and back."""

import json
from typing import Any

import pytest
from pydantic import BaseModel, SecretStr
from tests.support.model_clients import ADD, Anthropic

from symposia.core import ComponentLoader, ComponentModel
from symposia.core.exceptions import ArgumentTypeError, ComponentError, InvalidArgumentError
from symposia.core.models import ChatCompletionClient, UserMessage
from symposia.ext.auth.azure import AzureTokenProvider
from symposia.ext.models.anthropic import AnthropicChatCompletionClient
from symposia.ext.models.anthropic.config import AnthropicClientConfigurationConfigModel, ThinkingConfigModel
from symposia.ext.models.gemini import GeminiChatCompletionClient
from symposia.ext.models.mistral import MistralChatCompletionClient
from symposia.ext.models.ollama import BaseOllamaClientConfigurationConfigModel, OllamaChatCompletionClient
from symposia.ext.models.openai import (
    AzureOpenAIChatCompletionClient,
    BaseOpenAIChatCompletionClient,
    OpenAIChatCompletionClient,
    OpenAIResponsesClient,
)
from symposia.ext.models.openai.config import (
    AzureOpenAIClientConfigurationConfigModel,
    OpenAIClientConfigurationConfigModel,
)
from symposia.testing.model_server import MockModelServer, Reply

INFO = {"vision": True, "function_calling": True, "json_output": True, "family": "unknown", "structured_output": True}
PROVIDER: dict[str, Any] = {
    "provider": "autogen_ext.auth.azure.AzureTokenProvider",
    "component_type": "token_provider",
    "version": 1,
    "component_version": 1,
    "label": "AzureTokenProvider",
    "config": {"provider_kind": "DefaultAzureCredential", "scopes": ["https://cognitiveservices.azure.com/.default"]},
}
AUTOGEN: dict[str, dict[str, Any]] = {
    "autogen_ext.models.openai.OpenAIChatCompletionClient": {
        "frequency_penalty": 0.1, "logit_bias": {"1": 2}, "max_tokens": 4, "presence_penalty": 0.1,
        "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}}},
        "seed": 1, "stop": ["a"], "temperature": 0.2, "top_p": 0.5, "user": "u",
        "stream_options": {"include_usage": True}, "parallel_tool_calls": False, "reasoning_effort": "low",
        "model": "gpt-4o", "api_key": "**********", "timeout": 3.5, "max_retries": 2, "model_info": INFO,
        "add_name_prefixes": True, "include_name_in_message": False, "default_headers": {"a": "b"},
        "organization": "o", "base_url": "http://x/v1",
    },
    "autogen_ext.models.openai.AzureOpenAIChatCompletionClient": {
        "model": "gpt-4o", "azure_endpoint": "https://x.openai.azure.com", "azure_deployment": "mine",
        "api_version": "2024-06-01", "azure_ad_token_provider": PROVIDER,
    },
    "autogen_ext.models.anthropic.AnthropicChatCompletionClient": {
        "model": "claude-3-7-sonnet-20250219", "max_tokens": 2500, "temperature": 0.2, "top_p": 0.4, "top_k": 3,
        "stop_sequences": ["x"], "response_format": {"type": "json_object"}, "metadata": {"user_id": "u"},
        "thinking": {"type": "enabled", "budget_tokens": 2000}, "api_key": "**********", "base_url": "http://x",
        "model_info": INFO, "timeout": 3.5, "max_retries": 2, "default_headers": {"a": "b"}, "tool_choice": "any",
    },
    "autogen_ext.models.ollama.OllamaChatCompletionClient": {
        "model": "llama3.2:1b", "host": "http://x:11434", "follow_redirects": True, "timeout": 3.5,
        "headers": {"a": "b"}, "model_info": INFO, "options": {"num_ctx": 4096, "temperature": 0.2},
        "response_format": {"type": "object", "properties": {"hands": {"type": "integer"}}},
    },
}  # fmt: skip
"""What AutoGen's `dump_component` gave for clients with all of its options."""


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "MISTRAL_API_KEY"):
        monkeypatch.setenv(name, "from-the-environment")


@pytest.mark.parametrize("provider", AUTOGEN)
def test_what_autogen_has_saved_loads_and_is_saved_again_with_every_option(provider: str) -> None:
    client = ChatCompletionClient.load_component({"provider": provider, "config": AUTOGEN[provider]})
    again = client.dump_component()
    assert again.provider == provider.replace("autogen_", "symposia.")
    expected = {name: value for name, value in AUTOGEN[provider].items() if name != "api_key"}
    written = json.loads(json.dumps(again.config).replace("symposia.ext.auth", "autogen_ext.auth"))
    if "azure_ad_token_provider" in written:
        written["azure_ad_token_provider"].pop("description")
    assert written == expected


def test_secrets_are_not_saved() -> None:
    for secret in ("api_key", "azure_ad_token"):
        given: Any = {"azure_endpoint": "https://x", "api_version": "v", "model": "gpt-4o", secret: "hush"}
        saved = AzureOpenAIChatCompletionClient(**given).dump_component()
        assert "hush" not in saved.model_dump_json()
    saved = OpenAIResponsesClient(model="gpt-5.5", api_key="hush", tools=[{"type": "web_search"}]).dump_component()
    assert saved.config == {"model": "gpt-5.5", "api_key": "**********", "tools": [{"type": "web_search"}]}
    assert isinstance(ComponentLoader.load_component(saved), OpenAIResponsesClient)
    thinking: Any = {"thinking_level": "low"}
    saved = MistralChatCompletionClient(model="mistral-small-2603", api_key="hush", seed=3).dump_component()
    assert saved.config == {"model": "mistral-small-2603", "api_key": "**********", "seed": 3}
    assert isinstance(ComponentLoader.load_component(saved), MistralChatCompletionClient)
    saved = GeminiChatCompletionClient(
        model="gemini-3.8-flash", api_key="hush", thinking_config=thinking
    ).dump_component()
    assert saved.config == {"model": "gemini-3.8-flash", "api_key": "**********", "thinking_config": thinking}


def test_a_function_that_gives_tokens_is_not_saved() -> None:
    client = AzureOpenAIChatCompletionClient(
        model="gpt-4o", azure_endpoint="https://x", api_version="v", azure_ad_token_provider=lambda: "token"
    )
    with pytest.raises(ComponentError, match="azure_ad_token_provider"):
        client.dump_component()


def test_what_gives_no_tokens_of_azure_is_refused_and_so_is_a_provider_without_a_scope() -> None:
    from azure.identity import DefaultAzureCredential  # noqa: PLC0415 - heavy

    wrongs: list[Any] = ["hush", DefaultAzureCredential]
    for wrong in wrongs:
        with pytest.raises(ArgumentTypeError, match=r"gives no tokens: give one of azure\.identity") as refused:
            AzureTokenProvider(wrong, "scope")
        assert "hush" not in str(refused.value)
    with pytest.raises(InvalidArgumentError, match="has no scope: give that of the service"):
        AzureTokenProvider(DefaultAzureCredential())
    scopes: Any = ["scope"]
    with pytest.raises(ArgumentTypeError, match="scopes of AzureTokenProvider"):
        AzureTokenProvider(DefaultAzureCredential(), scopes)


def test_a_credential_with_secrets_is_not_saved_with_its_provider() -> None:
    from azure.identity import ClientSecretCredential  # noqa: PLC0415 - heavy

    provider = AzureTokenProvider(ClientSecretCredential("tenant", "id", "hush"), "scope")
    with pytest.raises(ComponentError, match="cannot be saved with a ClientSecretCredential"):
        provider.dump_component()
    model: Any = {**PROVIDER, "config": {"provider_kind": "Other", "scopes": []}}
    with pytest.raises(ComponentError, match="cannot be loaded with a 'Other'"):
        AzureTokenProvider.load_component(model)


CONFIGURATIONS: list[tuple[type[ChatCompletionClient], BaseModel]] = [
    (OpenAIChatCompletionClient, OpenAIClientConfigurationConfigModel(model="gpt-4o", api_key=SecretStr("key"))),
    (
        AzureOpenAIChatCompletionClient,
        AzureOpenAIClientConfigurationConfigModel(
            model="gpt-4o",
            azure_endpoint="https://x",
            api_version="v",
            azure_ad_token_provider=ComponentModel.model_validate(PROVIDER),
        ),
    ),
    (
        OllamaChatCompletionClient,
        BaseOllamaClientConfigurationConfigModel(model="llama3.2", host="http://x", options={"num_ctx": 4096}),
    ),
    (
        AnthropicChatCompletionClient,
        AnthropicClientConfigurationConfigModel(
            model="claude-sonnet-4-5",
            api_key=SecretStr("key"),
            thinking=ThinkingConfigModel(type="enabled", budget_tokens=2000),
        ),
    ),
]


@pytest.mark.parametrize(("client_class", "config"), CONFIGURATIONS, ids=lambda value: getattr(value, "__name__", ""))
def test_a_client_is_made_of_autogens_models_of_its_options(
    client_class: type[ChatCompletionClient], config: BaseModel
) -> None:
    assert '"key"' not in config.model_dump_json()
    from_config = getattr(client_class, "_from_config")  # noqa: B009 - AutoGen's name, which programs call
    client: ChatCompletionClient = from_config(config)
    saved: Any = client.dump_component().config
    assert saved["model"] == getattr(config, "model")  # noqa: B009 - of three types
    assert saved.get("thinking", {"budget_tokens": 2000})["budget_tokens"] == 2000


def test_a_client_is_made_of_a_dictionary_of_its_options() -> None:
    client = BaseOpenAIChatCompletionClient.create_from_config({"model": "gpt-4o", "api_key": "key"})
    assert type(client) is OpenAIChatCompletionClient


async def test_the_usual_choice_among_tools_holds_where_a_call_makes_none(server: MockModelServer) -> None:
    client = Anthropic().client(server, *[Reply(text="ok")] * 4, tool_choice="any")
    hello = [UserMessage(content="hello", source="user")]
    await client.create(hello)
    assert "tool_choice" not in server.last_body
    for choice, expected in (("auto", "any"), ("none", "none"), ("required", "any")):
        await client.create(hello, tools=[ADD], tool_choice=choice)  # pyright: ignore[reportArgumentType] - one of those
        assert server.last_body["tool_choice"]["type"] == expected
