"""The log of a team: what happens in it, entry by entry. Whatever else reports on a team is a view of this log.

The engine appends (`_log.py`). These read:

- the record (`_record.py`): the conversation and how far the team is. It is the sum of the entries, and `save_state`
  writes it down, beside the states of the rule, the condition and the participants;
- the run (`_run.py`): the stream and the result;
- listeners, which are given each entry with what it changed in the whole state:

      async with team.log_to(listener):
          await team.run(task="...")
      assert fold_log(listener.entries) == await team.save_state()

Everything that a team commits is an entry. What changes its record without one is this, all of it:

- `load_state` and `reset` replace the record. Listeners are given a `StateRecorded` afterwards.
- The turn under way is noted in the record, so that a save in the middle of it has the answers that are there. Nothing
  of it is committed; its `TurnEnded` removes it.
- Once the condition of a run that was loaded has seen the messages that it had missed, the record drops them. This is
  a part of the `RunStarted`, whose change has it.

An entry is read by the record and the run the moment it is appended. Listeners are waited for before the team does
anything else, so what they have recorded is never behind what happens. To cancel the run does not interrupt them: what
they have recorded is a state of the team, at whatever moment the run was cancelled (`_log.py`). A journal is a
listener, and needs no other part of a team. A log that is read back resumes a team: `fold_log` gives the state for
`load_state`. A turn that has no `TurnEnded` is taken again, under the same number.

`ItemsShown` is the one kind of entry that changes no state and reaches the stream only. A stream shows what speakers do
while they do it, and a turn is committed when it has ended; of a turn that fails or is cancelled, some of what was
shown is never committed. `TurnEnded` has what is. Rejected: to stream what is committed (a chunk would be shown when
its message is whole), and to give listeners each chunk (a journal would write every answer twice, and hold up the
stream at each chunk).

Entries are not kept. The record adds them up, so a team that runs for ever needs no more memory than its conversation,
and saving asks for the sum instead of computing it again. What an entry changed in the state is computed for listeners
alone; without one, an entry costs half a microsecond.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from symposia.agentchat.messages import BaseChatMessage, Item, ModelClientStreamingChunkEvent
from symposia.agentchat.teams._messages import TurnTaken
from symposia.agentchat.teams._rule import Decision
from symposia.core.changes import Change, SavedState, apply
from symposia.core.exceptions import ArgumentTypeError, InvalidArgumentError
from symposia.core.models import RequestUsage


# Not frozen: every turn makes two of these, and setting the fields of a frozen dataclass takes two and a half times as
# long. Only the team changes one, before a listener is given it: `change`, and the `error` of a condition that failed.
@dataclass(slots=True, kw_only=True)
class TeamLogEntry:
    """An entry. Not to be changed.

    Attributes:
        change: What changed in the team's state since the entry before; None if nothing did. See
            `symposia.core.changes`. Messages in it are as `BaseMessage.dump` gives them. It is the whole state,
            ``{"set": state}``, if a listener has not taken the entry before.
    """

    change: Change | None = None


@dataclass(slots=True, kw_only=True)
class StateRecorded(TeamLogEntry):
    """The whole state: of the first entry, and after `load_state` and `reset`. The change is ``{"set": state}``."""


@dataclass(slots=True, kw_only=True)
class RunStarted(TeamLogEntry):
    """A run has started, or continues one that was saved.

    Attributes:
        task: The messages that were appended to the conversation.
    """

    task: Sequence[BaseChatMessage]


@dataclass(slots=True, kw_only=True)
class DecisionMade(TeamLogEntry):
    """The rule has decided. The state does not change before the turn has ended.

    Attributes:
        turn: The number of the turn.
        decision: Who speaks, what the team itself says, or why it stops.
        usage: The tokens of the decision; None if no model was asked.
    """

    turn: int
    decision: Decision
    usage: RequestUsage | None


@dataclass(slots=True, kw_only=True)
class ItemsShown(TeamLogEntry):
    """Something has happened that observers see now: for the stream, and not for listeners.

    Attributes:
        items: Messages, events and streamed chunks, in order.
        is_of_team: Whether they are the team's own events, which belong to no turn of a speaker.
    """

    items: Sequence[Item]
    is_of_team: bool = False


@dataclass(slots=True, kw_only=True)
class TurnEnded(TeamLogEntry):
    """A turn has ended: well, with an error, or by cancellation.

    Attributes:
        turn: The number of the turn.
        speakers: Those of the decision, in its order.
        answers: The answers of those that ended their turns.
        shown: The messages and events of each speaker, without streamed chunks.
        usage: The tokens of the decision; None if no model was asked.
        error: The error that ended the turn, as text; None if it ended well.
        said: The messages of the team itself, which were appended to the conversation. There are no speakers then.
        is_reset: Whether the participants have forgotten the conversation before.
        lost_usage: The tokens of a turn that failed which are in no message, such as those of an answer of a model that
            was cancelled; None if there are none.
    """

    turn: int
    speakers: Sequence[str]
    answers: Mapping[str, TurnTaken]
    shown: Mapping[str, Sequence[Item]]
    usage: RequestUsage | None
    error: str | None
    said: Sequence[BaseChatMessage] = ()
    is_reset: bool = False
    lost_usage: RequestUsage | None = None

    @property
    def answered(self) -> Sequence[str]:
        """Those that answered, in the order of the decision. Their messages were appended to the conversation."""
        if len(self.answers) == len(self.speakers):
            return self.speakers
        return tuple(name for name in self.speakers if name in self.answers)

    @property
    def items(self) -> Sequence[Item]:
        """The messages and events that were appended."""
        return [*self.said, *(item for name in self.answered for item in self.shown[name])]


@dataclass(slots=True, kw_only=True)
class RunEnded(TeamLogEntry):
    """A run has ended.

    Attributes:
        stop_reason: Why; None if it failed or was cancelled.
        error: The error, as text; None if it ended well.
    """

    stop_reason: str | None
    error: str | None


def without_chunks(items: Sequence[Item]) -> list[Item]:
    """Those of some items that are no pieces of a streamed message."""
    return [item for item in items if not isinstance(item, ModelClientStreamingChunkEvent)]


class TeamLogListener(Protocol):
    """Reads the log of a team."""

    async def write(self, entry: TeamLogEntry, /) -> None:
        """Take an entry. The team waits, also when its run is cancelled meanwhile, so limit the time of what may hang.

        Raises:
            Exception: It ends the run, whose turn is over then. The other listeners are given the entry nevertheless,
                and the change of the next entry is the whole state, for all of them.
        """
        ...


def check_listener(team: str, given: object) -> None:
    """Raise an error for an object that is not a listener.

    Raises:
        ArgumentTypeError: It is a class, a function, or anything else.
    """
    if isinstance(given, type) or not callable(getattr(given, "write", None)):
        raise ArgumentTypeError(
            f"A listener to the log of the team {team!r} has to be an object with a method "
            f"async def write(self, entry), not {given!r}"
        )


def fold_log(entries: Iterable[TeamLogEntry]) -> SavedState:
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
