"""A team as JSON, in the shape that AutoGen saves it: loads what AutoGen 0.7.5 saved, and the other way round.

Beside the states of the participants stands that of the manager: the conversation, and the rule's own state.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from symposia.agentchat.messages import BaseAgentEvent, BaseChatMessage, MessageFactory
from symposia.agentchat.state import BaseGroupChatManagerState, ChatAgentContainerState, TeamState
from symposia.agentchat.teams._participant import Item
from symposia.core.exceptions import InvalidArgumentError, UsageError

_RESERVED: Final = frozenset(BaseGroupChatManagerState.model_fields)


@dataclass(frozen=True, kw_only=True, slots=True)
class SavedParticipant:
    """One participant: its own state, and what it has yet to hear."""

    own: Mapping[str, Any]
    unheard: Sequence[BaseChatMessage]


@dataclass(frozen=True, kw_only=True, slots=True)
class SavedTeam:
    """A team between two turns."""

    participants: Mapping[str, SavedParticipant]
    transcript: Sequence[Item]
    turns: int
    rule: Mapping[str, Any]

    def dump(self, manager: str, manager_type: str) -> Mapping[str, Any]:
        """As JSON.

        Args:
            manager: The name under which the conversation is kept.
            manager_type: The name of its state's class.

        Raises:
            UsageError: The rule's state uses a name that the conversation's has taken.
        """
        if taken := _RESERVED & self.rule.keys():
            raise UsageError(f"The rule of {manager} saves a state with {sorted(taken)}: choose other names.")
        states: dict[str, Any] = {
            name: ChatAgentContainerState(
                agent_state=saved.own, message_buffer=[message.dump() for message in saved.unheard]
            ).model_dump()
            for name, saved in self.participants.items()
        }
        states[manager] = {
            "type": manager_type,
            "version": "1.0.0",
            "message_thread": [message.dump() for message in self.transcript],
            "current_turn": self.turns,
            **self.rule,
        }
        return TeamState(agent_states=states).model_dump()


def load_team(state: Mapping[str, Any], names: Sequence[str], manager: str, factory: MessageFactory) -> SavedTeam:
    """Read what `SavedTeam.dump` wrote.

    Args:
        state: The JSON.
        names: The participants.
        manager: The name under which the conversation is kept.
        factory: Knows the types of the messages.

    Raises:
        InvalidArgumentError: A participant or the manager is missing.
        RegistrationError: A message of an unknown type.
        pydantic.ValidationError: It is not of that shape.
    """
    states = TeamState.model_validate(state).agent_states
    if missing := [name for name in (*names, manager) if name not in states]:
        raise InvalidArgumentError(
            f"Agent state for {missing[0]} not found in the saved state. It was saved by a team of {sorted(states)}."
        )
    conversation = BaseGroupChatManagerState.model_validate(states[manager])
    return SavedTeam(
        participants={name: _load_participant(states[name], factory) for name in names},
        transcript=[factory.create(data) for data in conversation.message_thread],
        turns=conversation.current_turn,
        rule={key: value for key, value in states[manager].items() if key not in _RESERVED},
    )


def _load_participant(state: Mapping[str, Any], factory: MessageFactory) -> SavedParticipant:
    saved = ChatAgentContainerState.model_validate(state)
    unheard = [factory.create(data) for data in saved.message_buffer]
    if events := [message for message in unheard if isinstance(message, BaseAgentEvent)]:
        raise InvalidArgumentError(f"message_buffer holds a {type(events[0]).__name__}: it is for chat messages.")
    return SavedParticipant(
        own=saved.agent_state, unheard=[message for message in unheard if isinstance(message, BaseChatMessage)]
    )
