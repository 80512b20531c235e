"""When a team stops, and how conditions are put together with ``&`` and ``|``.

A condition sees every new message once. It answers a `StopMessage` at the message that ends the run, and is then spent
until `reset`.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence

from symposia.agentchat.messages import BaseAgentEvent, BaseChatMessage, StopMessage
from symposia.core.exceptions import UsageError


class TerminatedException(UsageError, RuntimeError):  # noqa: N818 - AutoGen's name
    """A condition that has ended a run was asked again without a `reset`."""

    def __init__(self, message: str = "Termination condition has already been reached.") -> None:
        super().__init__(message)


class TerminationCondition(ABC):
    """Says when a run ends. Combine conditions with ``&`` (all of them) and ``|`` (any of them)."""

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

    def __and__(self, other: "TerminationCondition") -> "TerminationCondition":
        """A condition that is met when both have been met, at whichever message each."""
        return AndTerminationCondition(self, other)

    def __or__(self, other: "TerminationCondition") -> "TerminationCondition":
        """A condition that is met when either is."""
        return OrTerminationCondition(self, other)


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
        if self.terminated:
            raise TerminatedException
        for condition in self._conditions:
            if not condition.terminated and (stop := await condition(messages)) is not None:
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
        if self.terminated:
            raise TerminatedException
        answers = [await condition(messages) for condition in self._conditions]
        stops = [stop for stop in answers if stop is not None]
        return _joined(stops) if stops else None

    async def reset(self) -> None:
        """Reset all of them."""
        for condition in self._conditions:
            await condition.reset()


def _joined(stops: Sequence[StopMessage]) -> StopMessage:
    return StopMessage(
        content=", ".join(stop.content for stop in stops), source=", ".join(stop.source for stop in stops)
    )
