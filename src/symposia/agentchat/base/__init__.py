"""What agents, teams and termination conditions promise each other."""

from symposia.agentchat.base._chat_agent import ChatAgent, Response
from symposia.agentchat.base._handoff import Handoff
from symposia.agentchat.base._task import Task, TaskResult, TaskRunner, task_messages
from symposia.agentchat.base._team import Team
from symposia.agentchat.base._termination import (
    AndTerminationCondition,
    OrTerminationCondition,
    TerminatedException,
    TerminationCondition,
)

__all__ = [
    "AndTerminationCondition",
    "ChatAgent",
    "Handoff",
    "OrTerminationCondition",
    "Response",
    "Task",
    "TaskResult",
    "TaskRunner",
    "Team",
    "TerminatedException",
    "TerminationCondition",
    "task_messages",
]
