"""Graphs as data: what they say of themselves, what is no graph for a team, how they are built and drawn."""

import gc
import threading
from time import process_time

import pytest
from pydantic import ValidationError
from tests.support.graphs import graph
from tests.support.team_members import Member

from symposia.agentchat.messages import BaseChatMessage, TextMessage
from symposia.agentchat.teams import (
    DiGraph,
    DiGraphBuilder,
    DiGraphEdge,
    DiGraphNode,
    GraphRule,
    RoundRobinGroupChat,
)
from symposia.core.exceptions import ArgumentTypeError, InvalidArgumentError, UsageError

HELLO = TextMessage(content="hello there", source="a")
DIAMOND = "a>b, a>c, b>d, c>d"


def test_a_graph_begins_where_no_edge_leads_and_ends_where_none_leaves() -> None:
    of = graph(DIAMOND)

    assert (of.get_start_nodes(), of.get_leaf_nodes()) == ({"a"}, {"d"})
    assert of.get_parents() == {"a": [], "b": ["a"], "c": ["a"], "d": ["b", "c"]}
    assert of.get_remaining_map() == {"b": {"b": 1}, "c": {"c": 1}, "d": {"d": 2}}


def test_a_start_that_is_set_is_the_only_one() -> None:
    assert graph("a>b?no, b>a?no, b>c?yes", start="a").get_start_nodes() == {"a"}


@pytest.mark.parametrize(
    ("edges", "has"), [(DIAMOND, False), ("s>a any, a>b, b>a?no any, b>c?yes", True), ("a>a?x, a>b?y", True)]
)
def test_loops_are_found(edges: str, has: bool) -> None:
    of = graph(edges, start=edges[0])

    of.graph_validate()
    assert (of.get_has_cycles(), of.has_cycles_with_exit()) == (has, has)


def test_a_chain_may_be_longer_than_the_stack() -> None:
    of = graph(", ".join(f"n{index}>n{index + 1}" for index in range(5000)))

    of.graph_validate()
    assert not of.get_has_cycles()


def test_the_time_for_a_graph_grows_with_its_size_alone() -> None:
    def seconds(nodes: int) -> float:
        of = graph(", ".join(f"n{index}>n{index + 1}" for index in range(nodes)))
        began = process_time()
        GraphRule(of)
        of.to_mermaid()
        return process_time() - began

    seconds(10)
    gc.collect()  # what other tests left is not this one's time
    few, many = (min(seconds(nodes) for _ in range(5)) for nodes in (150, 3000))
    assert many < 20 * 5 * few  # with the square it would be 400 times


@pytest.mark.parametrize(
    ("of", "fault"),
    [
        (graph(""), "Graph has no nodes."),
        (graph("a>b, b>a"), "at least one start node: set default_start_node"),
        (graph("a>b?x, b>a?x", start="a"), "at least one leaf node"),
        (graph("a>b, a>c?x"), "Node 'a' has a mix of conditional and unconditional edges"),
        (graph("s>a?1, s>z?2, a>b, b>a"), "Cycle detected without exit condition: a -> b -> a"),
        (graph("a>c in g, b>c any in g"), "target 'c' group 'g': 'all' and 'any' (from node 'b')"),
        (graph("a>b", alone="c", start="a"), "['c'] would never speak: no path leads there from ['a']"),
        (graph("s>a, a>b, b>a?no, b>c?yes"), "['a', 'b', 'c'] would never speak"),
        (graph("a>b", start="z"), "start node 'z' is not one of the nodes ['a', 'b']"),
        (DiGraph(nodes={"a": DiGraphNode(name="a", edges=[DiGraphEdge(target="z")])}), "leads to 'z'"),
        (DiGraph(nodes={"a": DiGraphNode(name="b")}), "The node 'a' of the graph has another name, 'b'"),
    ],
)
def test_what_is_no_graph_for_a_team_is_refused(of: DiGraph, fault: str) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        of.graph_validate()

    assert fault in str(caught.value)


