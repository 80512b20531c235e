"""The messages between a team and its participants as bytes, for runtimes that write their messages.

The classes of the messages inside are named as in saved states, and found by the team's `MessageFactory`, so that
subclasses and structured messages arrive as what they were. The factories are kept by the id of the team, which is part
of the messages: to keep them with the serializers of a runtime would let two teams of one runtime take the place of
each other's types.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final, Generic, Literal, TypeVar
from weakref import WeakValueDictionary

from pydantic import BaseModel, ConfigDict

from symposia.agentchat.messages import BaseChatMessage, Item, MessageFactory
from symposia.agentchat.teams._messages import ParticipantEvents, TakeTurn, TurnTaken
from symposia.core import JSON_DATA_CONTENT_TYPE, MessageSerializer
from symposia.core.exceptions import MessageFormatError, MessageSerializationError
from symposia.core.models import RequestUsage

VERSION: Final = 1
"""Of the bytes of these messages. A later version reads this one."""

_factories: WeakValueDictionary[str, MessageFactory] = WeakValueDictionary()


def share_message_types(team: str, factory: MessageFactory) -> None:
    """Let the messages of a team be read in this process, as long as `factory` exists."""
    _factories[team] = factory


def team_message_serializers() -> Sequence[MessageSerializer[Any]]:
    """The serializers of `TakeTurn`, `TurnTaken` and `ParticipantEvents`; the others are pydantic models."""
    return _SERIALIZERS


class _Record(BaseModel):
    """The JSON of one of these messages; which fields there are depends on its class."""

    model_config = ConfigDict(defer_build=True)

    version: Literal[1] = VERSION
    team: str
    name: str = ""
    turn: int = 0
    items: list[Mapping[str, Any]] = []
    messages: list[Mapping[str, Any]] = []
    silent_usage: RequestUsage | None = None
    ordered: list[Mapping[str, Any]] | None = None


T = TypeVar("T", TakeTurn, TurnTaken, ParticipantEvents)


class _TeamMessageSerializer(MessageSerializer[T], Generic[T]):
    """Writes one of these classes of messages as JSON.

    Args:
        cls: The class.
        read: Makes a message of a record and the factory of its team.
    """

    def __init__(self, cls: type[T], read: Callable[[_Record, MessageFactory], T]) -> None:
        self._cls = cls
        self._read = read

    @property
    def data_content_type(self) -> str:
        """JSON."""
        return JSON_DATA_CONTENT_TYPE

    @property
    def type_name(self) -> str:
        """The name of the class."""
        return self._cls.__name__

    def serialize(self, message: T) -> bytes:
        """Write a message.

        Raises:
            MessageSerializationError: It holds a message of a class that the team does not know.
        """
        factory = _factory_of(message.team)
        data: dict[str, object] = {"version": VERSION, "team": message.team}
        if isinstance(message, ParticipantEvents):
            data["name"] = message.name
        if isinstance(message, TakeTurn):
            data["turn"] = message.turn
        if isinstance(message, TurnTaken | ParticipantEvents):
            data["items"] = [_dump(item, factory) for item in message.items]
        if isinstance(message, TakeTurn | TurnTaken):
            data["messages"] = [_dump(one, factory) for one in message.messages]
        if isinstance(message, TurnTaken) and message.silent_usage is not None:
            data["silent_usage"] = asdict(message.silent_usage)
        if isinstance(message, TurnTaken) and message.ordered is not None:
            data["ordered"] = [_dump(item, factory) for item in message.ordered]
        return json.dumps(data).encode()

    def deserialize(self, payload: bytes) -> T:
        """Read a message back.

        Raises:
            MessageFormatError: The bytes are no such message, or of a later version.
        """
        try:
            # Not `model_validate_json`, which refuses the lone surrogates that a model can write as escapes.
            record = _Record.model_validate(json.loads(payload))
            return self._read(record, _factory_of(record.team))
        except (ValueError, RecursionError) as error:  # ValueError: of pydantic and json
            raise MessageFormatError(f"The bytes are no {self.type_name} of version {VERSION}: {error}") from error


def _dump(item: Item, factory: MessageFactory) -> Mapping[str, Any]:
    if not factory.is_registered(type(item)):
        raise MessageSerializationError(
            f"A {type(item).__name__} cannot leave the process: its team does not know the class. Give it to the "
            "team's custom_message_types."
        )
    return item.dump()


def _factory_of(team: str) -> MessageFactory:
    return _factories.get(team) or MessageFactory()


def _items(data: Sequence[Mapping[str, Any]], factory: MessageFactory) -> list[Item]:
    return factory.create_all(data)


def _messages(data: Sequence[Mapping[str, Any]], factory: MessageFactory) -> list[BaseChatMessage]:
    items = _items(data, factory)
    messages = [item for item in items if isinstance(item, BaseChatMessage)]
    if len(messages) < len(items):
        raise ValueError("messages holds an event: it is for chat messages")
    return messages


_SERIALIZERS: Final[Sequence[MessageSerializer[Any]]] = (
    _TeamMessageSerializer(
        TakeTurn, lambda record, factory: TakeTurn(record.team, _messages(record.messages, factory), record.turn)
    ),
    _TeamMessageSerializer(
        TurnTaken,
        lambda record, factory: TurnTaken(
            record.team,
            _items(record.items, factory),
            _messages(record.messages, factory),
            record.silent_usage,
            None if record.ordered is None else _items(record.ordered, factory),
        ),
    ),
    _TeamMessageSerializer(
        ParticipantEvents,
        lambda record, factory: ParticipantEvents(record.team, record.name, _items(record.items, factory)),
    ),
)
