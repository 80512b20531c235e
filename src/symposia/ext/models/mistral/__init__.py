"""Mistral's models, in Mistral's own format."""

from typing import TYPE_CHECKING, Final

from symposia._lazy import explained_names
from symposia.ext.models._registry import ModelVendor
from symposia.ext.models.mistral._client import ADDRESS, CATALOG, KEY, MistralChatCompletionClient
from symposia.ext.models.mistral._options import CreateArguments, MistralClientConfiguration

VENDOR: Final = ModelVendor(
    name="mistral",
    title="Mistral",
    models="(open-)?(mistral|mixtral|ministral|codestral|devstral|magistral|pixtral|voxtral)-",
    default_model="mistral-medium-3-5",
    make=MistralChatCompletionClient,
    key=KEY,
    address_variable=ADDRESS,
    sdk="mistralai.client",
    extra="mistral",
    catalog=CATALOG,
)

if not TYPE_CHECKING:
    __getattr__ = explained_names(__name__)

__all__ = ["VENDOR", "CreateArguments", "MistralChatCompletionClient", "MistralClientConfiguration"]