def test_a_text_is_a_condition_that_the_message_contains() -> None:
    assert DiGraphEdge(target="b", condition="hello").check_condition(HELLO)
    assert not DiGraphEdge(target="b", condition="bye").check_condition(HELLO)
    assert DiGraphEdge(target="b").check_condition(HELLO)


def test_an_empty_text_is_a_condition_that_every_message_meets() -> None:
    edge = DiGraphEdge(target="b", condition="")

    assert edge.is_conditional
    assert edge.check_condition(HELLO)


def test_a_function_is_a_condition_of_the_program_and_not_of_what_is_saved() -> None:
    edge = DiGraphEdge(target="b", condition=lambda message: message.source == "a")

    assert edge.check_condition(HELLO)
    assert edge.is_conditional
    assert edge.model_dump() == {
        "target": "b",
        "condition": None,
        "activation_group": "b",
        "activation_condition": "all",
    }


def test_a_function_that_is_assigned_is_a_condition_as_well() -> None:
    edge = DiGraphEdge(target="b", condition="hello")
    edge.condition = lambda message: message.source == "b"

    assert not edge.check_condition(HELLO)
    assert (edge.condition, edge.is_conditional) == (None, True)


def test_what_a_function_gives_counts_as_true_or_false() -> None:
    answers: list[object] = [None, "", [0]]

    def next_answer(message: BaseChatMessage) -> object:
        return answers.pop(0)

    edge = DiGraphEdge.model_validate({"target": "b", "condition": next_answer})

    assert [edge.check_condition(HELLO) for _ in range(3)] == [False, False, True]


def test_the_error_of_a_condition_names_its_edge() -> None:
    def fail(message: BaseChatMessage) -> bool:
        raise LookupError("no such thing")

    with pytest.raises(LookupError) as caught:
        DiGraphEdge(target="b", condition=fail).check_condition(HELLO)
    assert caught.value.__notes__ == ["It was raised by the condition of the edge to 'b'."]


class Approval:
    """What a graph asks and the program changes; it cannot be copied."""

    def __init__(self) -> None:
        self.given = False
        self.lock = threading.Lock()

    def __call__(self, message: BaseChatMessage) -> bool:
        return self.given

    def is_missing(self, message: BaseChatMessage) -> bool:
        return not self.given


def test_a_graph_that_was_built_asks_the_objects_that_it_was_given() -> None:
    approval = Approval()
    builder = DiGraphBuilder().add_node(Member("a")).add_node(Member("b")).add_node(Member("c"))
    graph = builder.add_edge("a", "b", approval).add_edge("a", "c", approval.is_missing).build()
    approval.given = True

    assert [edge.check_condition(HELLO) for edge in graph.nodes["a"].edges] == [True, False]


class Later:
    """A function whose answer has to be awaited."""

    async def __call__(self, message: BaseChatMessage) -> bool:
        return False


def test_a_condition_that_has_to_be_awaited_is_refused() -> None:
    later = Later()
    edge = DiGraphEdge.model_validate({"target": "b", "condition": later})
    builder = DiGraphBuilder().add_node(Member("a")).add_node(Member("b"))
    builder.add_edge("a", "b", later.__call__)  # pyright: ignore[reportArgumentType] - an unchecked program

    with pytest.raises(UsageError, match="edge to 'b' has to be a plain function"):
        edge.check_condition(HELLO)
    with pytest.raises(InvalidArgumentError, match="edge from 'a' to 'b' has to be a plain function"):
        builder.build()


def test_an_unknown_activation_is_refused() -> None:
    with pytest.raises(ValidationError, match="'all' or 'any'"):
        DiGraphEdge.model_validate({"target": "b", "activation_condition": "some"})


