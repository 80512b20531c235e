"""When a team stops, and how conditions are put together with ``&`` and ``|``.

A condition sees every new message once. It answers a `StopMessage` at the message that ends the run, and is then spent
until `reset`.
"""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias

from symposia.agentchat.messages import BaseAgentEvent, BaseChatMessage, StopMessage
from symposia.core import ComponentBase
from symposia.core.exceptions import UsageError


class TerminatedException(UsageError, RuntimeError):  # noqa: N818 - AutoGen's name
    """A condition that has ended a run was asked again without a `reset`."""

    def __init__(self, message: str = "Termination condition has already been reached.") -> None:
        super().__init__(message)


class TerminationCondition(ComponentBase, ABC):
    """Says when a run ends. Combine conditions with ``&`` (all of them) and ``|`` (any of them)."""

    component_type = "termination"

    @property
    @abstractmethod
    def terminated(self) -> bool:
        """Whether it has ended a run since the last `reset`."""

    @abstractmethod
    async def __call__(self, messages: Sequence[BaseAgentEvent | BaseChatMessage]) -> StopMessage | None:
        """Look at the messages that are new since the last call.

        Returns:
            A message that says why the run ends; None to go on.

        Raises:
            TerminatedException: It has ended a run and was not reset.
        """

    @abstractmethod
    async def reset(self) -> None:
        """Make ready for another run."""

    async def start(self, task: Sequence[BaseAgentEvent | BaseChatMessage]) -> StopMessage | None:
        """Look at the messages of the task, if any, with which a run starts: as at any others, unless overridden.

        Returns:
            A message that says why the run ends before anybody speaks; None to go on.
        """
        return await self(task) if task else None

    def due_in(self) -> float | None:
        """In how many seconds the condition wants to be asked again even if nothing is said by then; None: never.

        Once that is 0, it is asked with no messages. So are those that it is combined with.
        """
        return None

    def __and__(self, other: "TerminationCondition") -> "TerminationCondition":
        """A condition that is met when both have been met, at whichever message each."""
        return AndTerminationCondition(self, other)

    def __or__(self, other: "TerminationCondition") -> "TerminationCondition":
        """A condition that is met when either is."""
        return OrTerminationCondition(self, other)


_Look: TypeAlias = Callable[[TerminationCondition], Awaitable[StopMessage | None]]


class AndTerminationCondition(TerminationCondition):
    """Met when all of `conditions` have been met, not necessarily by the same message."""

    def __init__(self, *conditions: TerminationCondition) -> None:
        self._conditions = conditions
        self._stops: list[StopMessage] = []

    @property
    def terminated(self) -> bool:
        """Whether all of them have been met."""
        return all(condition.terminated for condition in self._conditions)

    async def __call__(self, messages: Sequence[BaseAgentEvent | BaseChatMessage]) -> StopMessage | None:
        """Ask those that have not been met yet; stop with the last one of them, and give the reasons of all."""
        return await self._ask(lambda condition: condition(messages))

    async def start(self, task: Sequence[BaseAgentEvent | BaseChatMessage]) -> StopMessage | None:
        """Start all of them."""
        return await self._ask(lambda condition: condition.start(task))

    def due_in(self) -> float | None:
        """When the first of those that have not been met yet is due."""
        return _first_due([condition for condition in self._conditions if not condition.terminated])

    async def _ask(self, look: _Look) -> StopMessage | None:
        if self.terminated:
            raise TerminatedException
        for condition in self._conditions:
            if not condition.terminated and (stop := await look(condition)) is not None:
                self._stops.append(stop)
        return _joined(self._stops) if self.terminated else None

    async def reset(self) -> None:
        """Reset all of them."""
        self._stops.clear()
        for condition in self._conditions:
            await condition.reset()


class OrTerminationCondition(TerminationCondition):
    """Met as soon as one of `conditions` is."""

    def __init__(self, *conditions: TerminationCondition) -> None:
        self._conditions = conditions

    @property
    def terminated(self) -> bool:
        """Whether one of them has been met."""
        return any(condition.terminated for condition in self._conditions)

    async def __call__(self, messages: Sequence[BaseAgentEvent | BaseChatMessage]) -> StopMessage | None:
        """Ask all of them, so that each sees every message; stop with the reasons of all that are met."""
        return await self._ask(lambda condition: condition(messages))

    async def start(self, task: Sequence[BaseAgentEvent | BaseChatMessage]) -> StopMessage | None:
        """Start all of them."""
        return await self._ask(lambda condition: condition.start(task))

    def due_in(self) -> float | None:
        """When the first of them is due."""
        return _first_due(self._conditions)

    async def _ask(self, look: _Look) -> StopMessage | None:
        if self.terminated:
            raise TerminatedException
        answers = [await look(condition) for condition in self._conditions]
        stops = [stop for stop in answers if stop is not None]
        return _joined(stops) if stops else None

    async def reset(self) -> None:
        """Reset all of them."""
        for condition in self._conditions:
            await condition.reset()


def _first_due(conditions: Sequence[TerminationCondition]) -> float | None:
    return min((due for condition in conditions if (due := condition.due_in()) is not None), default=None)


def _joined(stops: Sequence[StopMessage]) -> StopMessage:
    return StopMessage(
        content=", ".join(stop.content for stop in stops), source=", ".join(stop.source for stop in stops)
    )
