"""The shapes of saved states."""

from typing import TYPE_CHECKING

from symposia._lazy import lazy_names

if TYPE_CHECKING:
    from symposia.agentchat.state._agents import AssistantAgentState, BaseState, SocietyOfMindAgentState
    from symposia.agentchat.state._teams import (
        BaseGroupChatManagerState,
        ChatAgentContainerState,
        MagenticOneOrchestratorState,
        RoundRobinManagerState,
        SelectorManagerState,
        SwarmManagerState,
        TeamState,
    )
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "_agents": ["AssistantAgentState", "BaseState", "SocietyOfMindAgentState"],
            "_teams": [
                "BaseGroupChatManagerState",
                "ChatAgentContainerState",
                "MagenticOneOrchestratorState",
                "RoundRobinManagerState",
                "SelectorManagerState",
                "SwarmManagerState",
                "TeamState",
            ],
        },
    )

__all__ = [
    "AssistantAgentState",
    "BaseGroupChatManagerState",
    "BaseState",
    "ChatAgentContainerState",
    "MagenticOneOrchestratorState",
    "RoundRobinManagerState",
    "SelectorManagerState",
    "SocietyOfMindAgentState",
    "SwarmManagerState",
    "TeamState",
]
