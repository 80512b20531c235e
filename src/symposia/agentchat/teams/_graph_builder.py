"""Builds graphs of participants, node by node and edge by edge."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self, get_args

from symposia.agentchat._arguments import check_optional_text
from symposia.agentchat.base import ChatAgent, Team
from symposia.agentchat.teams._graph import Activation, Condition, DiGraph, DiGraphEdge, DiGraphNode
from symposia.agentchat.teams._options import check_participants
from symposia.core.argument_checks import check_text
from symposia.core.exceptions import ArgumentTypeError, InvalidArgumentError


class DiGraphBuilder:
    """Builds a `DiGraph`, node by node and edge by edge.

        builder = DiGraphBuilder().add_node(writer).add_node(critic).add_edge(writer, critic)
        team = GraphFlow(builder.get_participants(), builder.build())

    Attributes:
        nodes: The nodes so far, by name.
        agents: The participants so far, by name.
    """

    def __init__(self) -> None:
        self.nodes: dict[str, DiGraphNode] = {}
        self.agents: dict[str, ChatAgent | Team] = {}
        self._default_start_node: str | None = None

    def add_node(self, agent: ChatAgent | Team, activation: Activation = "all") -> Self:
        """Add a participant.

        Args:
            agent: The participant.
            activation: See `DiGraphNode`.

        Raises:
            InvalidArgumentError: It is no participant, there is a node of that name with another one, or there is no
                such activation.
        """
        check_participants([agent])
        _check_activation("activation", f"node {agent.name!r}", activation)
        if self.agents.get(agent.name, agent) is not agent:
            raise InvalidArgumentError(f"There is a node {agent.name!r} already, of another agent.")
        if agent.name not in self.nodes:
            self.nodes[agent.name] = DiGraphNode(name=agent.name, edges=[], activation=activation)
            self.agents[agent.name] = agent
        return self

    def add_edge(
        self,
        source: str | ChatAgent | Team,
        target: str | ChatAgent | Team,
        condition: Condition | None = None,
        activation_group: str | None = None,
        activation_condition: Activation | None = None,
    ) -> Self:
        """Add an edge between two nodes. The other parameters are explained at `DiGraphEdge`.

        Raises:
            ArgumentTypeError: `source` or `target` is neither a participant nor a name, `condition` is neither a text
                nor a function, or `activation_group` is no text.
            InvalidArgumentError: `source` or `target` is no node yet, or there is no such activation.
        """
        source_name = self._node_name("Source", source, "before adding an edge")
        target_name = self._node_name("Target", target, "before adding an edge")
        owner = f"the edge from {source_name!r} to {target_name!r}"
        if not (condition is None or isinstance(condition, str) or callable(condition)):
            raise ArgumentTypeError(
                f"condition of {owner} is {condition!r}: give a text that the message has to contain, or a function "
                "such as lambda message: 'yes' in message.to_text()."
            )
        check_optional_text("activation_group", owner, activation_group)
        if activation_condition is not None:
            _check_activation("activation_condition", owner, activation_condition)
        edge = DiGraphEdge(
            target=target_name,
            condition=condition,
            activation_group=activation_group or target_name,
            activation_condition=activation_condition or "all",
        )
        self.nodes[source_name].edges.append(edge)
        return self

    def add_conditional_edges(
        self, source: str | ChatAgent | Team, condition_to_target: Mapping[str, str | ChatAgent | Team]
    ) -> Self:
        """Add an edge for each text that the source's message may contain.

        Raises:
            ArgumentTypeError: `condition_to_target` is no mapping of texts.
            InvalidArgumentError: As `add_edge`.
        """
        if not isinstance(condition_to_target, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance] - unchecked programs
            raise ArgumentTypeError(
                f'condition_to_target has to be a mapping, such as {{"yes": "b", "no": "c"}}, not '
                f"{condition_to_target!r}."
            )
        for condition, target in condition_to_target.items():
            check_text("The condition", "an edge", condition)
            self.add_edge(source, target, condition)
        return self

    def set_entry_point(self, name: str | ChatAgent | Team) -> Self:
        """Set the node that speaks first.

        Raises:
            ArgumentTypeError: `name` is neither a participant nor a name.
            InvalidArgumentError: It is no node yet.
        """
        self._default_start_node = self._node_name("Start", name, "before setting as entry point")
        return self

    def build(self) -> DiGraph:
        """The graph.

        Raises:
            InvalidArgumentError: As `DiGraph.graph_validate`.
        """
        graph = DiGraph(nodes=self.nodes, default_start_node=self._default_start_node).model_copy(deep=True)
        graph.graph_validate()
        return graph

    def get_participants(self) -> list[ChatAgent | Team]:
        """The participants, in the order in which they were added."""
        return list(self.agents.values())

    def _node_name(self, role: str, node: str | ChatAgent | Team, moment: str) -> str:
        if not isinstance(node, str | ChatAgent | Team):  # pyright: ignore[reportUnnecessaryIsInstance] - unchecked programs
            raise ArgumentTypeError(f"{role} node has to be a participant or its name, not {node!r}.")
        name = node if isinstance(node, str) else node.name
        if name not in self.nodes:
            raise InvalidArgumentError(f"{role} node {name!r} must be added {moment}.")
        return name


def _check_activation(name: str, owner: str, given: object) -> None:
    if given not in get_args(Activation):
        raise InvalidArgumentError(f"{name} of {owner} is {given!r}: give 'all' or 'any'.")
