"""A team as JSON, in the shape that AutoGen saves it: loads what AutoGen 0.7.5 saved, and the other way round.

Beside the states of the participants stands that of the manager: the conversation, and the rule's own state. What
AutoGen has no place for is in the manager's ``progress``, which AutoGen ignores; it is left out where there is none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from pydantic_core import SchemaValidator, ValidationError
from pydantic_core import core_schema as cs

from symposia.agentchat.messages import BaseAgentEvent, BaseChatMessage, Item, MessageFactory, dump_messages
from symposia.agentchat.teams._rule import Answered
from symposia.core.changes import copy_state
from symposia.core.exceptions import InvalidArgumentError, UsageError

_VERSION: Final = "1.0.0"
"""Of AutoGen's shapes."""

_PROGRESS: Final = "progress"

# The shapes of what is read are those of the classes in `symposia.agentchat.state`, but for the messages. The classes
# say that a message is a mapping, so that their validation copies each, where these leave messages to the
# `MessageFactory`. They are written as pydantic's core schemas, because pydantic takes longer to derive them from
# classes than to read a thousand messages.


def object_schema(**fields: cs.CoreSchema) -> cs.CoreSchema:
    """The schema of an object with these fields, and others that do not matter."""
    return cs.typed_dict_schema({name: cs.typed_dict_field(schema) for name, schema in fields.items()})


def with_default(schema: cs.CoreSchema, default: Callable[[], object]) -> cs.CoreSchema:
    """The schema of a field that may be missing."""
    return cs.with_default_schema(schema, default_factory=default, validate_default=True)


def shape(title: str, **fields: cs.CoreSchema) -> SchemaValidator:
    """A validator of such an object, which makes a dictionary of the fields alone."""
    return SchemaValidator(object_schema(**fields), cs.CoreConfig(title=title))


_ANY_OBJECT: Final = cs.dict_schema(cs.str_schema())
_MESSAGES: Final = with_default(cs.list_schema(cs.is_instance_schema(Mapping)), list)
_CONDITION: Final = object_schema(condition=cs.str_schema(), state=_ANY_OBJECT)

_SPAN: Final = object_schema(
    turn=cs.int_schema(ge=0), name=cs.str_schema(), start=cs.int_schema(ge=0), stop=cs.int_schema(ge=0)
)

_TEAM: Final = shape("TeamState", agent_states=with_default(_ANY_OBJECT, dict))
_PARTICIPANT: Final = shape(
    "ChatAgentContainerState", agent_state=with_default(_ANY_OBJECT, dict), message_buffer=_MESSAGES
)
_MANAGER_FIELDS: Final = {
    "message_thread": _MESSAGES,
    "current_turn": with_default(cs.int_schema(ge=0), int),
    _PROGRESS: with_default(
        object_schema(
            turns=with_default(cs.int_schema(ge=0), int),
            runs=with_default(cs.int_schema(ge=0), int),
            running=with_default(cs.bool_schema(), bool),
            stop_reason=cs.with_default_schema(cs.nullable_schema(cs.str_schema()), default=None),
            condition=cs.with_default_schema(cs.nullable_schema(_CONDITION), default=None),
            unseen=_MESSAGES,
            unseen_task=_MESSAGES,
            answered=with_default(cs.list_schema(_SPAN), list),
        ),
        dict,
    ),
}
_MANAGER: Final = shape("BaseGroupChatManagerState", **_MANAGER_FIELDS)
_RESERVED: Final = frozenset({"type", "version", *_MANAGER_FIELDS})


class SavedRun(NamedTuple):
    """How far a team is, without its conversation.

    Attributes:
        run_turns: How many turns the present run has taken.
        rule: The rule's state.
        turns: How many turns the team has ended in its whole life.
        runs: How many runs it has started.
        running: Whether it was saved in the middle of a run, which the next run continues.
        stop_reason: Why that run ends, if it was saved after this was decided.
        condition: The class name and the state of the termination condition in that run.
        unseen: The messages of that run that the condition has not seen: of a turn that was not over.
        unseen_task: The messages of its task, if the condition has not seen them.
        answered: Which parts of the conversation the rule has not been told of.
    """

    run_turns: int
    rule: Mapping[str, Any]
    turns: int
    runs: int
    running: bool
    stop_reason: str | None
    condition: Mapping[str, Any] | None
    unseen: Sequence[Item]
    unseen_task: Sequence[BaseChatMessage]
    answered: Sequence[Answered]

    def dump(self, team: str, manager_type: str) -> dict[str, Any]:
        """As JSON, in the state of the manager.

        Args:
            team: The name of the team, for errors.
            manager_type: The name of the state's class.

        Raises:
            UsageError: The rule's state is no mapping, or uses a name that the conversation's has taken.
        """
        rule = self.rule
        if not isinstance(rule, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance] - unchecked programs
            raise UsageError(
                f"save_state of the rule of the team {team!r} has to return a mapping of JSON values, {{}} for none, "
                f"and returned {rule!r}."
            )
        if taken := _RESERVED & self.rule.keys():
            raise UsageError(f"The rule of the team {team!r} saves a state with {sorted(taken)}: choose other names.")
        progress: dict[str, Any] = {
            "turns": self.turns,
            "runs": self.runs,
            "running": self.running,
            "stop_reason": self.stop_reason,
            "condition": None if self.condition is None else copy_state(self.condition),
            "unseen": dump_messages(self.unseen),
            "unseen_task": dump_messages(self.unseen_task),
            "answered": [
                {"turn": turn, "name": name, "start": start, "stop": start + len(items)}
                for turn, name, start, items in self.answered
            ],
        }
        progress = {key: value for key, value in progress.items() if value or value == ""}
        return {
            "type": manager_type,
            "version": _VERSION,
            "current_turn": self.run_turns,
            **({_PROGRESS: progress} if progress else {}),
            **self.rule,
        }


