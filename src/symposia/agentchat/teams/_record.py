"""The record of a team: the sum of the entries of its log, which is the conversation and how far the team is in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import NamedTuple

from symposia.agentchat.messages import BaseChatMessage, Item, dump_messages
from symposia.agentchat.teams._log_entries import RunEnded, RunStarted, TeamLogEntry, TurnEnded
from symposia.agentchat.teams._rule import Answered
from symposia.agentchat.teams._turn import Turn
from symposia.core.changes import Change, extension


class RecordMark(NamedTuple):
    """How far a record was.

    Attributes:
        replaced: How often it had been loaded or reset.
        length: The length of the transcript.
        pending: By participant, how many messages it had received, and how many were pending.
    """

    replaced: int
    length: int
    pending: Mapping[str, tuple[int, int]]


class TeamRecord:
    """What the entries of a team's log add up to: the conversation, and how far the team is in it.

    It does no I/O and waits for nothing, so an entry is appended wholly or not at all, also while a run is being
    cancelled. The states of the rule, the condition and the participants are their own and not part of it.

    Args:
        names: The participants.

    Attributes:
        names: As given, in their order.
        transcript: Every message and event so far; only ever appended to.
        turns: How many turns the team has ended in its whole life.
        runs: How many runs it has started. One that goes on after loading is the same run.
        is_running: Whether a run has started and not ended; so, too, between the runs of a team that was loaded in the
            middle of one.
        stop_reason: Why the run ends, once that is decided; None before, and after its end.
        unseen: The messages of a run that was loaded which its condition has not seen: those of a turn that was not
            over.
        unseen_task: The messages of the task of such a run, if its condition has not seen them.
        answered: What the rule is to be told in its next decision: see `RuleContext`.
        turn: The turn under way, of which nothing is committed yet.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._pending: dict[str, list[BaseChatMessage]] = {name: [] for name in names}
        self.names = tuple(self._pending)
        self.transcript: list[Item] = []
        self.turns = 0
        self.runs = 0
        self.is_running = False
        self.stop_reason: str | None = None
        self.unseen: Sequence[Item] = ()
        self.unseen_task: Sequence[BaseChatMessage] = ()
        self.answered: Sequence[Answered] = ()
        self.turn: Turn | None = None
        self._received = dict.fromkeys(self._pending, 0)  # how many messages were taken out of each list
        self._replaced = 0  # how often another record took the place of this one

    def read(self, entry: TeamLogEntry) -> None:
        """Add an entry."""
        match entry:
            case TurnEnded():
                self._end_turn(entry)
            case RunStarted():
                self.runs = self.next_run
                self.is_running = True
                self.transcript += entry.task
                for pending in self._pending.values():
                    pending.extend(entry.task)
            case RunEnded():
                self.end_run()
            case _:
                pass

    def end_run(self) -> None:
        """Be between two runs."""
        self.is_running = False
        self.stop_reason = None
        self.unseen = self.unseen_task = ()

    @property
    def next_run(self) -> int:
        """The number of a run that starts now, or goes on."""
        return self.runs if self.is_running else self.runs + 1

    def includes(self, names: AbstractSet[str]) -> bool:
        """Whether all of them are participants."""
        return names <= self._pending.keys()

    def pending(self, name: str) -> Sequence[BaseChatMessage]:
        """The messages that a participant has not received yet; a copy, which stays as it is."""
        return tuple(self._pending[name])

    def copy(self) -> TeamRecord:
        """The record as it is now, without the turn under way."""
        copied = TeamRecord(self.names)
        copied.load(self.transcript, self._pending)
        copied.turns, copied.runs, copied.is_running = self.turns, self.runs, self.is_running
        copied.stop_reason = self.stop_reason
        copied.unseen, copied.unseen_task = self.unseen, self.unseen_task
        copied.answered = self.answered
        return copied

    def mark(self) -> RecordMark:
        """How far the record is, for `added` and `pending_change`."""
        lengths = {name: (self._received[name], len(pending)) for name, pending in self._pending.items()}
        return RecordMark(self._replaced, len(self.transcript), lengths)

    def is_continued(self, since: RecordMark) -> bool:
        """Whether entries were only added since."""
        return self._replaced == since.replaced

    def added(self, since: RecordMark) -> Sequence[Item]:
        """The messages and events that were added to the transcript since."""
        return self.transcript[since.length :]

    def pending_change(self, name: str, since: RecordMark) -> Change | None:
        """What changed in the pending messages of a participant since, as JSON."""
        received, length = since.pending[name]
        pending = self._pending[name]
        if received == self._received[name]:
            return extension(dump_messages(pending[length:]))
        return {"set": dump_messages(pending)}

    def load(self, transcript: Sequence[Item], pending: Mapping[str, Sequence[BaseChatMessage]]) -> None:
        """Continue from a saved conversation."""
        self.transcript[:] = transcript
        self._replaced += 1
        self._pending = {name: list(pending[name]) for name in self._pending}

    def reset(self) -> None:
        """Forget the conversation. The numbers of the runs and turns continue."""
        self.load((), dict.fromkeys(self._pending, ()))
        self.end_run()
        self.answered = ()

    def _forget_pending(self) -> None:
        """Drop the pending messages of all participants, which have forgotten the conversation."""
        for name, pending in self._pending.items():
            self._received[name] += len(pending)
            pending.clear()

    def _end_turn(self, entry: TurnEnded) -> None:
        """Commit the answers of a turn, or what the team itself said.

        The messages that a speaker was given are those that were pending when it was asked: of which there are as many
        now, since only the end of a turn adds to them. They are counted for all speakers before the first one's answer
        becomes a pending message of the second.
        """
        self.turn = None
        self.turns = entry.turn
        if entry.is_reset:
            self._forget_pending()
        if entry.said:
            self.transcript += entry.said
            for pending in self._pending.values():
                pending.extend(entry.said)
        answered = [(name, len(self._pending[name])) for name in entry.answered]
        # A decision that was not carried out as a whole is undone: what the rule was told, it is told again.
        is_undone = len(answered) < len(entry.speakers) or (not answered and entry.error is not None)
        told = [*self.answered] if is_undone else []
        for name, received in answered:
            told.append(Answered(entry.turn, name, len(self.transcript), entry.shown[name]))
            self.transcript += entry.shown[name]
            del self._pending[name][:received]
            self._received[name] += received
            messages = entry.answers[name].messages
            for other, pending in self._pending.items():
                if other != name:
                    pending.extend(messages)
        self.answered = told
