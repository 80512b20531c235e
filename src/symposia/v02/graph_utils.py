"""Graphs of speakers: who may speak after whom."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import cast

from symposia.v02._transition_drawing import draw_transitions
from symposia.v02.agentchat.agent import Agent

__all__ = [
    "check_graph_validity",
    "has_self_loops",
    "invert_disallowed_to_allowed",
    "visualize_speaker_transitions_dict",
]

logger = logging.getLogger(__name__)


def has_self_loops(allowed_speaker_transitions: Mapping[Agent, Sequence[Agent]]) -> bool:
    """Whether an agent may speak twice in a row."""
    return any(agent in successors for agent, successors in allowed_speaker_transitions.items())


def check_graph_validity(
    allowed_speaker_transitions_dict: Mapping[Agent, Sequence[Agent]], agents: Sequence[Agent]
) -> None:
    """Check a graph of speakers. What may be a mistake is logged as a warning.

    Args:
        allowed_speaker_transitions_dict: The agents that may speak after each.
        agents: The agents of the group chat.

    Raises:
        ValueError: It is no dict of lists of agents, or has an agent that is not in the group chat as a key.
    """
    graph = allowed_speaker_transitions_dict
    if not isinstance(cast("object", graph), dict):
        raise ValueError("allowed_speaker_transitions_dict must be a dictionary.")  # noqa: TRY004 - as in AutoGen 0.2
    if not all(isinstance(cast("object", successors), list) for successors in graph.values()):
        raise ValueError("allowed_speaker_transitions_dict must be a dictionary with lists as values.")
    if not all(agent in agents for agent in graph):
        raise ValueError("allowed_speaker_transitions_dict has keys not in agents.")
    if not all(isinstance(cast("object", agent), Agent) for successors in graph.values() for agent in successors):
        raise ValueError("allowed_speaker_transitions_dict has values that are not lists of Agents.")
    _warn_of_mistakes(graph, agents)


def _warn_of_mistakes(graph: Mapping[Agent, Sequence[Agent]], agents: Sequence[Agent]) -> None:
    named = {agent for agent, successors in graph.items() if successors}
    named |= {agent for successors in graph.values() for agent in successors}
    if isolated := [agent.name for agent in agents if agent not in named]:
        logger.warning("Isolated agents: %s. Nobody may speak before or after them.", isolated)
    if others := sorted(agent.name for agent in named - set(agents)):
        logger.warning("Agents of the transitions that are not in the group chat: %s.", others)
    for agent, successors in graph.items():
        if twice := sorted({each.name for each in successors if list(successors).count(each) > 1}):
            logger.warning("Agent '%s' has duplicate elements: %s. Name each once.", agent.name, twice)


def invert_disallowed_to_allowed(
    disallowed_speaker_transitions_dict: Mapping[Agent, Sequence[Agent]], agents: Sequence[Agent]
) -> dict[Agent, list[Agent]]:
    """The agents that may speak after each, where a graph names those that may not.

    Args:
        disallowed_speaker_transitions_dict: The agents that may not speak after each.
        agents: The agents of the group chat.
    """
    disallowed = disallowed_speaker_transitions_dict
    return {agent: [each for each in agents if each not in disallowed.get(agent, ())] for agent in agents}


def visualize_speaker_transitions_dict(
    speaker_transitions_dict: Mapping[Agent, Sequence[Agent]],
    agents: Sequence[Agent],
    export_path: str | None = None,
) -> None:
    """Draw the graph of speakers.

    Args:
        speaker_transitions_dict: The agents that may speak after each.
        agents: The agents of the group chat.
        export_path: The file, whose suffix says its kind; by default the picture is shown in a window.

    Raises:
        ImportError: ``matplotlib`` is not installed.
    """
    every = dict.fromkeys([*agents, *speaker_transitions_dict, *chain(*speaker_transitions_dict.values())])
    transitions = {agent.name: [each.name for each in after] for agent, after in speaker_transitions_dict.items()}
    draw_transitions([agent.name for agent in every], transitions, export_path)
