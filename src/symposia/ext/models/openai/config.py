"""The options of OpenAI's clients: as types for programs, and as models that check JSON.

A program gives options by keyword, which the ``…Configuration`` types describe. The ``…ConfigModel`` classes hold the
same as data, with keys hidden in `pydantic.SecretStr`; loading a component takes one in place of its own configuration.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal, Required

from pydantic import BaseModel, SecretStr
from typing_extensions import TypedDict

from symposia._lazy import explained_names
from symposia.core import ComponentModel
from symposia.core.models import ModelCapabilities, ModelInfo
from symposia.ext.models.openai._options import (
    AzureOpenAIClientConfiguration,
    BaseOpenAIClientConfiguration,
    CreateArguments,
    OpenAIClientConfiguration,
    OpenAIResponsesConfiguration,
)
from symposia.ext.models.openai._profiles import Api, Effort

if not TYPE_CHECKING:
    __getattr__ = explained_names(__name__)

__all__ = [
    "AzureOpenAIClientConfiguration",
    "AzureOpenAIClientConfigurationConfigModel",
    "BaseOpenAIClientConfiguration",
    "BaseOpenAIClientConfigurationConfigModel",
    "CreateArguments",
    "CreateArgumentsConfigModel",
    "JSONSchema",
    "OpenAIClientConfiguration",
    "OpenAIClientConfigurationConfigModel",
    "OpenAIResponsesConfiguration",
    "ResponseFormat",
    "StreamOptions",
]


class JSONSchema(TypedDict, total=False):
    """A schema for answers.

    Attributes:
        name: 1 to 64 letters, digits, underscores and hyphens.
        description: What it is for, for the model.
        schema: The JSON schema.
        strict: Whether answers keep to it exactly.
    """

    name: Required[str]
    description: str
    schema: dict[str, object]
    strict: bool | None


class ResponseFormat(TypedDict, total=False):
    """The form of answers.

    Attributes:
        type: Text, JSON of any shape, or JSON of a schema.
        json_schema: The schema, for ``json_schema``.
    """

    type: Literal["text", "json_object", "json_schema"]
    json_schema: JSONSchema | None


class StreamOptions(TypedDict):
    """Options of a stream.

    Attributes:
        include_usage: Whether its last piece has the number of tokens.
    """

    include_usage: bool


class CreateArgumentsConfigModel(BaseModel, defer_build=True):
    """The arguments of every request; see `CreateArguments`."""

    frequency_penalty: float | None = None
    logit_bias: dict[str, int] | None = None
    max_tokens: int | None = None
    n: int | None = None
    presence_penalty: float | None = None
    response_format: ResponseFormat | None = None
    seed: int | None = None
    stop: str | list[str] | None = None
    temperature: float | None = None
    top_p: float | None = None
    user: str | None = None
    stream_options: StreamOptions | None = None
    parallel_tool_calls: bool | None = None
    reasoning_effort: Effort | None = None
    max_completion_tokens: int | None = None
    verbosity: Literal["low", "medium", "high"] | None = None
    metadata: Mapping[str, str] | None = None
    service_tier: str | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None


class BaseOpenAIClientConfigurationConfigModel(CreateArgumentsConfigModel, defer_build=True):
    """The options of the clients that take the arguments of Chat Completions; see `BaseOpenAIClientConfiguration`."""

    model: str
    api_key: SecretStr | None = None
    base_url: str | None = None
    organization: str | None = None
    timeout: float | None = None
    max_retries: int | None = None
    model_capabilities: ModelCapabilities | None = None
    model_info: ModelInfo | None = None
    add_name_prefixes: bool | None = None
    include_name_in_message: bool | None = None
    default_headers: dict[str, str] | None = None
    use_previous_response_id: bool | None = None
    api: Api | None = None


class OpenAIClientConfigurationConfigModel(BaseOpenAIClientConfigurationConfigModel, defer_build=True):
    """The options of `OpenAIChatCompletionClient`."""


class AzureOpenAIClientConfigurationConfigModel(BaseOpenAIClientConfigurationConfigModel, defer_build=True):
    """The options of `AzureOpenAIChatCompletionClient`; see `AzureOpenAIClientConfiguration`."""

    azure_endpoint: str
    azure_deployment: str | None = None
    api_version: str
    azure_ad_token: str | None = None
    azure_ad_token_provider: ComponentModel | None = None
