"""The agent that executes code, and writes it with a model."""

from symposia.agentchat.agents._code_executor._agent import CodeExecutorAgent
from symposia.agentchat.agents._code_executor._code_runner import ApprovalFuncType, ApprovalRequest, ApprovalResponse
from symposia.agentchat.agents._code_executor._report import BlockReport, CodeExecution, ExecutionReport

__all__ = [
    "ApprovalFuncType",
    "ApprovalRequest",
    "ApprovalResponse",
    "BlockReport",
    "CodeExecution",
    "CodeExecutorAgent",
    "ExecutionReport",
]
