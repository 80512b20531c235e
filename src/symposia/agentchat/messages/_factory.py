"""The classes of messages by name, and messages from what was saved of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any, Final

from symposia.agentchat.messages._base import (
    MESSAGE_CLASS,
    BaseAgentEvent,
    BaseChatMessage,
    Item,
    MessageType,
    message_type_name,
)
from symposia.agentchat.messages._bulk import grouped, load_class, ungrouped
from symposia.core.exceptions import RegistrationError

_MODULES: Final[Mapping[str, Sequence[str]]] = {
    "_chat": ("TextMessage", "MultiModalMessage", "StopMessage", "ToolCallSummaryMessage", "HandoffMessage"),
    "_events": (
        "ToolCallRequestEvent",
        "ToolCallExecutionEvent",
        "UserInputRequestedEvent",
        "ModelClientStreamingChunkEvent",
        "ThoughtEvent",
        "SelectorEvent",
        "SelectSpeakerEvent",
        "OutputRejectedEvent",
    ),
    "_code_and_memory": (
        "ExecutionMessage",
        "CodeGenerationEvent",
        "CodeExecutionEvent",
        "CodeOutputEvent",
        "MemoryQueryEvent",
    ),
}
"""The library's own types, which have the names of their classes. A module is imported when one of its types is met."""

_BUILT_IN: Final = {name: module for module, names in _MODULES.items() for name in names}


class MessageFactory:
    """Makes messages from dumped data by their ``type``. The library's own types are known; others are registered.

    A subclass of a message class is a type of its own, by the name of the class.
    """

    def __init__(self) -> None:
        self._registered: dict[str, MessageType] = {}

    @property
    def registered(self) -> Sequence[MessageType]:
        """The classes that were registered."""
        return tuple(self._registered.values())

    def is_registered(self, message_type: MessageType) -> bool:
        """Whether `create` can make messages of this class.

        Raises:
            RegistrationError: It is no message class.
        """
        _check_message_type(message_type)
        return (name := message_type_name(message_type)) in self._registered or name in _BUILT_IN

    def register(self, message_type: MessageType) -> None:
        """Make a class known.

        Raises:
            RegistrationError: It is no message class, or a class of its ``type`` is known already.
        """
        if self.is_registered(message_type):
            raise RegistrationError(f"Message type {message_type} is already registered.")
        self._registered[message_type_name(message_type)] = message_type

    def create(self, data: Mapping[str, Any]) -> Item:
        """Make the message that `data` was dumped from.

        Raises:
            RegistrationError: `data` has no ``type``, or one that is not known.
            pydantic.ValidationError: The rest of `data` does not fit its ``type``.
        """
        return self._type_named(_name_in(data)).load(_fields(data))

    def create_all(self, data: Sequence[Mapping[str, Any]]) -> list[Item]:
        """Make many messages, as `create` makes one, in less time.

        Raises:
            RegistrationError: As of `create`, for the first message that cannot be made; also the next.
            pydantic.ValidationError: See there.
        """
        try:
            names = [_name_in(one) for one in data]
            made = {
                name: load_class(self._type_named(name), [_fields(one) for one in group])
                for name, group in grouped(names, data).items()
            }
        except Exception:  # noqa: BLE001 - the next line raises it again, in the words of `create`
            return [self.create(one) for one in data]
        return ungrouped(names, made)

    def _type_named(self, name: object) -> MessageType:
        if name is None:
            raise RegistrationError("Field 'type' is required in the message data to recover the message type.")
        if isinstance(name, str):
            if name in self._registered:
                return self._registered[name]
            if name in _BUILT_IN:
                return getattr(import_module(f"symposia.agentchat.messages.{_BUILT_IN[name]}"), name)
        known = ", ".join(sorted({*self._registered, *_BUILT_IN}))
        raise RegistrationError(f"Unknown message type: {name}. Known: {known}")


def _name_in(data: Mapping[str, Any]) -> Any:  # Any: of a damaged message
    return data.get(MESSAGE_CLASS, data.get("type"))


def _fields(data: Mapping[str, Any]) -> Mapping[str, Any]:
    return {key: value for key, value in data.items() if key != MESSAGE_CLASS} if MESSAGE_CLASS in data else data


def _check_message_type(message_type: object) -> None:
    if not isinstance(message_type, type) or not issubclass(message_type, (BaseChatMessage, BaseAgentEvent)):
        raise RegistrationError(f"Message type {message_type} must be a subclass of BaseChatMessage or BaseAgentEvent.")
