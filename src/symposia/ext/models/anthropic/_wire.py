"""The parts of Anthropic's Messages format that are read here, as JSON has them.

Answers are read as JSON and not as the SDK's classes, since blocks that the vendor wants back must stay as they came.
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias, TypedDict

Block: TypeAlias = dict[str, Any]
"""A content block: JSON, of which ``type`` says how to read the rest."""


class UsageWire(TypedDict, total=False):
    input_tokens: int | None
    cache_creation_input_tokens: int | None
    cache_read_input_tokens: int | None
    output_tokens: int | None


class MessageWire(TypedDict, total=False):
    """A whole answer."""

    content: list[Block]
    stop_reason: str | None
    usage: UsageWire


class EventWire(TypedDict, total=False):
    """One event of a streamed answer; which fields there are depends on its type."""

    type: Literal[
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
        "ping",
    ]
    message: MessageWire
    index: int
    content_block: Block
    delta: dict[str, Any]
    usage: UsageWire
