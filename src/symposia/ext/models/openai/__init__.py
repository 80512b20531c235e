"""Clients of OpenAI's models, and of all services that use Chat Completions."""

from symposia.ext.models.openai._client import (
    BaseOpenAIChatCompletionClient,
    ChatCompletionsFormat,
    OpenAIChatCompletionClient,
)
from symposia.ext.models.openai._compatible import CompatibleVendor
from symposia.ext.models.openai._options import CreateArguments, OpenAIClientConfiguration
from symposia.ext.models.openai._profiles import OpenAIProfile
from symposia.ext.models.openai._vendor import VENDOR, compatible_vendor

__all__ = [
    "VENDOR",
    "BaseOpenAIChatCompletionClient",
    "ChatCompletionsFormat",
    "CompatibleVendor",
    "CreateArguments",
    "OpenAIChatCompletionClient",
    "OpenAIClientConfiguration",
    "OpenAIProfile",
    "compatible_vendor",
]
