"""The command of an agent in a group chat that clears histories: `CLEAR HISTORY [agent] [number of messages]`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

_COMMAND: Final = re.compile(r"clear history", re.IGNORECASE)
WORDS: Final = 2
"""How many of the words that follow it may be its options."""


@dataclass(frozen=True)
class ClearCommand:
    """What is to be cleared.

    Attributes:
        agent: The name of the agent whose history it is; None for all agents.
        keep: How many of the last messages are kept; None for none.
        rest: The text of the message without the command.
    """

    agent: str | None
    keep: int | None
    rest: str

    def __str__(self) -> str:
        whose = self.agent or "all agents"
        kept = "" if self.keep is None else f" except last {self.keep} messages"
        return f"Clearing history for {whose}{kept}."


def read_command(text: str, names: Sequence[str]) -> ClearCommand | None:
    """The command in a text; None if there is none.

    The agent and the number are among the two words that follow it, in any order: `clear history for bob`.

    Args:
        text: The text of a message.
        names: The names of the agents of the group chat.
    """
    if (found := _COMMAND.search(text)) is None:
        return None
    either = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
    word = re.compile(rf"[\s,]*(?:(?P<agent>{either})|(?P<keep>\d+)|\w+)(?!\w)[.,;:]?")
    given: dict[str, str] = {}
    end = at = found.end()
    for _ in range(WORDS):
        if (option := word.match(text, at)) is None:
            break
        at = option.end()
        if option.lastgroup is not None and option.lastgroup not in given:
            given[option.lastgroup] = option[option.lastgroup]
            end = at
    keep = given.get("keep")
    return ClearCommand(
        given.get("agent"), None if keep is None else int(keep), text[: found.start()] + text[end:].lstrip()
    )
