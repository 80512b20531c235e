"""The address of an agent: its type names a class of agents, its key one of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

KNOWN_TYPES = 4096
"""How many valid types are remembered. Programs have few; a service that makes types up must not fill the memory."""


class IdFormat:
    """How ids of one sort are written: a type, a slash, and any text.

    Args:
        what: What the ids name: ``"agent"``.
        form: Their form, for error messages: ``"type/key"``.
        characters: What a type may hold, for error messages.
        pattern: The same, as a regular expression.
    """

    def __init__(self, what: str, form: str, characters: str, pattern: str) -> None:
        self._what = what
        self._form = form
        self._characters = characters
        self._pattern = re.compile(pattern)
        self._known: set[str] = set()  # a lookup in a set: `lru_cache` takes twice as long, for each id that is made

    def check_type(self, type_: str) -> str:
        """Return a type that is valid.

        Raises:
            ValueError: It holds other characters, or none.
        """
        if type_ in self._known:
            return type_
        if not self._pattern.fullmatch(type_):
            raise ValueError(
                f"Invalid {self._what} type {type_!r}: use {self._characters} (regex {self._pattern.pattern})."
            )
        if len(self._known) >= KNOWN_TYPES:
            self._known.clear()
        self._known.add(type_)
        return type_

    def split(self, text: str) -> tuple[str, str]:
        """The two parts of an id that is written as text; the second may itself hold slashes.

        Raises:
            ValueError: There is no slash.
        """
        type_, slash, rest = text.partition("/")
        if not slash:
            raise ValueError(f"Invalid {self._what} id {text!r}: expected {self._form!r}.")
        return type_, rest


_FORMAT: Final = IdFormat("agent", "type/key", "letters, digits, '_', '-' and '.'", r"[\w\-.]+")


@dataclass(frozen=True, slots=True)
class AgentType:
    """The name under which agents of one kind are registered.

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
        self._type = _FORMAT.check_type(type.type if isinstance(type, AgentType) else type)
        self._key = key

    @classmethod
    def from_str(cls, agent_id: str) -> AgentId:
        """Read an id back from ``type/key``; the key may itself hold slashes.

        Raises:
            ValueError: There is no slash, or the type is not a valid one.
        """
        return cls(*_FORMAT.split(agent_id))

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


def check_agent_type(agent_type: str) -> str:
    """Return an agent type that is valid.

    Raises:
        ValueError: It holds characters that no `AgentId` may hold, or none.
    """
    return _FORMAT.check_type(agent_type)


def type_name(type_: str | AgentType) -> str:
    """The plain name of an agent type given either way."""
    return type_.type if isinstance(type_, AgentType) else type_
