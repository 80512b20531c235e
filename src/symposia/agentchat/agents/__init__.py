"""Agents to put into teams, and the base class for your own."""

from symposia.agentchat.agents._assistant import AssistantAgent, OutputCheck, OutputFallback
from symposia.agentchat.agents._base_chat_agent import BaseChatAgent
from symposia.agentchat.agents._code_executor import (
    ApprovalFuncType,
    ApprovalRequest,
    ApprovalResponse,
    CodeExecution,
    CodeExecutorAgent,
    ExecutionReport,
)
from symposia.agentchat.agents._user_proxy import UserProxyAgent

__all__ = [
    "ApprovalFuncType",
    "ApprovalRequest",
    "ApprovalResponse",
    "AssistantAgent",
    "BaseChatAgent",
    "CodeExecution",
    "CodeExecutorAgent",
    "ExecutionReport",
    "OutputCheck",
    "OutputFallback",
    "UserProxyAgent",
]
