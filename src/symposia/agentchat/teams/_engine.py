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

**Turns** are numbered over the life of the team. Each has a number of its own, also one that failed or in which the
rule stopped the team: what is recorded under a number belongs to that turn alone. The number is part of the scope of
the effects in it: ``team:NAME/turn:7/agent:writer`` for a speaker's, ``team:NAME/turn:7/rule`` for the decision's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from symposia.agentchat.messages import BaseAgentEvent, BaseChatMessage, SelectSpeakerEvent
from symposia.agentchat.teams._conversation import Conversation
from symposia.agentchat.teams._limits import TeamLimits
from symposia.agentchat.teams._messages import Item, ParticipantEvents, TurnTaken
from symposia.agentchat.teams._participants import Participants
from symposia.agentchat.teams._rule import Decision, RuleContext, Speak, Stop, TeamRule
from symposia.agentchat.teams._run import Run
from symposia.agentchat.teams._saved_team import SavedTeam
from symposia.core.exceptions import UsageError
from symposia.core.models import RequestUsage


@dataclass(slots=True)
class _Turn:
    """The turn under way.

    Attributes:
        rule_state: The rule's state before it decided.
        names: The speakers, in the order of the decision; none before it.
        pending: The messages that each speaker is given.
        shown: The messages and events that each speaker has streamed.
        answers: The answer of each speaker that has ended its turn.
        rule_usage: The tokens of the decision.
    """

    rule_state: Mapping[str, Any]
    names: tuple[str, ...] = ()
    pending: dict[str, Sequence[BaseChatMessage]] = field(default_factory=dict[str, Sequence[BaseChatMessage]])
    shown: dict[str, list[Item]] = field(default_factory=dict[str, list[Item]])
    answers: dict[str, TurnTaken] = field(default_factory=dict[str, TurnTaken])
    rule_usage: RequestUsage | None = None

    @property
    def unanswered(self) -> tuple[str, ...]:
        """The speakers that have not ended their turn."""
        return tuple(name for name in self.names if name not in self.answers)


