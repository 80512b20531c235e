"""The classes of messages by name, and messages from what was saved of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any, Final

from pydantic import ValidationError

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
        "ProgressLedgerEvent",
        "GuardrailEvent",
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

    A subclass of a message class is a type of its own, by the name of the class. Different classes may have one name,
    as the structured messages of two agents whose content is called ``Answer``: see `add`.
    """

    def __init__(self) -> None:
        self._registered: dict[str, MessageType] = {}
        self._namesakes: dict[str, list[MessageType]] = {}  # further classes of a registered name

    @property
    def registered(self) -> Sequence[MessageType]:
        """The classes that were registered."""
        return (*self._registered.values(), *(each for classes in self._namesakes.values() for each in classes))

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

    def add(self, message_type: MessageType) -> None:
        """Register a class, also in addition to others of its ``type``.

        A message of that ``type`` is then loaded as the first class whose dump of it equals the data.

        Raises:
            RegistrationError: It is no message class.
        """
        if not self.is_registered(message_type):
            self.register(message_type)
            return
        name = message_type_name(message_type)
        if message_type.__module__ == f"{__package__}.{_BUILT_IN.get(name)}":
            return  # the common case: without importing the module of the built-in class
        known = [self._type_named(name), *self._namesakes.get(name, ())]
        # Classes that are made of one schema, as by two `StructuredMessageFactory` objects, read the same messages.
        if message_type not in known and _schema(message_type) not in map(_schema, known):
            self._namesakes.setdefault(name, []).append(message_type)

    def create(self, data: Mapping[str, Any]) -> Item:
        """Make the message that `data` was dumped from.

        Raises:
            RegistrationError: `data` has no ``type``, or one that is not known.
            pydantic.ValidationError: The rest of `data` does not fit its ``type``.
        """
        name, fields = _name_in(data), _fields(data)
        message_type = self._type_named(name)
        if name in self._namesakes:
            return _load_as_dumped([message_type, *self._namesakes[name]], fields)
        return message_type.load(fields)

    def create_all(self, data: Sequence[Mapping[str, Any]]) -> list[Item]:
        """Make many messages, as `create` makes one, in less time.

        Raises:
            RegistrationError: As of `create`, for the first message that cannot be made; also the next.
            pydantic.ValidationError: See there.
        """
        try:
            names = [_name_in(one) for one in data]
            if not self._namesakes.keys().isdisjoint(names):
                return [self.create(one) for one in data]
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


def _schema(message_type: MessageType) -> Mapping[str, Any]:
    return message_type.model_json_schema()


def _load_as_dumped(classes: Sequence[MessageType], fields: Mapping[str, Any]) -> Item:
    """A message of the first class whose dump equals `fields`; else of the first class that can load them.

    Raises:
        pydantic.ValidationError: No class can load them. It is the error of the first class.
    """
    loaded: list[Item] = []
    for message_class in classes:
        try:
            message = message_class.load(fields)
        except ValidationError:
            continue
        if _fields(message.dump()) == fields:
            return message
        loaded.append(message)
    return loaded[0] if loaded else classes[0].load(fields)


def _check_message_type(message_type: object) -> None:
    if not isinstance(message_type, type) or not issubclass(message_type, (BaseChatMessage, BaseAgentEvent)):
        raise RegistrationError(f"Message type {message_type} must be a subclass of BaseChatMessage or BaseAgentEvent.")
