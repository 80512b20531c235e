"""Another reason for a condition."""

from __future__ import annotations

from symposia.agentchat import base
from symposia.agentchat._arguments import check_condition
from symposia.agentchat.base import TerminationCondition
from symposia.agentchat.messages import Messages, StopMessage
from symposia.core.changes import SavedState


class ReasonedTermination(TerminationCondition):
    """Ends a run when another condition does, for a reason of the application's own.

    In a program that combines conditions, `TaskResult.stop_reason` shows which one was met:

        too_long = ReasonedTermination(MaxMessageTermination(40), "too long")
        too_slow = ReasonedTermination(TimeoutTermination(60), "too slow")
        team = RoundRobinGroupChat(agents, termination_condition=too_long | too_slow)

    Args:
        condition: Says when.
        reason: The text of the stop reason.

    Raises:
        ArgumentTypeError: `condition` is no termination condition.
    """

    def __init__(self, condition: TerminationCondition, reason: str) -> None:
        check_condition(condition)
        self._condition = condition
        self._reason = reason

    @property
    def terminated(self) -> bool:
        """Whether the condition has ended a run since the last `reset`."""
        return self._condition.terminated

    async def __call__(self, messages: Messages) -> StopMessage | None:
        """Ask the condition."""
        return self._with_reason(await self._condition(messages))

    async def start(self, task: Messages) -> StopMessage | None:
        """Start the condition."""
        return self._with_reason(await self._condition.start(task))

    def _with_reason(self, stop: StopMessage | None) -> StopMessage | None:
        return None if stop is None else StopMessage(content=self._reason, source=stop.source)

    def check_outline(self, team: base.TeamProfile) -> base.ConditionOutline:
        """The outline of the condition."""
        return self._condition.check_outline(team)

    def due_in(self) -> float | None:
        """When the condition is due."""
        return self._condition.due_in()

    async def reset(self) -> None:
        """Reset the condition."""
        await self._condition.reset()

    def save_state(self) -> SavedState:
        """The state of the condition."""
        return self._condition.save_state()

    def load_state(self, state: SavedState, /) -> None:
        """Load the state of the condition."""
        self._condition.load_state(state)
