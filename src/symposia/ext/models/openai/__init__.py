"""OpenAI's models, and all that speak Chat Completions."""

from symposia.ext.models.openai._client import BaseOpenAIChatCompletionClient, OpenAIChatCompletionClient
from symposia.ext.models.openai._options import CreateArguments, OpenAIClientConfiguration

__all__ = [
    "BaseOpenAIChatCompletionClient",
    "CreateArguments",
    "OpenAIChatCompletionClient",
    "OpenAIClientConfiguration",
]
