"""Group chats and their managers."""

from __future__ import annotations

from symposia.v02.agentchat._group_chat import GroupChat
from symposia.v02.agentchat._group_chat_manager import GroupChatManager

__all__ = ["GroupChat", "GroupChatManager"]
