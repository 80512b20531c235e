"""What every team does: the speakers of a decision speak, turn by turn, until something ends the run.

A turn happens or it does not. A speaker that fails, is cancelled or is too late is given its messages again in its next
turn, and the rule is put back to where it was before it decided, so that the next run decides anew. Those of the turn
who did finish stay heard. A team that is saved in the middle of a turn is saved as if that turn had failed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from symposia.agentchat.messages import BaseAgentEvent, BaseChatMessage, SelectSpeakerEvent
from symposia.agentchat.teams._cast import Cast
from symposia.agentchat.teams._conversation import Conversation
from symposia.agentchat.teams._deadline import unless_overdue
from symposia.agentchat.teams._effects import Effects
from symposia.agentchat.teams._limits import TeamLimits
from symposia.agentchat.teams._participant import Happened, Item
from symposia.agentchat.teams._rule import Decision, Speak, Stop, TeamRule
from symposia.agentchat.teams._run import Run
from symposia.core.exceptions import UsageError
from symposia.core.models import RequestUsage


class Engine:
    """Carries out what a rule decides.

    Args:
        manager: The name under which the team itself speaks.
        rule: Who decides.
        cast: Who speaks.
        conversation: What was said.
        limits: What ends a run, besides the rule.
        emit_team_events: Whether the rule's events, and who was chosen, belong to what happens.

    Attributes:
        steady: Whoever holds it sees a team in which nobody starts a turn and nobody's turn comes to an end.
        going: Cleared while the team is paused.
    """

    def __init__(
        self,
        *,
        manager: str,
        rule: TeamRule,
        cast: Cast,
        conversation: Conversation,
        limits: TeamLimits,
        emit_team_events: bool,
    ) -> None:
        self.steady = asyncio.Lock()
        self.going = asyncio.Event()
        self.going.set()
        self._manager = manager
        self._rule = rule
        self._cast = cast
        self._conversation = conversation
        self._limits = limits
        self._emit_team_events = emit_team_events
        self._run: Run | None = None
        self._before: Mapping[str, Any] | None = None  # the rule's state before the present turn
        self._streamed: dict[str, list[Item]] = {}  # what each present speaker did and was shown already

    async def run(self, task: Sequence[BaseChatMessage], run: Run) -> str:
        """Take turns until something ends the run.

        Returns:
            Why it ended.

        Raises:
            Exception: Whatever a speaker or the rule raised; the team can run again.
        """
        self._run = run
        try:
            return await self._start(task) or await self._take_turns(run)
        finally:
            self._run = None
            self._conversation.turns = 0
            await self._limits.reset()

    def on_happened(self, happened: Happened) -> None:
        """Show what a participant does in the middle of its turn. After its turn, nobody listens to it."""
        streamed = self._streamed.get(happened.name)
        if streamed is not None and self._run is not None:
            streamed += self._run.happened(happened.items)

    def rule_state(self) -> Mapping[str, Any]:
        """The rule's state at the beginning of the present turn, or now if there is none."""
        return self._rule.save_state() if self._before is None else self._before

    async def _start(self, task: Sequence[BaseChatMessage]) -> str | None:
        async with self.steady:
            self._conversation.transcript += task
            self._conversation.say(task)
        return await self._limits.start(task)

    async def _take_turns(self, run: Run) -> str:
        while True:
            await self.going.wait()
            if (end := await self._turn_in_time(run)) is not None:
                return end
            await asyncio.sleep(0)  # agents that never wait would keep everything else from running

    async def _turn_in_time(self, run: Run) -> str | None:
        """Take a turn, or end it when it is overdue."""
        self._limits.start_turn()
        if self._limits.due_in() is None:
            return await self._turn(run)
        return await unless_overdue(
            self._turn(run), self._limits.due_in, lambda: self._limits.overdue(tuple(self._streamed))
        )

    async def _turn(self, run: Run) -> str | None:
        """Take a turn.

        Returns:
            Why the run ends with it, or None to go on.
        """
        async with self.steady:
            self._before = self._rule.save_state()
        try:
            decision, usage = await self._decide(run)
            if isinstance(decision, Stop):
                return decision.reason
            spoken = await self._speak(decision.names, run)
        except BaseException:
            self._rule.load_state(self._before)
            raise
        finally:
            self._before = None
        self._conversation.turns += 1
        return await self._limits.after_turn([*self._costs(usage), *spoken], self._conversation.turns)

    async def _decide(self, run: Run) -> tuple[Decision, RequestUsage | None]:
        """Ask the rule; also gives what its models took, if it asked any."""
        effects = Effects(
            self._manager,
            emit=self._show if self._emit_team_events else _hide,
            cancellation_token=run.cancellation_token,
        )
        decision = await self._rule.decide(self._conversation.transcript, effects)
        names: Sequence[str] = ()
        if isinstance(decision, Speak):
            names = decision.names
            self._check(names)
        usage = effects.usage if effects.used else None
        if self._emit_team_events and (names or usage):
            run.happened([SelectSpeakerEvent(content=list(names), source=self._manager, models_usage=usage)])
        elif usage is not None:
            run.count_silently(usage)
        return decision, usage

    def _show(self, event: BaseAgentEvent) -> None:
        if self._run is not None:
            self._run.happened([event])

    def _check(self, names: Sequence[str]) -> None:
        if not names or len(set(names)) < len(names) or not self._conversation.knows(names):
            raise UsageError(
                f"The rule of {self._manager} chose {list(names)}: it has to choose at least one participant, none "
                f"twice, of {self._conversation.names}."
            )

    async def _speak(self, names: Sequence[str], run: Run) -> list[Item]:
        """Let all of them speak at the same time, and gather what they did in the order in which they finish."""
        unheard = {name: self._conversation.unheard(name) for name in names}
        if len(names) == 1:
            return await self._speak_alone(names[0], unheard[names[0]], run)
        spoken: list[Item] = []

        async def speak(name: str) -> None:
            spoken.extend(await self._speak_alone(name, unheard[name], run))

        try:
            async with asyncio.TaskGroup() as group:
                for name in names:
                    group.create_task(speak(name))
        except ExceptionGroup as errors:
            if len(errors.exceptions) == 1:
                raise errors.exceptions[0] from None
            raise
        return spoken

    async def _speak_alone(self, name: str, unheard: Sequence[BaseChatMessage], run: Run) -> list[Item]:
        self._streamed[name] = []
        try:
            turn = await self._cast.take_turn(name, unheard, run.cancellation_token)
            async with self.steady:
                items = self._streamed[name] + run.happened(turn.items)
                self._conversation.heard(name, unheard)
                self._conversation.transcript += items
                self._conversation.say(turn.said, author=name)
        except Exception as error:
            error.add_note(f"It was raised by {name!r}, a participant of the team of {self._manager}.")
            raise
        finally:
            del self._streamed[name]
        if turn.silent_usage is not None:
            run.count_silently(turn.silent_usage)
        return [*items, *self._costs(turn.silent_usage)]

    def _costs(self, usage: RequestUsage | None) -> list[Item]:
        """Tokens that stand in no message, as the event from which the termination conditions learn of them."""
        return [] if usage is None else [SelectSpeakerEvent(content=[], source=self._manager, models_usage=usage)]


def _hide(event: BaseAgentEvent) -> None:
    """Show it to nobody."""
