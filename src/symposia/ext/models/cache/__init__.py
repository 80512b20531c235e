"""A client that keeps answers, and gives them again to equal requests."""

from typing import TYPE_CHECKING

from symposia._lazy import explained_names
from symposia.ext.models.cache._client import CHAT_CACHE_VALUE_TYPE, ChatCompletionCache

if not TYPE_CHECKING:
    __getattr__ = explained_names(__name__)

__all__ = ["CHAT_CACHE_VALUE_TYPE", "ChatCompletionCache"]
