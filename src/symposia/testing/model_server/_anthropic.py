"""Anthropic Messages, as its servers speak it since API version 2026-10-21."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from symposia.testing.model_server._answers import Reply, Stop, Thinking, ToolCall, event, halves, words
from symposia.testing.model_server._conversation import Conversation, Message, OfferedTool

NAME = "anthropic"
PATH = re.compile(r"/v1/messages")
STREAM_TYPE = "text/event-stream"

Blocks = Iterable[Mapping[str, Any]]

STOP_REASONS: Mapping[Stop, str] = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "content_filter": "refusal",
}
ERROR_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    404: "not_found_error",
    429: "rate_limit_error",
}
TAKES_PREFILL = re.compile(r"claude-(3|\w+-4-5)")
SAMPLING = ("temperature", "top_p", "top_k")
SAMPLING_VERSION = "2023-06-01"
MOST_CACHE_MARKS = 4


def conversation(fields: Mapping[str, Any]) -> Conversation:
    """What a request says, in no vendor's terms."""
    config: Mapping[str, Any] = fields.get("output_config") or {}
    wanted: Mapping[str, Any] = config.get("format") or {}
    return Conversation(
        model=str(fields["model"]),
        system=_text(_content(fields.get("system") or ())),
        messages=tuple(part for message in fields["messages"] for part in _messages(message)),
        tools=tuple(
            OfferedTool(
                name=tool["name"], description=tool.get("description") or "", parameters=tool.get("input_schema")
            )
            for tool in fields.get("tools") or ()
        ),
        output_schema=wanted.get("schema"),
        streams=bool(fields.get("stream")),
    )


def _messages(message: Mapping[str, Any]) -> Iterator[Message]:
    """A message of the user, without the results of tools, which become messages of their own."""
    blocks = _blocks(message)
    for block in blocks:
        if block["type"] == "tool_result":
            inner = _content(block.get("content") or ())
            images = sum(part["type"] == "image" for part in inner)
            yield Message(role="tool", text=_text(inner), images=images, tool_call_id=block["tool_use_id"])
    rest = [block for block in blocks if block["type"] != "tool_result"]
    if rest or not blocks:
        yield Message(
            role=message["role"],
            text=_text(rest),
            images=sum(block["type"] == "image" for block in rest),
            thinking="".join(block["thinking"] for block in rest if block["type"] == "thinking"),
            tool_calls=tuple(
                ToolCall(id=block["id"], name=block["name"], arguments=json.dumps(block["input"]))
                for block in rest
                if block["type"] == "tool_use"
            ),
        )


def _text(blocks: Blocks) -> str:
    return "\n".join(block["text"] for block in blocks if block["type"] == "text")


def complaint(body: Mapping[str, Any], headers: Mapping[str, str]) -> str | None:
    """Why the vendor would refuse this request, if it would."""
    return next(_complaints(body, headers), None)


def _complaints(body: Mapping[str, Any], headers: Mapping[str, str]) -> Iterator[str]:
    yield from _field_complaints(body, headers)
    yield from _message_complaints(body["messages"], prefill=bool(TAKES_PREFILL.match(body["model"])))
    yield from _tool_complaints(body["messages"])
    yield from _cache_complaints(body)
    if body.get("thinking", {}).get("type") in ("enabled", "adaptive"):
        yield from _thinking_complaints(body["messages"])


def _field_complaints(body: Mapping[str, Any], headers: Mapping[str, str]) -> Iterator[str]:
    if headers.get("anthropic-version") != SAMPLING_VERSION:
        yield from (f"{name}: Extra inputs are not permitted" for name in SAMPLING if name in body)
    if "max_tokens" not in body:
        yield "max_tokens: Field required"
    if body.get("tool_choice") is not None and not body.get("tools"):
        yield "tool_choice may only be specified while providing tools"


def _cache_complaints(body: Mapping[str, Any]) -> Iterator[str]:
    system = body.get("system", ())
    parts = [*body.get("tools", ()), *(() if isinstance(system, str) else system)]
    blocks = [block for message in body["messages"] for block in _blocks(message)]
    if sum("cache_control" in block for block in (*parts, *blocks)) > MOST_CACHE_MARKS:
        yield "A maximum of 4 blocks with cache_control may be provided."
    if any("cache_control" in block and block["type"] in ("thinking", "redacted_thinking") for block in blocks):
        yield "cache_control: Extra inputs are not permitted"


def _message_complaints(messages: Sequence[Mapping[str, Any]], *, prefill: bool) -> Iterator[str]:
    if not messages or messages[0]["role"] != "user":
        yield "messages: first message must use the 'user' role"
    elif messages[-1]["role"] == "assistant" and not prefill:
        yield "This model does not support assistant message prefill."
    for message in messages:
        if any(block["type"] == "text" and not block["text"].strip() for block in _blocks(message)):
            yield "messages: text content blocks must contain non-whitespace text"


