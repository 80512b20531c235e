"""The base classes of all messages: pydantic models with a source, a time and a text form.

Chat messages go from agent to agent and into a model's context. Agent events tell an observer what happens inside an
agent and go no further.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache, partial
from random import Random
from typing import Any, Final, Self, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from symposia.core.models import RequestUsage, UserMessage


class BaseMessage(BaseModel, ABC):
    """The root of chat messages and agent events."""

    model_config = ConfigDict(defer_build=True)  # a validator is built when the first message of its class is made

    @abstractmethod
    def to_text(self) -> str:
        """The message as a person reads it on a console."""

    # Any: the values are JSON, and callers index into them.
    def dump(self) -> Mapping[str, Any]:
        """The message as JSON-ready data, from which `load`, or a `MessageFactory`, makes it again."""
        data = self.model_dump(mode="json")
        add_type_name(data, message_type_name(type(self)))
        return data

    @classmethod
    def load(cls, data: Mapping[str, Any]) -> Self:
        """Make a message from what `dump` gave.

        Raises:
            pydantic.ValidationError: `data` is not of this class.
        """
        return cls.model_validate(data)


MESSAGE_CLASS: Final = "message_class"
"""In a dumped message, the name of its class where its ``type`` is that of a base class. AutoGen ignores it."""


def add_type_name(data: dict[str, Any], name: str) -> None:
    """Add the name of its class to a dumped message, where no field has it."""
    if data.setdefault("type", name) != name:
        data[MESSAGE_CLASS] = name


@lru_cache(maxsize=1024)
def message_type_name(message_type: type[BaseMessage]) -> str:
    """The name by which a message class is known: the default of its ``type`` field, else the name of the class.

    A class that inherits the field from another message class has the name of its own: the field says ``TextMessage``
    of every subclass of `TextMessage`, which would all be read back as that.
    """
    declared = _declared_type(message_type)
    if declared is None or any(_declared_type(parent) == declared for parent in message_type.__mro__[1:]):
        return message_type.__name__
    return declared


def _declared_type(message_type: type) -> str | None:
    field = message_type.model_fields.get("type") if issubclass(message_type, BaseMessage) else None
    return field.default if field is not None and isinstance(field.default, str) else None


# An id distinguishes messages and guards nothing, so a seeded generator is enough, without the system call of
# `uuid.uuid4`. It belongs to the module, so that a program that seeds `random` repeats no ids. It is seeded again in a
# forked child, which would otherwise repeat the ids of its parent.
_random = Random()  # noqa: S311 - an id is no secret

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_random.seed)


def new_message_id() -> str:
    """A random UUID (version 4) as text."""
    digits = f"{_random.getrandbits(128):032x}"
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"


class _SentMessage(BaseMessage, ABC):
    """What chat messages and events have in common: where they came from.

    Attributes:
        id: Unique, a UUID.
        source: The name of the agent, or of the user, that sent it.
        models_usage: The tokens that the model call behind this message took; None where no call stands behind it.
        metadata: Free for the application; never shown to a model.
        created_at: In UTC.
    """

    id: str = Field(default_factory=new_message_id)
    source: str
    models_usage: RequestUsage | None = None
    metadata: dict[str, str] = Field(default_factory=dict[str, str])
    created_at: datetime = Field(default_factory=partial(datetime.now, UTC))


class BaseChatMessage(_SentMessage, ABC):
    """A message from one agent to others. Subclass it to send a kind of your own."""

    @abstractmethod
    def to_model_text(self) -> str:
        """The content as text for a model, for instance for one that selects the next speaker."""

    @abstractmethod
    def to_model_message(self) -> UserMessage:
        """The message as it enters the model context of an agent that receives it."""


class BaseTextChatMessage(BaseChatMessage, ABC):
    """A chat message whose content is text."""

    content: str

    def to_text(self) -> str:
        """The content."""
        return self.content

    def to_model_text(self) -> str:
        """The content."""
        return self.content

    def to_model_message(self) -> UserMessage:
        """The content, as a message from `source`."""
        return UserMessage(content=self.content, source=self.source)


class BaseAgentEvent(_SentMessage, ABC):
    """A step of an agent before its answer. Observers see it; other agents do not."""


Item: TypeAlias = BaseAgentEvent | BaseChatMessage
"""An item of a transcript."""

Messages: TypeAlias = Sequence[Item]
"""Messages and events, in order."""

MessageType: TypeAlias = type[Item]
"""The class of an item of a transcript."""
