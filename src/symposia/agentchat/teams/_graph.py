"""A directed graph of agents: who may speak after whom, and on what condition.

A graph is data. What it means for a team, that is who speaks next, is the `GraphRule` in `_graph_flow.py`.
"""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from graphlib import TopologicalSorter
from types import CoroutineType
from typing import Any, Literal, NamedTuple, Self, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, model_validator
from typing_extensions import override

from symposia.agentchat.messages import BaseChatMessage
from symposia.core.exceptions import InvalidArgumentError, UsageError

Condition: TypeAlias = str | Callable[[BaseChatMessage], bool]
Activation: TypeAlias = Literal["all", "any"]


class DiGraphEdge(BaseModel):
    """An edge to the node that may speak next.

    Attributes:
        target: The name of that node.
        condition: A text that the source's message has to contain, or a function of the message that says whether the
            edge is followed. None: it is always followed. A function is moved to `condition_function`.
        condition_function: The function that was given as `condition`. It belongs to the program and is not saved.
        activation_group: Edges to one target that have the same group activate it together; by default, all edges to
            the target are one group.
        activation_condition: Whether the target is activated when all edges of the group have been followed, or at any
            one.
    """

    model_config = ConfigDict(defer_build=True)

    target: str
    condition: Condition | None = None
    condition_function: Callable[[BaseChatMessage], bool] | None = Field(default=None, exclude=True)
    activation_group: str = ""
    activation_condition: Activation = "all"

    @model_validator(mode="after")
    def _tidy(self) -> Self:
        self.condition = self.condition  # which moves a function
        self.activation_group = self.activation_group or self.target
        return self

    @override
    def __setattr__(self, name: str, value: Any) -> None:  # Any: of whichever field
        """Set a field. A function that is assigned to `condition` is moved, as one that is given to the constructor."""
        if name == "condition" and callable(value):
            super().__setattr__("condition_function", value)
            value = None
        super().__setattr__(name, value)

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:  # Any: pydantic's signature
        """A copy with the same function.

        A method is copied with its object: the edge would ask a copy of the object, which nothing changes any more.
        """
        return self.model_copy()

    @property
    def is_conditional(self) -> bool:
        """Whether the edge has a condition."""
        return self.condition is not None or self.condition_function is not None

    def check_condition(self, message: BaseChatMessage) -> bool:
        """Whether the edge is followed after a message of its source.

        Raises:
            UsageError: The function of the condition is a coroutine function.
            Exception: What the function of the condition raised, with a note that names the edge.
        """
        if self.condition_function is None:
            return not isinstance(self.condition, str) or self.condition in message.to_model_text()
        try:
            answer: object = self.condition_function(message)
        except Exception as error:
            error.add_note(f"It was raised by the condition of the edge to {self.target!r}.")
            raise
        if inspect.isawaitable(answer):  # it would count as true
            if isinstance(answer, CoroutineType):
                answer.close()
            raise UsageError(
                f"The condition of the edge to {self.target!r} has to be a plain function: write def, without async."
            )
        return bool(answer)


class DiGraphNode(BaseModel):
    """A participant in the graph.

    Attributes:
        name: The name of the participant.
        edges: Where the conversation goes from here. Either all of them have a condition, or none.
        activation: Kept for AutoGen's programs, which set it without effect: the edges say how a node is activated.
    """

    model_config = ConfigDict(defer_build=True)

    name: str
    edges: list[DiGraphEdge] = Field(default_factory=list[DiGraphEdge])
    activation: Activation = "all"


class EdgeGroup(NamedTuple):
    """The edges that activate a node together.

    Attributes:
        activation: Whether all of them are needed, or any one.
        edges: By the key of `DiGraph.edge_keys`.
    """

    activation: Activation
    edges: frozenset[str]


