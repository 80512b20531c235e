from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TypedDict

from symposia.agentchat.base import TerminationCondition
from symposia.agentchat.messages import BaseAgentEvent, BaseChatMessage
from symposia.core import AgentRuntime


class TeamOptions(TypedDict, total=False):
    """What every team can be given, beside its participants and its rule.

    Attributes:
        name: The team's own name, for when it takes part in another.
        description: What the team can do, for whoever selects it.
        termination_condition: Ends a run when it is met. It sees every message of every turn.
        max_turns: Ends a run after that many turns.
        turn_timeout: Ends a run when a turn takes longer, in seconds or as a `timedelta`. The stop reason names those
            who did not answer.
        runtime: Where the participants live. It has to be started by its owner. By default the team has an embedded
            one, which runs while the team does.
        custom_message_types: Classes of messages beyond the library's own and those that the participants say they
            produce, so that a saved state with such messages can be loaded.
        emit_team_events: Whether the stream and the result say who was chosen to speak.
    """

    name: str | None
    description: str | None
    termination_condition: TerminationCondition | None
    max_turns: int | None
    turn_timeout: float | timedelta | None
    runtime: AgentRuntime | None
    custom_message_types: Sequence[type[BaseAgentEvent | BaseChatMessage]] | None
    emit_team_events: bool
