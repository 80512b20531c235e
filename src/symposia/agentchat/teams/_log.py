"""The log of a team: what happens in it, as entries, each with what it changed in the team's state.

The entries are what the engine commits; the stream of a run shows the same before it is committed, and `save_state` is
the state that the changes add up to. A journal listens, and needs no other part of a team:

    async with team.log_to(listener):
        await team.run(task="...")
    assert fold_log(listener.entries) == await team.save_state()

An entry is written, and its listener waited for, before the team does anything else; so what is recorded is never
behind what happens. While nothing listens, no entry is made.

A log that is read back resumes a team: `fold_log` gives the state for `load_state`. A turn that has no `TurnEnded` is
taken again, under the same number.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from symposia.agentchat.messages import BaseChatMessage
from symposia.agentchat.teams._messages import Item
from symposia.agentchat.teams._rule import Decision
from symposia.core.changes import Change, apply
from symposia.core.exceptions import InvalidArgumentError
from symposia.core.models import RequestUsage


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamLogEntry:
    """An entry.

    Attributes:
        change: What changed in the team's state since the entry before; None if nothing did. See
            `symposia.core.changes`. Messages in it are as `BaseMessage.dump` gives them.
    """

    change: Change | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StateRecorded(TeamLogEntry):
    """The whole state: of the first entry, and after `load_state` and `reset`. The change is ``{"set": state}``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted(TeamLogEntry):
    """A run has started, or continues one that was saved.

    Attributes:
        task: The messages that were appended to the conversation.
    """

    task: Sequence[BaseChatMessage]


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionMade(TeamLogEntry):
    """The rule has decided. The state does not change before the turn has ended.

    Attributes:
        turn: The number of the turn.
        decision: Who speaks, or why the team stops.
        usage: The tokens of the decision; None if no model was asked.
    """

    turn: int
    decision: Decision
    usage: RequestUsage | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnEnded(TeamLogEntry):
    """A turn has ended: well, with an error, or by cancellation.

    Attributes:
        turn: The number of the turn.
        speakers: Those of the decision, in its order.
        answered: Those that answered, in the same order. Their messages were appended to the conversation.
        items: The messages and events that were appended.
        error: The error that ended the turn, as text; None if it ended well.
    """

    turn: int
    speakers: Sequence[str]
    answered: Sequence[str]
    items: Sequence[Item]
    error: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEnded(TeamLogEntry):
    """A run has ended.

    Attributes:
        stop_reason: Why; None if it failed or was cancelled.
        error: The error, as text; None if it ended well.
    """

    stop_reason: str | None
    error: str | None


class TeamLogListener(Protocol):
    """Reads the log of a team."""

    async def write(self, entry: TeamLogEntry, /) -> None:
        """Take an entry. The team waits.

        Raises:
            Exception: It ends the run, whose turn is over then.
        """
        ...


def fold_log(entries: Iterable[TeamLogEntry]) -> Mapping[str, Any]:
    """The state of a team after these entries, of which the first is a `StateRecorded`; for `load_state`.

    Raises:
        InvalidArgumentError: There is no `StateRecorded` at the beginning.
    """
    state: Any = None  # a JSON value
    for entry in entries:
        if state is None and not isinstance(entry, StateRecorded):
            raise InvalidArgumentError("The log of a team begins with a StateRecorded: give all entries since one.")
        state = apply(state, copy.deepcopy(entry.change))
    if state is None:
        raise InvalidArgumentError("The log of a team is empty: it begins with a StateRecorded.")
    return state
