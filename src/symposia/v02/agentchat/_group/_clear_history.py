"""The command of an agent in a group chat that clears histories: `CLEAR HISTORY [agent] [number of messages]`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

_COMMAND: Final = re.compile(r"clear history", re.IGNORECASE)


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

    Args:
        text: The text of a message.
        names: The names of the agents of the group chat.
    """
    if (found := _COMMAND.search(text)) is None:
        return None
    either = "|".join(re.escape(name) for name in names)
    options = re.compile(rf"\s*(?:(?P<agent>{either})(?!\w)[.,;:]?)?\s*(?:(?P<keep>\d+)(?!\w)[.,;:]?)?")
    given = options.match(text, found.end())
    assert given is not None  # noqa: S101 - all parts of the pattern are optional
    rest = text[: found.start()] + text[given.end() :].lstrip()
    keep = given["keep"]
    return ClearCommand(given["agent"], None if keep is None else int(keep), rest)
