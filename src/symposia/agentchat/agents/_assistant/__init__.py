"""The assistant agent."""

from symposia.agentchat.agents._assistant._agent import AssistantAgent
from symposia.agentchat.agents._assistant._output import OutputCheck, OutputFallback

__all__ = ["AssistantAgent", "OutputCheck", "OutputFallback"]
