"""OpenAI Chat Completions, as its servers speak it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from symposia.testing.model_server._answers import Reply, ToolCall, event, halves, words
from symposia.testing.model_server._conversation import Conversation, Message, OfferedTool

NAME = "openai"
PATH = re.compile(r"(?:/v1|/models|/inference|/openai/deployments/[^/]+)/chat/completions")  # the latter at Azure
STREAM_TYPE = "text/event-stream"

KNOWN_FIELDS = frozenset({
    "frequency_penalty", "logit_bias", "logprobs", "max_completion_tokens", "max_tokens", "messages", "metadata",
    "model", "n", "parallel_tool_calls", "presence_penalty", "prompt_cache_key", "reasoning_effort", "response_format",
    "seed", "stop", "store", "stream", "stream_options", "temperature", "tool_choice", "tools",
    "top_logprobs", "top_p", "user", "verbosity",
})  # fmt: skip
REASONING = re.compile(r"(o\d|gpt-[5-9])(?!.*chat)")
NEEDS_NO_EFFORT = re.compile(r"gpt-5\.6|gpt-6")
SYSTEM_ROLES = ("system", "developer")
PARTICIPANT_NAME = re.compile(r"[^\s<|\\/>]+")


def conversation(fields: Mapping[str, Any]) -> Conversation:
    """What a request says, in no vendor's terms."""
    messages: Sequence[Mapping[str, Any]] = fields["messages"]
    wanted: Mapping[str, Any] = fields.get("response_format") or {}
    return Conversation(
        model=str(fields["model"]),
        system="\n\n".join(_text(message) for message in messages if message["role"] in SYSTEM_ROLES),
        messages=tuple(_message(message) for message in messages if message["role"] not in SYSTEM_ROLES),
        tools=tuple(_offered(tool) for tool in fields.get("tools") or ()),
        output_schema=wanted["json_schema"].get("schema") if wanted.get("type") == "json_schema" else None,
        streams=bool(fields.get("stream")),
    )


def _message(message: Mapping[str, Any]) -> Message:
    calls: Iterable[Mapping[str, Any]] = message.get("tool_calls") or ()
    return Message(
        role=message["role"],
        text=_text(message),
        images=sum(part["type"] == "image_url" for part in _parts(message)),
        thinking=message.get("reasoning_content") or "",
        tool_calls=tuple(
            ToolCall(id=call["id"], name=call["function"]["name"], arguments=call["function"]["arguments"])
            for call in calls
        ),
        tool_call_id=message.get("tool_call_id"),
    )


def _text(message: Mapping[str, Any]) -> str:
    return "\n".join(part["text"] for part in _parts(message) if part["type"] == "text")


