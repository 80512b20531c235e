from symposia.agentchat.agents._assistant._agent import AssistantAgent

__all__ = ["AssistantAgent"]
