"""Bedrock's Converse and ConverseStream, as Amazon's servers speak them: the model is in the path."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from symposia.testing.model_server import _event_frames
from symposia.testing.model_server._answers import Reply, Stop, Thinking, ToolCall, halves, words
from symposia.testing.model_server._conversation import Conversation, Message, OfferedTool

NAME = "bedrock"
PATH = re.compile(r"/model/(?P<model>.+)/(?P<method>converse|converse-stream)")
STREAM_TYPE = _event_frames.STREAM_TYPE

KNOWN_FIELDS = frozenset({
    "additionalModelRequestFields", "additionalModelResponseFieldPaths", "guardrailConfig", "inferenceConfig",
    "messages", "outputConfig", "performanceConfig", "promptVariables", "requestMetadata", "serviceTier", "system",
    "toolConfig", "model", "method",
})  # fmt: skip
"""Of a body, and those that the path names."""
STOP_REASONS: Mapping[Stop, str] = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "content_filter": "content_filtered",
}
MOST_CACHE_POINTS = 4

Blocks = Sequence[Mapping[str, Any]]


def conversation(fields: Mapping[str, Any]) -> Conversation:
    """What a request says, in no vendor's terms."""
    offered: Blocks = _within(fields, "toolConfig").get("tools") or ()
    text_format = _within(_within(fields, "outputConfig"), "textFormat")
    return Conversation(
        model=str(fields["model"]),
        system=_text(fields.get("system") or (), "\n\n"),
        messages=tuple(part for message in fields["messages"] for part in _messages(message)),
        tools=tuple(tool for each in offered for tool in _offered(each)),
        output_schema=json.loads(text_format["structure"]["jsonSchema"]["schema"]) if text_format else None,
        streams=fields["method"] == "converse-stream",
    )


def _within(fields: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] | None = fields.get(name)
    return found or {}


def _messages(message: Mapping[str, Any]) -> Iterator[Message]:
    """A message without the results of tools, which become messages of their own."""
    blocks: Blocks = message["content"]
    for block in blocks:
        if result := block.get("toolResult"):
            parts: Blocks = result["content"]
            images = sum("image" in part for part in parts)
            yield Message(role="tool", text=_text(parts), images=images, tool_call_id=result["toolUseId"])
    rest = [block for block in blocks if "toolResult" not in block]
    if rest or not blocks:
        reasoning = [block["reasoningContent"].get("reasoningText") for block in rest if "reasoningContent" in block]
        yield Message(
            role=message["role"],
            text=_text(rest),
            images=sum("image" in block for block in rest),
            thinking="".join(text["text"] for text in reasoning if text),
            tool_calls=tuple(
                ToolCall(id=use["toolUseId"], name=use["name"], arguments=json.dumps(use["input"]))
                for block in rest
                if (use := block.get("toolUse"))
            ),
        )


def _text(blocks: Blocks, between: str = "") -> str:
    return between.join(block["text"] for block in blocks if "text" in block)


def _offered(tool: Mapping[str, Any]) -> Iterator[OfferedTool]:
    if spec := tool.get("toolSpec"):
        schema = spec["inputSchema"]["json"]
        yield OfferedTool(name=spec["name"], description=spec.get("description") or "", parameters=schema)
    elif system := tool.get("systemTool"):
        yield OfferedTool(name=system["name"])


def complaint(fields: Mapping[str, Any], headers: Mapping[str, str]) -> str | None:
    """Why the vendor would refuse this request, if it would."""
    if "authorization" not in headers:
        return "Missing Authentication Token"
    return next(_complaints(fields), None)


def _complaints(fields: Mapping[str, Any]) -> Iterator[str]:
    yield from (f"The field {name} is not known." for name in fields if name not in KNOWN_FIELDS)
    messages: Blocks = fields["messages"]
    blocks = [block for message in messages for block in message["content"]]
    tools: Blocks = _within(fields, "toolConfig").get("tools") or ()
    yield from _turn_complaints(messages)
    yield from _tool_complaints(messages)
    if not tools and any("toolUse" in block or "toolResult" in block for block in blocks):
        yield "The toolConfig field must be defined when using toolUse and toolResult content blocks."
    if sum("cachePoint" in block for block in (*tools, *(fields.get("system") or ()), *blocks)) > MOST_CACHE_POINTS:
        yield "A maximum of 4 cache points may be provided."
    for block in blocks:
        reasoning = _within(_within(block, "reasoningContent"), "reasoningText")
        if reasoning and not str(reasoning.get("signature", "")).startswith("signed-by-the-vendor"):
            yield "The reasoningText has no valid signature."


