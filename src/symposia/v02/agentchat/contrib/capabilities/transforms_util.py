"""Contents of messages, for transforms of a program: their texts, their tokens, and caches of them."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, TypeAlias

from symposia.v02.cache.abstract_cache_base import AbstractCache
from symposia.v02.token_count_utils import count_token

__all__ = [
    "cache_content_get",
    "cache_content_set",
    "cache_key",
    "count_text_tokens",
    "is_content_right_type",
    "is_content_text_empty",
]

Content: TypeAlias = str | Sequence[dict[str, Any] | str] | None  # Any: JSON


def cache_key(content: Content, *args: Hashable) -> str:
    """The key of a content, and of what else decides the value."""
    return "".join(map(str, (content, *args)))


def cache_content_get(cache: AbstractCache | None, key: str) -> tuple[Any, ...] | None:  # Any: what was stored
    """A content and the values beside it; None without a cache, and for what is not in it."""
    return None if cache is None else cache.get(key)


def cache_content_set(cache: AbstractCache | None, key: str, content: Content, *extra_values: Any) -> None:
    """Store a content with values beside it; nothing without a cache."""
    if cache is not None:
        cache.set(key, (content, *extra_values))


def count_text_tokens(content: Content) -> int:
    """The tokens of the texts of a content."""
    return sum(map(count_token, _texts(content)))


def is_content_right_type(content: object) -> bool:
    """Whether this is a content with texts: a text or a list."""
    return isinstance(content, (str, list))


def is_content_text_empty(content: Content) -> bool:
    """Whether a content has no text."""
    return not any(_texts(content))


def _texts(content: Content) -> list[str]:
    if isinstance(content, str):
        return [content]
    return [part if isinstance(part, str) else str(part.get("text", "")) for part in content or ()]
