"""The events of a run, for programs: records of the logger `EVENT_LOGGER_NAME` at level INFO.

The event is the record's message object, ``record.msg``. Its `kwargs` say what happened; ``str`` gives them as JSON::

    class CountTokens(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if isinstance(record.msg, LLMCallEvent):
                self.tokens += record.msg.prompt_tokens + record.msg.completion_tokens

An event about a message turns it into text only when a handler reads it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from enum import Enum
from functools import cached_property
from typing import Any, TypeAlias

from symposia.core._agent_id import AgentId
from symposia.core._contexts import handling_agent
from symposia.core._topic import TopicId

Json: TypeAlias = dict[str, Any]  # Any: JSON of whatever shape the vendor gives it
Payload: TypeAlias = str | Callable[[], str]
"""A message as JSON text, or a function that makes that text when it is read."""


class MessageKind(Enum):
    """How a message travels."""

    DIRECT = 1
    PUBLISH = 2
    RESPOND = 3


class DeliveryStage(Enum):
    """Where a message is on its way."""

    SEND = 1
    DELIVER = 2


class Event:
    """An event of a run.

    Args:
        fields: Its content. A value that can be called is called once, when the event is read.
    """

    def __init__(self, fields: Mapping[str, Any]) -> None:
        self._fields: Mapping[str, Any] = fields

    @cached_property
    def kwargs(self) -> Json:
        """The fields of the event, by name. Once they were read, the event no longer keeps its message."""
        fields = {name: value() if callable(value) else value for name, value in self._fields.items()}
        self._fields = {}
        return fields

    def __str__(self) -> str:
        """The event as one JSON object. Values that JSON cannot hold are shown as text."""
        return json.dumps(self.kwargs, default=str)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self}>"


class _ModelEvent(Event):
    """An event of a model or a tool, with the id of the agent if a handler is running."""

    def __init__(self, fields: Mapping[str, Any]) -> None:
        super().__init__({**fields, "agent_id": _name(handling_agent.get())})


class _AnswerEvent(_ModelEvent):
    @property
    def prompt_tokens(self) -> int:
        """The prompt tokens."""
        return self.kwargs["prompt_tokens"]

    @property
    def completion_tokens(self) -> int:
        """The completion tokens."""
        return self.kwargs["completion_tokens"]


class LLMCallEvent(_AnswerEvent):
    """A model call has ended.

    Args:
        messages: The messages, as they are sent to the vendor.
        response: The vendor's answer.
        prompt_tokens: The prompt tokens.
        completion_tokens: The completion tokens.
        kwargs: Further fields, such as the tools.
    """

    def __init__(
        self, *, messages: list[Json], response: Json, prompt_tokens: int, completion_tokens: int, **kwargs: Any
    ) -> None:
        super().__init__(
            {
                **kwargs,
                "type": "LLMCall",
                "messages": messages,
                "response": response,
                "prompt_tokens": prompt_tokens,
                "completion_tokens": completion_tokens,
            }
        )


class LLMStreamStartEvent(_ModelEvent):
    """A streamed model call has started.

    Args:
        messages: The messages, as they are sent to the vendor.
        kwargs: Further fields.
    """

    def __init__(self, *, messages: list[Json], **kwargs: Any) -> None:
        super().__init__({**kwargs, "type": "LLMStreamStart", "messages": messages})


class LLMStreamEndEvent(_AnswerEvent):
    """A streamed model call has ended.

    Args:
        response: The whole answer.
        prompt_tokens: The prompt tokens.
        completion_tokens: The completion tokens.
        kwargs: Further fields.
    """

    def __init__(self, *, response: Json, prompt_tokens: int, completion_tokens: int, **kwargs: Any) -> None:
        super().__init__(
            {
                **kwargs,
                "type": "LLMStreamEnd",
                "response": response,
                "prompt_tokens": prompt_tokens,
                "completion_tokens": completion_tokens,
            }
        )


class LLMRetryEvent(_ModelEvent):
    """A model call failed and is made again, after a wait.

    Args:
        attempt: The number of the attempt that failed, from 1.
        error: The error's text.
        wait_seconds: How long the next attempt waits.
        kwargs: Further fields, such as the model.
    """

    def __init__(self, *, attempt: int, error: Payload, wait_seconds: float, **kwargs: Any) -> None:
        super().__init__(
            {**kwargs, "type": "LLMRetry", "attempt": attempt, "error": error, "wait_seconds": wait_seconds}
        )


class ToolCallEvent(_ModelEvent):
    """A tool was called and has ended.

    Args:
        tool_name: Which.
        arguments: With what.
        result: What the model is shown of the result, or of the error.
        kwargs: What else to tell: ``error_type``, if it failed.
    """

    def __init__(self, *, tool_name: str, arguments: Json, result: Payload, **kwargs: Any) -> None:
        super().__init__(
            {**kwargs, "type": "ToolCall", "tool_name": tool_name, "arguments": arguments, "result": result}
        )


class MessageEvent(Event):
    """A message is sent, or delivered.

    Args:
        payload: The message.
        sender: Who sent it; None for the world outside.
        receiver: The agent or topic that it is for; None for the program outside the runtime.
        kind: How it travels.
        delivery_stage: Where it is on its way.
        kwargs: Further fields.
    """

    def __init__(
        self,
        *,
        payload: Payload,
        sender: AgentId | None,
        receiver: AgentId | TopicId | None,
        kind: MessageKind,
        delivery_stage: DeliveryStage,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            {
                **kwargs,
                "payload": payload,
                "sender": _name(sender),
                "receiver": _name(receiver),
                "kind": str(kind),
                "delivery_stage": str(delivery_stage),
                "type": "Message",
            }
        )


class MessageDroppedEvent(Event):
    """An intervention handler dropped a message; the arguments are those of `MessageEvent`."""

    def __init__(
        self,
        *,
        payload: Payload,
        sender: AgentId | None,
        receiver: AgentId | TopicId | None,
        kind: MessageKind,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            {
                **kwargs,
                "payload": payload,
                "sender": _name(sender),
                "receiver": _name(receiver),
                "kind": str(kind),
                "type": "MessageDropped",
            }
        )


class MessageHandlerExceptionEvent(Event):
    """A message handler raised.

    Args:
        payload: The message.
        handling_agent: Whose handler.
        exception: What it raised.
        kwargs: Further fields.
    """

    def __init__(self, *, payload: Payload, handling_agent: AgentId, exception: BaseException, **kwargs: Any) -> None:
        super().__init__(
            {
                **kwargs,
                "payload": payload,
                "handling_agent": str(handling_agent),
                "exception": str(exception),
                "type": "MessageHandlerException",
            }
        )


class AgentConstructionExceptionEvent(Event):
    """An agent could not be made.

    Args:
        agent_id: Which.
        exception: What its factory raised.
        kwargs: Further fields.
    """

    def __init__(self, *, agent_id: AgentId, exception: BaseException, **kwargs: Any) -> None:
        super().__init__(
            {
                **kwargs,
                "agent_id": str(agent_id),
                "exception": str(exception),
                "type": "AgentConstructionException",
            }
        )


def _name(address: AgentId | TopicId | None) -> str | None:
    return None if address is None else str(address)


__all__ = [
    "AgentConstructionExceptionEvent",
    "DeliveryStage",
    "Event",
    "LLMCallEvent",
    "LLMRetryEvent",
    "LLMStreamEndEvent",
    "LLMStreamStartEvent",
    "MessageDroppedEvent",
    "MessageEvent",
    "MessageHandlerExceptionEvent",
    "MessageKind",
    "ToolCallEvent",
]