def _turn_complaints(messages: Blocks) -> Iterator[str]:
    roles = [message["role"] for message in messages]
    if not roles or roles[0] != "user":
        yield "A conversation must start with a user message."
    if any(role == following for role, following in pairwise(roles)):
        yield "A conversation must alternate between user and assistant roles."
    if roles and roles[-1] == "assistant":
        yield "This model does not support assistant message prefill."
    for message in messages:
        blocks: Blocks = message["content"]
        if not blocks:
            yield "The content field of a message is empty."
        if any("text" in block and not block["text"].strip() for block in blocks):
            yield "The text field in the ContentBlock object is blank."


def _tool_complaints(messages: Blocks) -> Iterator[str]:
    unanswered: set[str] = set()
    for message in messages:
        results = {block["toolResult"]["toolUseId"] for block in message["content"] if "toolResult" in block}
        if results - unanswered:
            yield "The number of toolResult blocks exceeds the number of toolUse blocks of previous turn."
        if unanswered - results:
            yield "Expected toolResult blocks for the toolUse blocks of the previous turn."
        unanswered = {block["toolUse"]["toolUseId"] for block in message["content"] if "toolUse" in block}


def error(status: int, message: str) -> object:
    """The body of an error."""
    del status
    return {"message": message}


def whole(reply: Reply, fields: Mapping[str, Any]) -> object:
    """The answer to a request that does not stream."""
    del fields
    said = reply.text or reply.refusal
    content = [
        *({"reasoningContent": _reasoning(block)} for block in reply.thinking),
        *([{"text": said}] if said else []),
        *({"toolUse": {**_use(call), "input": call.parsed_arguments}} for call in reply.tool_calls),
    ]
    return {
        "output": {"message": {"role": "assistant", "content": content}},
        "stopReason": _stop_reason(reply),
        "usage": _usage(reply),
        "metrics": {"latencyMs": 1},
    }


def events(reply: Reply, fields: Mapping[str, Any]) -> Iterator[bytes]:
    """The answer to a request that streams. Blocks of text and reasoning begin with their first piece."""
    del fields
    yield _event("messageStart", {"role": "assistant"})
    for index, (start, deltas) in enumerate(_streamed_blocks(reply)):
        if start is not None:
            yield _event("contentBlockStart", {"start": start, "contentBlockIndex": index})
        for delta in deltas:
            yield _event("contentBlockDelta", {"delta": delta, "contentBlockIndex": index})
        yield _event("contentBlockStop", {"contentBlockIndex": index})
    yield _event("messageStop", {"stopReason": _stop_reason(reply)})
    yield _event("metadata", {"usage": _usage(reply), "metrics": {"latencyMs": 1}})


def _event(kind: str, data: Mapping[str, Any]) -> bytes:
    return _event_frames.frame(json.dumps(data).encode(), kind)


def _streamed_blocks(reply: Reply) -> Iterator[tuple[Mapping[str, Any] | None, Iterable[Mapping[str, Any]]]]:
    for block in reply.thinking:
        if block.data is not None:
            yield None, [{"reasoningContent": _reasoning(block)}]
        else:
            pieces = [{"reasoningContent": {"text": piece}} for piece in words(block.text)]
            yield None, [*pieces, {"reasoningContent": {"signature": block.signature}}]
    if said := reply.text or reply.refusal:
        yield None, [{"text": piece} for piece in words(said)]
    for call in reply.tool_calls:
        yield {"toolUse": _use(call)}, [{"toolUse": {"input": piece}} for piece in halves(call.arguments)]


def _use(call: ToolCall) -> Mapping[str, str]:
    return {"toolUseId": call.id, "name": call.name}


def _reasoning(block: Thinking) -> Mapping[str, Any]:
    if block.data is not None:
        return {"redactedContent": b64encode(block.data.encode()).decode()}
    return {"reasoningText": {"text": block.text, "signature": block.signature}}


def _stop_reason(reply: Reply) -> str:
    return STOP_REASONS["content_filter" if reply.refusal else reply.stop_reason]


def _usage(reply: Reply) -> Mapping[str, int]:
    prompt, output = reply.usage
    cached = {"cacheReadInputTokens": reply.cached_tokens} if reply.cached_tokens else {}
    return {"inputTokens": prompt, "outputTokens": output, "totalTokens": prompt + output, **cached}
