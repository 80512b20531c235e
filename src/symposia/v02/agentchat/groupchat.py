"""Group chats and their managers."""

from __future__ import annotations

from symposia.v02.agentchat._group import GroupChat, GroupChatManager

__all__ = ["GroupChat", "GroupChatManager"]
