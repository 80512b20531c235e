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
  committed, as above.

Rejected: to commit each speaker when it ends (the order depends on timing); to cancel the others when one fails (which
of them had answered depends on timing, and their work is lost); to commit nothing of a failed turn (those that answered
remember it, and would receive their messages twice); to undo the participants of a failed turn (their states would
have to be saved before each turn, which costs the whole conversation).

**Saving** may happen at any time. A team that is saved in the middle of a turn is saved as if the turn had been
cancelled there.

The log (`_log.py`) has an entry for what is appended, decided and ended, with what it changed in the state. Saving is
the sum of these changes; the engine does not add them up, since the parts of the state are there. Nothing is made for a
log that has no listener.

**Turns** are numbered over the life of the team. Each has a number of its own, also one that failed or in which the
rule stopped the team: what is recorded under a number belongs to that turn alone. The number is part of the scope of
the effects in it: ``team:NAME/turn:7/agent:writer`` for a speaker's, ``team:NAME/turn:7/rule`` for the decision's.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

from symposia.agentchat.messages import BaseAgentEvent, BaseChatMessage, SelectSpeakerEvent, dump_messages
from symposia.agentchat.teams._conversation import Conversation, ConversationMark
from symposia.agentchat.teams._limits import TeamLimits
from symposia.agentchat.teams._log import (
    DecisionMade,
    RunEnded,
    RunStarted,
    StateRecorded,
    TeamLogEntry,
    TeamLogListener,
    TurnEnded,
)
from symposia.agentchat.teams._messages import Item, ParticipantEvents, TurnTaken
from symposia.agentchat.teams._participants import Participants
from symposia.agentchat.teams._rule import Decision, RuleContext, Speak, Stop, TeamRule
from symposia.agentchat.teams._run import Run
from symposia.agentchat.teams._saved_team import SavedRun, SavedTeam
from symposia.core.changes import Change, diff, extension, members
from symposia.core.exceptions import UsageError
from symposia.core.models import RequestUsage


class _Turn:
    """The turn under way. A plain class, since a dataclass with such defaults takes three times as long to make.

    Args:
        rule_state: The rule's state before it decided.

    Attributes:
        rule_state: The rule's state before it decided.
        names: The speakers, in the order of the decision; none before it.
        pending: The messages that each speaker is given.
        shown: The messages and events that each speaker has streamed.
        answers: The answer of each speaker that has ended its turn.
        rule_usage: The tokens of the decision.
    """

    __slots__ = ("answers", "names", "pending", "rule_state", "rule_usage", "shown")

    def __init__(self, rule_state: Mapping[str, Any]) -> None:
        self.rule_state = rule_state
        self.names: tuple[str, ...] = ()
        self.pending: dict[str, Sequence[BaseChatMessage]] = {}
        self.shown: dict[str, list[Item]] = {}
        self.answers: dict[str, TurnTaken] = {}
        self.rule_usage: RequestUsage | None = None

    @property
    def answered(self) -> tuple[str, ...]:
        """The speakers that have ended their turn, in the order of the decision."""
        if len(self.answers) == len(self.names):
            return self.names
        return tuple(name for name in self.names if name in self.answers)

    @property
    def unanswered(self) -> tuple[str, ...]:
        """The speakers that have not ended their turn."""
        return tuple(name for name in self.names if name not in self.answers)


@dataclass(frozen=True, slots=True)
class _TeamMark:
    """A state of a team that a reader was told.

    Attributes:
        reader: The id of the reader, by which the participants have marks of their own.
        conversation: The mark of the conversation.
        run: The state of the manager, without the transcript.
    """

    reader: str
    conversation: ConversationMark
    run: Mapping[str, Any]