class SavedTeam(NamedTuple):
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

    def dump(self, team: str, manager: str, manager_type: str) -> Mapping[str, Any]:
        """As JSON.

        Args:
            team: The name of the team, for errors.
            manager: The name under which the conversation is kept.
            manager_type: The name of its state's class.

        Raises:
            UsageError: As `SavedRun.dump`.
        """
        states: dict[str, Any] = {
            name: {
                "type": "ChatAgentContainerState",
                "version": _VERSION,
                "agent_state": copy_state(own),  # it may be the participant's own object, which changes later
                "message_buffer": dump_messages(self.pending[name]),
            }
            for name, own in self.participants.items()
        }
        states[manager] = {**self.run.dump(team, manager_type), "message_thread": dump_messages(self.transcript)}
        return {"type": "TeamState", "version": _VERSION, "agent_states": states}


def load_team(
    state: Mapping[str, Any], team: str, names: Sequence[str], manager: str, factory: MessageFactory
) -> SavedTeam:
    """Read what `SavedTeam.dump` wrote.

    Args:
        state: The JSON.
        team: The name of the team, for errors.
        names: The participants.
        manager: The name under which the conversation is kept.
        factory: Knows the types of the messages.

    Raises:
        InvalidArgumentError: A participant or the manager is missing.
        RegistrationError: A message of an unknown type.
        pydantic.ValidationError: It is not of that shape.
    """
    states: dict[str, Any] = _TEAM.validate_python(state)["agent_states"]
    if missing := [name for name in (*names, manager) if name not in states]:
        raise InvalidArgumentError(_other_team(team, missing[0], names, states))
    # What a rule, a condition or a participant is given is a copy: it may keep it and change it.
    participants = {name: _read(_PARTICIPANT, states, name) for name in names}
    conversation = _read(_MANAGER, states, manager)
    progress = conversation[_PROGRESS]
    transcript = factory.create_all(conversation["message_thread"])
    return SavedTeam(
        participants={name: copy_state(saved["agent_state"]) for name, saved in participants.items()},
        pending={
            name: _chat_messages("message_buffer", saved["message_buffer"], factory)
            for name, saved in participants.items()
        },
        transcript=transcript,
        run=SavedRun(
            run_turns=conversation["current_turn"],
            rule=copy_state({key: value for key, value in states[manager].items() if key not in _RESERVED}),
            turns=progress["turns"],
            runs=progress["runs"],
            running=progress["running"],
            stop_reason=progress["stop_reason"] if progress["running"] else None,
            condition=None if (condition := progress["condition"]) is None else copy_state(condition),
            unseen=factory.create_all(progress["unseen"]),
            unseen_task=_chat_messages("progress.unseen_task", progress["unseen_task"], factory),
            answered=[_answered(part, team, names, transcript) for part in progress["answered"]],
        ),
    )


def _answered(saved: Mapping[str, Any], team: str, names: Sequence[str], transcript: Sequence[Item]) -> Answered:
    """A part of the conversation.

    Raises:
        InvalidArgumentError: It is not in the conversation, or of no participant.
    """
    name, start, stop = saved["name"], saved["start"], saved["stop"]
    if name not in names or not start <= stop <= len(transcript):
        raise InvalidArgumentError(
            f"The state of the team {team!r} contradicts itself: progress.answered has {name!r} add the messages "
            f"{start} to {stop}, of a conversation of {len(transcript)} messages between {list(names)}."
        )
    return Answered(saved["turn"], name, start, transcript[start:stop])


def _other_team(team: str, missing: str, names: Sequence[str], states: Mapping[str, Any]) -> str:
    """Why a state of another team cannot be loaded: its participants differ, or only its kind."""
    managers = [name for name, each in states.items() if isinstance(each, Mapping) and "message_thread" in each]
    saved = sorted(states.keys() - set(managers))
    if missing in names:
        whose = f"was saved by a team of {saved}" if saved else "holds no participant"
        fault = f"it {whose}, and this is a team of {list(names)}"
    elif managers:
        fault = f"a team of another kind saved it, whose manager is {managers[0]}"
    else:
        fault = "it holds no conversation"
    return (
        f"Agent state for {missing} not found in the saved state, so the team {team!r} cannot load it: {fault}. Load "
        "it into a team like the one that was saved."
    )


def _read(reader: SchemaValidator, states: Mapping[str, Any], name: str) -> dict[str, Any]:
    try:
        return reader.validate_python(states[name])
    except ValidationError as error:
        error.add_note(f"It is the state at agent_states.{name}.")
        raise


def _chat_messages(place: str, saved: Sequence[Mapping[str, Any]], factory: MessageFactory) -> list[BaseChatMessage]:
    messages = factory.create_all(saved)
    if events := [message for message in messages if isinstance(message, BaseAgentEvent)]:
        raise InvalidArgumentError(f"{place} holds a {type(events[0]).__name__}: it is for chat messages.")
    return [message for message in messages if isinstance(message, BaseChatMessage)]
