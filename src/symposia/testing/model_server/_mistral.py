"""Mistral's chat, as its servers speak it.

The path begins with ``/mistral``, since that of the vendor's own is OpenAI's too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from symposia.testing.model_server._answers import Reply, ToolCall, event, words
from symposia.testing.model_server._conversation import Conversation, Message, OfferedTool

NAME = "mistral"
PATH = re.compile(r"/mistral/v1/chat/completions")
STREAM_TYPE = "text/event-stream"

KNOWN_FIELDS = frozenset({
    "frequency_penalty", "guardrails", "logprobs", "max_tokens", "messages", "metadata", "min_tokens", "model", "n",
    "parallel_tool_calls", "prediction", "presence_penalty", "prompt_cache_key", "prompt_mode", "random_seed",
    "reasoning_effort", "repetition_penalty", "response_format", "safe_prompt", "service_tier", "stop", "stream",
    "temperature", "tool_choice", "tools", "top_k", "top_logprobs", "top_p",
})  # fmt: skip
FOLLOWERS = {
    "system": {"system", "user", "assistant"},
    "user": {"system", "user", "assistant"},
    "assistant": {"user", "assistant", "tool"},
    "tool": {"assistant", "tool"},
}
"""The roles that may come after a role, by the checks of the vendor's package mistral-common."""
CALL_ID = re.compile(r"[a-zA-Z0-9]{9}")
FUNCTION_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")

Messages = Sequence[Mapping[str, Any]]


def conversation(fields: Mapping[str, Any]) -> Conversation:
    """What a request says, in no vendor's terms."""
    messages: Messages = fields["messages"]
    wanted: Mapping[str, Any] = fields.get("response_format") or {}
    return Conversation(
        model=str(fields["model"]),
        system="\n\n".join(_text(message) for message in messages if message["role"] == "system"),
        messages=tuple(_message(message) for message in messages if message["role"] != "system"),
        tools=tuple(_offered(tool) for tool in fields.get("tools") or ()),
        output_schema=wanted["json_schema"].get("schema") if wanted.get("type") == "json_schema" else None,
        streams=bool(fields.get("stream")),
    )


def _message(message: Mapping[str, Any]) -> Message:
    calls: Iterable[Mapping[str, Any]] = message.get("tool_calls") or ()
    thoughts = (inner for chunk in _chunks(message) if chunk["type"] == "thinking" for inner in chunk["thinking"])
    return Message(
        role=message["role"],
        text=_text(message),
        images=sum(chunk["type"] == "image_url" for chunk in _chunks(message)),
        thinking="".join(inner["text"] for inner in thoughts),
        tool_calls=tuple(
            ToolCall(id=call["id"], name=call["function"]["name"], arguments=call["function"]["arguments"])
            for call in calls
        ),
        tool_call_id=message.get("tool_call_id"),
    )


def _text(message: Mapping[str, Any]) -> str:
    return "\n".join(chunk["text"] for chunk in _chunks(message) if chunk["type"] == "text")


