"""Anthropic's models."""

from typing import TYPE_CHECKING, Final

from symposia._lazy import explained_names
from symposia.ext.models import _aws
from symposia.ext.models._registry import ModelVendor, VendorSetting
from symposia.ext.models.anthropic._client import (
    AnthropicChatCompletionClient,
    BaseAnthropicChatCompletionClient,
    MessagesFormat,
)
from symposia.ext.models.anthropic._clouds import (
    BEDROCK_EXTRA,
    CLOUD_REGION,
    VERTEX_EXTRA,
    AnthropicBedrockChatCompletionClient,
    AnthropicVertexChatCompletionClient,
)
from symposia.ext.models.anthropic._options import (
    AnthropicBedrockClientConfiguration,
    AnthropicClientConfiguration,
    AnthropicVertexClientConfiguration,
    BedrockInfo,
    CreateArguments,
)
from symposia.ext.models.anthropic._platforms import KEY
from symposia.ext.models.anthropic._profiles import BEDROCK_CATALOG, CATALOG, VERTEX_CATALOG, AnthropicProfile
from symposia.ext.models.anthropic.config import (
    AnthropicBedrockClientConfigurationConfigModel,
    AnthropicClientConfigurationConfigModel,
    AnthropicVertexClientConfigurationConfigModel,
    CreateArgumentsConfigModel,
)

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

BEDROCK_VENDOR: Final = ModelVendor(
    name="anthropic-bedrock",
    title="Anthropic at Amazon Bedrock",
    models=r"(?:[a-z-]+\.)?anthropic\.claude-",
    default_model=None,
    make=AnthropicBedrockChatCompletionClient,
    key=None,  # or AWS credentials, which may be anywhere
    settings=(VendorSetting((*_aws.REGIONS, "AWS_PROFILE"), ("bedrock_info",)),),
    address_variable="ANTHROPIC_BEDROCK_BASE_URL",
    sdk="anthropic",
    extra=BEDROCK_EXTRA,
    catalog=BEDROCK_CATALOG,
)

VERTEX_VENDOR: Final = ModelVendor(
    name="anthropic-vertex",
    title="Anthropic at Google Cloud",
    models=r"(?!)",  # the names are those at Anthropic
    default_model=None,
    make=AnthropicVertexChatCompletionClient,
    key=None,
    settings=(VendorSetting((CLOUD_REGION,), ("region",)),),
    address_variable="ANTHROPIC_VERTEX_BASE_URL",
    sdk="anthropic",
    extra=VERTEX_EXTRA,
    catalog=VERTEX_CATALOG,
)

if not TYPE_CHECKING:
    __getattr__ = explained_names(__name__)

__all__ = [
    "BEDROCK_VENDOR",
    "VENDOR",
    "VERTEX_VENDOR",
    "AnthropicBedrockChatCompletionClient",
    "AnthropicBedrockClientConfiguration",
    "AnthropicBedrockClientConfigurationConfigModel",
    "AnthropicChatCompletionClient",
    "AnthropicClientConfiguration",
    "AnthropicClientConfigurationConfigModel",
    "AnthropicProfile",
    "AnthropicVertexChatCompletionClient",
    "AnthropicVertexClientConfiguration",
    "AnthropicVertexClientConfigurationConfigModel",
    "BaseAnthropicChatCompletionClient",
    "BedrockInfo",
    "CreateArguments",
    "CreateArgumentsConfigModel",
    "MessagesFormat",
]
