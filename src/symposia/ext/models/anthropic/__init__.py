"""Anthropic's models."""

from ._client import AnthropicChatCompletionClient, BaseAnthropicChatCompletionClient
from ._options import AnthropicClientConfiguration, CreateArguments

__all__ = [
    "AnthropicChatCompletionClient",
    "AnthropicClientConfiguration",
    "BaseAnthropicChatCompletionClient",
    "CreateArguments",
]
