"""Tools for agents, and tools that are made of agents."""

from typing import TYPE_CHECKING

from symposia._lazy import lazy_names

if TYPE_CHECKING:
    from symposia.agentchat.tools._task_runner_tool import AgentTool, TaskRunnerTool, TeamTool
    from symposia.core.tools import FunctionTool
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {"_task_runner_tool": ["AgentTool", "TaskRunnerTool", "TeamTool"], "symposia.core.tools": ["FunctionTool"]},
    )

__all__ = ["AgentTool", "FunctionTool", "TaskRunnerTool", "TeamTool"]
