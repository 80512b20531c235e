"""What is said to models and by them, in the shape of OpenTelemetry's conventions for generative AI.

Their schemas are ``gen-ai-input-messages.json`` and its siblings; attributes of spans hold them as JSON text.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, TypeAlias

from symposia.core import FunctionCall, Image
from symposia.core.models import AssistantMessage, CreateResult, FinishReasons, LLMMessage, SystemMessage, UserMessage

Part: TypeAlias = dict[str, object]

FINISH_REASONS: Final[Mapping[FinishReasons, str]] = {"function_calls": "tool_call"}
"""What the conventions call a reason to stop, where it is not what we call it."""


def system_instructions(messages: Iterable[LLMMessage]) -> str | None:
    """The system messages, if there are any."""
    parts = [_text(message.content) for message in messages if isinstance(message, SystemMessage)]
    return _json(parts) if parts else None


def input_messages(messages: Iterable[LLMMessage]) -> str:
    """All that a model is shown besides the system messages."""
    return _json([_turn(message) for message in messages if not isinstance(message, SystemMessage)])


def output_messages(result: CreateResult) -> str:
    """A model's answer."""
    parts = [*_reasoning(result.thought), *_said(result.content)]
    return _json([{"role": "assistant", "parts": parts, "finish_reason": finish_reason(result)}])


def finish_reason(result: CreateResult) -> str:
    """Why a model stopped, in the conventions' words."""
    return FINISH_REASONS.get(result.finish_reason, result.finish_reason)


def _turn(message: LLMMessage) -> Part:
    if isinstance(message, UserMessage):
        content = [message.content] if isinstance(message.content, str) else message.content
        return {"role": "user", "name": message.source, "parts": [_heard(part) for part in content]}
    if isinstance(message, AssistantMessage):
        return {"role": "assistant", "parts": [*_reasoning(message.thought), *_said(message.content)]}
    if isinstance(message, SystemMessage):
        return {"role": "system", "parts": [_text(message.content)]}
    results = [{"type": "tool_call_response", "id": one.call_id, "response": one.content} for one in message.content]
    return {"role": "tool", "parts": results}


def _heard(part: str | Image) -> Part:
    if isinstance(part, str):
        return _text(part)
    return {"type": "blob", "modality": "image", "mime_type": part.media_type, "content": part.to_base64()}


def _said(content: str | Sequence[FunctionCall]) -> list[Part]:
    if isinstance(content, str):
        return [_text(content)]
    return [{"type": "tool_call", "id": call.id, "name": call.name, "arguments": call.arguments} for call in content]


def _reasoning(thought: str | None) -> list[Part]:
    return [] if thought is None else [{"type": "reasoning", "content": thought}]


def _text(content: str) -> Part:
    return {"type": "text", "content": content}


def _json(parts: Sequence[Part]) -> str:
    return json.dumps(parts, ensure_ascii=False)
