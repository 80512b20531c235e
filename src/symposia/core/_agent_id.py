"""Who a message goes to: an agent's type names the class of agents, its key the one among them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

_AGENT_TYPE = re.compile(r"[\w\-.]+")


@dataclass(frozen=True, slots=True)
class AgentType:
    """The name under which a runtime knows how to make agents of one sort.

    Attributes:
        type: The name, as given to `register`.
    """

    type: str


class AgentId:
    """Names one agent in a runtime: immutable, hashable, written ``type/key``.

    Args:
        type: The agent's type: letters, digits, ``_``, ``-`` and ``.``.
        key: Which agent of that type; any text.

    Raises:
        ValueError: `type` holds other characters, or none.
    """

    __slots__ = ("_key", "_type")

    def __init__(self, type: str | AgentType, key: str) -> None:  # noqa: A002 - AutoGen's name
        self._type = _checked(type.type if isinstance(type, AgentType) else type)
        self._key = key

    @classmethod
    def from_str(cls, agent_id: str) -> AgentId:
        """Read an id back from ``type/key``; the key may itself hold slashes.

        Raises:
            ValueError: There is no slash, or the type is not a valid one.
        """
        type_, slash, key = agent_id.partition("/")
        if not slash:
            raise ValueError(f"Invalid agent id {agent_id!r}: expected 'type/key'.")
        return cls(type_, key)

    @property
    def type(self) -> str:
        """The agent's type."""
        return self._type

    @property
    def key(self) -> str:
        """Which agent of that type."""
        return self._key

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AgentId) and self._key == other._key and self._type == other._type

    def __hash__(self) -> int:
        return hash((self._type, self._key))

    def __str__(self) -> str:
        return f"{self._type}/{self._key}"

    def __repr__(self) -> str:
        return f'AgentId(type="{self._type}", key="{self._key}")'


@lru_cache(maxsize=4096)
def _checked(type_: str) -> str:
    if not _AGENT_TYPE.fullmatch(type_):
        raise ValueError(f"Invalid agent type {type_!r}: use letters, digits, '_', '-' and '.' (regex [\\w\\-.]+).")
    return type_


def type_name(type_: str | AgentType) -> str:
    """The plain name of an agent type given either way."""
    return type_.type if isinstance(type_, AgentType) else type_
