"""Answers of the Messages API: the wire, and a whole answer as a `CreateResult`.

Answers are read as JSON and not as the SDK's classes, since blocks that the vendor wants back must stay as they came.
Fields that are not named here, and blocks and events of kinds that are not, are kept or ignored, since the vendor adds
some without a new version; those that are named have the right type.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Final, Literal, Required, TypeAlias, cast

from pydantic import Discriminator, Tag, with_config
from typing_extensions import TypedDict

from symposia.core import FunctionCall
from symposia.core.models import CreateResult, FinishReasons, RequestUsage, VendorBlocks
from symposia.ext.models._wire_format import OPEN, JsonObject, TokenCount, join_thought, json_parser

# The wire ------------------------------------------------------------------------------------------------------------


@with_config(OPEN)
class TextBlock(TypedDict):
    type: Literal["text"]
    text: str


@with_config(OPEN)
class ThinkingBlock(TypedDict):
    type: Literal["thinking"]
    thinking: str


@with_config(OPEN)
class ToolUseBlock(TypedDict):
    type: Literal["tool_use"]
    id: str
    name: str
    input: JsonObject | str  # text, where the limit of tokens cut the arguments off


@with_config(OPEN)
class OtherBlock(TypedDict):
    type: str


_KNOWN_BLOCKS: Final = frozenset({"text", "thinking", "tool_use"})


def _kind_of_block(block: object) -> str:
    kind = cast("Mapping[str, object]", block).get("type") if isinstance(block, Mapping) else None
    return kind if isinstance(kind, str) and kind in _KNOWN_BLOCKS else "other"


Block: TypeAlias = Annotated[
    Annotated[TextBlock, Tag("text")]
    | Annotated[ThinkingBlock, Tag("thinking")]
    | Annotated[ToolUseBlock, Tag("tool_use")]
    | Annotated[OtherBlock, Tag("other")],
    Discriminator(_kind_of_block),
]


@with_config(OPEN)
class OutputDetailsWire(TypedDict, total=False):
    thinking_tokens: TokenCount | None


class UsageWire(TypedDict, total=False):
    input_tokens: TokenCount | None
    cache_creation_input_tokens: TokenCount | None
    cache_read_input_tokens: TokenCount | None
    output_tokens: TokenCount | None
    output_tokens_details: OutputDetailsWire | None


@with_config(OPEN)
class MessageWire(TypedDict, total=False):
    """A whole answer."""

    content: Required[list[Block]]
    stop_reason: str | None
    usage: UsageWire | None


# The result ----------------------------------------------------------------------------------------------------------

VENDOR: Final = "anthropic"
FINISH_REASONS: Final[Mapping[str | None, FinishReasons]] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "function_calls",
    "refusal": "content_filter",
}
_OPAQUE: Final = frozenset({"thinking", "redacted_thinking"})


_message: Final = json_parser(MessageWire)


def parse_message(data: bytes) -> MessageWire:
    """The body of a response, checked.

    Raises:
        ValueError: It is not an answer, or it reports an error.
    """
    return _message(data)


def read_message(message: MessageWire) -> CreateResult:
    """The result of an answer."""
    blocks = message["content"]
    calls = [read_call(cast("ToolUseBlock", block)) for block in blocks if block["type"] == "tool_use"]
    text = "".join(cast("TextBlock", block)["text"] for block in blocks if block["type"] == "text")
    thinking = "".join(cast("ThinkingBlock", block)["thinking"] for block in blocks if block["type"] == "thinking")
    return CreateResult(
        finish_reason=FINISH_REASONS.get(message.get("stop_reason"), "unknown"),
        content=calls or text,
        usage=read_usage(message.get("usage") or UsageWire()),
        cached=False,
        thought=join_thought(thinking, text, has_calls=bool(calls)),
        vendor_blocks=_vendor_blocks(blocks),
    )


def read_call(block: ToolUseBlock) -> FunctionCall:
    """A tool call, with its arguments as the text that all clients give."""
    arguments = block["input"]
    text = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
    return FunctionCall(id=block["id"], name=block["name"], arguments=text)


def read_usage(usage: UsageWire) -> RequestUsage:
    """The tokens of a request. Those that a cache was read or written for are tokens of the prompt, too."""
    cached = usage.get("cache_read_input_tokens") or 0
    written = usage.get("cache_creation_input_tokens") or 0
    return RequestUsage(
        prompt_tokens=(usage.get("input_tokens") or 0) + cached + written,
        completion_tokens=usage.get("output_tokens") or 0,
        cached_tokens=cached,
        cache_write_tokens=written,
        reasoning_tokens=(usage.get("output_tokens_details") or {}).get("thinking_tokens") or 0,
    )


def _vendor_blocks(blocks: Sequence[Block]) -> VendorBlocks | None:
    """All blocks, in their order, if there are some that only the vendor understands."""
    if not any(block["type"] in _OPAQUE for block in blocks):
        return None
    return {VENDOR: [_sendable(cast("JsonObject", block)) for block in blocks]}


def _sendable(block: JsonObject) -> JsonObject:
    """A block as the API takes it back, which is as it came, but for arguments that were cut off in the middle."""
    if isinstance(arguments := block.get("input"), str):
        return {**block, "input": {"arguments": arguments}}
    return block
