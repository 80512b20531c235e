"""Actors, and the contracts that everything else is written against."""

from ._cache_store import CacheStore, InMemoryStore
from ._cancellation_token import CancellationToken
from ._image import Image
from ._types import FunctionCall

__all__ = ["CacheStore", "CancellationToken", "FunctionCall", "Image", "InMemoryStore"]