def test_a_builder_adds_nodes_and_edges_and_gives_the_participants_in_order() -> None:
    a, b = Member("a"), Member("b")
    builder = DiGraphBuilder().add_node(a).add_node(b).add_edge(a, "b", "yes", "g", "any").set_entry_point(a)

    assert builder.get_participants() == [a, b]
    assert builder.build() == graph("a>b?yes any in g", start="a")


def test_a_builder_adds_an_edge_for_each_text() -> None:
    builder = DiGraphBuilder().add_node(Member("a")).add_node(Member("b")).add_node(Member("c"))

    assert builder.add_conditional_edges("a", {"yes": "b", "no": "c"}).build() == graph("a>b?yes, a>c?no")


def test_a_graph_that_was_built_is_not_changed_by_its_builder() -> None:
    builder = DiGraphBuilder().add_node(Member("a")).add_node(Member("b"))
    built = builder.add_edge("a", "b").build()
    builder.add_edge("b", "a", "again")

    assert built == graph("a>b")


def test_a_team_can_be_a_node() -> None:
    inner = RoundRobinGroupChat([Member("x")], name="inner")

    assert DiGraphBuilder().add_node(inner).get_participants() == [inner]


def test_a_builder_says_what_is_missing() -> None:
    builder = DiGraphBuilder().add_node(Member("a"))

    with pytest.raises(InvalidArgumentError, match="Target node 'b' must be added before adding an edge"):
        builder.add_edge("a", "b")
    with pytest.raises(InvalidArgumentError, match="Source node 'b' must be added"):
        builder.add_edge("b", "a")
    with pytest.raises(InvalidArgumentError, match="Start node 'b' must be added before setting as entry point"):
        builder.set_entry_point("b")
    with pytest.raises(InvalidArgumentError, match="There is a node 'a' already, of another agent"):
        builder.add_node(Member("a"))
    with pytest.raises(ArgumentTypeError, match="Start node has to be a participant or its name, not None"):
        builder.set_entry_point(None)  # pyright: ignore[reportArgumentType] - an unchecked program
    with pytest.raises(ArgumentTypeError, match="condition_to_target has to be a mapping"):
        builder.add_conditional_edges("a", "yes")  # pyright: ignore[reportArgumentType] - an unchecked program
    with pytest.raises(ArgumentTypeError, match="The condition of an edge has to be a text"):
        builder.add_conditional_edges("a", {len: "a"})  # pyright: ignore[reportArgumentType] - an unchecked program
    with pytest.raises(InvalidArgumentError, match="activation of node 'b' is 'some': give 'all' or 'any'"):
        builder.add_node(Member("b"), "some")  # pyright: ignore[reportArgumentType] - an unchecked program
    assert list(builder.nodes) == ["a"]
    with pytest.raises(ArgumentTypeError, match="condition of the edge from 'a' to 'a' is 5: give a text"):
        builder.add_edge("a", "a", 5)  # pyright: ignore[reportArgumentType] - an unchecked program
    with pytest.raises(ArgumentTypeError, match="activation_group of the edge from 'a' to 'a' has to be a text"):
        builder.add_edge("a", "a", "again", 5)  # pyright: ignore[reportArgumentType] - an unchecked program
    with pytest.raises(InvalidArgumentError, match="activation_condition of the edge from 'a' to 'a' is 'some'"):
        builder.add_edge("a", "a", "again", None, "some")  # pyright: ignore[reportArgumentType] - an unchecked program
    assert not builder.nodes["a"].edges


def test_a_graph_is_drawn_as_a_mermaid_flowchart() -> None:
    of = graph('a>b?"yes", a>c?no, b>d any, c>d any')
    of.nodes["b"].edges[0].condition = None

    assert of.to_mermaid().splitlines() == [
        "flowchart TD",
        '    n0(["a"])',
        '    n1["b"]',
        '    n2["c"]',
        '    n3["d"]',
        '    n0 -->|"#34;yes#34;"| n1',
        '    n0 -->|"no"| n2',
        '    n1 -->|"any"| n3',
        '    n2 -->|"any"| n3',
    ]
