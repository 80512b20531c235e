"""The models of the swarm."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from symposia.presets._models import NamedModel, close_models


@dataclass(frozen=True, kw_only=True, slots=True)
class SwarmModels:
    """The model of each agent."""

    planner: NamedModel
    coder: NamedModel
    reviewer: NamedModel

    @property
    def recorded(self) -> bool:
        """Whether any of them is recorded."""
        return self.planner.recorded or self.coder.recorded or self.reviewer.recorded

    def by_agent(self) -> Mapping[str, NamedModel]:
        """The models by the names of their agents."""
        return {"planner": self.planner, "coder": self.coder, "reviewer": self.reviewer}

    async def close(self) -> None:
        """Close the clients."""
        await close_models(self.by_agent().values())
