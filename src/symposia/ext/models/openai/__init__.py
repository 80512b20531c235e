"""OpenAI's models, and all that speak Chat Completions."""

from ._client import BaseOpenAIChatCompletionClient, OpenAIChatCompletionClient
from ._options import CreateArguments, OpenAIClientConfiguration

__all__ = [
    "BaseOpenAIChatCompletionClient",
    "CreateArguments",
    "OpenAIChatCompletionClient",
    "OpenAIClientConfiguration",
]
