"""Topics, to which messages are published: the type names the subject, the source the origin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from symposia.core._agent_id import IdFormat
from symposia.core._contexts import handling_agent

# What can be addressed in a URI of AutoGen's protocol.
_FORMAT: Final = IdFormat("topic", "type/source", "letters, digits and '_-.:='", r"[\w\-.:=]+")
DEFAULT = "default"


@dataclass(frozen=True, slots=True, eq=False)
class TopicId:
    """Names one topic: immutable, hashable, written ``type/source``.

    Args:
        type: What the topic is about: letters, digits and ``_ - . : =``.
        source: Which one of its kind; subscribers with this key receive its messages.

    Raises:
        ValueError: `type` holds other characters, or none.
    """

    type: str
    source: str

    def __post_init__(self) -> None:
        _FORMAT.check_type(self.type)

    @classmethod
    def from_str(cls, topic_id: str) -> TopicId:
        """Read an id back from ``type/source``; the source may itself hold slashes.

        Raises:
            ValueError: There is no slash, or the type is not a valid one.
        """
        return cls(*_FORMAT.split(topic_id))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TopicId) and self.type == other.type and self.source == other.source

    def __hash__(self) -> int:
        return hash((self.type, self.source))

    def __str__(self) -> str:
        return f"{self.type}/{self.source}"


class DefaultTopicId(TopicId):
    """The topic of small programs that need only one.

    Args:
        type: The topic's type.
        source: Where it comes from. Inside a message handler it is the handling agent's key unless given, so that a
            conversation keeps to itself; elsewhere it is ``"default"``.
    """

    __slots__ = ()

    def __init__(self, type: str = DEFAULT, source: str | None = None) -> None:  # noqa: A002 - AutoGen's name
        super().__init__(type, _default_source() if source is None else source)


def _default_source() -> str:
    handling = handling_agent.get()
    return DEFAULT if handling is None else handling.key