class Engine:
    """Carries out the decisions of a rule.

    Args:
        manager: The name under which the team itself speaks.
        rule: Decides.
        participants: Speak.
        conversation: The messages so far.
        limits: What ends a run, besides the rule.
        emit_team_events: Whether the rule's events, and the choice of speakers, are streamed.
        state_type: The name of the class of the saved state, beside those of the participants.

    Attributes:
        unpaused: Cleared while the team is paused.
        turns: How many turns the team has ended in its whole life.
    """

    def __init__(
        self,
        *,
        manager: str,
        rule: TeamRule,
        participants: Participants,
        conversation: Conversation,
        limits: TeamLimits,
        emit_team_events: bool,
        state_type: str,
    ) -> None:
        self.unpaused = asyncio.Event()
        self.unpaused.set()
        self.turns = 0
        self._manager = manager
        self._rule = rule
        self._participants = participants
        self._conversation = conversation
        self._limits = limits
        self._emit_team_events = emit_team_events
        self._state_type = state_type
        self._listeners: tuple[TeamLogListener, ...] = ()
        self._logged: object | None = None  # the mark of the state that the log has told
        self._run: Run | None = None
        self._turn: _Turn | None = None
        self._in_run = False  # true between the runs, too, of a team that was loaded in the middle of one
        self._unseen: Sequence[Item] = ()  # what the condition of a loaded run has not seen
        # Held while a turn begins, and while one is committed and its condition asked: to save means to wait, for one
        # participant after another, and the conversation and the conditions must not move meanwhile.
        self._lock = asyncio.Lock()
        self._holder: asyncio.Task[Any] | None = None

    async def run(self, task: Sequence[BaseChatMessage], run: Run) -> str:
        """Take turns until something ends the run.

        Returns:
            The reason why it ended.

        Raises:
            Exception: Whatever a speaker or the rule raised; the team can run again.
        """
        self._run = run
        reason: str | None = None
        failure: str | None = None
        try:
            reason = await self._start(task) or await self._take_turns(run)
            return reason  # noqa: TRY300 - the log still needs it
        except BaseException as error:
            failure = repr(error)
            raise
        finally:
            self._run = None
            self._in_run = False
            self._unseen = ()
            await self._limits.reset()
            if self._listeners:
                await self._log(RunEnded(stop_reason=reason, error=failure))

    def on_events(self, events: ParticipantEvents) -> None:
        """Stream what a participant does in the middle of its turn. What comes after its turn is dropped."""
        if self._turn is None or self._run is None or events.name in self._turn.answers:
            return
        shown = self._turn.shown.get(events.name)
        if shown is not None:
            shown += self._run.show(events.items)

    async def save_state(self) -> Mapping[str, Any]:
        """The team as it is; of a turn under way, as if it were cancelled now."""
        async with self._participants.reachable(), self._locked():
            saved = await self._save(self._participants.save)
        return saved.dump(self._manager, self._state_type)

    async def save_changes(
        self, since: object | None, names: Sequence[str] | None = None
    ) -> tuple[Change | None, object]:
        """What changed in the state since a mark: see `symposia.core.changes.IncrementalState`.

        Args:
            since: The mark.
            names: The participants whose state may have changed; None for all.
        """
        async with self._participants.reachable(), self._locked():
            mark = since if isinstance(since, _TeamMark) else None
            if mark is None or self._turn is not None or not self._conversation.is_continued(mark.conversation):
                return await self._save_whole(mark)
            return await self._save_since(mark, self._conversation.names if names is None else names)

    async def attach(self, listener: TeamLogListener) -> None:
        """Write the log to `listener`, from the state as it is now; not during a run."""
        self._listeners = (*self._listeners, listener)
        await self._log_state()

    def detach(self, listener: TeamLogListener) -> None:
        """Write no more to `listener`."""
        self._listeners = tuple(each for each in self._listeners if each is not listener)
        if not self._listeners and isinstance(self._logged, _TeamMark):
            self._participants.forget_reader(self._logged.reader)
            self._logged = None

    async def load(self, saved: SavedTeam) -> None:
        """Continue from a saved team; not during a run. All of it is loaded, or nothing.

        Raises:
            Exception: What the rule, the condition or a participant raised.
        """
        rule, condition, run_turns = self._rule.save_state(), self._limits.save(), self._limits.turns
        try:
            self._rule.load_state(saved.run.rule)
            await self._limits.load(saved.run.condition, saved.run.run_turns)
            async with self._participants.reachable():
                await self._participants.load_all(saved.participants)
        except BaseException:
            self._rule.load_state(rule)
            await self._limits.load(condition, run_turns)
            raise
        self._conversation.load(saved.transcript, saved.pending)
        self.turns = saved.run.turns
        self._in_run = saved.run.running
        self._unseen = saved.run.unseen
        await self._log_state()

    async def reset(self) -> None:
        """Forget the conversation and the state of the rule. The numbers of the turns continue."""
        self._conversation.reset()
        self._rule.reset()
        self._in_run = False
        self._unseen = ()
        await self._limits.reset()
        self.unpaused.set()
        await self._log_state()

    @asynccontextmanager
    async def _locked(self) -> AsyncGenerator[None]:
        """Hold the lock; but a condition that saves its own team, and has it already, must not wait for itself."""
        if self._holder is not None and self._holder is asyncio.current_task():
            yield
            return
        async with self._lock:
            yield

    async def _save(self, save: Callable[[str], Awaitable[Mapping[str, Any]]]) -> SavedTeam:
        """The team as it is.

        Args:
            save: Saves a participant.
        """
        # All of this is taken at once, before waiting for the participants: of a turn that ends meanwhile, by
        # cancellation, `turn` still has the answers.
        turn, conversation, saved = self._turn, self._conversation.copy(), self._saved_run()
        participants = {name: await self._save_participant(name, turn, save) for name in conversation.names}
        if turn is not None:
            answered = [name for name in turn.names if participants[name][1]]
            unseen = self._commit(turn, answered, conversation)
            if saved.running:
                saved = replace(saved, unseen=[*saved.unseen, *unseen])
        return SavedTeam(
            participants={name: own for name, (own, _) in participants.items()},
            pending={name: conversation.pending(name) for name in conversation.names},
            transcript=conversation.transcript,
            run=saved,
        )

    def _saved_run(self) -> SavedRun:
        # A run whose condition is met is over, though it may not have been reset yet.
        running = self._in_run and not self._limits.is_met
        return SavedRun(
            run_turns=self._limits.turns if running else 0,
            rule=self._rule.save_state() if self._turn is None else self._turn.rule_state,
            turns=self.turns,
            running=running,
            condition=self._limits.save() if running else None,
            unseen=self._unseen if running else (),
        )

    async def _save_participant(
        self, name: str, turn: _Turn | None, save: Callable[[str], Awaitable[Mapping[str, Any]]]
    ) -> tuple[Mapping[str, Any], bool]:
        """A participant's state, and whether it has answered in the turn under way; it may do so meanwhile."""
        while True:
            answered = turn is not None and name in turn.answers
            own = await save(name)
            if answered == (turn is not None and name in turn.answers):
                return own, answered

    async def _save_whole(self, since: _TeamMark | None) -> tuple[Change, object]:
        reader = str(uuid4()) if since is None else since.reader

        async def save(name: str) -> Mapping[str, Any]:
            change = await self._participants.changes(name, reader, "whole")
            return {} if change is None else change["set"]

        mark, is_in_turn = self._conversation.mark(), self._turn is not None
        saved = await self._save(save)
        state = saved.dump(self._manager, self._state_type)
        # In a turn, the state has answers that are not committed yet; the next change is then the whole state again.
        told = None if is_in_turn else _TeamMark(reader, mark, saved.run.dump(self._manager, self._state_type))
        return {"set": state}, told

    async def _save_since(self, since: _TeamMark, names: Sequence[str]) -> tuple[Change | None, object]:
        conversation = self._conversation
        run = self._saved_run().dump(self._manager, self._state_type)
        mark = _TeamMark(since.reader, conversation.mark(), run)
        added = dump_messages(conversation.added(since.conversation))
        manager = diff(since.run, run) or {}
        changes: dict[str, Change | None] = {
            name: members({"message_buffer": conversation.pending_change(name, since.conversation)})
            for name in conversation.names
        }
        for name in names:
            own = await self._participants.changes(name, since.reader, "changes")
            changes[name] = members({"agent_state": own, **(changes[name] or {}).get("update", {})})
        changes[self._manager] = members(
            {"message_thread": extension(added), **manager.get("update", {})}, manager.get("remove", ())
        )
        return members({"agent_states": members(changes)}), mark

    async def _log_state(self) -> None:
        """Write the whole state to the log."""
        if self._listeners:
            change, self._logged = await self.save_changes(None)
            for listener in self._listeners:
                await listener.write(StateRecorded(change=change))

    async def _log(self, entry: TeamLogEntry, names: Sequence[str] | None = None) -> None:
        """Write an entry to the log, with what changed.

        Args:
            entry: The entry, without the change.
            names: The participants whose state may have changed; None for all.
        """
        change, self._logged = await self.save_changes(self._logged, names)
        for listener in self._listeners:
            await listener.write(replace(entry, change=change))

    async def _start(self, task: Sequence[BaseChatMessage]) -> str | None:
        async with self._lock:
            self._holder = asyncio.current_task()
            try:
                self._in_run = True
                self._conversation.start(task)
                reason = await self._limits.start(task)
                if self._unseen and reason is None:
                    unseen, self._unseen = self._unseen, ()
                    reason = await self._limits.show(unseen)
            finally:
                self._holder = None
        if self._listeners:
            await self._log(RunStarted(task=task))
        return reason

    async def _take_turns(self, run: Run) -> str:
        while True:
            await self.unpaused.wait()
            with run.scope("turn", self.turns + 1):
                end = await self._limits.within_time(self._take_turn(run), self._speaking)
            if end is not None:
                return end
            await asyncio.sleep(0)  # agents that never wait would keep everything else from running

    def _speaking(self) -> Sequence[str]:
        return () if self._turn is None else self._turn.unanswered

    async def _take_turn(self, run: Run) -> str | None:
        """Take a turn.

        Returns:
            The reason why the run ends with it, or None to continue.
        """
        async with self._lock:
            turn = self._turn = _Turn(self._rule.save_state())
        try:
            decision = await self._decide(turn, run)
            if isinstance(decision, Stop):
                self._end_turn(turn, run)
                reason = decision.reason
            else:
                await self._speak(turn, run)
                async with self._lock:
                    self._holder = asyncio.current_task()
                    try:
                        reason = await self._limits.after_turn(self._end_turn(turn, run))
                    finally:
                        self._holder = None
        except BaseException as error:
            if self._turn is turn:
                if not turn.names or turn.unanswered:
                    self._rule.load_state(turn.rule_state)
                self._end_turn(turn, run)
            if self._listeners:
                await self._log_turn(turn, repr(error))
            raise
        if self._listeners:
            await self._log_turn(turn, None)
        return reason

    async def _log_turn(self, turn: _Turn, error: str | None) -> None:
        answered = turn.answered
        items = [item for name in answered for item in turn.shown[name]]
        entry = TurnEnded(turn=self.turns, speakers=turn.names, answered=answered, items=items, error=error)
        await self._log(entry, turn.names)

    async def _decide(self, turn: _Turn, run: Run) -> Decision:
        """Ask the rule, and note in `turn` who speaks."""
        emit = run.emit if self._emit_team_events else _discard
        context = RuleContext(self._manager, emit=emit, cancellation_token=run.cancellation_token)
        with run.scope("rule"):
            decision = await self._rule.decide(self._conversation.transcript, context)
        names = decision.names if isinstance(decision, Speak) else ()
        if isinstance(decision, Speak):
            self._check(names)
        turn.rule_usage = context.usage
        if self._emit_team_events and (names or turn.rule_usage):
            run.emit(SelectSpeakerEvent(content=list(names), source=self._manager, models_usage=turn.rule_usage))
        else:
            run.count(turn.rule_usage)
        for name in names:
            turn.pending[name] = self._conversation.pending(name)
            turn.shown[name] = []
        turn.names = tuple(names)
        for listener in self._listeners:
            await listener.write(DecisionMade(turn=self.turns + 1, decision=decision, usage=turn.rule_usage))
        return decision

    def _check(self, names: Sequence[str]) -> None:
        if not names or len(set(names)) < len(names) or not self._conversation.includes(names):
            raise UsageError(
                f"The rule of {self._manager} chose {list(names)}: it has to choose at least one participant, none "
                f"twice, of {self._conversation.names}."
            )

    async def _speak(self, turn: _Turn, run: Run) -> None:
        """Let all speakers of a turn speak, at the same time, and wait for all of them."""
        if len(turn.names) == 1:
            await self._speak_alone(turn.names[0], turn, run)
            return
        # Unlike a task group, `gather` lets the others continue when one fails; when it is cancelled it also waits
        # until all of them have ended. What ends a program (an interrupt, an exit) does not wait for anyone.
        speaking = [asyncio.ensure_future(self._speak_alone(name, turn, run)) for name in turn.names]
        for one in speaking:
            one.add_done_callback(lambda ended: _interrupt_others(ended, speaking))
        ends = await asyncio.gather(*speaking, return_exceptions=True)
        failed = [(name, end) for name, end in zip(turn.names, ends, strict=True) if end is not None]
        failed.sort(key=lambda one: _rank(one[1]))
        if failed:
            _, first = failed[0]
            for name, error in failed[1:]:
                first.add_note(f"{name!r} failed in the same turn: {error!r}")
            raise first

    async def _speak_alone(self, name: str, turn: _Turn, run: Run) -> None:
        try:
            with run.scope("agent", name):
                answer = await self._participants.take_turn(name, turn.pending[name], run.cancellation_token)
        except Exception as error:
            error.add_note(f"It was raised by {name!r}, a participant of the team of {self._manager}.")
            raise
        turn.shown[name] += run.show(answer.items)
        turn.answers[name] = answer

    def _end_turn(self, turn: _Turn, run: Run) -> list[Item]:
        """Commit a turn. Must not wait: it also runs while the run is being cancelled.

        Returns:
            What the condition has to see.
        """
        self._turn = None
        self.turns += 1
        for name in turn.names:
            run.messages += turn.shown[name]
        for answer in turn.answers.values():
            run.count(answer.silent_usage)
        return self._commit(turn, turn.answered, self._conversation)

    def _commit(self, turn: _Turn, answered: Sequence[str], conversation: Conversation) -> list[Item]:
        """Add the answers of these speakers to a conversation, and return what the condition has to see."""
        unseen: list[Item] = [] if turn.rule_usage is None else [self._cost(turn.rule_usage)]
        for name in answered:
            answer, items = turn.answers[name], turn.shown[name]
            conversation.add_answer(name, items, answer.messages, received=len(turn.pending[name]))
            unseen += items
            if answer.silent_usage is not None:
                unseen.append(self._cost(answer.silent_usage))
        return unseen

    def _cost(self, usage: RequestUsage) -> Item:
        """Tokens that stand in no message, as the event from which the termination conditions learn of them."""
        return SelectSpeakerEvent(content=[], source=self._manager, models_usage=usage)


def _interrupt_others(ended: asyncio.Task[None], speaking: Sequence[asyncio.Task[None]]) -> None:
    """Cancel the other speakers if one was ended by what ends programs."""
    if not ended.cancelled() and (error := ended.exception()) is not None and _rank(error) == 0:
        for one in speaking:
            one.cancel()


def _rank(error: BaseException) -> int:
    """Which of several errors of a turn is raised: first what ends programs, then errors, then cancellations."""
    if isinstance(error, asyncio.CancelledError):
        return 2
    return 1 if isinstance(error, Exception) else 0


def _discard(event: BaseAgentEvent) -> None:
    """The team does not emit its events."""
