"""Ollama's chat, as its server speaks it: a line of JSON for each piece of a stream, which is the default."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from symposia.testing.model_server._answers import Reply, ToolCall, words
from symposia.testing.model_server._conversation import Conversation, Message, OfferedTool

NAME = "ollama"
PATH = re.compile(r"/api/chat")
STREAM_TYPE = "application/x-ndjson"

CREATED = "2026-01-01T00:00:00Z"
ROLES = ("system", "user", "assistant", "tool")


def conversation(fields: Mapping[str, Any]) -> Conversation:
    """What a request says, in no vendor's terms."""
    messages: list[Mapping[str, Any]] = fields.get("messages") or []
    form: object = fields.get("format")
    return Conversation(
        model=str(fields["model"]),
        system="\n\n".join(message["content"] for message in messages if message["role"] == "system"),
        messages=tuple(_message(message) for message in messages if message["role"] != "system"),
        tools=tuple(_offered(tool["function"]) for tool in fields.get("tools") or ()),
        output_schema=form if isinstance(form, dict) else None,  # pyright: ignore[reportUnknownArgumentType] - JSON
        streams=bool(fields.get("stream", True)),
    )


def _message(message: Mapping[str, Any]) -> Message:
    calls: list[Mapping[str, Any]] = message.get("tool_calls") or []
    return Message(
        role=message["role"],
        text=message.get("content") or "",
        images=len(message.get("images") or ()),
        thinking=message.get("thinking") or "",
        tool_calls=tuple(
            ToolCall(
                id=call.get("id") or call["function"]["name"],
                name=call["function"]["name"],
                arguments=json.dumps(call["function"]["arguments"]),
            )
            for call in calls
        ),
        tool_call_id=message.get("tool_call_id") or message.get("tool_name"),
    )


def _offered(function: Mapping[str, Any]) -> OfferedTool:
    return OfferedTool(
        name=function["name"], description=function.get("description") or "", parameters=function.get("parameters")
    )


def complaint(fields: Mapping[str, Any], _headers: Mapping[str, str]) -> str | None:
    """Why the server would refuse this request, if it would. Fields that it does not know are ignored."""
    for message in fields.get("messages") or ():
        if message["role"] not in ROLES:
            return f"invalid role: {message['role']}"
        for call in message.get("tool_calls") or ():
            if not isinstance(call["function"]["arguments"], dict):
                return "json: cannot unmarshal string into Go struct field of type api.ToolCallFunctionArguments"
    return None if fields["model"] else "model is required"


def error(status: int, message: str) -> object:
    """The body of an error."""
    del status
    return {"error": message}


def whole(reply: Reply, fields: Mapping[str, Any]) -> object:
    """The answer to a request that does not stream."""
    message = {"role": "assistant", "content": reply.text or reply.refusal, **_calls(reply)}
    if reply.thinking:
        message["thinking"] = "".join(block.text for block in reply.thinking)
    return {**_frame(fields), "message": message, **_end(reply)}


def events(reply: Reply, fields: Mapping[str, Any]) -> Iterator[bytes]:
    """The answer to a request that streams. Calls come whole."""
    thought = [{"content": "", "thinking": piece} for block in reply.thinking for piece in words(block.text)]
    spoken = [{"content": piece} for piece in words(reply.text or reply.refusal)]
    called = [{"content": "", **calls}] if (calls := _calls(reply)) else []
    for delta in [*thought, *spoken, *called]:
        yield _line({**_frame(fields), "message": {"role": "assistant", **delta}, "done": False})
    yield _line({**_frame(fields), "message": {"role": "assistant", "content": ""}, **_end(reply)})


def _line(value: object) -> bytes:
    return json.dumps(value).encode() + b"\n"


def _calls(reply: Reply) -> dict[str, object]:
    calls = [
        {"id": call.id, "function": {"name": call.name, "arguments": call.parsed_arguments}, **call.extra}
        for call in reply.tool_calls
    ]
    return {"tool_calls": calls} if calls else {}


def _frame(fields: Mapping[str, Any]) -> dict[str, object]:
    return {"model": fields["model"], "created_at": CREATED}


def _end(reply: Reply) -> dict[str, object]:
    counted = {"prompt_eval_count": reply.usage[0], "eval_count": reply.usage[1]} if any(reply.usage) else {}
    reason = "length" if reply.stop_reason == "length" else "stop"
    durations = {"total_duration": 1, "load_duration": 0, "prompt_eval_duration": 0, "eval_duration": 1}  # nanoseconds
    return {"done": True, "done_reason": reason, **durations, **counted}
