"""Transforms of the messages that a model sees: fewer, shorter, compressed, or with the names of their writers."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any, Final, Literal, Protocol, cast

from symposia.core.exceptions import InvalidArgumentError
from symposia.v02.agentchat.contrib.capabilities.text_compressors import LLMLingua, TextCompressor
from symposia.v02.agentchat.contrib.capabilities.transforms_util import Filter, should_transform_message
from symposia.v02.cache import AbstractCache
from symposia.v02.oai.openai_utils import get_key
from symposia.v02.token_count_utils import count_token

__all__ = [
    "MessageHistoryLimiter",
    "MessageTokenLimiter",
    "MessageTransform",
    "TextMessageCompressor",
    "TextMessageContentName",
]

Message = dict[str, Any]  # Any: JSON

MODEL: Final = "gpt-3.5-turbo-0613"
NO_LIMIT: Final = sys.maxsize


class MessageTransform(Protocol):
    """A change of messages. The messages that it is given are its own."""

    def apply_transform(self, messages: list[Message]) -> list[Message]:
        """The messages, changed."""
        ...

    def get_logs(
        self, pre_transform_messages: list[Message], post_transform_messages: list[Message]
    ) -> tuple[str, bool]:
        """What changed, as a text, and whether anything did."""
        ...


class MessageHistoryLimiter:
    """Keeps the last messages. The result of a tool is not kept without its call.

    Args:
        max_messages: How many; None for all.
        keep_first_message: Whether the first one is always among them.

    Raises:
        InvalidArgumentError: `max_messages` is below 1.
    """

    def __init__(self, max_messages: int | None = None, keep_first_message: bool = False) -> None:
        if max_messages is not None and max_messages < 1:
            raise InvalidArgumentError(f"max_messages is {max_messages}: give 1 or more, or None for all.")
        self._max_messages = max_messages
        self._keep_first_message = keep_first_message

    def apply_transform(self, messages: list[Message]) -> list[Message]:
        """The messages that are kept."""
        if self._max_messages is None or len(messages) <= self._max_messages:
            return messages
        first = messages[:1] if self._keep_first_message else []
        kept = self._max_messages - len(first)
        return first + _without_dangling_results(messages[len(messages) - kept :])

    def get_logs(
        self, pre_transform_messages: list[Message], post_transform_messages: list[Message]
    ) -> tuple[str, bool]:
        """How many were removed."""
        before, after = len(pre_transform_messages), len(post_transform_messages)
        if after >= before:
            return "No messages were removed.", False
        return f"Removed {before - after} messages. Number of messages reduced from {before} to {after}.", True


class MessageTokenLimiter:
    """Shortens messages, and keeps the last ones that fit. The result of a tool is not kept without its call.

    Args:
        max_tokens_per_message: Tokens of each; the end of a longer one is cut off.
        max_tokens: Tokens of all.
        min_tokens: Messages with fewer tokens together are left as they are.
        model: The model whose tokens are counted.
        filter_dict: Which messages are not shortened, as for `filter_config`.
        exclude_filter: False shortens those that the filter finds, and no others.

    Raises:
        InvalidArgumentError: A number is below 0, or `min_tokens` is above `max_tokens`.
    """

    def __init__(
        self,
        max_tokens_per_message: int | None = None,
        max_tokens: int | None = None,
        min_tokens: int | None = None,
        model: str = MODEL,
        filter_dict: Filter = None,
        exclude_filter: bool = True,
    ) -> None:
        limits = {"max_tokens_per_message": max_tokens_per_message, "max_tokens": max_tokens, "min_tokens": min_tokens}
        for name, limit in limits.items():
            if limit is not None and limit < 0:
                raise InvalidArgumentError(f"{name} is {limit}: {name} must be None or greater than or equal to 0.")
        self._model = model
        self._max_tokens_per_message = NO_LIMIT if max_tokens_per_message is None else max_tokens_per_message
        self._max_tokens = NO_LIMIT if max_tokens is None else max_tokens
        self._min_tokens = min_tokens or 0
        if self._min_tokens > self._max_tokens:
            raise InvalidArgumentError("min_tokens must not be more than max_tokens.")
        self._filter_dict = filter_dict
        self._exclude_filter = exclude_filter

    def apply_transform(self, messages: list[Message]) -> list[Message]:
        """The messages that fit, shortened."""
        if self._tokens(messages) < self._min_tokens:
            return messages
        kept: list[Message] = []
        left = self._max_tokens
        for message in reversed(messages):
            if should_transform_message(message, self._filter_dict, self._exclude_filter):
                message = {**message, "content": _each_text(message.get("content"), self._cut)}  # noqa: PLW2901 - the same, shorter
            left -= self._tokens([message])
            if left < 0:
                break
            kept.insert(0, message)
        return _without_dangling_results(kept) if len(kept) < len(messages) else kept

    def get_logs(
        self, pre_transform_messages: list[Message], post_transform_messages: list[Message]
    ) -> tuple[str, bool]:
        """How many tokens were cut off."""
        before, after = self._tokens(pre_transform_messages), self._tokens(post_transform_messages)
        if after >= before:
            return "No tokens were truncated.", False
        return f"Truncated {before - after} tokens. Number of tokens reduced from {before} to {after}", True

    def _tokens(self, messages: list[Message]) -> int:
        return sum(count_token(text, self._model) for message in messages for text in _texts(message.get("content")))

    def _cut(self, text: str) -> str:
        """The longest beginning of a text that fits."""
        limit = self._max_tokens_per_message
        if limit == NO_LIMIT or count_token(text, self._model) <= limit:
            return text
        fits, too_long = 0, len(text)
        while too_long - fits > 1:
            middle = (fits + too_long) // 2
            if count_token(text[:middle], self._model) <= limit:
                fits = middle
            else:
                too_long = middle
        return text[:fits]


class TextMessageCompressor:
    """Compresses texts.

    Args:
        text_compressor: Does it; by default `LLMLingua`.
        min_tokens: Messages with fewer tokens together are left as they are.
        compression_params: Arguments of the compressor.
        cache: Keeps compressed texts.
        filter_dict: Which messages are not compressed, as for `filter_config`.
        exclude_filter: False compresses those that the filter finds, and no others.

    Raises:
        InvalidArgumentError: `min_tokens` is not above 0.
        ImportError: There is no compressor, and LLMLingua is not installed.
    """

    def __init__(
        self,
        text_compressor: TextCompressor | None = None,
        min_tokens: int | None = None,
        compression_params: Mapping[str, Any] = {},  # Any: of the compressor
        cache: AbstractCache | None = None,
        filter_dict: Filter = None,
        exclude_filter: bool = True,
    ) -> None:
        if min_tokens is not None and min_tokens <= 0:
            raise InvalidArgumentError(f"min_tokens is {min_tokens}: give more than 0, or None.")
        self._compressor = LLMLingua() if text_compressor is None else text_compressor
        self._min_tokens = min_tokens or 0
        self._params = dict(compression_params)
        self._cache = cache
        self._filter_dict = filter_dict
        self._exclude_filter = exclude_filter
        self._saved = 0

    def apply_transform(self, messages: list[Message]) -> list[Message]:
        """The messages, compressed."""
        self._saved = 0
        if sum(count_token(text) for message in messages for text in _texts(message.get("content"))) < self._min_tokens:
            return messages
        return [
            {**message, "content": _each_text(message.get("content"), self._compress)}
            if should_transform_message(message, self._filter_dict, self._exclude_filter)
            else message
            for message in messages
        ]

    def get_logs(
        self, pre_transform_messages: list[Message], post_transform_messages: list[Message]
    ) -> tuple[str, bool]:
        """How many tokens were saved."""
        del pre_transform_messages, post_transform_messages
        if self._saved <= 0:
            return "No tokens saved with text compression.", False
        return f"{self._saved} tokens saved with text compression.", True

    def _compress(self, text: str) -> str:
        if not text:
            return text
        key = get_key({"text": text, "params": self._params})
        found: dict[str, Any] | None = None if self._cache is None else self._cache.get(key)
        if found is None:
            found = self._compressor.compress_text(text, **self._params)
            if self._cache is not None:
                self._cache.set(key, found)
        self._saved += found.get("origin_tokens", 0) - found.get("compressed_tokens", 0)
        return str(found["compressed_prompt"])


class TextMessageContentName:
    """Writes the name of a message into its text, for models that are shown no names.

    Args:
        position: Where: ``"start"`` or ``"end"``.
        format_string: The text with ``{name}`` for the name.
        deduplicate: Whether a text that has it there is left as it is.
        filter_dict: Which messages are left as they are, as for `filter_config`.
        exclude_filter: False changes those that the filter finds, and no others.

    Raises:
        AssertionError: The position is another one, or the format has no ``{name}``.
    """

    def __init__(
        self,
        position: Literal["start", "end"] = "start",
        format_string: str = "{name}:\n",
        deduplicate: bool = True,
        filter_dict: Filter = None,
        exclude_filter: bool = True,
    ) -> None:
        if position not in {"start", "end"}:
            raise AssertionError(f"position is {position!r}: give 'start' or 'end'.")
        if not isinstance(format_string, str) or "{name}" not in format_string:  # pyright: ignore[reportUnnecessaryIsInstance] - unchecked
            raise AssertionError(f"format_string is {format_string!r}: give a text with {{name}}.")
        self._position = position
        self._format_string = format_string
        self._deduplicate = deduplicate
        self._filter_dict = filter_dict
        self._exclude_filter = exclude_filter
        self._messages_changed = 0

    def apply_transform(self, messages: list[Message]) -> list[Message]:
        """The messages with names in their texts."""
        changed = [self._named(message) for message in messages]
        self._messages_changed = sum(old is not new for old, new in zip(messages, changed, strict=True))
        return changed

    def get_logs(
        self, pre_transform_messages: list[Message], post_transform_messages: list[Message]
    ) -> tuple[str, bool]:
        """How many messages were changed."""
        del pre_transform_messages, post_transform_messages
        if not self._messages_changed:
            return "No messages changed to incorporate name.", False
        return f"{self._messages_changed} message(s) changed to incorporate name.", True

    def _named(self, message: Message) -> Message:
        name, content = message.get("name"), message.get("content")
        if not name or not content or not should_transform_message(message, self._filter_dict, self._exclude_filter):
            return message
        text = self._format_string.format(name=name)
        if isinstance(content, str):
            has = content.startswith(text) if self._position == "start" else content.endswith(text)
            if self._deduplicate and has:
                return message
            return {**message, "content": text + content if self._position == "start" else content + text}
        parts = cast("list[Message]", content)
        part = {"type": "text", "text": text}
        if self._deduplicate and part in parts:
            return message
        return {**message, "content": [part, *parts] if self._position == "start" else [*parts, part]}


def _without_dangling_results(messages: list[Message]) -> list[Message]:
    """Messages without results of tools at their beginning, whose calls are not among them."""
    first = next((place for place, each in enumerate(messages) if each.get("role") != "tool"), len(messages))
    return messages[first:]


def _texts(content: object) -> list[str]:
    if isinstance(content, str):
        return [content]
    parts = cast("list[Message]", content or [])
    return [part["text"] for part in parts if isinstance(part.get("text"), str)]


def _each_text(content: Any, change: Callable[[str], str]) -> Any:  # Any: JSON
    if isinstance(content, str):
        return change(content)
    if not content:
        return content
    return [{**part, "text": change(part["text"])} if isinstance(part.get("text"), str) else part for part in content]
