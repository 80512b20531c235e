"""Answers of Converse: the wire, and a whole answer as a `CreateResult`.

Answers are read as JSON, as it is on the wire: botocore would make an object of each event, decode signatures that go
back as they came, and drop fields that its version does not know. Fields that are not named here are kept.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Final, Required, cast

from pydantic import with_config
from typing_extensions import TypedDict

from symposia.core import FunctionCall
from symposia.core.models import CreateResult, FinishReasons, RequestUsage, VendorBlocks
from symposia.ext.models._wire_format import OPEN, JsonObject, TokenCount, join_thought, json_parser

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
    uses = tool_uses(blocks)
    calls = [read_call(use) for use in uses if use["name"] != ANSWER_TOOL]
    text, thinking = join_text(blocks), join_thinking(blocks)
    structured = [read_call(use).arguments for use in uses if use["name"] == ANSWER_TOOL]
    reason: FinishReasons = FINISH_REASONS.get(answer["stopReason"], "unknown")
    if structured and not calls:
        text, beside = structured[0], text
        thinking = "\n".join(filter(None, (thinking, beside)))
        reason = "stop" if reason == "function_calls" else reason
    return CreateResult(
        finish_reason=reason,
        content=calls or text,
        usage=read_usage(answer.get("usage") or UsageWire()),
        cached=False,
        thought=join_thought(thinking, text, has_calls=bool(calls)),
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


def read_call(use: ToolUseWire) -> FunctionCall:
    """A tool call, with its arguments as the text that all clients give.

    Raises:
        ValueError: It has no name.
    """
    if not use["name"]:
        raise ValueError("a tool call has no name")
    arguments = use["input"]
    text = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
    return FunctionCall(id=use["toolUseId"], name=use["name"], arguments=text)


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
        return {"toolUse": {**use, "input": {"arguments": use["input"]}}}
    return block
