"""What crosses from the sender to the agent and back, as bytes.

A message carries all that its handler sees of its sender. Objects, context variables and tasks stay behind: what a
runtime between processes could not carry is not carried here either.
"""

from __future__ import annotations

import json
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, Generic, TypeVar, cast

from pydantic import BaseModel, JsonValue

from symposia.core import JSON_DATA_CONTENT_TYPE, MessageSerializer, SerializationRegistry
from symposia.core.effects import decode_error, encode_error
from symposia.core.exceptions import AgentError, EffectFailedError, MessageFormatError
from symposia.core.telemetry import is_observed

T = TypeVar("T")


class Payload(BaseModel, defer_build=True, ser_json_bytes="base64", val_json_bytes="base64"):
    """A message or an answer: its type's name, its format and its bytes."""

    type_name: str
    content_type: str
    data: bytes


class Envelope(BaseModel, defer_build=True):
    """A message on its way to one agent.

    Attributes:
        recipient: The agent asked, as ``type/key``; None for publications, which the topic brings to their recipients.
        sender: The agent that sent it, if one did.
        topic: The topic, as ``type/source``; None for requests.
        message_id: The message's id, the same for all its recipients.
        seconds_left: How long an answer is still wanted; None for any time. Not a moment, since clocks differ.
        scope: The effect scope of the sender, as text.
        trace: The trace that it belongs to, in the headers of W3C Trace Context.
        payload: The message.
    """

    recipient: str | None
    sender: str | None
    topic: str | None
    message_id: str
    seconds_left: float | None
    scope: str
    trace: dict[str, str]
    payload: Payload


class Reply(BaseModel, defer_build=True):
    """How a message was handled: answered, failed or cancelled.

    Attributes:
        answer: The value that the handler returned.
        error: The error that it raised, as `encode_failure` writes it.
    """

    answer: Payload | None = None
    error: JsonValue = None


class JsonSerializer(MessageSerializer[T], Generic[T]):
    """Values that JSON has. Handlers often take and return such values instead of messages of their own."""

    def __init__(self, cls: type[T]) -> None:
        self._cls = cls

    @property
    def data_content_type(self) -> str:
        """JSON."""
        return JSON_DATA_CONTENT_TYPE

    @property
    def type_name(self) -> str:
        """The name of the class."""
        return self._cls.__name__

    def serialize(self, message: T) -> bytes:
        """Write a value."""
        return json.dumps(message).encode()

    def deserialize(self, payload: bytes) -> T:
        """Read a value back.

        Raises:
            MessageFormatError: The bytes are none.
        """
        try:
            value = json.loads(payload)
        except ValueError as error:
            raise MessageFormatError(f"The bytes are no {self._cls.__name__}: {error}") from error
        if not isinstance(value, self._cls):
            raise MessageFormatError(f"The bytes are no {self._cls.__name__} but a {type(value).__name__}")
        return value


def json_serializers() -> list[MessageSerializer[Any]]:  # Any: each is of another type
    """The serializers of the values that JSON has."""
    return [JsonSerializer(cls) for cls in (type(None), bool, int, float, str, list, dict)]


def pack(registry: SerializationRegistry, message: object) -> Payload:
    """Write a message in the first format that is known for it.

    Raises:
        MessageSerializationError: Nothing says how to write it.
    """
    name = registry.type_name(message)
    content_type = next(iter(registry.data_content_types(message)), JSON_DATA_CONTENT_TYPE)
    data = registry.serialize(message, type_name=name, data_content_type=content_type)
    return Payload(type_name=name, content_type=content_type, data=data)


def unpack(registry: SerializationRegistry, payload: Payload) -> object:
    """Read a message back; an `UnknownPayload` if its type is not known here.

    Raises:
        MessageFormatError: The bytes are no such message.
    """
    return registry.deserialize(payload.data, type_name=payload.type_name, data_content_type=payload.content_type)


def encode_failure(error: Exception) -> JsonValue:
    """An error as JSON: its type, its text and what of it JSON can hold; a group with each of its errors."""
    if isinstance(error, ExceptionGroup):
        group = cast("ExceptionGroup[Exception]", error)
        return {"group": group.message, "errors": [encode_failure(one) for one in group.exceptions]}
    return encode_error(error)


def decode_failure(record: JsonValue) -> Exception:
    """The error again, of its own type where that can be made from JSON; else an `AgentError` that names the type."""
    if isinstance(record, dict) and "group" in record:
        errors = cast("list[JsonValue]", record["errors"])
        return ExceptionGroup(str(record["group"]), [decode_failure(one) for one in errors])
    error = decode_error(record)
    return AgentError(str(error)) if isinstance(error, EffectFailedError) else error


def trace_headers() -> dict[str, str]:
    """The trace that this code belongs to, when something traces."""
    headers: dict[str, str] = {}
    if is_observed():
        from opentelemetry import propagate  # noqa: PLC0415 - imported only when something traces

        propagate.inject(headers)
    return headers


@contextmanager
def continue_trace(headers: dict[str, str]) -> Generator[None]:
    """Everything inside belongs to the trace of these headers."""
    if not headers:
        yield
        return
    from opentelemetry import context, propagate  # noqa: PLC0415 - imported only when something traces

    token = context.attach(propagate.extract(headers))
    try:
        yield
    finally:
        context.detach(token)
