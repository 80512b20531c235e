"""The base classes of termination conditions: `Condition`, and `StatefulCondition` for conditions with a state.

A condition of a few lines, which is reset, saved and loaded with its team:

    @dataclass
    class Words:
        count: int = 0

    class MaxWordsTermination(StatefulCondition[Words]):
        def __init__(self, max_words: int) -> None:
            super().__init__(Words)
            self._max_words = max_words

        async def look(self, messages: Messages) -> str | None:
            self.state.count += sum(len(message.to_text().split()) for message in messages)
            return f"{self.state.count} words" if self.state.count >= self._max_words else None

Further conditions are in the modules beside this one.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, TypeAdapter
from typing_extensions import override

from symposia.agentchat._answers import checked_awaitable, checked_reason
from symposia.agentchat.base import TerminatedException, TerminationCondition
from symposia.agentchat.messages import Messages, StopMessage
from symposia.core.argument_checks import check_function
from symposia.core.changes import SavedState
from symposia.core.exceptions import UsageError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

StateT = TypeVar("StateT", bound="DataclassInstance")


@lru_cache(maxsize=1024)
def _adapter(cls: type[Any]) -> TypeAdapter[Any]:  # Any: of any dataclass; making one takes longer than a turn
    return TypeAdapter(cls)


@lru_cache(maxsize=1024)
def _dump(cls: type[Any]) -> Callable[..., dict[str, object]]:  # Any: as of `_adapter`
    """What writes down a state of this class, without the layer of Python around it: a team asks for it each turn."""
    return _adapter(cls).serializer.to_python


class _Terminated(BaseModel):
    """The part of a saved state that all conditions here have in common."""

    model_config = ConfigDict(defer_build=True)

    terminated: bool = False


class Condition(TerminationCondition):
    """A condition that needs no memory beyond one call. Implement `look`.

    The state that is saved is whether the condition has been met, which matters for a member of an ``&``.
    """

    def __init__(self) -> None:
        self._terminated = False

    @property
    def terminated(self) -> bool:
        """Whether it has ended a run since the last `reset`."""
        try:
            return self._terminated
        except AttributeError:
            name = type(self).__name__
            raise UsageError(
                f"__init__ of the condition {name!r} has to call super().__init__(), which sets what is saved."
            ) from None

    @abstractmethod
    async def look(self, messages: Messages) -> str | None:
        """Decide about new messages.

        Args:
            messages: Those since the last call, oldest first. There are none where a deadline (`due_in`) has passed.

        Returns:
            The reason why the run ends here; None to continue.
        """

    async def __call__(self, messages: Messages) -> StopMessage | None:
        """Look at the messages that are new since the last call."""
        if self._terminated:
            raise TerminatedException
        answer = checked_awaitable("look", "condition", type(self).__name__, self.look(messages))
        reason = checked_reason(self, await answer)
        if reason is None:
            return None
        self._terminated = True
        return StopMessage(content=reason, source=type(self).__name__)

    async def reset(self) -> None:
        """Make ready for another run."""
        self._terminated = False

    def save_state(self) -> SavedState:
        """Whether it has ended a run."""
        return {"terminated": self._terminated}

    def load_state(self, state: SavedState, /) -> None:
        """Continue from what `save_state` returned."""
        self._terminated = _Terminated.model_validate(state).terminated


class StatefulCondition(Condition, Generic[StateT]):
    """A condition that remembers something between calls: in `state`, which is reset, saved and loaded for it.

    Args:
        new_state: Makes the state at the beginning of a run: a dataclass with a default for each field.

    Attributes:
        state: The state, which `look` changes.
    """

    def __init__(self, new_state: Callable[[], StateT]) -> None:
        super().__init__()
        check_function("new_state", f"a {type(self).__name__}", new_state, "the class of its state")
        self._new_state = new_state
        self.state: StateT = new_state()

    async def reset(self) -> None:
        """Return to the initial state."""
        await super().reset()
        self.state = self._new_state()

    def save_state(self) -> SavedState:
        """Whether the condition has ended a run, and its state."""
        return {"terminated": self._terminated, **_dump(type(self.state))(self.state, mode="json")}

    def load_state(self, state: SavedState, /) -> None:
        """Continue from what `save_state` returned."""
        own = {key: value for key, value in state.items() if key != "terminated"}
        loaded: StateT = _adapter(type(self.state)).validate_python(own)
        super().load_state(state)
        self.state = loaded


class MessageCondition(Condition):
    """A condition on the agents' messages and events. The task is not one of them, and does not end its own run."""

    @override
    async def start(self, task: Messages) -> StopMessage | None:
        """Continue, whatever the task says."""
        if self._terminated:
            raise TerminatedException
        return None
