"""What an agent has that answers from a graph of knowledge."""

from __future__ import annotations

from abc import abstractmethod

from typing_extensions import override

from symposia.v02.agentchat.contrib.capabilities.agent_capability import AgentCapability
from symposia.v02.agentchat.contrib.graph_rag.graph_query_engine import GraphQueryEngine
from symposia.v02.agentchat.conversable_agent import ConversableAgent

__all__ = ["GraphRagCapability"]


class GraphRagCapability(AgentCapability):
    """Lets an agent ask a graph of knowledge. How it does is left to subclasses.

    Args:
        query_engine: The graph.

    Attributes:
        query_engine: The graph.
    """

    def __init__(self, query_engine: GraphQueryEngine) -> None:
        self.query_engine = query_engine

    @abstractmethod
    @override
    def add_to_agent(self, agent: ConversableAgent) -> None:
        """Let an agent ask the graph."""
