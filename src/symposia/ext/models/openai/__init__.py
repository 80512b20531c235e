"""Clients of OpenAI's models, and of all services that use Chat Completions."""

from typing import TYPE_CHECKING, Final

from symposia._lazy import explained_names
from symposia.ext.models._registry import ModelVendor, VendorSetting
from symposia.ext.models.openai._azure import (
    AZURE_OPENAI_USER_AGENT,
    AzureOpenAIChatCompletionClient,
)
from symposia.ext.models.openai._azure import KEY as AZURE_KEY
from symposia.ext.models.openai._client import (
    KEY,
    BaseOpenAIChatCompletionClient,
    ChatCompletionsFormat,
    OpenAIChatCompletionClient,
    OpenAIResponsesClient,
)
from symposia.ext.models.openai._compatible import CompatibleVendor, compatible_server, compatible_vendor
from symposia.ext.models.openai._options import (
    AzureOpenAIClientConfiguration,
    CreateArguments,
    OpenAIClientConfiguration,
    OpenAIResponsesConfiguration,
)
from symposia.ext.models.openai._profiles import CATALOG, OpenAIProfile
from symposia.ext.models.openai._request import MessageWriter, adapt_arguments
from symposia.ext.models.openai._tokens import installed_encoding
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
    catalog=CATALOG,
)

AZURE_VENDOR: Final = ModelVendor(
    name="azure",
    title="Azure OpenAI",
    models=r"(?!)",  # a deployment has the name that its owner gave it
    default_model=None,
    make=AzureOpenAIChatCompletionClient,
    key=AZURE_KEY,
    settings=(
        VendorSetting((AZURE_KEY, "AZURE_OPENAI_AD_TOKEN"), ("api_key", "azure_ad_token", "azure_ad_token_provider")),
        VendorSetting(("AZURE_OPENAI_ENDPOINT",), ("azure_endpoint", "base_url")),
        VendorSetting(("OPENAI_API_VERSION",), ("api_version",)),
    ),
    address_variable="AZURE_OPENAI_ENDPOINT",
    sdk="openai",
    extra="openai",
    catalog=CATALOG,
    named_by=("azure_deployment", "model"),
)

if not TYPE_CHECKING:
    __getattr__ = explained_names(__name__)

__all__ = [
    "AZURE_OPENAI_USER_AGENT",
    "AZURE_VENDOR",
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
    "MessageWriter",
    "OpenAIChatCompletionClient",
    "OpenAIClientConfiguration",
    "OpenAIClientConfigurationConfigModel",
    "OpenAIProfile",
    "OpenAIResponsesClient",
    "OpenAIResponsesConfiguration",
    "adapt_arguments",
    "compatible_server",
    "compatible_vendor",
    "installed_encoding",
]