def _blocks(message: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return _content(message["content"])


def _content(content: str | Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else list(content)


def _tool_complaints(messages: Blocks) -> Iterator[str]:
    unanswered: set[str] = set()
    for message in messages:
        results = {block["tool_use_id"] for block in _blocks(message) if block["type"] == "tool_result"}
        if results - unanswered:
            yield "unexpected `tool_use_id` found in `tool_result` blocks"
        if unanswered - results:
            yield "`tool_use` ids were found without `tool_result` blocks immediately after"
        unanswered = {block["id"] for block in _blocks(message) if block["type"] == "tool_use"}


def _thinking_complaints(messages: Blocks) -> Iterator[str]:
    for message in messages:
        kinds = [block["type"] for block in _blocks(message)]
        if "tool_use" in kinds and kinds[0] not in ("thinking", "redacted_thinking"):
            yield "Expected `thinking` or `redacted_thinking`, but found `tool_use`."
        for block in _blocks(message):
            if block["type"] == "thinking" and not str(block.get("signature", "")).startswith("signed-by-the-vendor"):
                yield "Invalid `signature` in `thinking` block"


def error(status: int, message: str) -> object:
    """The body of an error."""
    return {"type": "error", "error": {"type": ERROR_TYPES.get(status, "api_error"), "message": message}}


def whole(reply: Reply, body: Mapping[str, Any]) -> object:
    """The answer to a request that does not stream."""
    return {
        **_frame(body),
        "content": [*map(_thinking_block, reply.thinking), *_text_blocks(reply), *_tool_blocks(reply)],
        "stop_reason": _stop_reason(reply),
        "usage": {**_usage(reply, reply.usage[1]), **_output(reply)},
    }


def events(reply: Reply, body: Mapping[str, Any]) -> Iterator[bytes]:
    """The answer to a request that streams."""
    started: dict[str, object] = {**_frame(body), "content": [], "usage": _usage(reply, 1)}
    yield event({"type": "message_start", "message": started}, "message_start")
    yield event({"type": "ping"}, "ping")
    for index, (start, deltas) in enumerate(_streamed_blocks(reply)):
        yield event({"type": "content_block_start", "index": index, "content_block": start}, "content_block_start")
        for delta in deltas:
            yield event({"type": "content_block_delta", "index": index, "delta": delta}, "content_block_delta")
        yield event({"type": "content_block_stop", "index": index}, "content_block_stop")
    ended = {"stop_reason": _stop_reason(reply), "stop_sequence": None}
    yield event({"type": "message_delta", "delta": ended, "usage": _output(reply)}, "message_delta")
    yield event({"type": "message_stop"}, "message_stop")


def _streamed_blocks(reply: Reply) -> Iterator[tuple[Mapping[str, Any], Sequence[Mapping[str, Any]]]]:
    for thought in reply.thinking:
        if thought.data is not None:
            yield _thinking_block(thought), []
            continue
        pieces = [{"type": "thinking_delta", "thinking": piece} for piece in words(thought.text)]
        signed = {"type": "signature_delta", "signature": thought.signature}
        yield {"type": "thinking", "thinking": "", "signature": ""}, [*pieces, signed]
    if said := reply.text or reply.refusal:
        yield {"type": "text", "text": ""}, [{"type": "text_delta", "text": piece} for piece in words(said)]
    for block, call in zip(_tool_blocks(reply), reply.tool_calls, strict=True):
        pieces = [{"type": "input_json_delta", "partial_json": piece} for piece in ("", *halves(call.arguments))]
        yield {**block, "input": {}}, pieces


def _thinking_block(thought: Thinking) -> Mapping[str, Any]:
    if thought.data is not None:
        return {"type": "redacted_thinking", "data": thought.data}
    return {"type": "thinking", "thinking": thought.text, "signature": thought.signature}


def _text_blocks(reply: Reply) -> Blocks:
    said = reply.text or reply.refusal
    return [{"type": "text", "text": said}] if said else []


def _stop_reason(reply: Reply) -> str:
    return STOP_REASONS["content_filter" if reply.refusal else reply.stop_reason]


def _tool_blocks(reply: Reply) -> Blocks:
    return [
        {"type": "tool_use", "id": call.id, "name": call.name, "input": call.parsed_arguments}
        for call in reply.tool_calls
    ]


def _frame(body: Mapping[str, Any]) -> dict[str, object]:
    return {
        "id": "msg_1", "type": "message", "role": "assistant", "model": body["model"], "stop_reason": None,
        "stop_sequence": None,
    }  # fmt: skip


def _usage(reply: Reply, output: int) -> Mapping[str, object]:
    return {
        "input_tokens": reply.usage[0],
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": reply.cached_tokens,
        "output_tokens": output,
    }


def _output(reply: Reply) -> Mapping[str, object]:
    details = {"output_tokens_details": {"thinking_tokens": reply.reasoning_tokens}} if reply.reasoning_tokens else {}
    return {"output_tokens": reply.usage[1], **details}
