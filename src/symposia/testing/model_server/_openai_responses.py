"""OpenAI's Responses API, as its servers speak it. Each event of a stream is named in its data as well."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any

from symposia.testing.model_server._answers import Reply, Thinking, ToolCall, event, halves, words
from symposia.testing.model_server._conversation import Conversation, Message, OfferedTool
from symposia.testing.model_server._openai import REASONING, SYSTEM_ROLES, error, schema_complaints

__all__ = ["NAME", "PATH", "STREAM_TYPE", "complaint", "conversation", "error", "events", "whole"]

NAME = "openai-responses"
PATH = re.compile(r"(?:/v1|/openai|/openai/v1)/responses")
STREAM_TYPE = "text/event-stream"

KNOWN_FIELDS = frozenset({
    "conversation", "include", "input", "instructions", "max_output_tokens", "max_tool_calls", "metadata", "model",
    "parallel_tool_calls", "previous_response_id", "prompt_cache_key", "reasoning", "safety_identifier",
    "service_tier", "store", "stream", "stream_options", "temperature", "text", "tool_choice", "tools", "top_logprobs",
    "top_p", "truncation", "user",
})  # fmt: skip
MESSAGE_FIELDS = frozenset({"type", "id", "role", "content", "status", "phase"})
PARTS = {
    "user": ("input_text", "input_image", "input_file"),
    "system": ("input_text",),
    "developer": ("input_text",),
    "assistant": ("output_text", "refusal"),
}
LEAST_TOKENS = 16
ID = re.compile(r"resp_[0-9a-f]{24}_(?P<turn>\d+)")
LONGEST_CALL_ID = 64


def conversation(fields: Mapping[str, Any]) -> Conversation:
    """What a request says, in no vendor's terms."""
    items = _items(fields)
    system = [_text(item) for item in items if item.get("role") in SYSTEM_ROLES]
    form = _within(_within(fields, "text"), "format")
    return Conversation(
        model=str(fields["model"]),
        system="\n\n".join([fields["instructions"], *system] if fields.get("instructions") else system),
        messages=tuple(_messages(item for item in items if item.get("role") not in SYSTEM_ROLES)),
        tools=tuple(_offered(tool) for tool in fields.get("tools") or ()),
        output_schema=form.get("schema") if form.get("type") == "json_schema" else None,
        streams=bool(fields.get("stream")),
        earlier_turns=_turn_of(str(fields.get("previous_response_id"))),
    )


def _turn_of(response: str) -> int:
    """The turn of a response, by its id; 0 if no response of this server has it."""
    found = ID.fullmatch(response)
    return int(found["turn"]) if found else 0


def _within(fields: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] | None = fields.get(name)
    return found or {}


