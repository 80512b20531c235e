"""Anthropic's models."""

from symposia.ext.models.anthropic._client import AnthropicChatCompletionClient, BaseAnthropicChatCompletionClient
from symposia.ext.models.anthropic._options import AnthropicClientConfiguration, CreateArguments

__all__ = [
    "AnthropicChatCompletionClient",
    "AnthropicClientConfiguration",
    "BaseAnthropicChatCompletionClient",
    "CreateArguments",
]
