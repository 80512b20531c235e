"""What every team does: the speakers of a decision speak, turn by turn, until something ends the run.

**What is committed, and when.** A turn is committed as a whole when its last speaker has ended, in the order of the
decision: their messages are added to the transcript in that order, however the speakers finished. So the transcript
depends on what was said and never on how long it took, and a journal that gives the same answers gives the same
transcript. Events are streamed as they come; their order is not the transcript's.

A turn that fails or is cancelled:

- A speaker that fails does not interrupt the others of its turn. Those that answer are committed, in the order of the
  decision; those that failed are given their messages again in their next turn, and the rule is put back to where it
  was before it decided, so that the next run decides anew. The error of the first in the order of the decision is
  raised, with the others as notes.
- Cancelling a run (by its token, its task, a timeout) interrupts all speakers. Those that had answered by then are
  committed, as above. An answer counts from the moment in which the participant has ended its turn, and not
  from its arrival: otherwise what the participant remembers to have said could be lost on the way.

Rejected: to commit each speaker when it ends (the order depends on timing); to cancel the others when one fails (which
of them had answered depends on timing, and their work is lost); to commit nothing of a failed turn (those that answered
remember it, and would receive their messages twice); to undo the participants of a failed turn (their states would
have to be saved before each turn, which costs the whole conversation).

**Pausing** takes effect between two turns: the end of a pause is awaited before each. A pause begins before the
participants are told, so that no further turn begins meanwhile. It ends after all participants were told, so that a
paused one is not asked for a turn. The speakers of a turn under way decide for themselves whether to stop: only an
agent knows where it can stop without losing a model's answer.

**Cancelling** reaches the speakers by two ways, which are the same for them: the task in which the run takes place is
cancelled, or the token that was handed to them, which cancels that task. What is committed then is committed without
waiting, since the next wait of a cancelled task may be cancelled again (a timeout around a cancelled run), and half a
turn must not stay behind.

All of it goes through the team's log (`_log_entries.py`): the engine appends entries, and the transcript, the stream,
the result and the saved state are read from them.

**Turns** are numbered over the life of the team. Each has a number of its own, also one that failed or in which the
rule stopped the team: what is recorded under a number belongs to that turn alone. The number is part of the scope of
the effects in it: ``team:NAME/turn:7/agent:writer`` for a speaker's, ``team:NAME/turn:7/rule`` for the decision's. Runs
are numbered too, for the effects before their first turn and behind their last: ``team:NAME/start:2`` is the scope of a
condition that looks at the second task.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from typing import cast

from symposia.agentchat._answers import checked_awaitable
from symposia.agentchat._any_loop_lock import AnyLoopLock
from symposia.agentchat._response import add_usage
from symposia.agentchat.messages import BaseAgentEvent, BaseChatMessage, Item, SelectSpeakerEvent
from symposia.agentchat.teams._limits import TeamLimits, TurnOverdueError
from symposia.agentchat.teams._log import TeamLog
from symposia.agentchat.teams._log_entries import DecisionMade, RunEnded, RunStarted, TurnEnded
from symposia.agentchat.teams._messages import ParticipantCommand, ParticipantEvents, TurnTaken
from symposia.agentchat.teams._participants import Participants
from symposia.agentchat.teams._pause import Pause
from symposia.agentchat.teams._record import TeamRecord
from symposia.agentchat.teams._rule import Decision, Restart, RuleContext, Say, Speak, Stop, TeamRule, discard
from symposia.agentchat.teams._run import Run
from symposia.agentchat.teams._turn import Turn, speak_together
from symposia.core import uninterrupted
from symposia.core.changes import copy_state
from symposia.core.exceptions import UsageError, error_text
from symposia.core.models import UsageAccount


class Engine:
    """Carries out the decisions of a rule.

    Args:
        team: The name of the team, for errors.
        manager: The name under which the team itself speaks.
        rule: Decides.
        participants: Speak.
        record: The conversation, and how far the team is. The engine changes it by the log, with the exceptions that
            `_log_entries.py` names.
        limits: What ends a run, besides the rule.
        log: Receives an entry for everything that is committed.
        lock: Held while the team is saved: no turn begins then, and none is committed.
        emit_team_events: Whether the rule's events, and the choice of speakers, are streamed.

    Attributes:
        pause: Takes effect between two turns: the speakers of the present one are notified, and decide themselves
            whether they can stop in the middle.
    """

    def __init__(
        self,
        *,
        team: str,
        manager: str,
        rule: TeamRule,
        participants: Participants,
        record: TeamRecord,
        limits: TeamLimits,
        log: TeamLog,
        lock: AnyLoopLock,
        emit_team_events: bool,
    ) -> None:
        self.pause = Pause()
        self._team = team
        self._manager = manager
        self._rule = rule
        self._participants = participants
        self._record = record
        self._limits = limits
        self._log = log
        self._lock = lock
        self._emit_team_events = emit_team_events

    async def run(self, task: Sequence[BaseChatMessage], run: Run) -> str:
        """Take turns until something ends the run.

        Returns:
            The reason why it ended.

        Raises:
            Exception: Whatever a speaker or the rule raised; the team can run again.
        """
        self._log.run = run
        if task and self._record.stop_reason is not None:
            self._record.end_run()  # it was saved when it was over, and another task begins another run
        reason: str | None = None
        failure: str | None = None
        try:
            reason = await run.within("start", self._record.next_run, self._start, task)
            _raise_if_cancelled()
            if reason is None:  # it may be an empty text
                await self._participants.start_run()
                reason = await self._take_turns(run)
            return reason  # noqa: TRY300 - the log still needs it
        except BaseException as error:
            failure = error_text(error, repr)
            raise
        finally:
            ended = RunEnded(stop_reason=reason, error=failure)
            self._log.append(ended)
            self._log.run = None
            await run.within("end", self._record.runs, self._end, ended)

    def on_events(self, events: ParticipantEvents) -> None:
        """Stream what a participant does in the middle of its turn. What comes after its turn is dropped."""
        turn = self._record.turn
        if turn is not None and events.name in turn.shown and events.name not in turn.answers:
            self._show(turn, events.name, events.items)

    def on_ended(self, name: str, number: int, answer: TurnTaken) -> None:
        """Note that a participant has ended its turn, whose answer is on its way."""
        turn = self._record.turn
        if turn is not None and turn.number == number and name in turn.shown:
            turn.on_their_way[name] = answer

    async def reset(self) -> None:
        """Forget the conversation and the state of the rule. The numbers of the runs and turns continue."""
        self.pause.end()
        self._record.reset()
        try:
            self._rule.reset()
        finally:
            await self._limits.reset()

    async def _end(self, ended: RunEnded) -> None:
        try:
            await self._limits.reset()
        finally:
            await self._log.write(ended)

    async def _start(self, task: Sequence[BaseChatMessage]) -> str | None:
        started = RunStarted(task=task)
        if self._lock.locked():
            await self._saved()
        is_continued = self._record.is_running
        reason = self._record.stop_reason
        try:
            self._log.append(started)
            if reason is not None:
                return reason
            unseen_task, self._record.unseen_task = self._record.unseen_task, ()
            reason = await self._limits.start([*unseen_task, *task])
            if self._record.unseen and reason is None:
                unseen, self._record.unseen = self._record.unseen, ()
                reason = await self._limits.show(unseen)
            if is_continued and reason is None:  # it may have been saved behind its last turn
                reason = self._limits.turns_reached()
            self._record.stop_reason = reason
        finally:
            await self._log.write(started)
        return reason

    async def _take_turns(self, run: Run) -> str:
        while True:
            # Both waits are asked for first: a coroutine that has nothing to wait for costs as much as one that has.
            if self.pause.is_on:
                await self.pause.wait()
            number = self._record.turns + 1
            end = await run.within("turn", number, self._take_turn, number, run)
            _raise_if_cancelled()
            if end is not None:
                return end
            await asyncio.sleep(0)  # agents that never wait would keep everything else from running

    async def _saved(self) -> None:
        """Wait until every save that is under way, or waits for the lock, has ended."""
        async with self._lock:
            pass

    async def _take_turn(self, number: int, run: Run) -> str | None:
        """Take a turn.

        Returns:
            The reason why the run ends with it, or None to continue.
        """
        if self._lock.locked():
            await self._saved()
        record = self._record
        turn = record.turn = Turn(number, copy_state(self._rule.save_state()))
        committed: TurnEnded | None = None
        try:
            self._limits.begin_turn()
            with turn.account.current():
                decision = await self._limits.within_time(self._decide(turn, run), lambda: turn.unanswered)
            if self._log.has_listeners:
                await self._log.write(DecisionMade(turn=number, decision=decision, usage=turn.usage))
            if isinstance(decision, Stop):
                ended, reason = turn.ended(), decision.reason
                self._log.append(ended)
            elif isinstance(decision, Say):
                ended = committed = await self._say(turn, decision)
                reason = await self._limits.after_turn(ended, self._manager)
            else:
                if len(turn.names) == 1:
                    speaking = self._speak(turn.names[0], turn, run)
                else:
                    speaking = speak_together(turn.names, lambda name: self._speak(name, turn, run))
                with turn.account.current():
                    await self._limits.within_time(speaking, lambda: turn.unanswered)
                if self._lock.locked():
                    await self._saved()
                ended = committed = turn.ended()
                self._log.append(ended)
                reason = await self._limits.after_turn(ended, self._manager)
            record.stop_reason = reason
        except BaseException as error:
            await self._log.write(self._fail(turn, committed, error), turn.changed)
            if isinstance(error, TurnOverdueError):
                return error.reason
            raise
        if self._log.has_listeners:
            await self._log.write(ended, turn.changed)
        return reason

    async def _say(self, turn: Turn, decision: Say) -> TurnEnded:
        """Commit the messages of the team itself.

        The participants are reset before the commit, and cancelling the run does not interrupt that: some of them would
        continue without the conversation and without the messages that replace it. If one fails, or if the team is
        saved meanwhile, the decision is undone, and the rule is asked again after the reset. That loses nothing, since
        the rule was about to replace the conversation.
        """
        if isinstance(decision, Restart):
            turn.changed = self._record.names
            await uninterrupted(self._participants.tell_all(ParticipantCommand(action="reset")))
        if self._lock.locked():
            await self._saved()
        ended = turn.ended_with(decision)
        self._log.append(ended)
        return ended

    def _fail(self, turn: Turn, committed: TurnEnded | None, error: BaseException) -> TurnEnded:
        """The end of a turn that failed: at once, since to wait for anything here would be cancelled."""
        if isinstance(error, TurnOverdueError):
            self._record.stop_reason = error.reason
        if committed is not None:
            # It was the condition that failed: the turn is committed, and stays so. Its entry is the one that was
            # appended; listeners have not been given it yet, and are given it with the error.
            committed.error = error_text(error, repr)
            return committed
        turn.receive_all()
        ended = turn.failed(error_text(error, repr))
        self._log.append(ended)
        if not turn.names or turn.unanswered:
            try:
                self._rule.load_state(copy_state(turn.rule_state))
            except Exception as second:  # noqa: BLE001 - the first error is the one to raise
                error.add_note(f"The rule of the team {self._team!r} could not be put back: {error_text(second, repr)}")
        return ended

    async def _decide(self, turn: Turn, run: Run) -> Decision:
        """Ask the rule, and note in `turn` who speaks."""
        emit = self._emit if self._emit_team_events else discard
        context = RuleContext(
            self._manager,
            emit=emit,
            cancellation_token=run.cancellation_token,
            turns=self._limits.turns,
            answered=self._record.answered,
        )
        account = UsageAccount()
        with account.current():
            decision = self._checked(await run.within("rule", None, self._ask_rule, context))
        names = decision.names if isinstance(decision, Speak) else ()
        turn.usage = add_usage(context.usage, account.beyond([context.usage]))
        if self._emit_team_events and (names or turn.usage):
            self._emit(SelectSpeakerEvent(content=list(names), source=self._manager, models_usage=turn.usage))
        for name in names:
            turn.pending[name] = self._record.pending(name)
            turn.shown[name] = []
        turn.names = turn.changed = names
        return decision

    def _ask_rule(self, context: RuleContext) -> Awaitable[object]:
        answer = self._rule.decide(self._record.transcript, context)
        return checked_awaitable("decide", "rule of the team", self._team, answer)

    def _checked(self, decision: object) -> Decision:
        """The decision, if it can be carried out. Anything else would be taken for a turn without speakers."""
        if isinstance(decision, Stop | Say):
            return decision
        if not isinstance(decision, Speak):
            raise UsageError(
                f"The rule of the team {self._team!r} has to return Speak, Say or Stop, and returned {decision!r}."
            )
        distinct = set(decision.names)
        if not distinct or len(distinct) < len(decision.names) or not self._record.includes(distinct):
            raise UsageError(
                f"The rule of the team {self._team!r} chose {list(decision.names)}: it has to choose at least one "
                f"participant, none twice, of {list(self._record.names)}."
            )
        return decision

    async def _speak(self, name: str, turn: Turn, run: Run) -> None:
        try:
            answer = await run.within(
                "agent",
                name,
                self._participants.take_turn,
                name,
                turn.pending[name],
                turn.number,
                run.cancellation_token,
            )
        except Exception as error:
            error.add_note(f"It was raised by {name!r}, a participant of the team {self._team!r}.")
            raise
        self._show(turn, name, answer.items)
        turn.answer(name, answer)

    def _show(self, turn: Turn, name: str, items: Sequence[Item]) -> None:
        turn.show(name, items)
        self._log.show(items)

    def _emit(self, event: BaseAgentEvent) -> None:
        self._log.show([event], is_of_team=True)


def _raise_if_cancelled() -> None:
    """End a cancelled run if a speaker or a condition suppressed the cancellation, or had answered before it."""
    task = cast("asyncio.Task[object]", asyncio.current_task())  # the run's own
    if task.cancelling():
        raise asyncio.CancelledError
