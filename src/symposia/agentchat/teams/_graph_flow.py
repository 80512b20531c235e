"""Teams whose participants speak along the edges of a graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import ClassVar, Final, Unpack

from pydantic import BaseModel
from pydantic_core import core_schema as cs
from typing_extensions import override

from symposia.agentchat import base
from symposia.agentchat.base import ChatAgent, Team
from symposia.agentchat.messages import BaseChatMessage
from symposia.agentchat.teams._graph import DiGraph, edge_keys, most_visits
from symposia.agentchat.teams._group_chat import BaseGroupChat
from symposia.agentchat.teams._options import TeamOptions, participant_names
from symposia.agentchat.teams._rule import Decision, RuleContext, Speak, Stop, TeamRule, Transcript
from symposia.agentchat.teams._saved_team import shape, with_default
from symposia.core.changes import SavedState
from symposia.core.exceptions import ArgumentTypeError, ComponentError, InvalidArgumentError

COMPLETE: Final = "Digraph execution is complete"
"""The beginning of the stop reason; AutoGen's programs look for it."""

_COUNTED: Final = "?"
"""The prefix of placeholders for followed edges, in saved states that have only their number."""

_COUNTS: Final = cs.dict_schema(cs.str_schema(), cs.dict_schema(cs.str_schema(), cs.int_schema(ge=0)))
_NAMES: Final = cs.list_schema(cs.str_schema())
_FOLLOWED: Final = cs.dict_schema(cs.str_schema(), cs.dict_schema(cs.str_schema(), _NAMES))
_STATE: Final = shape(
    "GraphManagerState",
    remaining=with_default(_COUNTS, dict),
    ready=with_default(cs.nullable_schema(_NAMES), lambda: None),
    followed=cs.with_default_schema(cs.nullable_schema(_FOLLOWED), default=None),
    left=with_default(_NAMES, list),
)


class GraphRule(TeamRule):
    """Lets the nodes of a graph speak as soon as they are activated. Those that are activated together speak together.

    After a node has spoken, those of its edges are followed whose conditions its message meets. A node is activated by
    the edges of a group: by each one of them, or once all of them have been followed. Then the group begins anew, so
    that a node in a loop is activated again. If no node is activated, the graph has been run through: the team stops,
    and its next run begins at the start.

    An edge that is followed several times, before the other edges of its group, counts once: a node that waits for all
    waits for all of them. The edges that are followed after one turn are followed at the same time.

    Args:
        graph: The graph.

    Raises:
        InvalidArgumentError: As `DiGraph.graph_validate`.
    """

    def __init__(self, graph: DiGraph) -> None:
        graph.graph_validate()
        self._graph = graph
        self._edges = {name: edge_keys(node) for name, node in graph.nodes.items()}
        self._sources = {key: (name, edge) for name, edges in self._edges.items() for key, edge in edges.items()}
        self._groups = graph.edge_groups()
        starts = graph.get_start_nodes()
        self._start = [name for name in graph.nodes if name in starts]
        self._ready: list[str] = []
        self._left: list[str] = []  # edges from nodes that have spoken, while others of their turn have not
        self._followed: dict[tuple[str, str], set[str]] = {}  # by target and group: the edges, until it is activated
        self.reset()

    @override
    async def decide(self, transcript: Transcript, context: RuleContext, /) -> Decision:
        """Choose the nodes that are activated.

        Raises:
            Exception: What the function of a condition raised. The nodes that have spoken keep their answers, and the
                next run calls the function again.
        """
        for _, spoken in groupby(context.answered, key=lambda answered: answered.turn):
            self._follow({answered.name: answered.message for answered in spoken})
        if not self._ready:
            # What was followed is kept until the next run: a team that was saved or killed behind this decision, and
            # before the end of its run, decides once more, and has to stop again.
            if context.turns:
                return Stop(self._complete())
            self.reset()
        return Speak(tuple(self._ready))

    def _follow(self, spoken: Mapping[str, BaseChatMessage | None]) -> None:
        """Follow the edges of the nodes that have spoken in one turn.

        If others of those that were activated together have failed, or were cancelled, the edges wait for them, so that
        the graph is walked as it would have been.
        """
        self._ready = [name for name in self._ready if name not in spoken]
        for name, message in spoken.items():
            edges = self._edges.get(name, {}).items()
            self._left += [key for key, edge in edges if message is not None and edge.check_condition(message)]
        if not self._ready:
            left, self._left = self._left, []
            self._activate(left)

    def _activate(self, keys: Sequence[str]) -> None:
        """Activate the nodes whose groups are complete with these edges, which are followed at the same time."""
        groups: dict[tuple[str, str], None] = {}  # an ordered set
        for key in keys:
            _, edge = self._sources[key]
            group = edge.target, edge.activation_group
            self._followed.setdefault(group, set()).add(key)
            groups[group] = None
        for target, group in groups:
            activation, edges = self._groups[target][group]
            if activation == "any" or len(self._followed[target, group]) >= len(edges):
                del self._followed[target, group]
                if target not in self._ready:
                    self._ready.append(target)

    def _complete(self) -> str:
        """Why the graph ends, with the nodes that were waiting for other edges."""
        waiting = [f"{target!r} waits for {_listed(self._missing(target, group))}" for target, group in self._followed]
        return f"{COMPLETE}; {', and '.join(waiting)}" if waiting else COMPLETE

    def _missing(self, target: str, group: str) -> Sequence[str]:
        missing = self._groups[target][group].edges - self._followed[target, group]
        return sorted({self._sources[key][0] for key in missing})

    def check_outline(self, participants: base.Outlines) -> base.RuleOutline:
        """The nodes speak, as often as the edges can activate them; a loop, any number of times."""
        visits = most_visits(self._graph)
        is_fixed = visits is not None and not any(edge.is_conditional for _, edge in self._sources.values())
        speeches = {
            name: base.Bounds(visits[name], visits[name])
            if visits is not None and is_fixed
            else base.Bounds(int(name in self._start), None if visits is None else visits[name])
            for name in self._edges
        }
        return base.RuleOutline(
            silent={name: "it is no node of the graph" for name in participants if name not in self._edges},
            turns=base.Bounds(1, None if visits is None else sum(visits.values())),
            can_end=True,
            speakers=base.Bounds(1, len(self._edges)),
            speeches=speeches,
            models=(),
        )

    def save_state(self) -> SavedState:
        """The activated nodes, and the edges that were followed to nodes that wait for more.

        AutoGen also saves a count for every node of the graph. Here that would take longer than the rest of a turn, as
        the state is taken before each decision.
        """
        followed: dict[str, dict[str, list[str]]] = {}
        for (target, group), keys in self._followed.items():
            followed.setdefault(target, {})[group] = sorted(keys)
        return {"ready": list(self._ready), "followed": followed, "left": list(self._left)}

    def load_state(self, state: SavedState, /) -> None:
        """Continue from a saved state, also of AutoGen.

        Raises:
            InvalidArgumentError: It names a node or an edge that the graph has not.
        """
        saved = _STATE.validate_python(state)
        ready: Sequence[str] = self._start if saved["ready"] is None else saved["ready"]
        edges: Mapping[str, Mapping[str, Sequence[str]]] | None = saved["followed"]
        if edges is None:
            followed = self._counted(saved["remaining"])
        else:
            followed = {(target, group): set(edges[target][group]) for target in edges for group in edges[target]}
        self._check(ready, saved["left"], followed, saved["remaining"])
        self._ready, self._left = list(dict.fromkeys(ready)), saved["left"]  # AutoGen may hold a node twice
        self._followed = followed

    def _counted(self, remaining: Mapping[str, Mapping[str, int]]) -> dict[tuple[str, str], set[str]]:
        """The followed edges, from AutoGen's counts. Placeholders stand for them: only their number is known."""
        followed: dict[tuple[str, str], set[str]] = {}
        for target, groups in self._groups.items():
            for group, (_, edges) in groups.items():
                left = remaining.get(target, {}).get(group, len(edges))
                if 0 < left < len(edges):  # 0 is of a node that has been activated
                    followed[target, group] = {f"{_COUNTED}{index}" for index in range(len(edges) - left)}
        return followed

    def _check(
        self,
        ready: Sequence[str],
        left: Sequence[str],
        followed: Mapping[tuple[str, str], set[str]],
        remaining: Mapping[str, Mapping[str, int]],
    ) -> None:
        unknown = [name for name in ready if name not in self._edges]
        unknown += [key for key in left if key not in self._sources]
        groups = {(target, group) for target, named in remaining.items() for group in named} | followed.keys()
        for target, name in sorted(groups):
            group = self._groups.get(target, {}).get(name)
            if group is None:
                unknown.append(f"{target}/{name}")
                continue
            keys = followed.get((target, name), set[str]())
            unknown += sorted(key for key in keys - group.edges if not key.startswith(_COUNTED))
        if unknown:
            raise InvalidArgumentError(
                f"The saved state is of another graph: it names {unknown}, and this graph has the nodes "
                f"{list(self._edges)}."
            )

    def reset(self) -> None:
        """Begin at the start."""
        self._ready = list(self._start)
        self._left.clear()
        self._followed.clear()


