"""What a capability has."""

from __future__ import annotations

from abc import ABC, abstractmethod

from symposia.v02.agentchat.conversable_agent import ConversableAgent

__all__ = ["AgentCapability"]


class AgentCapability(ABC):
    """Something that can be added to an agent."""

    @abstractmethod
    def add_to_agent(self, agent: ConversableAgent) -> None:
        """Add it to an agent, mostly by hooks."""
