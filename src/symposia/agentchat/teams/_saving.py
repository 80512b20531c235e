"""Saving and loading a team: its record, with the states of the rule, the condition and the participants.

Saving may happen at any time. A team that is saved in the middle of a turn is saved as if the turn had been cancelled
there. One that is saved while its condition looks at messages is saved with the condition as it was before, and with
the messages as unseen: the team that loads it shows them to its own condition.

To save means to wait, for one participant after another. Meanwhile no turn begins and none is committed: the engine
waits for the lock. Nothing waits the other way round. A condition may save its own team, or the team around it, which
saves this one too, in whichever task and context; if a save waited until the condition has answered, that would never
end. Rejected: to recognise such a save by a context variable, since a runtime that sends bytes carries none.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import NamedTuple

from symposia.agentchat._any_loop_lock import AnyLoopLock
from symposia.agentchat.messages import dump_messages
from symposia.agentchat.teams._limits import TeamLimits, items_for_condition
from symposia.agentchat.teams._participant import ParticipantMarks
from symposia.agentchat.teams._participants import Participants
from symposia.agentchat.teams._record import RecordMark, TeamRecord
from symposia.agentchat.teams._rule import TeamRule
from symposia.agentchat.teams._saved_team import SavedRun, SavedTeam
from symposia.agentchat.teams._turn import Turn
from symposia.core import uninterrupted
from symposia.core.changes import Change, SavedState, copy_state, diff, extension, members
from symposia.core.exceptions import TeamRunningError, error_text


class _TeamMark(NamedTuple):
    """A state of a team that a reader has received.

    Attributes:
        participants: The marks of the participants.
        record: The mark of the record.
        run: The state of the manager, without the transcript.
    """

    participants: ParticipantMarks
    record: RecordMark
    run: SavedState


class TeamSaver:
    """Saves a team, wholly or what changed, and loads it.

    Args:
        team: The name of the team, for errors.
        manager: The name under which the team itself speaks, and its own state is saved.
        state_type: The name of the class of that state.
        rule: Saved with the team.
        limits: Saved with the team.
        participants: Asked for their states.
        record: What is saved.

    Attributes:
        lock: Held while the team is saved. The engine takes it only when it is held: to acquire and release a lock
            costs a turn three coroutines, and saving is rare.
    """

    def __init__(
        self,
        *,
        team: str,
        manager: str,
        state_type: str,
        rule: TeamRule,
        limits: TeamLimits,
        participants: Participants,
        record: TeamRecord,
    ) -> None:
        self.lock = AnyLoopLock()
        self._change_under_way: str | None = None  # ``reset`` or ``loaded``: it is not saved meanwhile
        self._team = team
        self._manager = manager
        self._state_type = state_type
        self._rule = rule
        self._limits = limits
        self._participants = participants
        self._record = record

    async def save_state(self) -> SavedState:
        """The team as it is; of a turn under way, as if it were cancelled now.

        Raises:
            TeamRunningError: The team is being reset, or loaded. A participant that saves its team meanwhile would wait
                for itself, and whether it is one cannot be known where a runtime carries no context.
        """
        self._refuse_during_change()
        async with self._participants.reachable(), self.lock:
            saved = await self._save(self._participants.save)
        return saved.dump(self._team, self._manager, self._state_type)

    async def save_changes(
        self, since: object | None, names: Sequence[str] | None = None
    ) -> tuple[Change | None, object]:
        """What changed in the state of the team since a mark: see `symposia.core.changes.IncrementalState`.

        Args:
            since: The mark.
            names: The participants whose state may have changed; None for all.

        Raises:
            TeamRunningError: As `save_state`.
        """
        self._refuse_during_change()
        record = self._record
        async with self._participants.reachable(), self.lock:
            mark = since if isinstance(since, _TeamMark) else None
            if mark is None or record.turn is not None or not record.is_continued(mark.record):
                return await self._save_whole()
            return await self._save_since(mark, record.names if names is None else names)

    async def load(self, saved: SavedTeam) -> None:
        """Continue from a saved team; not during a run. All of it is loaded, or nothing.

        What can fail comes first: the rule, the condition and the participants read states that are not the engine's,
        and are put back if one of them refuses its own. The record is loaded last, which cannot fail.

        Raises:
            Exception: What the rule, the condition or a participant raised.
        """
        rule, condition, run_turns = copy_state(self._rule.save_state()), self._limits.save(), self._limits.turns
        async with self._participants.reachable(), self.lock, self.refused_during("loaded"):
            try:
                self._rule.load_state(saved.run.rule)
                await self._limits.load(saved.run.condition, saved.run.run_turns)
                await self._participants.load_all(saved.participants)
            except BaseException as error:
                # To load can be cancelled, but to put back cannot: a timeout and a token may both cancel.
                await uninterrupted(self._put_back(rule, condition, run_turns, error))
                raise
            # Nothing is waited for between the last participant and this.
            record = self._record
            record.load(saved.transcript, saved.pending)
            record.turns, record.runs, record.is_running = saved.run.turns, saved.run.runs, saved.run.running
            record.stop_reason = saved.run.stop_reason
            record.unseen, record.unseen_task = saved.run.unseen, saved.run.unseen_task
            record.answered = saved.run.answered

    async def _put_back(
        self, rule: SavedState, condition: SavedState | None, run_turns: int, error: BaseException
    ) -> None:
        """Give the rule and the condition the states from before; what they raise becomes a note of `error`."""
        try:
            self._rule.load_state(rule)
        except Exception as second:  # noqa: BLE001 - the first error is the one to raise; the condition is put back
            error.add_note(f"The rule could not be put back: {error_text(second, repr)}")
        try:
            await self._limits.load(condition, run_turns)
        except Exception as second:  # noqa: BLE001 - as above
            error.add_note(f"The termination condition could not be put back: {error_text(second, repr)}")

    @asynccontextmanager
    async def refused_during(self, change: str) -> AsyncGenerator[None]:
        """Refuse to save inside. The lock is held.

        Args:
            change: What is done to the team: ``reset`` or ``loaded``.
        """
        self._change_under_way = change
        try:
            yield
        finally:
            self._change_under_way = None

    def _refuse_during_change(self) -> None:
        if self._change_under_way is not None:
            raise TeamRunningError(
                f"The team {self._team!r} is being {self._change_under_way}: save it before, or afterwards."
            )

    async def _save(self, save: Callable[[str], Awaitable[SavedState]]) -> SavedTeam:
        """The team as it is.

        Args:
            save: Saves a participant.
        """
        # All of this is taken at once, before waiting for the participants: of a turn that ends meanwhile, by
        # cancellation, `turn` still has the answers.
        turn, record, saved = self._record.turn, self._record.copy(), self._saved_run()
        participants = {name: await _save_participant(name, turn, save) for name in record.names}
        if turn is not None:
            answered = [name for name in turn.names if participants[name][1]]
            # If a speaker has answered, the turn keeps its number, as if it were cancelled: what is recorded under it
            # belongs to this turn alone. Without any answer it is taken again under the same number.
            ended = turn.if_cancelled(answered, turn.number if answered else record.turns)
            record.read(ended)
            saved = saved._replace(turns=record.turns, answered=record.answered)
            if answered and len(answered) == len(turn.names):
                # All have answered: the turn is over but for its commit, and loading must not have it decided again.
                # The rule is asked now, since it may have decided while the participants were saved. It has not moved
                # on since: the next turn waits for the lock.
                saved = saved._replace(rule=copy_state(self._rule.save_state()))
                if saved.running:
                    saved = saved._replace(run_turns=saved.run_turns + 1)
            if saved.running:
                saved = saved._replace(unseen=[*saved.unseen, *items_for_condition(ended, self._manager)])
        return SavedTeam(
            participants={name: own for name, (own, _) in participants.items()},
            pending={name: record.pending(name) for name in record.names},
            transcript=record.transcript,
            run=saved,
        )

    def _saved_run(self) -> SavedRun:
        record, turn = self._record, self._record.turn
        # Of a run whose end is decided, only the reason is needed. Its condition may be met and refuse to be asked, or
        # have been reset already.
        running = record.is_running and record.stop_reason is None
        return SavedRun(
            run_turns=self._limits.turns if running else 0,
            rule=copy_state(self._rule.save_state() if turn is None else turn.rule_state),
            turns=record.turns,
            runs=record.runs,
            running=record.is_running,
            stop_reason=record.stop_reason,
            condition=self._limits.save() if running else None,
            unseen=[*record.unseen, *self._limits.unseen] if running else (),
            unseen_task=[*record.unseen_task, *self._limits.unseen_task] if running else (),
            answered=record.answered,
        )

    async def _save_whole(self) -> tuple[Change, object]:
        marks = self._participants.new_marks({})

        async def save(name: str) -> SavedState:
            marks.pop(name, None)  # of a state that is taken again: see `_save_participant`
            change = await self._participants.changes(name, marks)
            return {} if change is None else change["set"]

        mark, is_in_turn = self._record.mark(), self._record.turn is not None
        saved = await self._save(save)
        state = saved.dump(self._team, self._manager, self._state_type)
        # In a turn, the state has answers that are not committed yet; the next change is then the whole state again.
        reported = None if is_in_turn else _TeamMark(marks, mark, saved.run.dump(self._team, self._state_type))
        return {"set": state}, reported

    async def _save_since(self, since: _TeamMark, names: Sequence[str]) -> tuple[Change | None, object]:
        record = self._record
        run = self._saved_run().dump(self._team, self._state_type)
        mark = _TeamMark(self._participants.new_marks(since.participants), record.mark(), run)
        added = dump_messages(record.added(since.record))
        manager = diff(since.run, run) or {}
        changes: dict[str, Change | None] = {
            name: members({"message_buffer": record.pending_change(name, since.record)}) for name in record.names
        }
        for name in names:
            own = await self._participants.changes(name, mark.participants)
            changes[name] = members({"agent_state": own, **(changes[name] or {}).get("update", {})})
        changes[self._manager] = members(
            {"message_thread": extension(added), **manager.get("update", {})}, manager.get("remove", ())
        )
        return members({"agent_states": members(changes)}), mark


async def _save_participant(
    name: str, turn: Turn | None, save: Callable[[str], Awaitable[SavedState]]
) -> tuple[SavedState, bool]:
    """A participant's state, and whether it has answered in the turn under way; it may do so meanwhile.

    A state that was taken while the answer came may or may not have it, and is taken again. To hold the answer back
    until the state is there would let a save delay the team.
    """
    while True:
        answered = turn is not None and turn.has_answered(name)
        own = await save(name)
        if answered == (turn is not None and turn.has_answered(name)):
            return own, answered
