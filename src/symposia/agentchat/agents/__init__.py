"""Agents to put into teams, and the base class for your own."""

from typing import TYPE_CHECKING

from symposia._lazy import lazy_names

if TYPE_CHECKING:
    from symposia.agentchat.agents._assistant import AssistantAgent, OutputCheck, OutputFallback
    from symposia.agentchat.agents._base_chat_agent import BaseChatAgent
    from symposia.agentchat.agents._code_executor import (
        ApprovalFuncType,
        ApprovalRequest,
        ApprovalResponse,
        BlockReport,
        CodeExecution,
        CodeExecutorAgent,
        ExecutionReport,
    )
    from symposia.agentchat.agents._message_filter import MessageFilterAgent, MessageFilterConfig, PerSourceFilter
    from symposia.agentchat.agents._society_of_mind import SocietyOfMindAgent
    from symposia.agentchat.agents._user_proxy import UserProxyAgent
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "_assistant": ["AssistantAgent", "OutputCheck", "OutputFallback"],
            "_base_chat_agent": ["BaseChatAgent"],
            "_code_executor": [
                "ApprovalFuncType",
                "ApprovalRequest",
                "ApprovalResponse",
                "BlockReport",
                "CodeExecution",
                "CodeExecutorAgent",
                "ExecutionReport",
            ],
            "_message_filter": ["MessageFilterAgent", "MessageFilterConfig", "PerSourceFilter"],
            "_society_of_mind": ["SocietyOfMindAgent"],
            "_user_proxy": ["UserProxyAgent"],
        },
    )

__all__ = [
    "ApprovalFuncType",
    "ApprovalRequest",
    "ApprovalResponse",
    "AssistantAgent",
    "BaseChatAgent",
    "BlockReport",
    "CodeExecution",
    "CodeExecutorAgent",
    "ExecutionReport",
    "MessageFilterAgent",
    "MessageFilterConfig",
    "OutputCheck",
    "OutputFallback",
    "PerSourceFilter",
    "SocietyOfMindAgent",
    "UserProxyAgent",
]