class Engine:
    """Carries out the decisions of a rule.

    Args:
        manager: The name under which the team itself speaks.
        rule: Decides.
        participants: Speak.
        conversation: The messages so far.
        limits: What ends a run, besides the rule.
        emit_team_events: Whether the rule's events, and the choice of speakers, are streamed.

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
        try:
            return await self._start(task) or await self._take_turns(run)
        finally:
            self._run = None
            self._in_run = False
            self._unseen = ()
            await self._limits.reset()

    def on_events(self, events: ParticipantEvents) -> None:
        """Stream what a participant does in the middle of its turn. What comes after its turn is dropped."""
        if self._turn is None or self._run is None or events.name in self._turn.answers:
            return
        shown = self._turn.shown.get(events.name)
        if shown is not None:
            shown += self._run.show(events.items)

    async def save(self) -> SavedTeam:
        """The team as it is; of a turn under way, as if it were cancelled now."""
        async with self._participants.reachable():
            if self._holder is not None and self._holder is asyncio.current_task():
                return await self._save()  # a condition that saves its own team must not wait for itself
            async with self._lock:
                return await self._save()

    async def load(self, saved: SavedTeam) -> None:
        """Continue from a saved team; not during a run. All of it is loaded, or nothing.

        Raises:
            Exception: What the rule, the condition or a participant raised.
        """
        rule, condition, run_turns = self._rule.save_state(), self._limits.save(), self._limits.turns
        try:
            self._rule.load_state(saved.rule)
            await self._limits.load(saved.condition, saved.run_turns)
            async with self._participants.reachable():
                await self._participants.load_all(saved.participants)
        except BaseException:
            self._rule.load_state(rule)
            await self._limits.load(condition, run_turns)
            raise
        self._conversation.load(saved.transcript, saved.pending)
        self.turns = saved.turns
        self._in_run = saved.running
        self._unseen = saved.unseen

    async def reset(self) -> None:
        """Forget the conversation and the state of the rule; the numbers of the turns go on."""
        self._conversation.reset()
        self._rule.reset()
        self._in_run = False
        self._unseen = ()
        await self._limits.reset()
        self.unpaused.set()

    async def _save(self) -> SavedTeam:
        turn, conversation = self._turn, self._conversation.copy()
        # A run whose condition is met is over, though it may not have been reset yet.
        running = self._in_run and not self._limits.is_met
        condition = self._limits.save() if running else None
        run_turns, rule_state = self._limits.turns, self._rule.save_state() if turn is None else turn.rule_state
        turns, unseen = self.turns, self._unseen
        participants = {name: await self._save_participant(name, turn) for name in conversation.names}
        answered: list[str] = []
        if turn is not None:
            answered = [name for name in turn.names if participants[name][1]]
            unseen = [*unseen, *self._commit(turn, answered, conversation)]
        return SavedTeam(
            participants={name: own for name, (own, _) in participants.items()},
            pending={name: conversation.pending(name) for name in conversation.names},
            transcript=conversation.transcript,
            run_turns=run_turns if running else 0,
            rule=rule_state,
            turns=turns,
            running=running,
            condition=condition,
            unseen=unseen if running else (),
        )

    async def _save_participant(self, name: str, turn: _Turn | None) -> tuple[Mapping[str, Any], bool]:
        """A participant's state, and whether it has answered in the turn under way; it may do so meanwhile."""
        while True:
            answered = turn is not None and name in turn.answers
            own = await self._participants.save(name)
            if answered == (turn is not None and name in turn.answers):
                return own, answered

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
                return reason
            finally:
                self._holder = None

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
                return decision.reason
            await self._speak(turn, run)
            async with self._lock:
                self._holder = asyncio.current_task()
                try:
                    return await self._limits.after_turn(self._end_turn(turn, run))
                finally:
                    self._holder = None
        except BaseException:
            if self._turn is turn:
                if not turn.names or turn.unanswered:
                    self._rule.load_state(turn.rule_state)
                self._end_turn(turn, run)
            raise

    async def _decide(self, turn: _Turn, run: Run) -> Decision:
        """Ask the rule, and note in `turn` who speaks."""

        def emit(event: BaseAgentEvent) -> None:
            run.messages += run.show([event])

        context = RuleContext(
            self._manager,
            emit=emit if self._emit_team_events else _discard,
            cancellation_token=run.cancellation_token,
        )
        with run.scope("rule"):
            decision = await self._rule.decide(self._conversation.transcript, context)
        names = decision.names if isinstance(decision, Speak) else ()
        if isinstance(decision, Speak):
            self._check(names)
        turn.rule_usage = context.usage
        if self._emit_team_events and (names or turn.rule_usage):
            emit(SelectSpeakerEvent(content=list(names), source=self._manager, models_usage=turn.rule_usage))
        else:
            run.count(turn.rule_usage)
        for name in names:
            turn.pending[name] = self._conversation.pending(name)
            turn.shown[name] = []
        turn.names = tuple(names)
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
        # until all of them have ended.
        ends = await asyncio.gather(
            *(self._speak_alone(name, turn, run) for name in turn.names), return_exceptions=True
        )
        failed = [(name, end) for name, end in zip(turn.names, ends, strict=True) if end is not None]
        failed.sort(key=lambda one: not isinstance(one[1], Exception))  # a cancellation says less than an error
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
            if name in turn.answers:
                run.count(turn.answers[name].silent_usage)
        return self._commit(turn, [name for name in turn.names if name in turn.answers], self._conversation)

    def _commit(self, turn: _Turn, answered: Sequence[str], conversation: Conversation) -> list[Item]:
        """Add the answers of these speakers to a conversation, and return what the condition has to see."""
        unseen = self._costs(turn.rule_usage)
        for name in answered:
            answer, items = turn.answers[name], turn.shown[name]
            conversation.add_answer(name, items, answer.messages, received=len(turn.pending[name]))
            unseen += items
            unseen += self._costs(answer.silent_usage)
        return unseen

    def _costs(self, usage: RequestUsage | None) -> list[Item]:
        """Tokens that stand in no message, as the event from which the termination conditions learn of them."""
        return [] if usage is None else [SelectSpeakerEvent(content=[], source=self._manager, models_usage=usage)]


def _discard(event: BaseAgentEvent) -> None:
    """The team does not emit its events."""
