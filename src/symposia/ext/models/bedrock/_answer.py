"""Answers of Converse: the wire, and a whole answer as a `CreateResult`.

Answers are read as JSON, as it is on the wire: botocore would make an object of each event, decode signatures that go
back as they came, and drop fields that its version does not know. Fields that are not named here are kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Required, cast

from pydantic import with_config
from typing_extensions import TypedDict

from symposia.core import FunctionCall
from symposia.core.models import CreateResult, FinishReasons, RequestUsage, VendorBlocks
from symposia.ext.models._answers import OPEN, TokenCount, create_result, json_parser
from symposia.ext.models._tool_calls import arguments_object, arguments_text, read_call
from symposia.ext.models._wire_format import JsonObject

# The wire ------------------------------------------------------------------------------------------------------------


@with_config(OPEN)
class ToolUseWire(TypedDict, total=False):
    """A tool call. One with a type runs on the vendor's servers."""

    toolUseId: Required[str]
    name: Required[str]
    input: Required[JsonObject | str]  # text, where the limit of tokens cut the arguments off
    type: str | None


@with_config(OPEN)
class ReasoningTextWire(TypedDict, total=False):
    text: Required[str]
    signature: str | None


@with_config(OPEN)
class ReasoningWire(TypedDict, total=False):
    """Reasoning in words, or encrypted."""

    reasoningText: ReasoningTextWire
    redactedContent: str


@with_config(OPEN)
class Block(TypedDict, total=False):
    """A part of an answer: the field that is set says of which kind it is."""

    text: str
    toolUse: ToolUseWire
    reasoningContent: ReasoningWire


@with_config(OPEN)
class ContentWire(TypedDict):
    content: list[Block]


@with_config(OPEN)
class OutputWire(TypedDict):
    message: ContentWire


@with_config(OPEN)
class UsageWire(TypedDict, total=False):
    inputTokens: TokenCount | None
    outputTokens: TokenCount | None
    cacheReadInputTokens: TokenCount | None
    cacheWriteInputTokens: TokenCount | None


@with_config(OPEN)
class AnswerWire(TypedDict, total=False):
    """A whole answer."""

    output: Required[OutputWire]
    stopReason: Required[str]
    usage: UsageWire | None


_answer: Final = json_parser(AnswerWire)


def parse_answer(data: bytes) -> AnswerWire:
    """The body of a response, checked.

    Raises:
        ValueError: It is not an answer, or it reports an error.
    """
    return _answer(data)


# The result ----------------------------------------------------------------------------------------------------------

VENDOR: Final = "bedrock"
ANSWER_TOOL: Final = "structured_answer"
"""The tool whose arguments are the answer, where the model has no other way to keep to a schema."""
FINISH_REASONS: Final[Mapping[str, FinishReasons]] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "function_calls",
    "guardrail_intervened": "content_filter",
    "content_filtered": "content_filter",
}
"""By the API's reference; a reason that is not listed, such as ``malformed_tool_use``, is unknown here."""


def read_answer(answer: AnswerWire) -> CreateResult:
    """The result of an answer.

    Raises:
        ValueError: A call has no name.
    """
    blocks = answer["output"]["message"]["content"]
    calls = read_tool_uses(blocks)
    text, thinking = join_text(blocks), join_thinking(blocks)
    structured = [use["input"] for use in tool_uses(blocks) if use["name"] == ANSWER_TOOL]
    reason: FinishReasons = FINISH_REASONS.get(answer["stopReason"], "unknown")
    if structured and not calls:
        thinking = "\n".join(filter(None, (thinking, text)))
        text = arguments_text(structured[0])
        reason = "stop" if reason == "function_calls" else reason
    return create_result(
        text,
        thinking,
        calls,
        reason,
        read_usage(answer.get("usage") or UsageWire()),
        vendor_blocks=_vendor_blocks(blocks),
    )


def tool_uses(blocks: Sequence[Block]) -> list[ToolUseWire]:
    """The calls that the program has to make: those with a type are made by the vendor."""
    return [use for block in blocks if (use := block.get("toolUse")) is not None and not use.get("type")]


def join_text(blocks: Sequence[Block]) -> str:
    """The text of the answer."""
    return "".join(block.get("text", "") for block in blocks)


def join_thinking(blocks: Sequence[Block]) -> str:
    """The reasoning that comes in words."""
    texts = (block["reasoningContent"].get("reasoningText") for block in blocks if "reasoningContent" in block)
    return "".join(text["text"] for text in texts if text is not None)


def read_tool_uses(blocks: Sequence[Block]) -> list[FunctionCall]:
    """The tool calls, but for those that are the answer.

    Raises:
        ValueError: One has no name.
    """
    uses = (use for use in tool_uses(blocks) if use["name"] != ANSWER_TOOL)
    return [read_call(use["toolUseId"], use["name"], use["input"]) for use in uses]


def read_usage(usage: UsageWire) -> RequestUsage:
    """The tokens of a request. Those that a cache was read or written for are tokens of the prompt, too."""
    cached = usage.get("cacheReadInputTokens") or 0
    written = usage.get("cacheWriteInputTokens") or 0
    return RequestUsage(
        prompt_tokens=(usage.get("inputTokens") or 0) + cached + written,
        completion_tokens=usage.get("outputTokens") or 0,
        cached_tokens=cached,
        cache_write_tokens=written,
    )


def _vendor_blocks(blocks: Sequence[Block]) -> VendorBlocks | None:
    """All blocks that can be returned, in their order, if one is reasoning that the model wants back.

    Reasoning without a signature is not returned: models that do not sign refuse it.
    """
    if not any(map(_is_sealed, blocks)):
        return None
    kept = [block for block in blocks if "reasoningContent" not in block or _is_sealed(block)]
    return {VENDOR: [_sendable(cast("JsonObject", block)) for block in kept]}


def _is_sealed(block: Block) -> bool:
    reasoning = block.get("reasoningContent") or ReasoningWire()
    return "redactedContent" in reasoning or bool(reasoning.get("reasoningText", {}).get("signature"))


def _sendable(block: JsonObject) -> JsonObject:
    """A block as the API takes it back, which is as it came, but for arguments that were cut off in the middle."""
    use = block.get("toolUse")
    if use is not None and isinstance(use["input"], str):
        return {"toolUse": {**use, "input": arguments_object(use["input"])}}
    return block
