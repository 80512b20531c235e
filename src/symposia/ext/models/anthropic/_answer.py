"""Answers of the Messages API: the wire, and a whole answer as a `CreateResult`.

Answers are read as JSON and not as the SDK's classes, since blocks that the vendor wants back must stay as they came.
Fields that are not named here, and blocks and events of kinds that are not, are kept or ignored, since the vendor adds
some without a new version; those that are named have the right type.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Final, Literal, Required, TypeAlias, cast

from pydantic import Tag, with_config
from typing_extensions import TypedDict

from symposia.core import FunctionCall
from symposia.core.models import CreateResult, FinishReasons, RequestUsage, VendorBlocks
from symposia.ext.models._answers import OPEN, TokenCount, by_type, create_result, json_parser
from symposia.ext.models._tool_calls import arguments_object, read_call
from symposia.ext.models._wire_format import JsonObject

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


Block: TypeAlias = Annotated[
    Annotated[TextBlock, Tag("text")]
    | Annotated[ThinkingBlock, Tag("thinking")]
    | Annotated[ToolUseBlock, Tag("tool_use")]
    | Annotated[OtherBlock, Tag("other")],
    by_type({"text", "thinking", "tool_use"}),
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
    """The result of an answer.

    Raises:
        ValueError: A call has no name.
    """
    blocks = message["content"]
    return create_result(
        join_blocks(blocks, "text"),
        join_blocks(blocks, "thinking"),
        read_tool_uses(blocks),
        FINISH_REASONS.get(message.get("stop_reason"), "unknown"),
        read_usage(message.get("usage") or UsageWire()),
        vendor_blocks=_vendor_blocks(blocks),
    )


def join_blocks(blocks: Iterable[Block], kind: Literal["text", "thinking"]) -> str:
    """The text of the answer, or of the thinking."""
    return "".join(cast("Mapping[str, str]", block)[kind] for block in blocks if block["type"] == kind)


def read_tool_uses(blocks: Iterable[Block]) -> list[FunctionCall]:
    """The tool calls.

    Raises:
        ValueError: One has no name.
    """
    uses = (cast("ToolUseBlock", block) for block in blocks if block["type"] == "tool_use")
    return [read_call(use["id"], use["name"], use["input"]) for use in uses]


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
        return {**block, "input": arguments_object(arguments)}
    return block
