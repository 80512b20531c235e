"""The assistant agent."""

from symposia.agentchat.agents._assistant._agent import AssistantAgent
from symposia.agentchat.agents._assistant._output import OutputCheck, OutputFallback
from symposia.agentchat.agents._assistant._parts import ModelInput, Rejection, TurnProgress
from symposia.agentchat.agents._assistant._tool_calls import AcceptedCall, AvailableTools, CallDecision, refuse_call

__all__ = [
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
]
