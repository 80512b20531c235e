"""The options of Anthropic's clients: as types for programs, and as models that check JSON.

A program gives options by keyword, which the ``…Configuration`` types describe. The ``…ConfigModel`` classes hold the
same as data, with keys hidden in `pydantic.SecretStr`; loading a component takes one in place of its own configuration.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, Required

from pydantic import BaseModel, SecretStr
from typing_extensions import TypedDict

from symposia._lazy import explained_names
from symposia.core.models import ModelCapabilities, ModelInfo
from symposia.ext.models.anthropic._options import (
    AnthropicBedrockClientConfiguration,
    AnthropicClientConfiguration,
    AnthropicVertexClientConfiguration,
    BaseAnthropicClientConfiguration,
    BedrockInfo,
    CreateArguments,
)

if not TYPE_CHECKING:
    __getattr__ = explained_names(__name__)

__all__ = [
    "AnthropicBedrockClientConfiguration",
    "AnthropicBedrockClientConfigurationConfigModel",
    "AnthropicClientConfiguration",
    "AnthropicClientConfigurationConfigModel",
    "AnthropicVertexClientConfiguration",
    "AnthropicVertexClientConfigurationConfigModel",
    "BaseAnthropicClientConfiguration",
    "BaseAnthropicClientConfigurationConfigModel",
    "BedrockInfo",
    "BedrockInfoConfigModel",
    "CreateArguments",
    "CreateArgumentsConfigModel",
    "ResponseFormat",
    "ThinkingConfig",
    "ThinkingConfigModel",
]


class ResponseFormat(TypedDict):
    """The form of answers: text, or JSON of any shape."""

    type: Literal["text", "json_object"]


class ThinkingConfig(TypedDict, total=False):
    """Whether the model thinks before it answers.

    Attributes:
        type: ``adaptive`` leaves the amount to the model; older models take ``enabled`` with a budget.
        budget_tokens: Most tokens of thinking, at least 1,024.
    """

    type: Required[Literal["enabled", "disabled", "adaptive"]]
    budget_tokens: int | None


class ThinkingConfigModel(BaseModel, defer_build=True):
    """Whether the model thinks before it answers; see `ThinkingConfig`."""

    type: Literal["enabled", "disabled", "adaptive"]
    budget_tokens: int | None = None


class CreateArgumentsConfigModel(BaseModel, defer_build=True):
    """The arguments of every request; see `CreateArguments`. Those that are left out have Symposia's defaults."""

    model: str
    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    stop_sequences: list[str] | None = None
    response_format: ResponseFormat | None = None
    metadata: dict[str, str] | None = None
    thinking: ThinkingConfigModel | None = None
    parallel_tool_calls: bool | None = None
    output_config: Mapping[str, Any] | None = None  # Any: of the vendor's JSON
    service_tier: str | None = None


class BaseAnthropicClientConfigurationConfigModel(CreateArgumentsConfigModel, defer_build=True):
    """The options of all of Anthropic's clients; see `BaseAnthropicClientConfiguration`."""

    api_key: SecretStr | None = None
    base_url: str | None = None
    model_capabilities: ModelCapabilities | None = None
    model_info: ModelInfo | None = None
    timeout: float | None = None
    max_retries: int | None = None
    default_headers: dict[str, str] | None = None
    prompt_caching: bool | None = None


class AnthropicClientConfigurationConfigModel(BaseAnthropicClientConfigurationConfigModel, defer_build=True):
    """The options of `AnthropicChatCompletionClient`; see `AnthropicClientConfiguration`."""

    tools: list[dict[str, Any]] | None = None  # Any: of the vendor's JSON
    tool_choice: Literal["auto", "any", "none"] | dict[str, Any] | None = None


class BedrockInfoConfigModel(TypedDict, total=False):
    """Where Bedrock is, and what requests to it are signed with; see `BedrockInfo`."""

    aws_access_key: SecretStr
    aws_secret_key: SecretStr
    aws_session_token: SecretStr | None
    aws_region: str
    aws_profile: str


class AnthropicBedrockClientConfigurationConfigModel(AnthropicClientConfigurationConfigModel, defer_build=True):
    """The options of `AnthropicBedrockChatCompletionClient`; see `AnthropicBedrockClientConfiguration`."""

    bedrock_info: BedrockInfoConfigModel | None = None


class AnthropicVertexClientConfigurationConfigModel(AnthropicClientConfigurationConfigModel, defer_build=True):
    """The options of `AnthropicVertexChatCompletionClient`; see `AnthropicVertexClientConfiguration`."""

    region: str | None = None
    project_id: str | None = None
    access_token: SecretStr | None = None
