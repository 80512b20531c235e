"""A model client that returns scripted answers: for tests, demonstrations and examples, with no account."""

from symposia.ext.models.replay._client import CreateCall, ReplayChatCompletionClient
from symposia.ext.models.replay._script import Answer, Script

__all__ = ["Answer", "CreateCall", "ReplayChatCompletionClient", "Script"]
