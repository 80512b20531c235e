"""The metadata of an agent."""

from __future__ import annotations

from typing import TypedDict


class AgentMetadata(TypedDict):
    """The metadata of an agent.

    Attributes:
        type: The agent's type.
        key: Which agent of that type.
        description: What the agent is for, in words that a model can read.
    """

    type: str
    key: str
    description: str
