"""Requests to models in view of those who trace or read events."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, Final, Self, TypeVar, cast
from urllib.parse import urlsplit

from symposia.core.logging import LLMCallEvent, LLMStreamEndEvent, LLMStreamStartEvent
from symposia.core.models import CreateResult, LLMMessage
from symposia.core.telemetry import Attributes, begin_if_traced, captures_content, events_are_read, log_event
from symposia.core.telemetry.conventions import (
    INPUT_MESSAGES,
    INPUT_TOKENS,
    OPERATION,
    OUTPUT_MESSAGES,
    OUTPUT_TOKENS,
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
from symposia.ext.models._content import finish_reason, input_messages, output_messages, system_instructions

T = TypeVar("T")
PORTS: Final = {"https": 443, "http": 80}

# An argument of the vendors' requests, and what the conventions call it.
_PARAMETERS: Final[Mapping[str, str]] = {
    "temperature": "gen_ai.request.temperature",
    "top_p": "gen_ai.request.top_p",
    "top_k": "gen_ai.request.top_k",
    "max_tokens": "gen_ai.request.max_tokens",
    "max_completion_tokens": "gen_ai.request.max_tokens",
    "frequency_penalty": "gen_ai.request.frequency_penalty",
    "presence_penalty": "gen_ai.request.presence_penalty",
    "seed": "gen_ai.request.seed",
    "stop": "gen_ai.request.stop_sequences",
    "stop_sequences": "gen_ai.request.stop_sequences",
    "n": "gen_ai.request.choice.count",
}


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
        body: Mapping[str, Any],  # Any: JSON of the vendor's
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
            log_event(LLMStreamStartEvent(messages=self._body["messages"]))
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
            result: What it says, which is given back.
        """
        self._activity.note(lambda: _response(whole, result))
        if captures_content():
            self._activity.note(lambda: _content(self._messages, result))
        if events_are_read():
            log_event(self._event(whole, result))
        return result

    def _event(self, whole: object, result: CreateResult) -> LLMCallEvent | LLMStreamEndEvent:
        prompt, completion = result.usage.prompt_tokens, result.usage.completion_tokens
        if self._stream:
            answer = result.model_dump(mode="json")
            return LLMStreamEndEvent(response=answer, prompt_tokens=prompt, completion_tokens=completion)
        more = {name: self._body[name] for name in ("system", "tools") if name in self._body}
        return LLMCallEvent(
            messages=self._body["messages"],
            response=cast("dict[str, Any]", whole),  # a JSON object, or it could not have been read
            prompt_tokens=prompt,
            completion_tokens=completion,
            **more,
        )


def _request(provider: str, server: str, body: Mapping[str, Any], *, stream: bool, json: bool) -> Attributes:
    address = urlsplit(server)
    given = {_PARAMETERS[name]: _as_attribute(name, value) for name, value in body.items() if name in _PARAMETERS}
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


def _as_attribute(name: str, value: Any) -> Any:
    """A parameter as an attribute holds it: the conventions want a list of what stops a model."""
    return [value] if name == "stop" and isinstance(value, str) else value


def _response(whole: object, result: CreateResult) -> Attributes:
    answer = cast("Mapping[str, Any]", whole if isinstance(whole, Mapping) else {})
    return {
        RESPONSE_ID: answer.get("id"),
        RESPONSE_MODEL: answer.get("model"),
        RESPONSE_FINISH_REASONS: [finish_reason(result)],
        INPUT_TOKENS: result.usage.prompt_tokens,
        OUTPUT_TOKENS: result.usage.completion_tokens,
    }


def _content(messages: Sequence[LLMMessage], result: CreateResult) -> Attributes:
    return {
        SYSTEM_INSTRUCTIONS: system_instructions(messages),
        INPUT_MESSAGES: input_messages(messages),
        OUTPUT_MESSAGES: output_messages(result),
    }
