"""The states of teams, in the shape in which AutoGen saves them: apart, since most programs neither save nor load."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from symposia.agentchat.state._agents import BaseState


class TeamState(BaseState):
    """The state of a team.

    Attributes:
        agent_states: By name, a `ChatAgentContainerState` for each participant and, under the name of the team's
            manager, the state of the conversation and of the rule.
    """

    type: str = "TeamState"
    agent_states: Mapping[str, Any] = Field(default_factory=dict[str, Any])


class ChatAgentContainerState(BaseState):
    """The state of one participant.

    Attributes:
        agent_state: The participant's own.
        message_buffer: The messages that it has not received yet.
    """

    type: str = "ChatAgentContainerState"
    agent_state: Mapping[str, Any] = Field(default_factory=dict[str, Any])
    message_buffer: list[Mapping[str, Any]] = Field(default_factory=list[Mapping[str, Any]])


class BaseGroupChatManagerState(BaseState):
    """The state of the conversation; each kind of team adds that of its rule.

    Attributes:
        message_thread: All messages and events.
        current_turn: How many turns the present run has taken; 0 between runs.
    """

    type: str = "BaseGroupChatManagerState"
    message_thread: list[Mapping[str, Any]] = Field(default_factory=list[Mapping[str, Any]])
    current_turn: int = 0


class RoundRobinManagerState(BaseGroupChatManagerState):
    """Of a `RoundRobinGroupChat`.

    Attributes:
        next_speaker_index: The index of the next speaker among the participants.
    """

    type: str = "RoundRobinManagerState"
    next_speaker_index: int = 0


class SelectorManagerState(BaseGroupChatManagerState):
    """Of a `SelectorGroupChat`.

    Attributes:
        previous_speaker: The name of the speaker selected last.
    """

    type: str = "SelectorManagerState"
    previous_speaker: str | None = None


class SwarmManagerState(BaseGroupChatManagerState):
    """Of a `Swarm`.

    Attributes:
        current_speaker: The name of the speaker whose turn it is; empty before the first run.
    """

    type: str = "SwarmManagerState"
    current_speaker: str = ""


class MagenticOneOrchestratorState(BaseGroupChatManagerState):
    """Of a `MagenticOneGroupChat`. What ours has beyond AutoGen's is not listed.

    Attributes:
        task: The task, as text.
        facts: The fact sheet.
        plan: The plan.
        n_rounds: How many ledgers of progress were read for the task.
        n_stalls: How many stalls count since the plan.
    """

    type: str = "MagenticOneOrchestratorState"
    task: str = ""
    facts: str = ""
    plan: str = ""
    n_rounds: int = 0
    n_stalls: int = 0
