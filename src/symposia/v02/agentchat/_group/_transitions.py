"""Who may speak next in a group chat: the graph of its options, and the agents that it leaves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias, cast

from symposia.v02.agentchat.agent import Agent
from symposia.v02.exception_utils import NoEligibleSpeaker
from symposia.v02.graph_utils import check_graph_validity, invert_disallowed_to_allowed

Transitions: TypeAlias = dict[Agent, list[Agent]]


def allowed_transitions(
    agents: Sequence[Agent],
    allow_repeat_speaker: bool | Sequence[Agent] | None,
    given: Mapping[Agent, Sequence[Agent]] | None,
    kind: str | None,
) -> Transitions:
    """The agents that may speak after each.

    Args:
        agents: The agents of the group chat.
        allow_repeat_speaker: Whether agents, or which of them, may speak twice in a row.
        given: The transitions that the program allows or disallows; None for all but repetitions.
        kind: `allowed` or `disallowed`, in any case.

    Raises:
        ValueError: The options contradict each other, or are none.
    """
    if given is None:
        _check_repeaters(allow_repeat_speaker, agents)
        return {agent: _successors(agent, agents, allow_repeat_speaker) for agent in agents}
    if allow_repeat_speaker is not None:
        raise ValueError(
            "Don't provide both allowed_or_disallowed_speaker_transitions and allow_repeat_speaker in group chat. "
            "Please set one of them to None."
        )
    if kind is None:
        raise ValueError(
            "GroupChat allowed_or_disallowed_speaker_transitions is not None, but speaker_transitions_type is None. "
            "Please set speaker_transitions_type to either 'allowed' or 'disallowed'."
        )
    is_allowed = kind.lower() == "allowed"
    graph = cast("Transitions", given) if is_allowed else invert_disallowed_to_allowed(given, agents)
    check_graph_validity(graph, agents)
    return graph


def check_kind(kind: object) -> None:
    """Check the type of transitions.

    Raises:
        ValueError: It is none.
    """
    if kind is not None and str(kind).lower() not in ("allowed", "disallowed"):
        raise ValueError(
            f"GroupChat speaker_transitions_type is set to '{kind}'. It should be one of ['allowed', 'disallowed', "
            "None] (case insensitive)."
        )


def _check_repeaters(allow_repeat: object, agents: Sequence[Agent]) -> None:
    if allow_repeat is None or isinstance(allow_repeat, bool):
        return
    if not isinstance(allow_repeat, list):
        raise ValueError("GroupChat allow_repeat_speaker should be a bool or a list of Agents.")  # noqa: TRY004 - as in AutoGen 0.2
    if strangers := [each for each in cast("list[object]", allow_repeat) if each not in agents]:
        named = ", ".join(str(getattr(each, "name", repr(each))) for each in strangers)
        raise ValueError(f"allow_repeat_speaker names who is not in the group chat: {named}. Give agents of the group.")


def _successors(agent: Agent, agents: Sequence[Agent], allow_repeat: bool | Sequence[Agent] | None) -> list[Agent]:
    others = [each for each in agents if each is not agent]
    repeats = (
        allow_repeat is not False if allow_repeat is None or isinstance(allow_repeat, bool) else agent in allow_repeat
    )
    return [*others, agent] if repeats else others


def eligible_speakers(
    agents: Sequence[Agent], last_speaker: Agent, transitions: Mapping[Agent, Sequence[Agent]], able: Sequence[Agent]
) -> list[Agent]:
    """The agents that may speak after another, in the order of the group chat.

    Args:
        agents: The agents of the group chat.
        last_speaker: The agent that spoke.
        transitions: The agents that may speak after each.
        able: The agents that can answer the last message.

    Returns:
        They, or all that are able if the transitions leave none.

    Raises:
        NoEligibleSpeaker: The last speaker is of the group chat, and the transitions do not name it.
    """
    if last_speaker not in agents:
        return list(able)
    if last_speaker not in transitions:
        raise NoEligibleSpeaker(f"No agent may speak after '{last_speaker.name}': the transitions do not name it.")
    return [agent for agent in able if agent in transitions[last_speaker]] or list(able)


def able_to_execute(agents: Sequence[Agent], functions: list[str]) -> list[Agent]:
    """The agents that can execute all of some functions; if none can, those that can execute any function.

    Raises:
        ValueError: No agent can execute a function.
    """
    able = [agent for agent in agents if _can_execute(agent, functions)]
    able = able or [agent for agent in agents if getattr(agent, "function_map", None)]
    if not able:
        raise ValueError(
            f"No agent can execute the function {', '.join(functions)}. Please check the function_map of the agents."
        )
    return able


def _can_execute(agent: Agent, functions: list[str]) -> bool:
    can = getattr(agent, "can_execute_function", None)
    return can is not None and can(functions)
