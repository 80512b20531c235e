"""Group chats: their agents, the selection of their speakers, and their managers."""

from symposia.v02.agentchat._group._chat import GroupChat as GroupChat
from symposia.v02.agentchat._group._manager import GroupChatManager as GroupChatManager
