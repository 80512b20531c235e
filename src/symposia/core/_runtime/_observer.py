"""The spans and events of a runtime's messages, by OpenTelemetry's conventions for messaging.

A runtime asks `Observer.is_wanted` of each message, and does nothing else for observers unless it is.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Coroutine
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import TYPE_CHECKING, Final, TypeVar

from symposia.core._agent_id import AgentId
from symposia.core._message_context import MessageContext
from symposia.core._topic import TopicId
from symposia.core.logging import (
    AgentConstructionExceptionEvent,
    DeliveryStage,
    Event,
    MessageEvent,
    MessageHandlerExceptionEvent,
    MessageKind,
)
from symposia.core.runtimes import DeliveredContext
from symposia.core.telemetry import (
    UNTRACED,
    Activity,
    Attributes,
    begin_if_traced,
    events_are_read,
    is_observed,
    json_text,
    log_event,
    tracing_by,
)
from symposia.core.telemetry.conventions import (
    MESSAGE_TYPE,
    MESSAGING_DESTINATION,
    MESSAGING_DESTINATION_TEMPLATE,
    MESSAGING_MESSAGE_ID,
    MESSAGING_OPERATION,
    MESSAGING_OPERATION_TYPE,
    MESSAGING_SYSTEM,
    SENDER,
    SYSTEM,
)

if TYPE_CHECKING:
    from opentelemetry.trace import TracerProvider

    from symposia.core.telemetry import Kind

T = TypeVar("T")
DISABLE_TRACING: Final = "AUTOGEN_DISABLE_RUNTIME_TRACING"
"""The environment variable that keeps runtimes, and them alone, from making spans if it is ``true``: AutoGen's name."""


class Observer:
    """Makes the spans and events of one runtime's messages.

    Attributes:
        is_wanted: Says whether events are read or traces recorded, now.

    Args:
        provider: Who makes the spans of the runtime and of everything in it, if not the program's tracer provider.
    """

    def __init__(self, provider: TracerProvider | None) -> None:
        self._traces = os.environ.get(DISABLE_TRACING, "").lower() != "true" and not _is_switched_off(provider)
        self._provider = provider if self._traces else None
        self.is_wanted: Callable[[], bool] = is_observed if self._traces else events_are_read
        if self._provider is not None:
            self.is_wanted = _always

    async def send(
        self,
        sending: Callable[[], Coroutine[object, None, object]],
        message: object,
        recipient: AgentId,
        ctx: DeliveredContext,
    ) -> object:
        """Send a message to an agent, with its span and events."""
        ctx.is_observed = True
        _log(partial(_message_event, message, ctx.sender, recipient, MessageKind.DIRECT, DeliveryStage.SEND))
        with self._tracing(), self._span("send", "PRODUCER", recipient, message, ctx) as span, span.current():
            answer = await sending()
        _log(partial(_message_event, answer, recipient, ctx.sender, MessageKind.RESPOND, DeliveryStage.DELIVER))
        return answer

    async def publish(
        self,
        publishing: Callable[[], Coroutine[object, None, None]],
        message: object,
        topic: TopicId,
        ctx: DeliveredContext,
    ) -> None:
        """Publish a message, with its span and event."""
        ctx.is_observed = True
        _log(partial(_message_event, message, ctx.sender, topic, MessageKind.PUBLISH, DeliveryStage.SEND))
        with self._tracing(), self._span("publish", "PRODUCER", topic, message, ctx) as span, span.current():
            await publishing()

    async def handle(
        self, handler: Coroutine[object, None, object], message: object, recipient: AgentId, ctx: MessageContext
    ) -> object:
        """Run a message handler, with its span and events."""
        kind = MessageKind.DIRECT if ctx.is_rpc else MessageKind.PUBLISH
        _log(partial(_message_event, message, ctx.sender, recipient, kind, DeliveryStage.DELIVER))
        with self._tracing(), self._span("process", "CONSUMER", recipient, message, ctx) as span, span.current():
            try:
                answer = await handler
            except Exception as error:
                _log(partial(_failure_event, message, recipient, error))
                raise
        if ctx.is_rpc:
            _log(partial(_message_event, answer, recipient, ctx.sender, MessageKind.RESPOND, DeliveryStage.SEND))
        return answer

    def _tracing(self) -> AbstractContextManager[None]:
        return _NOTHING if self._provider is None else tracing_by(self._provider)

    def _span(
        self, operation: str, kind: Kind, destination: AgentId | TopicId, message: object, ctx: MessageContext
    ) -> Activity:
        if not self._traces:
            return UNTRACED
        template = _UNIQUE.sub("", destination.type)
        attributes = partial(_attributes, operation, destination, template, message, ctx)
        return begin_if_traced(f"{operation} {template}", kind, attributes)


def tell_construction_failed(agent_id: AgentId, error: BaseException) -> None:
    """Log the event that an agent could not be made."""
    _log(lambda: AgentConstructionExceptionEvent(agent_id=agent_id, exception=error))


def _is_switched_off(provider: TracerProvider | None) -> bool:
    if provider is None:
        return False
    from opentelemetry.trace import NoOpTracerProvider  # noqa: PLC0415 - imported already where a provider was made

    return isinstance(provider, NoOpTracerProvider)


def _always() -> bool:
    return True


def _log(event: Callable[[], Event]) -> None:
    if events_are_read():
        log_event(event())


def _message_event(
    message: object, sender: AgentId | None, receiver: AgentId | TopicId | None, kind: MessageKind, stage: DeliveryStage
) -> Event:
    payload = partial(json_text, message)
    return MessageEvent(payload=payload, sender=sender, receiver=receiver, kind=kind, delivery_stage=stage)


def _failure_event(message: object, agent: AgentId, error: Exception) -> Event:
    return MessageHandlerExceptionEvent(payload=partial(json_text, message), handling_agent=agent, exception=error)


def _attributes(
    operation: str, destination: AgentId | TopicId, template: str, message: object, ctx: MessageContext
) -> Attributes:
    return {
        MESSAGING_SYSTEM: SYSTEM,
        MESSAGING_OPERATION: operation,
        MESSAGING_OPERATION_TYPE: "process" if operation == "process" else "send",
        MESSAGING_DESTINATION: str(destination),
        MESSAGING_DESTINATION_TEMPLATE: template,
        MESSAGING_MESSAGE_ID: ctx.message_id,
        MESSAGE_TYPE: type(message).__name__,
        SENDER: None if ctx.sender is None else str(ctx.sender),
    }


_NOTHING: Final = nullcontext()
_UNIQUE: Final = re.compile(r"_?[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""What a team makes its types of agents unique by. Names of spans must be few: tracing backends group by them."""
