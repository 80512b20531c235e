from abc import abstractmethod
from collections.abc import Sequence
from typing import TypeAlias

from typing_extensions import override

from symposia.agentchat.base import TerminatedException, TerminationCondition
from symposia.agentchat.messages import BaseAgentEvent, BaseChatMessage, StopMessage

Messages: TypeAlias = Sequence[BaseAgentEvent | BaseChatMessage]


class Condition(TerminationCondition):
    """What the conditions here have in common: they look at messages and give a reason, once until `reset`."""

    def __init__(self) -> None:
        self._terminated = False

    @property
    def terminated(self) -> bool:
        """Whether it has ended a run since the last `reset`."""
        return self._terminated

    @abstractmethod
    async def look(self, messages: Messages) -> str | None:
        """Say why the run ends with `messages`; None to go on."""

    async def __call__(self, messages: Messages) -> StopMessage | None:
        """Look at the messages that are new since the last call."""
        if self._terminated:
            raise TerminatedException
        reason = await self.look(messages)
        if reason is None:
            return None
        self._terminated = True
        return StopMessage(content=reason, source=type(self).__name__)

    async def reset(self) -> None:
        """Make ready for another run."""
        self._terminated = False


class SaidCondition(Condition):
    """A condition on what the agents say or do. The task is not theirs, and so does not end the run that it starts."""

    @override
    async def start(self, task: Messages) -> StopMessage | None:
        """Go on, whatever the task says."""
        if self._terminated:
            raise TerminatedException
        return None
