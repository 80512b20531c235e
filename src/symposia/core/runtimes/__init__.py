"""What runtimes are made of, for authors of runtimes.

`BaseAgentRuntime` registers agents and subscriptions, checks what callers give it, finds the recipients of
publications, and saves and loads the agents' states. What a subclass adds is how messages are delivered. Its other
names are the parts of which it is made.
"""

from typing import TYPE_CHECKING

from symposia._lazy import lazy_names

if TYPE_CHECKING:
    from symposia.core.runtimes._agent_table import AgentKind, AgentMailbox, AgentTable, without_self_cancellation
    from symposia.core.runtimes._base import BaseAgentRuntime, DeliveredContext
    from symposia.core.runtimes._dead_letters import DeadLetter, DeadLetters, Failures
    from symposia.core.runtimes._interventions import Interventions
    from symposia.core.runtimes._phase import STOPPED, Phase, stopped_before_answer
    from symposia.core.runtimes._subscriptions import Subscriptions
    from symposia.core.runtimes._waiting import StartReminder, circular_wait, deadline_exceeded
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "_agent_table": ["AgentKind", "AgentMailbox", "AgentTable", "without_self_cancellation"],
            "_base": ["BaseAgentRuntime", "DeliveredContext"],
            "_dead_letters": ["DeadLetter", "DeadLetters", "Failures"],
            "_interventions": ["Interventions"],
            "_phase": ["STOPPED", "Phase", "stopped_before_answer"],
            "_subscriptions": ["Subscriptions"],
            "_waiting": ["StartReminder", "circular_wait", "deadline_exceeded"],
        },
    )

__all__ = [
    "STOPPED",
    "AgentKind",
    "AgentMailbox",
    "AgentTable",
    "BaseAgentRuntime",
    "DeadLetter",
    "DeadLetters",
    "DeliveredContext",
    "Failures",
    "Interventions",
    "Phase",
    "StartReminder",
    "Subscriptions",
    "circular_wait",
    "deadline_exceeded",
    "stopped_before_answer",
    "without_self_cancellation",
]
