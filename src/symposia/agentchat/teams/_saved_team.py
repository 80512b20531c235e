"""A team as JSON, in the shape that AutoGen saves it: loads what AutoGen 0.7.5 saved, and the other way round.

Beside the states of the participants stands that of the manager: the conversation, and the rule's own state. What
AutoGen has no place for is in the manager's ``progress``, which AutoGen ignores; it is left out where there is none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field

from symposia.agentchat.messages import BaseAgentEvent, BaseChatMessage, MessageFactory
from symposia.agentchat.state import BaseGroupChatManagerState, ChatAgentContainerState, TeamState
from symposia.agentchat.teams._messages import Item
from symposia.core.exceptions import InvalidArgumentError, UsageError

_PROGRESS: Final = "progress"
_RESERVED: Final = frozenset({*BaseGroupChatManagerState.model_fields, _PROGRESS})


class SavedCondition(BaseModel):
    """A termination condition in the middle of a run.

    Attributes:
        condition: The name of its class.
        state: Its state.
    """

    model_config = ConfigDict(defer_build=True)

    condition: str
    state: dict[str, Any]


class Progress(BaseModel):
    """How far a team is, beyond what AutoGen saves.

    Attributes:
        turns: How many turns the team has ended in its whole life.
        running: Whether it was saved in the middle of a run, which the next run continues.
        condition: The state of the termination condition in that run.
        unseen: The messages of that run that the condition has not seen: of a turn that was not over.
    """

    model_config = ConfigDict(defer_build=True)

    turns: int = Field(0, ge=0)
    running: bool = False
    condition: SavedCondition | None = None
    unseen: list[Mapping[str, Any]] = Field(default_factory=list[Mapping[str, Any]])


@dataclass(frozen=True, kw_only=True, slots=True)
class SavedRun:
    """How far a team is, without its conversation.

    Attributes:
        run_turns: How many turns the present run has taken.
        rule: The rule's state.
        turns: See `Progress`, also for the following.
        running: See there.
        condition: See there.
        unseen: See there.
    """

    run_turns: int
    rule: Mapping[str, Any]
    turns: int
    running: bool
    condition: Mapping[str, Any] | None
    unseen: Sequence[Item]

    def dump(self, manager: str, manager_type: str) -> dict[str, Any]:
        """As JSON, in the state of the manager.

        Raises:
            UsageError: The rule's state uses a name that the conversation's has taken.
        """
        if taken := _RESERVED & self.rule.keys():
            raise UsageError(f"The rule of {manager} saves a state with {sorted(taken)}: choose other names.")
        progress = Progress(
            turns=self.turns,
            running=self.running,
            condition=None if self.condition is None else SavedCondition.model_validate(self.condition),
            unseen=[item.dump() for item in self.unseen],
        ).model_dump(exclude_defaults=True)
        return {
            "type": manager_type,
            "version": "1.0.0",
            "current_turn": self.run_turns,
            **({_PROGRESS: progress} if progress else {}),
            **self.rule,
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class SavedTeam:
    """A team between two turns.

    Attributes:
        participants: The own state of each.
        pending: The messages that each has not received yet.
        transcript: The conversation.
        run: How far the team is.
    """

    participants: Mapping[str, Mapping[str, Any]]
    pending: Mapping[str, Sequence[BaseChatMessage]]
    transcript: Sequence[Item]
    run: SavedRun

    def dump(self, manager: str, manager_type: str) -> Mapping[str, Any]:
        """As JSON.

        Args:
            manager: The name under which the conversation is kept.
            manager_type: The name of its state's class.

        Raises:
            UsageError: The rule's state uses a name that the conversation's has taken.
        """
        states: dict[str, Any] = {
            name: ChatAgentContainerState(
                agent_state=own, message_buffer=[message.dump() for message in self.pending[name]]
            ).model_dump()
            for name, own in self.participants.items()
        }
        states[manager] = {
            **self.run.dump(manager, manager_type),
            "message_thread": [message.dump() for message in self.transcript],
        }
        # Not `TeamState(...).model_dump()`, which would copy every message and every state once more.
        return {**TeamState().model_dump(), "agent_states": states}


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
    progress = Progress.model_validate(states[manager].get(_PROGRESS, {}))
    participants = {name: ChatAgentContainerState.model_validate(states[name]) for name in names}
    return SavedTeam(
        participants={name: saved.agent_state for name, saved in participants.items()},
        pending={name: _chat_messages(saved.message_buffer, factory) for name, saved in participants.items()},
        transcript=[factory.create(data) for data in conversation.message_thread],
        run=SavedRun(
            run_turns=conversation.current_turn,
            rule={key: value for key, value in states[manager].items() if key not in _RESERVED},
            turns=progress.turns,
            running=progress.running,
            condition=None if progress.condition is None else progress.condition.model_dump(),
            unseen=[factory.create(data) for data in progress.unseen],
        ),
    )


def _chat_messages(saved: Sequence[Mapping[str, Any]], factory: MessageFactory) -> list[BaseChatMessage]:
    messages = [factory.create(data) for data in saved]
    if events := [message for message in messages if isinstance(message, BaseAgentEvent)]:
        raise InvalidArgumentError(f"message_buffer holds a {type(events[0]).__name__}: it is for chat messages.")
    return [message for message in messages if isinstance(message, BaseChatMessage)]