class DiGraph(BaseModel):
    """A directed graph of participants. It may have loops, if they can be left.

    Attributes:
        nodes: By their names.
        default_start_node: The node that speaks first. None: those that no edge leads to.
    """

    model_config = ConfigDict(defer_build=True)

    nodes: dict[str, DiGraphNode]
    default_start_node: str | None = None

    def get_parents(self) -> dict[str, list[str]]:
        """By name, the nodes with an edge to it; one with two edges, twice."""
        parents: dict[str, list[str]] = {name: [] for name in self.nodes}
        for source, edge in self._edges():
            parents[edge.target].append(source)
        return parents

    def get_start_nodes(self) -> set[str]:
        """The nodes that speak first."""
        if self.default_start_node:
            return {self.default_start_node}
        return {name for name, parents in self.get_parents().items() if not parents}

    def get_leaf_nodes(self) -> set[str]:
        """The nodes without edges: the conversation ends there."""
        return {name for name, node in self.nodes.items() if not node.edges}

    def get_has_cycles(self) -> bool:
        """Whether there are loops."""
        return self._cycle(unconditional=False) is not None

    def has_cycles_with_exit(self) -> bool:
        """Whether there are loops, all of which can be left.

        Raises:
            InvalidArgumentError: A loop has no edge with a condition.
        """
        if cycle := self._cycle(unconditional=True):
            raise InvalidArgumentError(
                f"Cycle detected without exit condition: {' -> '.join(cycle)}. Give one of its edges a condition."
            )
        return self.get_has_cycles()

    def get_remaining_map(self) -> dict[str, Counter[str]]:
        """By target and group, the number of edges that activate it."""
        remaining: dict[str, Counter[str]] = {}
        for _, edge in self._edges():
            remaining.setdefault(edge.target, Counter())[edge.activation_group] += 1
        return remaining

    def edge_groups(self) -> Mapping[str, Mapping[str, EdgeGroup]]:
        """By target and name, the groups of edges that lead to it."""
        activations: dict[tuple[str, str], Activation] = {}
        keys: dict[tuple[str, str], list[str]] = {}
        for source, node in self.nodes.items():
            for key, edge in edge_keys(node).items():
                group = edge.target, edge.activation_group
                known = activations.setdefault(group, edge.activation_condition)
                keys.setdefault(group, []).append(key)
                if known != edge.activation_condition:
                    raise InvalidArgumentError(
                        f"Conflicting activation conditions for target {edge.target!r} group "
                        f"{edge.activation_group!r}: {known!r} and {edge.activation_condition!r} (from node "
                        f"{source!r}). Give all edges of a group the same activation_condition."
                    )
        groups: dict[str, dict[str, EdgeGroup]] = {}
        for (target, name), activation in activations.items():
            groups.setdefault(target, {})[name] = EdgeGroup(activation, frozenset(keys[target, name]))
        return groups

    def graph_validate(self) -> None:
        """Check that a team can run by the graph.

        Raises:
            InvalidArgumentError: It has no node, no start or no end; an edge to no node; a node that can never speak; a
                node with conditions on some of its edges; a condition that is a coroutine function; a group with two
                activation conditions; a loop without an edge with a condition.
        """
        self._check_names()
        if not (starts := self.get_start_nodes()):
            raise InvalidArgumentError(
                "Graph must have at least one start node: set default_start_node, or DiGraphBuilder.set_entry_point."
            )
        if not self.get_leaf_nodes():
            raise InvalidArgumentError(
                "Graph must have at least one leaf node: a node without edges, at which the run ends."
            )
        for name, node in self.nodes.items():
            if len({edge.is_conditional for edge in node.edges}) > 1:
                raise InvalidArgumentError(
                    f"Node {name!r} has a mix of conditional and unconditional edges. Give all of them a condition, or "
                    "none."
                )
            for edge in node.edges:
                if inspect.iscoroutinefunction(edge.condition_function):
                    raise InvalidArgumentError(
                        f"The condition of the edge from {name!r} to {edge.target!r} has to be a plain function: write "
                        "def, without async."
                    )
        self.has_cycles_with_exit()
        if idle := self.nodes.keys() - self._activatable(starts):
            raise InvalidArgumentError(
                f"{sorted(idle)} would never speak: no path leads there from {sorted(starts)}, or they wait for "
                'themselves, since they need all edges of a loop. Give such edges the activation_condition "any", or '
                "another activation_group."
            )

    def _check_names(self) -> None:
        """Check that what the graph names is in it."""
        if not self.nodes:
            raise InvalidArgumentError("Graph has no nodes.")
        for name, node in self.nodes.items():
            if node.name != name:
                raise InvalidArgumentError(f"The node {name!r} of the graph has another name, {node.name!r}.")
        if self.default_start_node and self.default_start_node not in self.nodes:
            raise InvalidArgumentError(
                f"The default start node {self.default_start_node!r} is not one of the nodes {list(self.nodes)}."
            )
        for source, edge in self._edges():
            if edge.target not in self.nodes:
                raise InvalidArgumentError(
                    f"The edge from {source!r} leads to {edge.target!r}, which is not one of the nodes "
                    f"{list(self.nodes)}."
                )

    def to_mermaid(self) -> str:
        """The graph as a Mermaid flowchart, which Markdown viewers draw."""
        ids = {name: f"n{index}" for index, name in enumerate(self.nodes)}
        starts = self.get_start_nodes()
        lines = ["flowchart TD"]
        lines += [f"    {ids[name]}{_box(name, is_start=name in starts)}" for name in self.nodes]
        lines += [f"    {ids[source]} {_arrow(edge)} {ids[edge.target]}" for source, edge in self._edges()]
        return "\n".join(lines)

    def _edges(self) -> Iterator[tuple[str, DiGraphEdge]]:
        return ((name, edge) for name, node in self.nodes.items() for edge in node.edges)

    def _activatable(self, starts: AbstractSet[str]) -> AbstractSet[str]:
        """The nodes that speak if every edge that can be followed is."""
        groups = [(target, group) for target, named in self.edge_groups().items() for group in named.values()]
        missing = {id(group): 1 if group.activation == "any" else len(group.edges) for _, group in groups}
        entered = {key: (target, id(group)) for target, group in groups for key in group.edges}
        active, new = set(starts), list(starts)
        while new:
            for key in edge_keys(self.nodes[new.pop()]):
                target, group = entered[key]
                missing[group] -= 1
                if missing[group] == 0 and target not in active:
                    active.add(target)
                    new.append(target)
        return active

    def _cycle(self, *, unconditional: bool) -> list[str] | None:
        """A loop, from a node back to it; without recursion, since a chain may be longer than Python's stack.

        Args:
            unconditional: Whether to look for one that has no edge with a condition.
        """
        targets = {
            name: [edge.target for edge in node.edges if not (unconditional and edge.is_conditional)]
            for name, node in self.nodes.items()
        }
        finished: set[str] = set()
        for start, first in targets.items():
            if start in finished:
                continue
            path, untried = {start: None}, [iter(first)]  # a dict, which is an ordered set
            while untried:
                target = next(untried[-1], None)
                if target is None:
                    untried.pop()
                    finished.add(path.popitem()[0])
                elif target in path:
                    names = list(path)
                    return [*names[names.index(target) :], target]
                elif target not in finished:
                    path[target] = None
                    untried.append(iter(targets[target]))
        return None


