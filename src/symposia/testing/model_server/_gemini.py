"""Gemini's `generateContent`, as its servers speak it, at Google's developer address and at Vertex AI's."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from symposia.testing.model_server._answers import Reply, Stop, ToolCall, event, words
from symposia.testing.model_server._conversation import Conversation, Message, OfferedTool

NAME = "gemini"
PATH = re.compile(r"/v1\w*/(?:.+/)?models/(?P<model>[^/:]+):(?P<method>generateContent|streamGenerateContent)")
STREAM_TYPE = "text/event-stream"

KNOWN_FIELDS = frozenset({
    "cachedContent", "contents", "generationConfig", "labels", "safetySettings", "serviceTier", "store",
    "systemInstruction", "toolConfig", "tools", "model", "method",
})  # fmt: skip
"""Of a body, and those that the path names."""
FINISH_REASONS: Mapping[Stop, str] = {
    "stop": "STOP",
    "tool_calls": "STOP",
    "length": "MAX_TOKENS",
    "content_filter": "SAFETY",
}
ERROR_STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}

Parts = Sequence[Mapping[str, Any]]


def conversation(fields: Mapping[str, Any]) -> Conversation:
    """What a request says, in no vendor's terms."""
    config = _within(fields, "generationConfig")
    offered: Iterable[Mapping[str, Any]] = fields.get("tools") or ()
    return Conversation(
        model=str(fields["model"]),
        system=_text(_within(fields, "systemInstruction").get("parts") or ()),
        messages=tuple(part for content in fields["contents"] for part in _messages(content)),
        tools=tuple(tool for each in offered for tool in _offered(each)),
        output_schema=config.get("responseJsonSchema") or config.get("responseSchema"),
        streams=fields["method"] == "streamGenerateContent",
    )


def _within(fields: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] | None = fields.get(name)
    return found or {}


def _messages(content: Mapping[str, Any]) -> Iterator[Message]:
    """A content without the results of functions, which become messages of their own."""
    parts: Parts = content.get("parts") or ()
    for part in parts:
        if result := part.get("functionResponse"):
            yield Message(
                role="tool", text=json.dumps(result["response"]), tool_call_id=result.get("id") or result["name"]
            )
    rest = [part for part in parts if "functionResponse" not in part]
    if rest or not parts:
        calls = [part["functionCall"] for part in rest if "functionCall" in part]
        yield Message(
            role="assistant" if content.get("role") == "model" else "user",
            text=_text(rest),
            images=sum("inlineData" in part or "fileData" in part for part in rest),
            thinking="".join(part.get("text", "") for part in rest if part.get("thought")),
            tool_calls=tuple(
                ToolCall(
                    id=call.get("id") or call["name"], name=call["name"], arguments=json.dumps(call.get("args") or {})
                )
                for call in calls
            ),
        )


def _text(parts: Parts) -> str:
    return "".join(part.get("text", "") for part in parts if not part.get("thought"))


def _offered(tool: Mapping[str, Any]) -> Iterator[OfferedTool]:
    for name in tool.keys() - {"functionDeclarations"}:  # a tool at the vendor
        yield OfferedTool(name=name)
    for function in tool.get("functionDeclarations") or ():
        schema = function.get("parametersJsonSchema") or function.get(
            "parameters_json_schema"
        )  # the SDK sends this one
        yield OfferedTool(
            name=function["name"],
            description=function.get("description") or "",
            parameters=schema or function.get("parameters"),
        )


def complaint(fields: Mapping[str, Any], _headers: Mapping[str, str]) -> str | None:
    """Why the vendor would refuse this request, if it would."""
    return next(_complaints(fields), None)


def _complaints(fields: Mapping[str, Any]) -> Iterator[str]:
    yield from (f'Invalid JSON payload received. Unknown name "{name}".' for name in fields if name not in KNOWN_FIELDS)
    contents: Sequence[Mapping[str, Any]] = fields["contents"]
    if not contents:
        yield "* GenerateContentRequest.contents: contents is not specified"
    calls = 0
    for content in contents:
        parts: Parts = content.get("parts") or ()
        if not parts:
            yield "* GenerateContentRequest.contents.parts: contents.parts must not be empty."
        results = sum("functionResponse" in part for part in parts)
        if results != calls:
            yield "The number of function response parts has to equal that of the function call parts before them."
        calls = sum("functionCall" in part for part in parts)


def error(status: int, message: str) -> object:
    """The body of an error."""
    return {"error": {"code": status, "message": message, "status": ERROR_STATUSES.get(status, "INTERNAL")}}


def whole(reply: Reply, fields: Mapping[str, Any]) -> object:
    """The answer to a request that does not stream."""
    said = reply.text or reply.refusal
    parts = [*_thoughts(reply, whole=True), *([{"text": said}] if said else []), *_calls(reply)]
    return {**_candidate(parts, reply), **_usage(reply), **_frame(fields)}


def events(reply: Reply, fields: Mapping[str, Any]) -> Iterator[bytes]:
    """The answer to a request that streams. Calls come whole, and usage with the end."""
    spoken = [{"text": piece} for piece in words(reply.text or reply.refusal)]
    for part in [*_thoughts(reply, whole=False), *spoken, *_calls(reply)]:
        yield event({**_candidate([part], None), **_frame(fields)})
    yield event({**_candidate([{"text": ""}], reply), **_usage(reply), **_frame(fields)})


def _candidate(parts: Parts, ended: Reply | None) -> dict[str, object]:
    candidate: dict[str, object] = {"content": {"role": "model", "parts": parts}, "index": 0}
    if ended is not None:
        candidate["finishReason"] = FINISH_REASONS["content_filter" if ended.refusal else ended.stop_reason]
    return {"candidates": [candidate]}


def _thoughts(reply: Reply, *, whole: bool) -> list[dict[str, Any]]:
    texts = [block.text for block in reply.thinking if block.text]
    pieces = texts if whole else [piece for text in texts for piece in words(text)]
    return [{"text": piece, "thought": True} for piece in pieces]


def _calls(reply: Reply) -> list[dict[str, Any]]:
    """The parts of the calls. The vendor signs its thinking on the first of them."""
    parts: list[dict[str, Any]] = [
        {"functionCall": {"id": call.id, "name": call.name, "args": call.parsed_arguments}, **call.extra}
        for call in reply.tool_calls
    ]
    if parts and reply.thinking:
        parts[0]["thoughtSignature"] = b64encode(reply.thinking[0].signature.encode()).decode()
    return parts


def _usage(reply: Reply) -> dict[str, object]:
    if not any(reply.usage):
        return {}
    prompt, output = reply.usage
    usage = {"promptTokenCount": prompt, "candidatesTokenCount": output, "totalTokenCount": prompt + output}
    if reply.reasoning_tokens:  # which the vendor counts apart
        usage["thoughtsTokenCount"] = reply.reasoning_tokens
        usage["candidatesTokenCount"] -= reply.reasoning_tokens
    if reply.cached_tokens:
        usage["cachedContentTokenCount"] = reply.cached_tokens
    return {"usageMetadata": usage}


def _frame(fields: Mapping[str, Any]) -> dict[str, object]:
    return {"modelVersion": fields["model"], "responseId": "response-1"}
