"""Agents of AutoGen 0.2 in teams of AutoGen 0.4, and agents and teams of 0.4 in chats of 0.2."""

from __future__ import annotations

from symposia.v02.agentchat._as_chat_agent import to_chat_agent
from symposia.v02.agentchat._as_conversable import to_conversable

__all__ = ["to_chat_agent", "to_conversable"]
