"""When a team stops, and how conditions are combined with ``&`` and ``|``.

A condition sees every new message once. It answers a `StopMessage` at the message that ends the run, and is not asked
again until `reset`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from pydantic import BaseModel, ConfigDict

from symposia._lazy import lazy_module
from symposia.agentchat._answers import ask, ask_at_start, checked_stop
from symposia.agentchat._arguments import check_condition
from symposia.agentchat.messages import Messages, StopMessage
from symposia.core import ComponentBase
from symposia.core.changes import SavedState
from symposia.core.exceptions import InvalidArgumentError, UsageError

if TYPE_CHECKING:
    from symposia.agentchat.base import _outlines as outlines
else:
    outlines = lazy_module("symposia.agentchat.base._outlines")  # used by `team.check()` only


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
    async def __call__(self, messages: Messages) -> StopMessage | None:
        """Look at the messages that are new since the last call.

        Returns:
            A message that says why the run ends; None to continue.

        Raises:
            TerminatedException: It has ended a run and was not reset.
        """

    @abstractmethod
    async def reset(self) -> None:
        """Make ready for another run."""

    async def start(self, task: Messages) -> StopMessage | None:
        """Look at the messages of the task, if any, with which a run starts: as at any others, unless overridden.

        Returns:
            A message that says why the run ends before the first turn; None to continue.
        """
        return checked_stop(self, await ask(self, task)) if task else None

    def due_in(self) -> float | None:
        """Seconds until the condition has to be checked again, even without a new message; None for never.

        Once that is 0, it is called with no messages. So are the conditions that it is combined with.
        """
        return None

    def save_state(self) -> SavedState:
        """How far the condition is in the present run, as JSON values. Override it together with `load_state`.

        A team that is saved in the middle of a run saves its condition too. A condition that does not override this
        starts from the beginning when the team is loaded.
        """
        return {}

    def load_state(self, state: SavedState, /) -> None:
        """Continue from what `save_state` returned.

        Raises:
            pydantic.ValidationError: `state` has another shape; nothing has changed.
        """

    def check_outline(self, team: outlines.TeamProfile) -> outlines.ConditionOutline:  # noqa: ARG002 - for conditions that know
        """The outline for `team.check()`: when it is met. By default an empty one.

        Args:
            team: What is known of the team.
        """
        return outlines.ConditionOutline()

    def __and__(self, other: TerminationCondition) -> TerminationCondition:
        """A condition that is met when both have been met, at whichever message each."""
        return AndTerminationCondition(self, other)

    def __or__(self, other: TerminationCondition) -> TerminationCondition:
        """A condition that is met when either is."""
        return OrTerminationCondition(self, other)


_Look: TypeAlias = Callable[[TerminationCondition], Awaitable[object]]


class _MemberState(BaseModel):
    """The state of one of several combined conditions, with the name of its class."""

    model_config = ConfigDict(defer_build=True)

    condition: str
    state: dict[str, Any]


class _MemberStop(BaseModel):
    """The stop message of one of several combined conditions, by its place among them."""

    model_config = ConfigDict(defer_build=True)

    member: int
    message: StopMessage


class _CombinedState(BaseModel):
    """The states of combined conditions, in their order.

    Attributes:
        members: One for each condition.
        stops: The stop messages of the conditions that are met, in the order in which they were met.
    """

    model_config = ConfigDict(defer_build=True)

    members: list[_MemberState]
    stops: list[_MemberStop] = []


class AndTerminationCondition(TerminationCondition):
    """Met when all of `conditions` have been met, not necessarily by the same message."""

    def __init__(self, *conditions: TerminationCondition) -> None:
        for condition in conditions:
            check_condition(condition)
        self._conditions = conditions
        self._stops: dict[int, StopMessage] = {}  # by the places of the conditions, in the order of being met

    @property
    def terminated(self) -> bool:
        """Whether all of them have been met."""
        return all(condition.terminated for condition in self._conditions)

    async def __call__(self, messages: Messages) -> StopMessage | None:
        """Check the conditions that are not met yet. The last one stops the run, with the reasons of all."""
        return await self._ask(lambda condition: ask(condition, messages))

    async def start(self, task: Messages) -> StopMessage | None:
        """Start all of them."""
        return await self._ask(lambda condition: ask_at_start(condition, task))

    def due_in(self) -> float | None:
        """Seconds until the first of the conditions that are not met yet is due."""
        return _first_due([condition for condition in self._conditions if not condition.terminated])

    def check_outline(self, team: outlines.TeamProfile) -> outlines.ConditionOutline:
        """Met once the last of them is; never, if one of them never is."""
        return outlines.all_of([condition.check_outline(team) for condition in self._conditions])

    async def _ask(self, look: _Look) -> StopMessage | None:
        if self.terminated:
            raise TerminatedException
        for place, condition in enumerate(self._conditions):
            if not condition.terminated and (stop := checked_stop(condition, await look(condition))) is not None:
                self._stops[place] = stop
        return _joined(list(self._stops.values())) if self.terminated else None

    def save_state(self) -> SavedState:
        """The states of all conditions, and the stop messages of those that are met."""
        stops = [_MemberStop(member=place, message=stop) for place, stop in self._stops.items()]
        return {"members": _save(self._conditions), "stops": [stop.model_dump(mode="json") for stop in stops]}

    def load_state(self, state: SavedState, /) -> None:
        """Load the state of each. If one of them cannot be loaded, nothing changes.

        Raises:
            InvalidArgumentError: It was saved by a combination of other conditions, or has no stop message for one that
                is met.
            pydantic.ValidationError: `state` has another shape.
        """
        loaded, before = _CombinedState.model_validate(state), _save(self._conditions)
        _load(self._conditions, loaded.members)
        met = [place for place, condition in enumerate(self._conditions) if condition.terminated]
        stops = {stop.member: stop.message for stop in loaded.stops}
        if silent := [type(self._conditions[place]).__name__ for place in met if place not in stops]:
            _load(self._conditions, _CombinedState.model_validate({"members": before}).members)
            raise InvalidArgumentError(
                f"The saved state contradicts itself: {silent} are met, and stops has no message of theirs, which the "
                "stop reason needs. Load a state as save_state() gave it."
            )
        # A condition that does not save how far it is begins anew, and is met another time.
        self._stops = {place: stop for place, stop in stops.items() if place in met}

    async def reset(self) -> None:
        """Reset all of them."""
        self._stops.clear()
        for condition in self._conditions:
            await condition.reset()


class OrTerminationCondition(TerminationCondition):
    """Met as soon as one of `conditions` is."""

    def __init__(self, *conditions: TerminationCondition) -> None:
        for condition in conditions:
            check_condition(condition)
        self._conditions = conditions

    @property
    def terminated(self) -> bool:
        """Whether one of them has been met."""
        return any(condition.terminated for condition in self._conditions)

    async def __call__(self, messages: Messages) -> StopMessage | None:
        """Ask all of them, so that each sees every message; stop with the reasons of all that are met."""
        return await self._ask(lambda condition: ask(condition, messages))

    async def start(self, task: Messages) -> StopMessage | None:
        """Start all of them."""
        return await self._ask(lambda condition: ask_at_start(condition, task))

    def due_in(self) -> float | None:
        """Seconds until the first of them is due."""
        return _first_due(self._conditions)

    def check_outline(self, team: outlines.TeamProfile) -> outlines.ConditionOutline:
        """Met as soon as the first of them is; never, if none of them ever is."""
        return outlines.any_of([condition.check_outline(team) for condition in self._conditions])

    async def _ask(self, look: _Look) -> StopMessage | None:
        if self.terminated:
            raise TerminatedException
        answers = [checked_stop(condition, await look(condition)) for condition in self._conditions]
        stops = [stop for stop in answers if stop is not None]
        return _joined(stops) if stops else None

    def save_state(self) -> SavedState:
        """The states of all of them."""
        return {"members": _save(self._conditions)}

    def load_state(self, state: SavedState, /) -> None:
        """Load the state of each.

        Raises:
            InvalidArgumentError: It was saved by a combination of other conditions.
            pydantic.ValidationError: `state` has another shape.
        """
        _load(self._conditions, _CombinedState.model_validate(state).members)

    async def reset(self) -> None:
        """Reset all of them."""
        for condition in self._conditions:
            await condition.reset()


# Not made by `_CombinedState`: a team takes this state at each turn, and validating it takes longer than the rest.
def _save(conditions: Sequence[TerminationCondition]) -> list[dict[str, Any]]:
    return [{"condition": type(each).__name__, "state": dict(each.save_state())} for each in conditions]


def _load(conditions: Sequence[TerminationCondition], states: Sequence[_MemberState]) -> None:
    """Load the states of combined conditions: all, or none if one of them fails."""
    here, saved = [type(each).__name__ for each in conditions], [each.condition for each in states]
    if here != saved:
        raise InvalidArgumentError(
            f"The state was saved by the conditions {saved}, and these are {here}. Load it into a team with the same "
            "termination condition."
        )
    before = [each.save_state() for each in conditions]
    try:
        for condition, member in zip(conditions, states, strict=True):
            condition.load_state(member.state)
    except BaseException:
        for condition, state in zip(conditions, before, strict=True):
            condition.load_state(state)
        raise


def _first_due(conditions: Sequence[TerminationCondition]) -> float | None:
    return min((due for condition in conditions if (due := condition.due_in()) is not None), default=None)


def _joined(stops: Sequence[StopMessage]) -> StopMessage:
    return StopMessage(
        content=", ".join(stop.content for stop in stops), source=", ".join(stop.source for stop in stops)
    )
