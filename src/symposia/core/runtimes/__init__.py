"""What runtimes are made of, for authors of runtimes.

`BaseAgentRuntime` registers agents and subscriptions, checks what callers give it, finds the recipients of
publications, and saves and loads the agents' states. What a subclass adds is how messages are delivered. Its other
names are the parts of which it is made.
"""

from typing import TYPE_CHECKING

from symposia._lazy import lazy_names

if TYPE_CHECKING:
    from symposia.core.runtimes._agent_table import AgentKind, AgentMailbox, AgentTable
    from symposia.core.runtimes._base import BaseAgentRuntime, DeliveredContext
    from symposia.core.runtimes._dead_letters import DeadLetter, DeadLetters, Failures
    from symposia.core.runtimes._interventions import Interventions
    from symposia.core.runtimes._subscriptions import Subscriptions
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "_agent_table": ["AgentKind", "AgentMailbox", "AgentTable"],
            "_base": ["BaseAgentRuntime", "DeliveredContext"],
            "_dead_letters": ["DeadLetter", "DeadLetters", "Failures"],
            "_interventions": ["Interventions"],
            "_subscriptions": ["Subscriptions"],
        },
    )

__all__ = [
    "AgentKind",
    "AgentMailbox",
    "AgentTable",
    "BaseAgentRuntime",
    "DeadLetter",
    "DeadLetters",
    "DeliveredContext",
    "Failures",
    "Interventions",
    "Subscriptions",
]
