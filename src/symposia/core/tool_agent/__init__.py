"""An agent that runs tools for others, and the loop of its callers."""

from symposia.core.exceptions import (
    InvalidToolArgumentsException,
    ToolException,
    ToolExecutionException,
    ToolNotFoundException,
)
from symposia.core.tool_agent._caller_loop import tool_agent_caller_loop
from symposia.core.tool_agent._tool_agent import ToolAgent

__all__ = [
    "InvalidToolArgumentsException",
    "ToolAgent",
    "ToolException",
    "ToolExecutionException",
    "ToolNotFoundException",
    "tool_agent_caller_loop",
]
