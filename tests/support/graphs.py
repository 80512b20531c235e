"""Graphs in tests, as text: "a>b" is an edge, "a>b?yes" one with a condition, "a>b any" and "a>b in g" say how."""

from symposia.agentchat.messages import TextMessage
from symposia.agentchat.teams import (
    Answered,
    Decision,
    DiGraph,
    DiGraphEdge,
    DiGraphNode,
    GraphRule,
    RuleContext,
    Speak,
    Stop,
)


def graph(edges: str, *, start: str | None = None, alone: str = "") -> DiGraph:
    """A graph.

    Args:
        edges: Such as "a>b, a>c?yes, b>d any, c>d any in late".
        start: The node that speaks first.
        alone: Nodes without edges, one letter each.
    """
    nodes: dict[str, DiGraphNode] = {name: DiGraphNode(name=name) for name in alone}
    for text in filter(None, edges.split(", ")):
        path, *words = text.split(" ")
        source, rest = path.split(">")
        target, _, condition = rest.partition("?")
        for name in (source, target):
            nodes.setdefault(name, DiGraphNode(name=name))
        nodes[source].edges.append(
            DiGraphEdge(
                target=target,
                condition=condition or None,
                activation_group=words[words.index("in") + 1] if "in" in words else "",
                activation_condition="any" if "any" in words else "all",
            )
        )
    return DiGraph(nodes=nodes, default_start_node=start)


class GraphWalk:
    """A rule of a graph without a team: tells it who has said what, and asks who speaks next.

    Attributes:
        rule: The rule.
    """

    def __init__(self, of: DiGraph) -> None:
        self.rule = GraphRule(of)
        self._turns = 0
        self._answered: list[Answered] = []

    async def next(self, **said: str) -> Decision:
        """What the rule decides after these nodes have said these texts, as one turn."""
        if said:
            self._turns += 1
            self._answered = [
                Answered(self._turns, name, 0, [TextMessage(content=text, source=name)]) for name, text in said.items()
            ]
        decision = await self.rule.decide([], RuleContext(turns=self._turns, answered=self._answered))
        self._answered = []
        if isinstance(decision, Stop):
            self._turns = 0
        return decision

    async def speakers(self, **said: str) -> str:
        """The names of those who speak next, in their order; a reason to stop is an error."""
        decision = await self.next(**said)
        assert isinstance(decision, Speak), decision
        return "".join(decision.names)
