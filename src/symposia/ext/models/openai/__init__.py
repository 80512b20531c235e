"""Clients of OpenAI's models, and of all services that use Chat Completions."""

from typing import TYPE_CHECKING, Final

from symposia._lazy import explained_names
from symposia.ext.models._registry import ModelVendor
from symposia.ext.models.openai._azure import AZURE_OPENAI_USER_AGENT, AzureOpenAIChatCompletionClient
from symposia.ext.models.openai._client import (
    KEY,
    BaseOpenAIChatCompletionClient,
    ChatCompletionsFormat,
    OpenAIChatCompletionClient,
    OpenAIResponsesClient,
)
from symposia.ext.models.openai._compatible import CompatibleVendor, compatible_vendor
from symposia.ext.models.openai._options import (
    AzureOpenAIClientConfiguration,
    CreateArguments,
    OpenAIClientConfiguration,
    OpenAIResponsesConfiguration,
)
from symposia.ext.models.openai._profiles import OpenAIProfile
from symposia.ext.models.openai.config import (
    AzureOpenAIClientConfigurationConfigModel,
    BaseOpenAIClientConfigurationConfigModel,
    CreateArgumentsConfigModel,
    OpenAIClientConfigurationConfigModel,
)

VENDOR: Final = ModelVendor(
    name="openai",
    title="OpenAI",
    models=r"gpt-|chatgpt-|codex-|o\d",
    default_model="gpt-5.5",
    make=OpenAIChatCompletionClient,
    key=KEY,
    address_variable="OPENAI_BASE_URL",
    sdk="openai",
    extra="openai",
)

if not TYPE_CHECKING:
    __getattr__ = explained_names(__name__)

__all__ = [
    "AZURE_OPENAI_USER_AGENT",
    "VENDOR",
    "AzureOpenAIChatCompletionClient",
    "AzureOpenAIClientConfiguration",
    "AzureOpenAIClientConfigurationConfigModel",
    "BaseOpenAIChatCompletionClient",
    "BaseOpenAIClientConfigurationConfigModel",
    "ChatCompletionsFormat",
    "CompatibleVendor",
    "CreateArguments",
    "CreateArgumentsConfigModel",
    "OpenAIChatCompletionClient",
    "OpenAIClientConfiguration",
    "OpenAIClientConfigurationConfigModel",
    "OpenAIProfile",
    "OpenAIResponsesClient",
    "OpenAIResponsesConfiguration",
    "compatible_vendor",
]
