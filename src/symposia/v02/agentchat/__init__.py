"""The agents of AutoGen 0.2: they send each other dictionaries, in chats of two or in groups."""

from typing import TYPE_CHECKING

from symposia._lazy import lazy_names

if TYPE_CHECKING:
    from symposia.v02.agentchat import (
        agent,
        assistant_agent,
        chat,
        conversable_agent,
        groupchat,
        user_proxy_agent,
        utils,
    )
    from symposia.v02.agentchat.agent import Agent, LLMAgent
    from symposia.v02.agentchat.assistant_agent import AssistantAgent
    from symposia.v02.agentchat.chat import ChatResult, a_initiate_chats, initiate_chats
    from symposia.v02.agentchat.conversable_agent import ConversableAgent, register_function
    from symposia.v02.agentchat.groupchat import GroupChat, GroupChatManager
    from symposia.v02.agentchat.user_proxy_agent import UserProxyAgent
    from symposia.v02.agentchat.utils import consolidate_chat_info, gather_usage_summary
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "agent": ["Agent", "LLMAgent"],
            "assistant_agent": ["AssistantAgent"],
            "chat": ["ChatResult", "a_initiate_chats", "initiate_chats"],
            "conversable_agent": ["ConversableAgent", "register_function"],
            "groupchat": ["GroupChat", "GroupChatManager"],
            "user_proxy_agent": ["UserProxyAgent"],
            "utils": ["consolidate_chat_info", "gather_usage_summary"],
        },
        submodules=["agent", "assistant_agent", "chat", "conversable_agent", "groupchat", "user_proxy_agent", "utils"],
    )

__all__ = [
    "Agent",
    "AssistantAgent",
    "ChatResult",
    "ConversableAgent",
    "GroupChat",
    "GroupChatManager",
    "LLMAgent",
    "UserProxyAgent",
    "a_initiate_chats",
    "agent",
    "assistant_agent",
    "chat",
    "consolidate_chat_info",
    "conversable_agent",
    "gather_usage_summary",
    "groupchat",
    "initiate_chats",
    "register_function",
    "user_proxy_agent",
    "utils",
]