def _chunks(message: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    content = message.get("content") or ()
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def _offered(tool: Mapping[str, Any]) -> OfferedTool:
    if "function" not in tool:  # a tool at the vendor
        return OfferedTool(name=tool["type"])
    function: Mapping[str, Any] = tool["function"]
    return OfferedTool(
        name=function["name"], description=function.get("description") or "", parameters=function.get("parameters")
    )


def complaint(fields: Mapping[str, Any], _headers: Mapping[str, str]) -> str | None:
    """Why the vendor would refuse this request, if it would."""
    return next(_complaints(fields), None)


def _complaints(fields: Mapping[str, Any]) -> Iterator[str]:
    yield from (f"Extra inputs are not permitted: {name}" for name in fields if name not in KNOWN_FIELDS)
    for tool in fields.get("tools") or ():
        if "function" in tool and not FUNCTION_NAME.fullmatch(tool["function"]["name"]):
            yield f"Function name was {tool['function']['name']} but must be a-z, A-Z, 0-9, or contain underscores."
    messages: Messages = fields["messages"]
    if not messages:
        yield "Conversation must have at least one message"
        return
    yield from _order_complaints(messages)
    for message in messages:
        calls: Sequence[Mapping[str, Any]] = message.get("tool_calls") or ()
        if message["role"] == "assistant" and not message.get("content") and not calls:
            yield "Assistant message must have either content or tool_calls, but not none."
        ids = [call["id"] for call in calls] + ([message["tool_call_id"]] if message["role"] == "tool" else [])
        for one in ids:
            if not CALL_ID.fullmatch(one):
                yield f"Tool call id was {one} but must be a-z, A-Z, 0-9, with a length of 9."


def _order_complaints(messages: Messages) -> Iterator[str]:
    expected = 0
    for before, message in zip([None, *messages], messages, strict=False):
        role = message["role"]
        if before is not None and role not in FOLLOWERS[before["role"]]:
            yield f"Unexpected role '{role}' after role '{before['role']}'"
        if role == "tool":
            expected -= 1
        elif role == "assistant":
            if expected:
                yield "Not the same number of function calls and responses"
            expected = len(message.get("tool_calls") or ())
    if expected:
        yield "Not the same number of function calls and responses"
    if messages[-1]["role"] == "assistant" and not messages[-1].get("prefix"):
        yield "Expected last role User or Tool (or Assistant with prefix True) for serving but got assistant"


def error(status: int, message: str) -> object:
    """The body of an error: one of its checks says what is wrong in ``detail``, everything else in ``message``."""
    if status == 422:  # noqa: PLR2004 - HTTP's status of a request that is understood and refused
        return {"detail": [{"type": "value_error", "loc": ["body"], "msg": message}]}
    return {"object": "error", "message": message, "type": "invalid_request_error", "param": None, "code": str(status)}


def whole(reply: Reply, fields: Mapping[str, Any]) -> object:
    """The answer to a request that does not stream."""
    said = reply.text or reply.refusal
    chunks = [*_thinking(reply), *([{"type": "text", "text": said}] if said else [])]
    message: dict[str, object] = {"role": "assistant", "content": chunks if reply.thinking else said}
    if reply.tool_calls:
        message["tool_calls"] = _calls(reply)
    choice = {"index": 0, "message": message, "finish_reason": _finish_reason(reply)}
    return {**_frame(fields, "chat.completion"), "choices": [choice], **_usage(reply)}


def events(reply: Reply, fields: Mapping[str, Any]) -> Iterator[bytes]:
    """The answer to a request that streams. Calls come whole, and usage with the end."""
    deltas: list[Mapping[str, object]] = [{"role": "assistant", "content": ""}]
    deltas += [{"content": [chunk]} for block in reply.thinking for chunk in _thinking_pieces(block.text)]
    deltas += [{"content": piece} for piece in words(reply.text or reply.refusal)]
    deltas += [{"content": "", "tool_calls": _calls(reply)}] if reply.tool_calls else []
    frame = _frame(fields, "chat.completion.chunk")
    for delta in deltas:
        yield event({**frame, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]})
    choice = {"index": 0, "delta": {"content": ""}, "finish_reason": _finish_reason(reply)}
    yield event({**frame, "choices": [choice], **_usage(reply)})
    yield event("[DONE]")


def _thinking(reply: Reply) -> list[dict[str, object]]:
    return [{"type": "thinking", "thinking": [{"type": "text", "text": block.text}]} for block in reply.thinking]


def _thinking_pieces(text: str) -> list[dict[str, object]]:
    return [{"type": "thinking", "thinking": [{"type": "text", "text": piece}]} for piece in words(text)]


def _calls(reply: Reply) -> list[dict[str, object]]:
    return [
        {"id": call.id, "function": {"name": call.name, "arguments": call.arguments}, "index": index, **call.extra}
        for index, call in enumerate(reply.tool_calls)
    ]


def _finish_reason(reply: Reply) -> str:
    return "stop" if reply.stop_reason == "content_filter" else reply.stop_reason  # it has no such reason


def _frame(fields: Mapping[str, Any], kind: str) -> dict[str, object]:
    return {"id": "cmpl-1", "object": kind, "created": 1, "model": fields["model"]}


def _usage(reply: Reply) -> dict[str, object]:
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
    return {"usage": usage}
