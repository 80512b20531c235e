"""The states of agents, in the shape in which AutoGen saves them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class BaseState(BaseModel):
    """What a component needs to continue in another process.

    Attributes:
        type: The name of the class of the state.
        version: Of the shape of the state.
    """

    model_config = ConfigDict(defer_build=True)

    type: str = "BaseState"
    version: str = "1.0.0"


class AssistantAgentState(BaseState):
    """The state of an `AssistantAgent`, and of a `CodeExecutorAgent` that writes code itself.

    Attributes:
        llm_context: The saved state of its model context.
    """

    type: str = "AssistantAgentState"
    llm_context: Mapping[str, Any] = Field(default_factory=lambda: {"messages": []})


class SocietyOfMindAgentState(BaseState):
    """The state of a `SocietyOfMindAgent`.

    Attributes:
        inner_team_state: The saved state of its team.
    """

    type: str = "SocietyOfMindAgentState"
    inner_team_state: Mapping[str, Any] = Field(default_factory=dict[str, Any])