def _items(fields: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    given = fields.get("input", ())  # a stored prompt may have it all
    return [{"role": "user", "content": given}] if isinstance(given, str) else given


def _messages(items: Iterable[Mapping[str, Any]]) -> Iterator[Message]:
    """The messages that items are: those of the model that follow each other are one answer."""
    texts: list[str] = []
    thinking: list[str] = []
    calls: list[ToolCall] = []

    def answer() -> Iterator[Message]:
        if texts or thinking or calls:
            yield Message(role="assistant", text="".join(texts), thinking="".join(thinking), tool_calls=tuple(calls))
        for pieces in (texts, thinking, calls):
            pieces.clear()

    for item in items:
        match item.get("type", "message"), item.get("role"):
            case "reasoning", _:
                thinking += [part["text"] for part in item["summary"]]
            case "function_call", _:
                calls.append(ToolCall(id=item["call_id"], name=item["name"], arguments=item["arguments"]))
            case "message", "assistant":
                texts.append(_text(item))
            case "message", _:
                yield from answer()
                images = sum(part["type"] == "input_image" for part in _parts(item))
                yield Message(role="user", text=_text(item), images=images)
            case "function_call_output", _:
                yield from answer()
                yield Message(role="tool", text=str(item["output"]), tool_call_id=item["call_id"])
            case _:  # what a tool at the vendor did
                pass
    yield from answer()


def _text(item: Mapping[str, Any]) -> str:
    return "".join(part.get("text") or part.get("refusal") or "" for part in _parts(item))


def _parts(item: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    content = item["content"]
    kind = "output_text" if item.get("role") == "assistant" else "input_text"
    return [{"type": kind, "text": content}] if isinstance(content, str) else content


def _offered(tool: Mapping[str, Any]) -> OfferedTool:
    name = tool.get("name") or tool["type"]
    return OfferedTool(name=name, description=tool.get("description") or "", parameters=tool.get("parameters"))


# What the vendor refuses --------------------------------------------------------------------------------------------


def complaint(body: Mapping[str, Any], _headers: Mapping[str, str]) -> str | None:
    """Why the vendor would refuse this request, if it would."""
    return next(_complaints(body), None)


def _complaints(body: Mapping[str, Any]) -> Iterator[str]:
    for name in body:
        if name not in KNOWN_FIELDS:
            yield f"Unknown parameter: '{name}'."
    yield from _model_complaints(body)
    yield from _option_complaints(body)
    for number, item in enumerate(_items(body)):
        yield from _item_complaints(f"input[{number}]", item, stored=body.get("store", True))
    if not body.get("previous_response_id"):
        yield from _call_complaints(_items(body))
    yield from _format_complaints(body)


def _option_complaints(body: Mapping[str, Any]) -> Iterator[str]:
    if (limit := body.get("max_output_tokens")) is not None and limit < LEAST_TOKENS:
        yield f"Invalid 'max_output_tokens': integer below minimum value. Expected a value >= {LEAST_TOKENS}."
    if body.get("stream_options") is not None and not body.get("stream"):
        yield "The 'stream_options' parameter is only allowed when 'stream' is enabled."
    if body.get("previous_response_id") and body.get("conversation"):
        yield "Mutually exclusive parameters: 'previous_response_id' and 'conversation'."
    if body.get("tool_choice") not in (None, "auto", "none") and not body.get("tools"):
        yield "Tool choice 'required' must be specified with 'tools' parameter."
    for number, tool in enumerate(body.get("tools") or ()):
        if tool["type"] == "function" and not tool.get("name"):
            yield f"Missing required parameter: 'tools[{number}].name'."


def _model_complaints(body: Mapping[str, Any]) -> Iterator[str]:
    reasons = REASONING.match(str(body["model"])) is not None
    effort = _within(body, "reasoning").get("effort")
    for name in ("temperature", "top_p", "top_logprobs"):
        if reasons and effort != "none" and name in body:
            yield f"Unsupported parameter: '{name}' is not supported with this model."
    if not reasons and effort is not None:
        yield "Unsupported parameter: 'reasoning.effort' is not supported with this model."
    if not reasons and "reasoning.encrypted_content" in (body.get("include") or ()):
        yield "Encrypted content is not supported with this model."


def _item_complaints(place: str, item: Mapping[str, Any], *, stored: bool) -> Iterator[str]:
    kind = item.get("type", "message")
    if kind == "message":
        for name in item.keys() - MESSAGE_FIELDS:
            yield f"Unknown parameter: '{place}.{name}'."
        for number, part in enumerate(_parts(item)):
            allowed = PARTS[item["role"]]
            if part["type"] not in allowed:
                yield f"Invalid value: '{part['type']}'. Supported values are: {allowed}. {place}.content[{number}]"
    if kind == "reasoning" and not item.get("encrypted_content") and not stored:
        yield f"Item with id '{item['id']}' not found. Items are not persisted when `store` is set to false."
    if len(item.get("call_id") or "") > LONGEST_CALL_ID:
        yield f"Invalid '{place}.call_id': string too long. Expected a string with maximum length {LONGEST_CALL_ID}."


def _call_complaints(items: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    unanswered: set[str] = set()
    for item in items:
        match item.get("type"):
            case "function_call":
                unanswered.add(item["call_id"])
            case "function_call_output" if item["call_id"] not in unanswered:
                yield f"No tool call found for function call output with call_id {item['call_id']}."
            case "function_call_output":
                unanswered.discard(item["call_id"])
            case _:
                pass
    for call in sorted(unanswered):
        yield f"No tool output found for function call {call}."


def _format_complaints(body: Mapping[str, Any]) -> Iterator[str]:
    form = _within(_within(body, "text"), "format")
    if form.get("type") == "json_schema":
        if not form.get("name"):
            yield "Missing required parameter: 'text.format.name'."
        if form.get("strict"):
            yield from schema_complaints("text.format", form["schema"])
    if form.get("type") == "json_object" and "json" not in str(body.get("input")).lower():
        yield "Response input messages must contain the word 'json' in some form to use 'text.format' of 'json_object'."


# Answers --------------------------------------------------------------------------------------------------------------


def whole(reply: Reply, body: Mapping[str, Any]) -> object:
    """The answer to a request that does not stream."""
    return _response(reply, body, _output(reply, body))


def events(reply: Reply, body: Mapping[str, Any]) -> Iterator[bytes]:
    """The answer to a request that streams."""
    begun: Mapping[str, Any] = {**_frame(body), "status": "in_progress", "output": [], "usage": None}
    named: list[tuple[str, Mapping[str, Any]]] = [
        ("response.created", {"response": begun}),
        ("response.in_progress", {"response": begun}),
    ]
    items = _output(reply, body)
    for index, item in enumerate(items):
        named += [(name, {"output_index": index, **fields}) for name, fields in _item_events(item)]
    last = _response(reply, body, items)
    named.append((f"response.{last['status']}", {"response": last}))
    for number, (name, fields) in enumerate(named):
        yield event({"type": name, "sequence_number": number, **fields}, name)


def _item_events(item: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    identity = {"item_id": item["id"]}
    yield "response.output_item.added", {"item": _begun(item)}
    match item["type"]:
        case "message":
            for number, part in enumerate(item["content"]):
                at = {**identity, "content_index": number}
                if part["type"] == "refusal":
                    yield "response.content_part.added", {**at, "part": {"type": "refusal", "refusal": ""}}
                    for piece in words(part["refusal"]):
                        yield "response.refusal.delta", {**at, "delta": piece}
                    yield "response.refusal.done", {**at, "refusal": part["refusal"]}
                else:
                    yield "response.content_part.added", {**at, "part": {"type": part["type"], "text": ""}}
                    for piece in words(part["text"]):
                        yield "response.output_text.delta", {**at, "delta": piece, "logprobs": []}
                    yield "response.output_text.done", {**at, "text": part["text"], "logprobs": []}
                yield "response.content_part.done", {**at, "part": part}
        case "reasoning":
            for number, part in enumerate(item["summary"]):
                at = {**identity, "summary_index": number}
                yield "response.reasoning_summary_part.added", {**at, "part": {**part, "text": ""}}
                for piece in words(part["text"]):
                    yield "response.reasoning_summary_text.delta", {**at, "delta": piece}
                yield "response.reasoning_summary_text.done", {**at, "text": part["text"]}
                yield "response.reasoning_summary_part.done", {**at, "part": part}
        case _:
            for piece in halves(item["arguments"]):
                yield "response.function_call_arguments.delta", {**identity, "delta": piece}
            yield "response.function_call_arguments.done", {**identity, "arguments": item["arguments"]}
    yield "response.output_item.done", {"item": item}


def _begun(item: Mapping[str, Any]) -> Mapping[str, Any]:
    empty: Mapping[str, object] = {"content": [], "summary": [], "arguments": "", "status": "in_progress"}
    return {name: empty.get(name, value) for name, value in item.items()}


def _output(reply: Reply, body: Mapping[str, Any]) -> list[dict[str, Any]]:
    encrypted = "reasoning.encrypted_content" in (body.get("include") or ())
    items = [_reasoning_item(block, number, encrypted=encrypted) for number, block in enumerate(reply.thinking)]
    if reply.text or reply.refusal or not reply.tool_calls:
        content: list[Any] = [{"type": "output_text", "text": reply.text, "annotations": []}]
        if reply.refusal:
            content = [{"type": "refusal", "refusal": reply.refusal}]
        message = {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed"}
        items.append({**message, "content": content, **reply.extra})
    for number, call in enumerate(reply.tool_calls):
        said = {"call_id": call.id, "name": call.name, "arguments": call.arguments, "status": "completed"}
        items.append({"type": "function_call", "id": f"fc_{number}", **said, **call.extra})
    return items


def _reasoning_item(block: Thinking, number: int, *, encrypted: bool) -> dict[str, Any]:
    summary = [{"type": "summary_text", "text": block.text}] if block.text else []
    item: dict[str, Any] = {"type": "reasoning", "id": f"rs_{number}", "summary": summary}
    return {**item, "encrypted_content": block.data or block.signature} if encrypted else item


def _response(reply: Reply, body: Mapping[str, Any], items: Sequence[object]) -> dict[str, Any]:
    incomplete = {"length": "max_output_tokens", "content_filter": "content_filter"}.get(reply.stop_reason)
    return {
        **_frame(body),
        "status": "incomplete" if incomplete else "completed",
        "incomplete_details": {"reason": incomplete} if incomplete else None,
        "output": items,
        "usage": _usage(reply),
    }


def _frame(body: Mapping[str, Any]) -> dict[str, Any]:
    # Unlike other answers this one can be referred to, so that each request gets an id of its own. It has the turn in
    # it, which the next request does not tell; so the server stores nothing, and forgets nothing when it is restarted.
    identity = sha256(json.dumps(body, sort_keys=True, default=str).encode()).hexdigest()[:24]
    turn = conversation(body).turn
    return {
        "id": f"resp_{identity}_{turn}",
        "object": "response",
        "created_at": 1,
        "model": body["model"],
        "error": None,
    }


def _usage(reply: Reply) -> object:
    if not any(reply.usage):
        return None
    prompt, completion = reply.usage
    return {
        "input_tokens": prompt,
        "input_tokens_details": {"cached_tokens": reply.cached_tokens},
        "output_tokens": completion,
        "output_tokens_details": {"reasoning_tokens": reply.reasoning_tokens},
        "total_tokens": prompt + completion,
    }
