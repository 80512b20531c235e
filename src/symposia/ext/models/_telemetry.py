"""Requests to models as spans and events, by OpenTelemetry's conventions for generative AI.

The schemas of the messages are the conventions' ``gen-ai-input-messages.json`` and its siblings; attributes of spans
hold them as JSON text.
"""

from __future__ import annotations

import json as jsonlib
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Final, Self, TypeAlias, TypeVar, cast
from urllib.parse import urlsplit

from symposia.core import FunctionCall, Image
from symposia.core.logging import LLMCallEvent, LLMStreamEndEvent, LLMStreamStartEvent
from symposia.core.models import (
    AssistantMessage,
    CreateResult,
    FinishReasons,
    LLMMessage,
    RequestUsage,
    SystemMessage,
    UserMessage,
    usage_attributes,
)
from symposia.core.telemetry import (
    Attributes,
    begin_if_traced,
    captures_content,
    events_are_read,
    log_event,
)
from symposia.core.telemetry.conventions import (
    INPUT_MESSAGES,
    OPERATION,
    OUTPUT_MESSAGES,
    OUTPUT_TYPE,
    PROVIDER,
    REQUEST_MODEL,
    REQUEST_STREAM,
    RESPONSE_FINISH_REASONS,
    RESPONSE_ID,
    RESPONSE_MODEL,
    SERVER_ADDRESS,
    SERVER_PORT,
    SYSTEM_INSTRUCTIONS,
)
from symposia.ext.models._encoded_json import EncodedItems
from symposia.ext.models._wire_format import Body

T = TypeVar("T")
Part: TypeAlias = dict[str, object]

_FINISH_REASONS: Final[Mapping[FinishReasons, str]] = {"function_calls": "tool_call"}
"""The conventions' names of reasons to stop, where they differ from ours."""

PORTS: Final = {"https": 443, "http": 80}

# An argument of the vendors' requests, and what the conventions call it.
_PARAMETERS: Final[Mapping[str, str]] = {
    "temperature": "gen_ai.request.temperature",
    "top_p": "gen_ai.request.top_p",
    "top_k": "gen_ai.request.top_k",
    "max_tokens": "gen_ai.request.max_tokens",
    "max_completion_tokens": "gen_ai.request.max_tokens",
    "max_output_tokens": "gen_ai.request.max_tokens",
    "frequency_penalty": "gen_ai.request.frequency_penalty",
    "presence_penalty": "gen_ai.request.presence_penalty",
    "seed": "gen_ai.request.seed",
    "stop": "gen_ai.request.stop_sequences",
    "stop_sequences": "gen_ai.request.stop_sequences",
    "n": "gen_ai.request.choice.count",
    "num_predict": "gen_ai.request.max_tokens",
    "maxTokens": "gen_ai.request.max_tokens",
    "maxOutputTokens": "gen_ai.request.max_tokens",
    "topP": "gen_ai.request.top_p",
    "topK": "gen_ai.request.top_k",
    "frequencyPenalty": "gen_ai.request.frequency_penalty",
    "presencePenalty": "gen_ai.request.presence_penalty",
    "stopSequences": "gen_ai.request.stop_sequences",
    "candidateCount": "gen_ai.request.choice.count",
}
_WITHIN: Final = ("options", "generationConfig", "inferenceConfig")
"""Fields in which Ollama, Google and Bedrock have their parameters."""
_MESSAGES: Final = ("messages", "input", "contents")
"""The field of the messages, as the vendors call it."""


class ObservedChat:
    """One request to a model, watched from its beginning to its end.

    Args:
        provider: The vendor, as the conventions name it.
        server: The address that requests go to.
        messages: What the model is shown.
        body: The request as the vendor gets it.
        stream: Whether the answer comes in pieces.
        json: Whether the answer is to be JSON.
    """

    def __init__(
        self,
        provider: str,
        server: str,
        messages: Sequence[LLMMessage],
        body: Body,
        *,
        stream: bool,
        json: bool,
    ) -> None:
        self._messages = messages
        self._body = body
        self._stream = stream
        self._activity = begin_if_traced(
            f"chat {body['model']}", "CLIENT", lambda: _request(provider, server, body, stream=stream, json=json)
        )

    def __enter__(self) -> Self:
        if self._stream and events_are_read():
            log_event(LLMStreamStartEvent(messages=self._sent_messages))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._activity.__exit__(kind, error, at)

    def current(self) -> AbstractContextManager[object]:
        """See `Activity.current`."""
        return self._activity.current()

    def within(self, stream: AsyncGenerator[T, None]) -> AsyncGenerator[T, None]:
        """See `Activity.within`."""
        return self._activity.within(stream)

    def answered(self, whole: object, result: CreateResult) -> CreateResult:
        """The model has answered.

        Args:
            whole: The answer as the vendor gave it.
            result: The parsed answer, which is returned.
        """
        self._activity.note(lambda: _response(whole, result))
        if captures_content():
            self._activity.note(lambda: _content(self._messages, result))
        if events_are_read():
            log_event(self._event(whole, result))
        return result

    def interrupted(self, spent: RequestUsage) -> RequestUsage:
        """The answer has ended early; the tokens until then are returned."""
        self._activity.note(lambda: usage_attributes(spent))
        return spent

    @property
    def _sent_messages(self) -> list[dict[str, object]]:
        sent = next((self._body[name] for name in _MESSAGES if name in self._body), None)  # as the API calls them
        return cast("list[dict[str, object]]", sent.decoded() if isinstance(sent, EncodedItems) else sent)

    def _event(self, whole: object, result: CreateResult) -> LLMCallEvent | LLMStreamEndEvent:
        prompt, completion = result.usage.prompt_tokens, result.usage.completion_tokens
        if self._stream:
            answer = result.model_dump(mode="json")
            return LLMStreamEndEvent(response=answer, prompt_tokens=prompt, completion_tokens=completion)
        more: dict[str, object] = {
            **{name: self._body[name] for name in ("system", "systemInstruction") if name in self._body},
            "tools": _tools(self._body),
        }
        return LLMCallEvent(
            messages=self._sent_messages,
            response=cast("dict[str, object]", whole),  # a JSON object, or it could not have been read
            prompt_tokens=prompt,
            completion_tokens=completion,
            **more,
        )


