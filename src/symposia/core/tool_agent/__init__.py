"""An agent that runs tools for others, and the loop of its callers."""

from typing import TYPE_CHECKING

from symposia._lazy import explained_names
from symposia.core.exceptions import (
    InvalidToolArgumentsException,
    ToolException,
    ToolExecutionException,
    ToolNotFoundException,
)
from symposia.core.tool_agent._caller_loop import tool_agent_caller_loop
from symposia.core.tool_agent._tool_agent import ToolAgent

if not TYPE_CHECKING:
    __getattr__ = explained_names(__name__)

__all__ = [
    "InvalidToolArgumentsException",
    "ToolAgent",
    "ToolException",
    "ToolExecutionException",
    "ToolNotFoundException",
    "tool_agent_caller_loop",
]
