"""Models of any vendor that LiteLLM knows."""

from typing import TYPE_CHECKING, Final

from symposia._lazy import explained_names
from symposia.ext.models._registry import ModelVendor
from symposia.ext.models.litellm._client import LiteLLMChatCompletionClient
from symposia.ext.models.litellm._options import CreateArguments, LiteLLMClientConfiguration
from symposia.ext.models.litellm._profiles import CATALOG

VENDOR: Final = ModelVendor(
    name="litellm",
    title="LiteLLM",
    models=r"(?!)",  # none: a name alone is of the vendor whose client is here
    default_model=None,
    make=LiteLLMChatCompletionClient,
    key=None,  # each of its vendors has one
    sdk="litellm",
    extra="litellm",
    catalog=CATALOG,
)

if not TYPE_CHECKING:
    __getattr__ = explained_names(__name__)

__all__ = ["VENDOR", "CreateArguments", "LiteLLMChatCompletionClient", "LiteLLMClientConfiguration"]
