"""Anthropic's models."""

from typing import TYPE_CHECKING, Final

from symposia._lazy import explained_names
from symposia.ext.models._registry import ModelVendor, VendorSetting
from symposia.ext.models.anthropic._client import (
    KEY,
    AnthropicChatCompletionClient,
    BaseAnthropicChatCompletionClient,
    MessagesFormat,
)
from symposia.ext.models.anthropic._options import AnthropicClientConfiguration, CreateArguments
from symposia.ext.models.anthropic._profiles import CATALOG, AnthropicProfile
from symposia.ext.models.anthropic.config import AnthropicClientConfigurationConfigModel, CreateArgumentsConfigModel

VENDOR: Final = ModelVendor(
    name="anthropic",
    title="Anthropic",
    models="claude-",
    default_model="claude-sonnet-5-5",
    make=AnthropicChatCompletionClient,
    key=KEY,
    settings=(VendorSetting((KEY, "ANTHROPIC_AUTH_TOKEN"), ("api_key",)),),
    address_variable="ANTHROPIC_BASE_URL",
    sdk="anthropic",
    extra="anthropic",
    catalog=CATALOG,
)

if not TYPE_CHECKING:
    __getattr__ = explained_names(__name__)

__all__ = [
    "VENDOR",
    "AnthropicChatCompletionClient",
    "AnthropicClientConfiguration",
    "AnthropicClientConfigurationConfigModel",
    "AnthropicProfile",
    "BaseAnthropicChatCompletionClient",
    "CreateArguments",
    "CreateArgumentsConfigModel",
    "MessagesFormat",
]
