"""What a team is given when it is made: its options and its participants, checked."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from datetime import timedelta
from types import UnionType
from typing import Any, TypeAlias, cast

from typing_extensions import TypedDict

from symposia.agentchat._arguments import check_optional_text, check_runtime
from symposia.agentchat.base import ChatAgent, Team, TerminationCondition
from symposia.agentchat.messages import (
    BaseAgentEvent,
    BaseChatMessage,
    MessageFactory,
    MessageType,
    StructuredMessage,
    StructuredMessageFactory,
)
from symposia.core import AgentRuntime
from symposia.core.argument_checks import check_flag, check_list
from symposia.core.exceptions import ArgumentTypeError, InvalidArgumentError

MessageTypeOrFactory: TypeAlias = MessageType | StructuredMessageFactory


class CommonTeamOptions(TypedDict, total=False):
    """The options of every team, except for its participants, its rule and the number of its turns.

    Attributes:
        name: The team's own name, for when it takes part in another.
        description: What the team can do, for the selection of a speaker.
        termination_condition: Ends a run when it is met. It sees every message of every turn.
        turn_timeout: Ends a run when a turn takes longer, in seconds or as a `timedelta`: the decision and the speakers
            together, without the listeners of the log. The stop reason names those that did not answer.
        runtime: The runtime of the participants, started by its owner. By default the team has an embedded one,
            which runs while the team does.
        custom_message_types: Classes of messages beyond the library's own and those that the participants say they
            produce, also those of a nested team, so that a saved state with such messages can be loaded. A
            `StructuredMessageFactory` stands for the class that it makes.
        emit_team_events: Whether the stream and the result have the choice of the speakers.
    """

    name: str | None
    description: str | None
    termination_condition: TerminationCondition | None
    turn_timeout: float | timedelta | None
    runtime: AgentRuntime | None
    custom_message_types: Sequence[MessageTypeOrFactory] | None
    emit_team_events: bool


class TeamOptions(CommonTeamOptions, total=False):
    """The options of a team whose rule leaves the number of turns to the engine.

    Attributes:
        max_turns: Ends a run after that many turns.
    """

    max_turns: int | None


def check_options(team: object, options: TeamOptions, name: str) -> None:
    """Raise an error for an option that does not exist, and for one of another type.

    Args:
        team: The team, whose class is told in the error: Python would name the base class that finds the fault.
        options: The options.
        name: Its name, if they have none.

    Raises:
        ArgumentTypeError: As said.
    """
    for option in options:
        if option not in TeamOptions.__annotations__:
            raise _unknown_option(type(team), option)
    check_optional_text("The name", "a team", options.get("name"))
    owner = f"the team {options.get('name') or name!r}"
    check_optional_text("The description", owner, options.get("description"))
    check_runtime(owner, options.get("runtime"))
    check_flag("emit_team_events", owner, options.get("emit_team_events"))


def _unknown_option(team: type, option: str) -> ArgumentTypeError:
    from difflib import get_close_matches  # noqa: PLC0415 - only this error needs it
    from inspect import signature  # noqa: PLC0415 - likewise

    names = [name for name, each in signature(team).parameters.items() if each.kind is not each.VAR_KEYWORD]
    names += TeamOptions.__annotations__
    near = get_close_matches(option, names, n=1)
    advice = f"Was {near[0]!r} meant?" if near else f"It takes {', '.join(names)}."
    return ArgumentTypeError(f"A {team.__name__} has no argument {option!r}. {advice}")


def check_participants(participants: Sequence[ChatAgent | Team]) -> None:
    """Raise an error unless there are participants, and their names differ.

    Raises:
        ArgumentTypeError: `participants` is no list.
        InvalidArgumentError: It is empty, or has something else in it, two participants of the same name, or a team
            whose description is empty, by which speakers are chosen.
    """
    check_list("The participants", participants)
    if not participants:
        raise InvalidArgumentError("At least one participant is required.")
    if wrong := not_instances_of(ChatAgent | Team, participants):
        is_old = hasattr(wrong[0], "initiate_chat")
        advice = " to_chat_agent, of symposia.v02.agentchat.conversion, makes a ChatAgent of it." if is_old else ""
        raise InvalidArgumentError(f"A participant has to be a ChatAgent or a Team, not {wrong[0]!r}.{advice}")
    names = [participant.name for participant in participants]
    if len(set(names)) < len(names):
        raise InvalidArgumentError(f"The participant names must be unique. These are not: {names}")
    for participant in participants:
        if isinstance(participant, Team) and not participant.description.strip():
            raise InvalidArgumentError(
                f"The team {participant.name!r} takes part in another team and has no description: give it one, such "
                "as description='Writes and reviews texts.'"
            )


def participant_names(participants: Sequence[ChatAgent | Team]) -> list[str]:
    """The names of the participants, after `check_participants`."""
    check_participants(participants)
    return [participant.name for participant in participants]


def message_factory(
    team: str, participants: Sequence[ChatAgent | Team], custom: Sequence[MessageTypeOrFactory]
) -> MessageFactory:
    """What makes messages from JSON: of the types that the participants produce, and of `custom_message_types`.

    Raises:
        ArgumentTypeError: One of them is no type of messages.
    """
    factory = MessageFactory()
    produced = [one for each in participants for one in _produced_by(each)]
    for message_type in (*_message_types(team, custom), *produced):
        factory.add(message_type)
    return factory


def _produced_by(participant: ChatAgent | Team) -> Sequence[MessageType]:
    produced = participant.produced_message_types
    if not isinstance(produced, Iterable):  # pyright: ignore[reportUnnecessaryIsInstance] - a method without @property
        kind = "team" if isinstance(participant, Team) else "agent"
        raise ArgumentTypeError(
            f"produced_message_types of {kind} '{participant.name}' has to be a property that returns classes of "
            f"messages, such as (TextMessage,), not {produced!r}"
        )
    return produced


def not_instances_of(kind: type | UnionType, given: Iterable[object]) -> list[object]:
    """The objects of another type than the type hints ask for."""
    return [each for each in given if not isinstance(each, kind)]


def _message_types(team: str, given: Sequence[MessageTypeOrFactory]) -> list[MessageType]:
    """The classes of messages that `custom_message_types` names."""
    check_list(f"The custom_message_types of {team}", given)
    for each in cast("Sequence[object]", given):
        is_class = isinstance(each, type) and issubclass(each, BaseChatMessage | BaseAgentEvent)
        if not (is_class or isinstance(each, StructuredMessageFactory)):
            raise ArgumentTypeError(
                f"The custom_message_types of {team} have to be classes of messages, or StructuredMessageFactory "
                f"objects, not {each!r}"
            )
    return [each.StructuredMessage if isinstance(each, StructuredMessageFactory) else each for each in given]


def savable_message_types(given: Sequence[MessageTypeOrFactory]) -> list[StructuredMessageFactory]:
    """`custom_message_types` as saved: by the schema of the content. Other classes are left out with a warning."""
    factories: list[StructuredMessageFactory] = []
    for each in given:
        if isinstance(each, StructuredMessageFactory):
            factories.append(each)
        elif issubclass(each, StructuredMessage):
            content: Any = each.model_fields["content"].annotation
            factories.append(StructuredMessageFactory(input_model=content))
        else:
            warnings.warn(
                f"The message type {each.__name__} is left out of what is saved: its class is part of the program. "
                "Teams made from JSON know the types that their participants produce.",
                stacklevel=2,
            )
    return factories
