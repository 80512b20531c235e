"""The models at Amazon Bedrock, by its Converse API."""

from typing import TYPE_CHECKING, Final

from symposia._lazy import explained_names
from symposia.ext.models import _aws
from symposia.ext.models._registry import ModelVendor, VendorSetting
from symposia.ext.models.bedrock._client import ENDPOINT, BedrockChatCompletionClient
from symposia.ext.models.bedrock._options import BedrockClientConfiguration, CreateArguments
from symposia.ext.models.bedrock._profiles import CATALOG, BedrockProfile

VENDOR: Final = ModelVendor(
    name="bedrock",
    title="Amazon Bedrock",
    models=r"(?:[a-z-]+\.)?(?:ai21|amazon|cohere|deepseek|google|meta|minimax|mistral|moonshotai?|nvidia|openai|qwen"
    r"|writer|zai)\.[a-z]",
    default_model=None,
    make=BedrockChatCompletionClient,
    key=None,  # or AWS credentials, which may be anywhere
    settings=(VendorSetting((*_aws.REGIONS, "AWS_PROFILE"), ("region_name", "profile_name")),),
    address_variable=ENDPOINT,
    sdk="botocore",
    extra="bedrock",
    catalog=CATALOG,
)

if not TYPE_CHECKING:
    __getattr__ = explained_names(__name__)

__all__ = [
    "VENDOR",
    "BedrockChatCompletionClient",
    "BedrockClientConfiguration",
    "BedrockProfile",
    "CreateArguments",
]