def _parts(message: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    content = message.get("content") or ()
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def _offered(tool: Mapping[str, Any]) -> OfferedTool:
    function: Mapping[str, Any] = tool["function"]
    return OfferedTool(
        name=function["name"], description=function.get("description") or "", parameters=function.get("parameters")
    )


def complaint(body: Mapping[str, Any], _headers: Mapping[str, str]) -> str | None:
    """Why the vendor would refuse this request, if it would."""
    return next(_complaints(body), None)


def _complaints(body: Mapping[str, Any]) -> Iterator[str]:
    for name in body:
        if name not in KNOWN_FIELDS:
            yield f"Unrecognized request argument supplied: {name}"
    model = str(body["model"])
    if REASONING.match(model):
        for name in ("max_tokens", "temperature", "top_p"):
            if name in body:
                yield f"Unsupported parameter: '{name}' is not supported with this model."
    if NEEDS_NO_EFFORT.match(model) and body.get("tools") and body.get("reasoning_effort") != "none":
        yield f"Function tools with reasoning_effort are not supported for {model} in /v1/chat/completions."
    if body.get("tool_choice") is not None and not body.get("tools"):
        yield "Invalid value for 'tool_choice': 'tool_choice' is only allowed when 'tools' are specified."
    if body.get("parallel_tool_calls") is not None and not body.get("tools"):
        yield "Invalid value for 'parallel_tool_calls': it is only allowed when 'tools' are specified."
    if body.get("stream_options") is not None and not body.get("stream"):
        yield "The 'stream_options' parameter is only allowed when 'stream' is enabled."
    yield from _message_complaints(body["messages"])
    yield from _format_complaints(body)


def _message_complaints(messages: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    unanswered: set[str] = set()
    for message in messages:
        if message["role"] == "tool":
            if message["tool_call_id"] not in unanswered:
                yield "messages with role 'tool' must be a response to a preceeding message with 'tool_calls'"
            unanswered.discard(message["tool_call_id"])
        elif unanswered:
            yield f"tool_call_ids did not have response messages: {', '.join(sorted(unanswered))}"
        if "name" in message and not PARTICIPANT_NAME.fullmatch(message["name"]):
            yield f"Invalid 'messages.name': {message['name']!r}"
        unanswered |= {call["id"] for call in message.get("tool_calls") or ()}
    if unanswered:
        yield f"tool_call_ids did not have response messages: {', '.join(sorted(unanswered))}"


def _format_complaints(body: Mapping[str, Any]) -> Iterator[str]:
    wanted: Mapping[str, Any] = body.get("response_format") or {}
    if wanted.get("type") == "json_schema" and wanted["json_schema"].get("strict"):
        yield from schema_complaints("response_format", wanted["json_schema"]["schema"])
    if wanted.get("type") == "json_object" and "json" not in str(body["messages"]).lower():
        yield "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'."


def schema_complaints(place: str, schema: Mapping[str, Any]) -> Iterator[str]:
    """Why the vendor would refuse a strict schema."""
    if schema.get("additionalProperties") is not False:
        yield f"Invalid schema for {place}: 'additionalProperties' must be supplied and false."
    if set(schema.get("required", ())) != set(schema.get("properties", ())):
        yield f"Invalid schema for {place}: 'required' is required to include every key in properties."


def error(status: int, message: str) -> object:
    """The body of an error."""
    return {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": str(status)}}


def whole(reply: Reply, body: Mapping[str, Any]) -> object:
    """The answer to a request that does not stream."""
    message: dict[str, Any] = {"role": "assistant", "content": reply.text or None, **reply.extra}
    if reply.tool_calls:
        message["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments},
                **call.extra,
            }
            for call in reply.tool_calls
        ]
    if reply.refusal:
        message["refusal"] = reply.refusal
    if reply.thinking:
        message["reasoning_content"] = "".join(block.text for block in reply.thinking)
    choice = {"index": 0, "message": message, "finish_reason": reply.stop_reason, "logprobs": None}
    return {**_frame(body, "chat.completion"), "choices": [choice], **_usage(reply)}


def events(reply: Reply, body: Mapping[str, Any]) -> Iterator[bytes]:
    """The answer to a request that streams."""
    frame = _frame(body, "chat.completion.chunk")
    for delta in _deltas(reply):
        yield event({**frame, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]})
    last: Mapping[str, Any] = {"index": 0, "delta": {}, "finish_reason": reply.stop_reason}
    yield event({**frame, "choices": [last]})
    options: Mapping[str, Any] = body.get("stream_options") or {}
    if options.get("include_usage") and any(reply.usage):
        yield event({**frame, "choices": [], **_usage(reply)})
    yield event("[DONE]")


def _deltas(reply: Reply) -> Iterator[Mapping[str, object]]:
    yield {"role": "assistant", "content": "", **reply.extra}
    for block in reply.thinking:
        for piece in words(block.text):
            yield {"reasoning_content": piece}
    for piece in words(reply.text):
        yield {"content": piece}
    for piece in words(reply.refusal):
        yield {"refusal": piece}
    for index, call in enumerate(reply.tool_calls):
        function = {"name": call.name, "arguments": ""}
        yield {"tool_calls": [{"index": index, "id": call.id, "type": "function", "function": function, **call.extra}]}
        for piece in halves(call.arguments):
            yield {"tool_calls": [{"index": index, "function": {"arguments": piece}}]}


def _frame(body: Mapping[str, Any], kind: str) -> dict[str, object]:
    return {"id": "chatcmpl-1", "object": kind, "created": 1, "model": body["model"]}


def _usage(reply: Reply) -> Mapping[str, object]:
    if not any(reply.usage):
        return {}
    prompt, completion = reply.usage
    usage: dict[str, object] = {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
    }
    if reply.cached_tokens:
        usage["prompt_tokens_details"] = {"cached_tokens": reply.cached_tokens}
    if reply.reasoning_tokens:
        usage["completion_tokens_details"] = {"reasoning_tokens": reply.reasoning_tokens}
    return {"usage": usage}
