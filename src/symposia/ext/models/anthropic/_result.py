"""A whole answer of the Messages API as a `CreateResult`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Final, cast

from symposia.core import FunctionCall
from symposia.core.exceptions import ModelError
from symposia.core.models import CreateResult, FinishReasons, RequestUsage, VendorBlocks
from symposia.ext.models.anthropic._messages import VENDOR
from symposia.ext.models.anthropic._wire import Block, MessageWire, UsageWire

FINISH_REASONS: Final[Mapping[str | None, FinishReasons]] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "function_calls",
    "refusal": "content_filter",
}
_OPAQUE: Final = frozenset({"thinking", "redacted_thinking"})


def read_message(answer: object, model: str) -> CreateResult:
    """What an answer says.

    Raises:
        ModelError: It is no answer of the Messages API.
    """
    message = _checked(answer, model)
    blocks = message.get("content", [])
    calls = [_function_call(block) for block in blocks if block["type"] == "tool_use"]
    text = _join(blocks, "text")
    thinking = _join(blocks, "thinking")
    return CreateResult(
        finish_reason=FINISH_REASONS.get(message.get("stop_reason"), "unknown"),
        content=calls or text,
        usage=_usage(message.get("usage", {})),
        cached=False,
        thought=("\n".join(filter(None, (thinking, text))) if calls else thinking) or None,
        vendor_blocks=_vendor_blocks(blocks),
    )


def _checked(answer: object, model: str) -> MessageWire:
    if isinstance(answer, Mapping) and "content" in answer:
        return cast("MessageWire", answer)
    raise ModelError(
        f"The server's answer for model {model!r} is not one of the Messages API, or is cut off; check base_url. "
        f"It begins: {str(cast('object', answer))[:200]}"
    )


def _function_call(block: Block) -> FunctionCall:
    arguments = block["input"]
    text = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
    return FunctionCall(id=block["id"], name=block["name"], arguments=text)


def _join(blocks: Iterable[Block], kind: str) -> str:
    return "".join(block[kind] for block in blocks if block["type"] == kind)


def _usage(usage: UsageWire) -> RequestUsage:
    """Tokens read from a cache are tokens of the prompt, too."""
    prompt = (usage.get("input_tokens"), usage.get("cache_creation_input_tokens"), usage.get("cache_read_input_tokens"))
    return RequestUsage(prompt_tokens=sum(filter(None, prompt)), completion_tokens=usage.get("output_tokens") or 0)


def _vendor_blocks(blocks: list[Block]) -> VendorBlocks | None:
    """All blocks, in their order, if there are some that only the vendor understands."""
    if not any(block["type"] in _OPAQUE for block in blocks):
        return None
    return {VENDOR: [_sendable(block) for block in blocks]}


def _sendable(block: Block) -> Block:
    """A block as the API takes it back, which is as it came, but for arguments that were cut off in the middle."""
    if isinstance(arguments := block.get("input"), str):
        return {**block, "input": {"arguments": arguments}}
    return block
