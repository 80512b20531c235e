"""The task of a debate: a question, and positions with the names of their advocates."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from symposia.agentchat.teams import Position
from symposia.core.exceptions import InvalidArgumentError

CRITIC: Final = "critic"
MODERATOR: Final = "moderator"
LEAST_POSITIONS: Final = 2
"""The least number of positions with an advocate."""

_NAME_LENGTH: Final = 40


class DebateTaskError(InvalidArgumentError):
    """There is no question, or there are not enough different positions."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DebateTask:
    """A question to be debated.

    Attributes:
        question: The question.
        positions: The positions with an advocate each.
        open_positions: The positions without an advocate, which can be voted for.

    Raises:
        DebateTaskError: The question is blank, a position has no text, there are fewer than two with an advocate, or
            two of the same name.
    """

    question: str
    positions: tuple[Position, ...]
    open_positions: tuple[Position, ...] = ()

    def __post_init__(self) -> None:
        if not self.question.strip():
            raise DebateTaskError("The question is empty. Say what to decide, such as 'Kafka or a nightly batch?'.")
        if len(self.positions) < LEAST_POSITIONS:
            raise DebateTaskError(
                f"A debate needs at least two positions with an advocate, and has {len(self.positions)}."
            )
        seen: dict[str, Position] = {}
        for position in (*self.positions, *self.open_positions):
            if not position.name.strip() or not position.text.strip():
                raise DebateTaskError("A position is empty. Say what it is, such as 'Kafka: a stream of events'.")
            if position.name.casefold() in seen:
                raise DebateTaskError(f"Two positions are called {position.name!r}. Give each a name: NAME: TEXT.")
            seen[position.name.casefold()] = position

    @property
    def advocates(self) -> dict[str, Position]:
        """The positions by the names of their advocates: ``kafka_advocate``."""
        names: dict[str, Position] = {}
        for position in self.positions:
            stem = f"{_identifier(position.name)}_advocate"
            number = 1
            name = stem
            while name in names:
                number += 1
                name = f"{stem}_{number}"
            names[name] = position
        return names

    @property
    def agents(self) -> Sequence[str]:
        """The names of all agents."""
        return (*self.advocates, CRITIC, MODERATOR)


def position_from(text: str) -> Position:
    """A position from ``NAME: TEXT``. Without a name, its first words are its name."""
    name, colon, rest = text.partition(":")
    if colon and rest.strip() and 0 < len(name.strip()) <= _NAME_LENGTH:
        return Position(name.strip(), rest.strip())
    text = text.strip()
    if len(text) <= _NAME_LENGTH:
        return Position(text, text)
    return Position(text[: _NAME_LENGTH - 1].rpartition(" ")[0] or text[: _NAME_LENGTH - 1], text)


def _identifier(name: str) -> str:
    """A name as a part of a Python identifier, for the name of an agent."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "_", plain).strip("_") or "position"
