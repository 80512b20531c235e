"""What agents, teams and termination conditions promise each other."""

from typing import TYPE_CHECKING

from symposia._lazy import lazy_names

if TYPE_CHECKING:
    from symposia.agentchat.base._chat_agent import AnswersInSchema, ChatAgent, Response
    from symposia.agentchat.base._handoff import Handoff
    from symposia.agentchat.base._outlines import (
        ONCE,
        AgentOutline,
        Bounds,
        ConditionOutline,
        Finding,
        InnerRun,
        ModelUse,
        Outlines,
        RuleOutline,
        TeamOutline,
        TeamProfile,
        part_outline,
        participant_outline,
    )
    from symposia.agentchat.base._task import Task, TaskResult, TaskRunner, task_messages
    from symposia.agentchat.base._team import Team
    from symposia.agentchat.base._termination import (
        AndTerminationCondition,
        OrTerminationCondition,
        TerminatedException,
        TerminationCondition,
    )
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "_chat_agent": ["AnswersInSchema", "ChatAgent", "Response"],
            "_handoff": ["Handoff"],
            "_outlines": [
                "ONCE",
                "AgentOutline",
                "Bounds",
                "ConditionOutline",
                "Finding",
                "InnerRun",
                "ModelUse",
                "Outlines",
                "RuleOutline",
                "TeamOutline",
                "TeamProfile",
                "part_outline",
                "participant_outline",
            ],
            "_task": ["Task", "TaskResult", "TaskRunner", "task_messages"],
            "_team": ["Team"],
            "_termination": [
                "AndTerminationCondition",
                "OrTerminationCondition",
                "TerminatedException",
                "TerminationCondition",
            ],
        },
    )

__all__ = [
    "ONCE",
    "AgentOutline",
    "AndTerminationCondition",
    "AnswersInSchema",
    "Bounds",
    "ChatAgent",
    "ConditionOutline",
    "Finding",
    "Handoff",
    "InnerRun",
    "ModelUse",
    "OrTerminationCondition",
    "Outlines",
    "Response",
    "RuleOutline",
    "Task",
    "TaskResult",
    "TaskRunner",
    "Team",
    "TeamOutline",
    "TeamProfile",
    "TerminatedException",
    "TerminationCondition",
    "part_outline",
    "participant_outline",
    "task_messages",
]
