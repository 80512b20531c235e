"""Contents of messages, for transforms of a program: their texts, their tokens, and caches of them."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, TypeAlias

from symposia.v02.cache.abstract_cache_base import AbstractCache
from symposia.v02.oai.openai_utils import filter_config
from symposia.v02.token_count_utils import count_token

__all__ = [
    "cache_content_get",
    "cache_content_set",
    "cache_key",
    "count_text_tokens",
    "is_content_right_type",
    "is_content_text_empty",
    "is_tool_call_valid",
    "min_tokens_reached",
    "should_transform_message",
]

Filter: TypeAlias = Mapping[str, Any] | None  # Any: see `filter_config`
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


def is_tool_call_valid(messages: Sequence[Mapping[str, Any]]) -> bool:  # Any: JSON
    """Whether messages do not begin with the result of a tool, whose call is not among them."""
    return not messages or messages[0].get("role") != "tool"


def min_tokens_reached(messages: Sequence[Mapping[str, Any]], min_tokens: int | None) -> bool:  # Any: as above
    """Whether the texts of messages have a number of tokens; 0 and None are reached always."""
    return not min_tokens or sum(count_text_tokens(message["content"]) for message in messages) >= min_tokens


def should_transform_message(message: dict[str, Any], filter_dict: Filter, exclude: bool) -> bool:  # Any: as above
    """Whether a filter leaves a message to a transform: see `filter_config`. Without a filter it does."""
    return not filter_dict or bool(filter_config([message], filter_dict, exclude))


def _texts(content: Content) -> list[str]:
    if isinstance(content, str):
        return [content]
    return [part if isinstance(part, str) else str(part.get("text", "")) for part in content or ()]
