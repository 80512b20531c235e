"""A model client that returns scripted answers: for tests, demonstrations and examples, with no account."""

from typing import TYPE_CHECKING

from symposia._lazy import explained_names
from symposia.ext.models.replay._client import CreateCall, ReplayChatCompletionClient
from symposia.ext.models.replay._script import Answer, Script

if not TYPE_CHECKING:
    __getattr__ = explained_names(__name__)

__all__ = ["Answer", "CreateCall", "ReplayChatCompletionClient", "Script"]
