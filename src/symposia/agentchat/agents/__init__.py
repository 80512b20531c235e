"""Agents to put into teams, and the base class for your own."""

from typing import TYPE_CHECKING

from symposia._lazy import lazy_names

if TYPE_CHECKING:
    from symposia.agentchat.agents._assistant import (
        AcceptedCall,
        AssistantAgent,
        AvailableTools,
        CallDecision,
        ModelInput,
        OutputCheck,
        OutputFallback,
        Rejection,
        TurnProgress,
        refuse_call,
    )
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
    from symposia.agentchat.agents._guarded_agent import GuardedAgent
    from symposia.agentchat.agents._message_filter import MessageFilterAgent, MessageFilterConfig, PerSourceFilter
    from symposia.agentchat.agents._model_turn import ModelCall
    from symposia.agentchat.agents._society_of_mind import SocietyOfMindAgent
    from symposia.agentchat.agents._user_proxy import UserProxyAgent
    from symposia.agentchat.agents._wrapping_agent import WrappingAgent
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "_assistant": [
                "AcceptedCall",
                "AssistantAgent",
                "AvailableTools",
                "CallDecision",
                "ModelInput",
                "OutputCheck",
                "OutputFallback",
                "Rejection",
                "TurnProgress",
                "refuse_call",
            ],
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
            "_guarded_agent": ["GuardedAgent"],
            "_message_filter": ["MessageFilterAgent", "MessageFilterConfig", "PerSourceFilter"],
            "_model_turn": ["ModelCall"],
            "_society_of_mind": ["SocietyOfMindAgent"],
            "_user_proxy": ["UserProxyAgent"],
            "_wrapping_agent": ["WrappingAgent"],
        },
    )

__all__ = [
    "AcceptedCall",
    "ApprovalFuncType",
    "ApprovalRequest",
    "ApprovalResponse",
    "AssistantAgent",
    "AvailableTools",
    "BaseChatAgent",
    "BlockReport",
    "CallDecision",
    "CodeExecution",
    "CodeExecutorAgent",
    "ExecutionReport",
    "GuardedAgent",
    "MessageFilterAgent",
    "MessageFilterConfig",
    "ModelCall",
    "ModelInput",
    "OutputCheck",
    "OutputFallback",
    "PerSourceFilter",
    "Rejection",
    "SocietyOfMindAgent",
    "TurnProgress",
    "UserProxyAgent",
    "WrappingAgent",
    "refuse_call",
]