def _listed(names: Sequence[str]) -> str:
    return " and ".join(map(repr, names))


class GraphFlow(BaseGroupChat):
    """A team whose participants speak along the edges of a graph, which a `DiGraphBuilder` makes.

    Participants that are activated together speak at the same time, as one turn: see `GraphRule`.

    Args:
        participants: The nodes of the graph.
        graph: The graph.
        options: See `TeamOptions`.

    Raises:
        ArgumentTypeError: `graph` is no `DiGraph`.
        InvalidArgumentError: As `BaseGroupChat` and `DiGraph.graph_validate`, or a node of the graph is no participant.
    """

    DEFAULT_NAME: ClassVar[str] = "GraphFlow"
    _manager: ClassVar[str] = "GraphManager"
    _manager_state: ClassVar[str] = "GraphManagerState"

    def __init__(
        self, participants: Sequence[ChatAgent | Team], graph: DiGraph, **options: Unpack[TeamOptions]
    ) -> None:
        names = participant_names(participants)
        if not isinstance(graph, DiGraph):  # pyright: ignore[reportUnnecessaryIsInstance] - unchecked programs
            raise ArgumentTypeError(
                f"graph has to be a DiGraph, such as DiGraphBuilder.build() returns, not {graph!r}."
            )
        if missing := sorted(graph.nodes.keys() - set(names)):
            raise InvalidArgumentError(f"The graph has the nodes {missing}, which are no participants: {names}")
        super().__init__(participants, rule=GraphRule(graph), **options)
        self._graph = graph

    def _to_config(self) -> BaseModel:
        """The arguments.

        Raises:
            ComponentError: A condition is a function. Without it, the edge would always be followed.
        """
        for name, node in self._graph.nodes.items():
            for edge in node.edges:
                if edge.condition_function is not None:
                    raise ComponentError(
                        f"GraphFlow.graph cannot be saved: the condition of the edge from {name!r} to {edge.target!r} "
                        "is a function. Use a text that the message has to contain."
                    )
        return super()._to_config()
