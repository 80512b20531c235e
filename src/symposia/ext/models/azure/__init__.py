"""The models at Azure AI Foundry, and GitHub's."""

from typing import TYPE_CHECKING, Final

from symposia._lazy import explained_names
from symposia.ext.models._registry import ModelVendor, VendorSetting
from symposia.ext.models.azure._client import CATALOG, ENDPOINT, EXTRA, KEY, AzureAIChatCompletionClient
from symposia.ext.models.azure.config import AzureAIChatCompletionClientConfig

VENDOR: Final = ModelVendor(
    name="azure-ai",
    title="Azure AI",
    models=r"(?!)",  # the models are those of others
    default_model=None,
    make=AzureAIChatCompletionClient,
    key=KEY,
    settings=(VendorSetting((KEY,), ("credential",)), VendorSetting((ENDPOINT,), ("endpoint",))),
    address_variable=ENDPOINT,
    sdk="azure.ai.inference",
    extra=EXTRA,
    catalog=CATALOG,
)

if not TYPE_CHECKING:
    __getattr__ = explained_names(__name__)

__all__ = ["VENDOR", "AzureAIChatCompletionClient", "AzureAIChatCompletionClientConfig"]
