"""A model client that says what it is told to say: for tests, demonstrations and examples, with no account."""

from ._client import CreateCall, ReplayChatCompletionClient
from ._script import Answer, Script

__all__ = ["Answer", "CreateCall", "ReplayChatCompletionClient", "Script"]