def edge_keys(node: DiGraphNode) -> Mapping[str, DiGraphEdge]:
    """The edges of a node by a name for each, which saved states hold."""
    return {f"{node.name}:{index}": edge for index, edge in enumerate(node.edges)}


def most_visits(graph: DiGraph) -> Mapping[str, int] | None:
    """How often each node speaks at most in one run; None where a loop sets no limit.

    A group that any edge activates is activated by each of them, one that needs all of them as often as the rarest.
    """
    if graph.get_has_cycles():
        return None
    starts, parents = graph.get_start_nodes(), graph.get_parents()
    sources = {key: name for name, node in graph.nodes.items() for key in edge_keys(node)}
    groups = graph.edge_groups()
    visits: dict[str, int] = {}
    for name in TopologicalSorter(parents).static_order():
        visits[name] = int(name in starts)
        for group in groups.get(name, {}).values():
            followed = [visits[sources[key]] for key in group.edges]
            visits[name] += sum(followed) if group.activation == "any" else min(followed)
    return visits


def _box(name: str, *, is_start: bool) -> str:
    text = f'"{_escaped(name)}"'
    return f"([{text}])" if is_start else f"[{text}]"


def _arrow(edge: DiGraphEdge) -> str:
    labels: list[str] = []
    if isinstance(edge.condition, str):
        labels.append(edge.condition)
    elif edge.condition_function is not None:
        labels.append(getattr(edge.condition_function, "__name__", "function"))
    if edge.activation_condition == "any":
        labels.append("any")
    return f'-->|"{_escaped(", ".join(labels))}"|' if labels else "-->"


def _escaped(text: str) -> str:
    """As Mermaid reads a text in quotes: its own characters by their numbers."""
    return "".join(char if char.isalnum() or char in " ,.?!()-_'" else f"#{ord(char)};" for char in text)