def _tools(body: Body) -> list[object]:
    """The tools in a request. Bedrock has them in a field of their own, with cache points among them."""
    config = cast("Mapping[str, object]", body.get("toolConfig") or {})
    tools = cast("Sequence[Mapping[str, object]]", body.get("tools") or config.get("tools") or ())
    return [tool for tool in tools if "cachePoint" not in tool]


def _request(provider: str, server: str, body: Body, *, stream: bool, json: bool) -> Attributes:
    address = urlsplit(server)
    fields = dict(body)
    for name in _WITHIN:
        fields.update(cast("Mapping[str, object]", body.get(name) or {}))
    given = {_PARAMETERS[name]: _as_attribute(name, value) for name, value in fields.items() if name in _PARAMETERS}
    return {
        OPERATION: "chat",
        PROVIDER: provider,
        REQUEST_MODEL: str(body["model"]),
        REQUEST_STREAM: stream or None,
        OUTPUT_TYPE: "json" if json else None,
        SERVER_ADDRESS: address.hostname,
        SERVER_PORT: address.port or PORTS.get(address.scheme),
        **given,
    }


def _as_attribute(name: str, value: object) -> str | float | list[str]:
    """A parameter as an attribute holds it: the conventions want a list of what stops a model."""
    parameter = cast("str | float | list[str]", value)  # numbers, and texts that stop a model: what `_PARAMETERS` names
    return [parameter] if name == "stop" and isinstance(parameter, str) else parameter


def _response(whole: object, result: CreateResult) -> Attributes:
    answer = cast("Mapping[str, object]", whole if isinstance(whole, Mapping) else {})
    return {
        RESPONSE_ID: _text_only(answer.get("id", answer.get("responseId"))),
        RESPONSE_MODEL: reported_model(answer),
        RESPONSE_FINISH_REASONS: [_finish_reason(result)],
        **usage_attributes(result.usage),
    }


def reported_model(whole: object) -> str | None:
    """The name of the model in an answer as the vendor gave it, if there is one."""
    answer = cast("Mapping[str, object]", whole if isinstance(whole, Mapping) else {})
    return _text_only(answer.get("model", answer.get("modelVersion")))


def _text_only(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _content(messages: Sequence[LLMMessage], result: CreateResult) -> Attributes:
    return {
        SYSTEM_INSTRUCTIONS: _system_instructions(messages),
        INPUT_MESSAGES: _input_messages(messages),
        OUTPUT_MESSAGES: _output_messages(result),
    }


def _system_instructions(messages: Iterable[LLMMessage]) -> str | None:
    """The system messages, if there are any."""
    parts = [_text(message.content) for message in messages if isinstance(message, SystemMessage)]
    return _json(parts) if parts else None


def _input_messages(messages: Iterable[LLMMessage]) -> str:
    """All that a model is shown besides the system messages."""
    return _json([_turn(message) for message in messages if not isinstance(message, SystemMessage)])


def _output_messages(result: CreateResult) -> str:
    """A model's answer."""
    parts = [*_reasoning(result.thought), *_content_parts(result.content)]
    return _json([{"role": "assistant", "parts": parts, "finish_reason": _finish_reason(result)}])


def _finish_reason(result: CreateResult) -> str:
    """Why a model stopped, in the conventions' words."""
    return _FINISH_REASONS.get(result.finish_reason, result.finish_reason)


def _turn(message: LLMMessage) -> Part:
    if isinstance(message, UserMessage):
        content = [message.content] if isinstance(message.content, str) else message.content
        return {"role": "user", "name": message.source, "parts": [_user_part(part) for part in content]}
    if isinstance(message, AssistantMessage):
        return {"role": "assistant", "parts": [*_reasoning(message.thought), *_content_parts(message.content)]}
    if isinstance(message, SystemMessage):
        return {"role": "system", "parts": [_text(message.content)]}
    results = [{"type": "tool_call_response", "id": one.call_id, "response": one.content} for one in message.content]
    return {"role": "tool", "parts": results}


def _user_part(part: str | Image) -> Part:
    if isinstance(part, str):
        return _text(part)
    return {"type": "blob", "modality": "image", "mime_type": part.media_type, "content": part.to_base64()}


def _content_parts(content: str | Sequence[FunctionCall]) -> list[Part]:
    if isinstance(content, str):
        return [_text(content)]
    return [{"type": "tool_call", "id": call.id, "name": call.name, "arguments": call.arguments} for call in content]


def _reasoning(thought: str | None) -> list[Part]:
    return [] if thought is None else [{"type": "reasoning", "content": thought}]


def _text(content: str) -> Part:
    return {"type": "text", "content": content}


def _json(parts: Sequence[Part]) -> str:
    return jsonlib.dumps(parts, ensure_ascii=False)
