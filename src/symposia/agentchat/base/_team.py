from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

from symposia.agentchat.base._task import TaskRunner
from symposia.core import ComponentBase


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
        """What the team can do, for whoever selects it."""

    @abstractmethod
    async def reset(self) -> None:
        """Forget the conversation, in every participant too."""

    @abstractmethod
    async def pause(self) -> None:
        """Stop before the next turn, and tell the participants."""

    @abstractmethod
    async def resume(self) -> None:
        """Go on after `pause`."""

    # Any: a state is JSON that each class shapes for itself.
    @abstractmethod
    async def save_state(self) -> Mapping[str, Any]:
        """What `load_state` needs to go on from here in another process; JSON-ready."""

    @abstractmethod
    async def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on from a saved state."""
