from symposia.agentchat.agents._code_executor._agent import CodeExecutorAgent
from symposia.agentchat.agents._code_executor._approval import ApprovalFuncType, ApprovalRequest, ApprovalResponse

__all__ = ["ApprovalFuncType", "ApprovalRequest", "ApprovalResponse", "CodeExecutorAgent"]
