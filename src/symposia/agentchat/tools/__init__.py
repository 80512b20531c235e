"""Tools for agents, and tools that are made of agents."""

from typing import TYPE_CHECKING

from symposia._lazy import lazy_names
from symposia.core.tools import FunctionTool

if TYPE_CHECKING:
    from symposia.agentchat.tools._task_runner_tool import AgentTool, TaskRunnerTool, TeamTool
else:
    __getattr__, __dir__ = lazy_names(__name__, {"_task_runner_tool": ["AgentTool", "TaskRunnerTool", "TeamTool"]})

__all__ = ["AgentTool", "FunctionTool", "TaskRunnerTool", "TeamTool"]
