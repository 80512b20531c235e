"""Agents to put into teams, and the base class for your own."""

from symposia.agentchat.agents._assistant import AssistantAgent
from symposia.agentchat.agents._base_chat_agent import BaseChatAgent

__all__ = ["AssistantAgent", "BaseChatAgent"]
