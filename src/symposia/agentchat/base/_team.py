"""The contract of a team."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING

from symposia._lazy import lazy_module
from symposia.agentchat.base._task import TaskRunner
from symposia.agentchat.messages import BaseAgentEvent, BaseChatMessage, MessageType
from symposia.core import ComponentBase
from symposia.core.changes import SavedState

if TYPE_CHECKING:
    from symposia.agentchat.base import _outlines as outlines
else:
    outlines = lazy_module("symposia.agentchat.base._outlines")  # used by `team.check()` only


class Team(TaskRunner, ComponentBase, ABC):
    """Agents that work on a task together."""

    component_type = "team"

    @property
    @abstractmethod
    def name(self) -> str:
        """Unique among the participants of the team that this one is nested in, if it is."""

    @property
    @abstractmethod
    def description(self) -> str:
        """Describes the team to the selection of a speaker."""

    @property
    def produced_message_types(self) -> Sequence[MessageType]:
        """The types of messages in its runs beyond the library's own, for a team in which it takes part."""
        return ()

    def learn_message_types(self, message_types: Sequence[MessageType]) -> None:
        """Be told which classes of messages the team around this one may give to it, beyond the library's own.

        A team that keeps its conversation needs them to load a state with such messages; by default nothing.
        """

    @property
    def transcript(self) -> Sequence[BaseAgentEvent | BaseChatMessage]:
        """Every message and event of the conversation so far, the task's first; empty for a team that keeps none.

        A team that takes part in another one, and keeps it, is not given a message twice.
        """
        return ()

    def check_outline(self) -> outlines.TeamOutline | None:
        """The outline of this team for `check`, made without asking a model; by default None."""
        return None

    @abstractmethod
    async def reset(self) -> None:
        """Forget the conversation, in every participant too."""

    @abstractmethod
    async def pause(self) -> None:
        """Stop before the next turn, and tell the participants."""

    @abstractmethod
    async def resume(self) -> None:
        """Continue after `pause`."""

    @abstractmethod
    async def save_state(self) -> SavedState:
        """What `load_state` needs to continue from here in another process; JSON-ready."""

    @abstractmethod
    async def load_state(self, state: SavedState) -> None:
        """Continue from a saved state."""
