"""The shapes of saved states."""

from symposia.agentchat.state._agents import AssistantAgentState, BaseState, SocietyOfMindAgentState

__all__ = ["AssistantAgentState", "BaseState", "SocietyOfMindAgentState"]
