"""The rule of a graph alone: who speaks after whom. Random graphs are compared with the words of its docstring."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.graphs import GraphWalk, graph

from symposia.agentchat.messages import TextMessage
from symposia.agentchat.teams import Answered, DiGraph, DiGraphEdge, DiGraphNode, GraphRule, RuleContext, Speak, Stop
from symposia.core.exceptions import InvalidArgumentError

COMPLETE = "Digraph execution is complete"


async def test_a_node_speaks_after_the_one_before_it_and_the_graph_ends_behind_the_last() -> None:
    walk = GraphWalk(graph("a>b"))

    assert await walk.speakers() == "a"
    assert await walk.speakers(a="") == "b"
    assert await walk.next(b="") == Stop(COMPLETE)


async def test_nodes_that_are_activated_together_speak_together() -> None:
    walk = GraphWalk(graph("a>b, a>c, b>d, c>d"))

    assert await walk.speakers() == "a"
    assert await walk.speakers(a="") == "bc"
    assert await walk.speakers(b="", c="") == "d"


async def test_only_edges_whose_conditions_are_met_are_followed() -> None:
    walk = GraphWalk(graph("a>b?yes, a>c?no"))

    assert await walk.speakers(a="well, no") == "c"


async def test_a_node_that_waits_for_all_waits_for_a_longer_branch() -> None:
    walk = GraphWalk(graph("s>a, s>b, a>d, b>c, c>d"))

    assert await walk.speakers(s="") == "ab"
    assert await walk.speakers(a="", b="") == "c"
    assert await walk.speakers(c="") == "d"


async def test_a_node_that_waits_for_any_speaks_once_for_each_turn_that_activates_it() -> None:
    walk = GraphWalk(graph("s>a, s>b, a>d any, b>d any, b>c, c>d any"))

    assert await walk.speakers(s="") == "ab"
    assert await walk.speakers(a="", b="") == "dc"
    assert await walk.speakers(d="", c="") == "d"


async def test_each_group_of_edges_activates_a_node() -> None:
    walk = GraphWalk(graph("s>a, s>b, a>d in one, b>c, c>d in two"))

    assert await walk.speakers(s="") == "ab"
    assert await walk.speakers(a="", b="") == "dc"
    assert await walk.speakers(d="", c="") == "d"


async def test_two_groups_that_are_complete_at_once_activate_a_node_once() -> None:
    walk = GraphWalk(graph("s>a, s>b, a>d in one, b>d in two"))

    assert await walk.speakers(s="") == "ab"
    assert await walk.speakers(a="", b="") == "d"


async def test_a_loop_goes_round_until_its_condition_is_met() -> None:
    walk = GraphWalk(graph("a>b, b>a?no, b>c?yes", start="a"))

    assert [await walk.speakers(a=""), await walk.speakers(b="no")] == ["b", "a"]
    assert [await walk.speakers(a=""), await walk.speakers(b="no")] == ["b", "a"]
    assert [await walk.speakers(a=""), await walk.speakers(b="yes")] == ["b", "c"]


async def test_an_edge_that_is_followed_twice_does_not_stand_for_another() -> None:
    walk = GraphWalk(graph("s>a, s>b, a>a?more in loop, a>d?done, b>c, c>e, e>d", start="s"))

    assert await walk.speakers(s="") == "ab"
    assert await walk.speakers(a="more", b="") == "ac"
    assert await walk.speakers(a="more", c="") == "ae"
    assert await walk.speakers(a="done", e="") == "d"


async def test_an_edge_between_two_that_speak_together_activates_its_target_again() -> None:
    walk = GraphWalk(graph("s>a, s>b any, a>b any"))

    assert await walk.speakers(s="") == "ab"
    assert await walk.speakers(a="", b="") == "b"


async def test_f37_the_reason_says_which_node_waits_for_what() -> None:
    walk = GraphWalk(graph("a>b?left, a>c?right, b>d, c>d"))

    assert await walk.speakers(a="left") == "b"
    assert await walk.next(b="") == Stop(f"{COMPLETE}; 'd' waits for 'c'")


async def test_a_graph_that_has_ended_begins_anew() -> None:
    walk = GraphWalk(graph("a>b?yes, a>c?no, b>d, c>d"))
    await walk.speakers(a="yes")
    await walk.next(b="")

    assert await walk.speakers() == "a"
    assert await walk.speakers(a="no") == "c"
    assert await walk.next(c="") == Stop(f"{COMPLETE}; 'd' waits for 'b'")


async def test_a_run_that_a_condition_has_ended_behind_the_last_node_is_followed_by_one_from_the_start() -> None:
    rule = GraphRule(graph("a>b"))
    last = [Answered(2, "b", 0, [TextMessage(content="", source="b")])]
    rule.load_state({"ready": ["b"], "followed": {}})

    assert await rule.decide([], RuleContext(turns=0, answered=last)) == Speak(("a",))


async def test_of_a_turn_that_failed_in_part_the_others_do_not_speak_again() -> None:
    rule = GraphRule(graph("s>a, s>b, a>c, b>d"))
    before = rule.save_state()
    first = Answered(1, "s", 0, [TextMessage(content="", source="s")])
    assert await rule.decide([], RuleContext(turns=1, answered=[first])) == Speak(("a", "b"))

    rule.load_state(before)
    half = Answered(2, "a", 0, [TextMessage(content="", source="a")])
    assert await rule.decide([], RuleContext(turns=1, answered=[first, half])) == Speak(("b",))
    rest = Answered(3, "b", 0, [TextMessage(content="", source="b")])
    assert await rule.decide([], RuleContext(turns=2, answered=[rest])) == Speak(("c", "d"))


async def test_a_turn_that_failed_in_part_activates_nothing_twice() -> None:
    rule = GraphRule(graph("s>a, s>b, a>c any, b>c any"))
    before = rule.save_state()
    first = Answered(1, "s", 0, [TextMessage(content="", source="s")])
    await rule.decide([], RuleContext(turns=1, answered=[first]))
    rule.load_state(before)
    half = Answered(2, "a", 0, [TextMessage(content="", source="a")])
    await rule.decide([], RuleContext(turns=1, answered=[first, half]))

    other = GraphRule(graph("s>a, s>b, a>c any, b>c any"))
    other.load_state(rule.save_state())
    rest = Answered(3, "b", 0, [TextMessage(content="", source="b")])
    assert await other.decide([], RuleContext(turns=2, answered=[rest])) == Speak(("c",))
    assert await other.decide([], RuleContext(turns=3, answered=[Answered(4, "c", 0, [])])) == Stop(COMPLETE)


async def test_a_condition_that_fails_is_asked_again_and_nothing_is_lost() -> None:
    faults = [ZeroDivisionError("once")]

    def is_met(message: object) -> bool:
        if faults:
            raise faults.pop()
        return True

    rule = GraphRule(
        DiGraph(
            nodes={
                "a": DiGraphNode(name="a", edges=[DiGraphEdge(target="b", condition=is_met)]),
                "b": DiGraphNode(name="b"),
            }
        )
    )
    context = RuleContext(turns=1, answered=[Answered(1, "a", 0, [TextMessage(content="", source="a")])])
    before = rule.save_state()
    with pytest.raises(ZeroDivisionError):
        await rule.decide([], context)

    rule.load_state(before)
    assert await rule.decide([], context) == Speak(("b",))


async def test_it_goes_on_from_a_saved_state() -> None:
    walk, other = (GraphWalk(graph("s>a, s>b, a>d, b>c, c>d")) for _ in range(2))
    await walk.speakers(s="")
    await walk.speakers(a="", b="")
    other.rule.load_state(walk.rule.save_state())

    assert await other.speakers(c="") == "d"


async def test_it_goes_on_from_a_state_of_autogen_which_only_counts() -> None:
    walk = GraphWalk(graph("s>a, s>b, a>d, b>c, c>d"))
    walk.rule.load_state(
        {
            "remaining": {"a": {"a": 1}, "b": {"b": 1}, "c": {"c": 0}, "d": {"d": 1}},
            "enqueued_any": {"d": {"d": False}},
            "ready": ["c"],
        }
    )

    assert await walk.speakers() == "c"
    assert await walk.speakers(c="") == "d"


async def test_a_node_that_autogen_has_activated_twice_speaks_once() -> None:
    walk = GraphWalk(graph("s>a, a>b"))
    walk.rule.load_state({"remaining": {"a": {"a": 0}, "b": {"b": 1}}, "ready": ["a", "a"]})

    assert await walk.speakers() == "a"


@pytest.mark.parametrize(
    "state",
    [
        {"ready": ["z"]},
        {"ready": ["a:0"]},
        {"left": ["a"]},
        {"ready": ["a"], "followed": {"z": {"z": []}}},
        {"followed": {"b": {"g": []}}},
        {"followed": {"b": {"b": ["b:0"]}}},
    ],
)
async def test_a_state_of_another_graph_is_refused_and_changes_nothing(state: Mapping[str, object]) -> None:
    walk = GraphWalk(graph("a>b"))

    with pytest.raises(InvalidArgumentError, match="is of another graph"):
        walk.rule.load_state(state)
    assert await walk.speakers() == "a"


NAMES = "abcdef"
GROUPS = ("always", "one", "two")


@st.composite
def graphs(draw: st.DrawFn) -> DiGraph:
    """Graphs of up to six nodes, with loops, conditions "x" and "y", and groups of both activations.

    An edge from each node to the next makes all of them reachable; nodes with an edge back have conditions.
    """
    names = NAMES[: draw(st.integers(2, len(NAMES)))]
    activation = {(to, group): draw(st.sampled_from(["all", "any"])) for to in names for group in GROUPS[1:]}
    nodes = {name: DiGraphNode(name=name) for name in names}
    for name, following in pairwise(names):
        others = draw(st.lists(st.tuples(st.sampled_from(names), st.sampled_from(GROUPS)), max_size=3))
        conditional = draw(st.booleans()) or any(to <= name for to, _ in others)
        for to, group in draw(st.permutations([(following, GROUPS[0]), *others])):
            edge = {
                "target": to,
                "condition": draw(st.sampled_from("xy")) if conditional else None,
                "activation_group": group,
                "activation_condition": activation.get((to, group), "any"),
            }
            nodes[name].edges.append(DiGraphEdge.model_validate(edge))
    return DiGraph(nodes=nodes, default_start_node=names[0])


def activated(of: DiGraph, turns: Sequence[Mapping[str, str]]) -> set[str]:
    """Who speaks after these turns, read off the whole history.

    A group is complete with the last turn if the edges that were followed since the turn with which it was complete
    before are all that it needs.
    """
    found: set[str] = set()
    edges = [(name, edge) for name, node in of.nodes.items() for edge in node.edges]
    for target, group in {(edge.target, edge.activation_group) for _, edge in edges}:
        members = [(name, edge) for name, edge in edges if (edge.target, edge.activation_group) == (target, group)]
        needed = len(members) if members[0][1].activation_condition == "all" else 1
        followed: set[int] = set()
        for turn in turns:
            followed |= {
                index
                for index, (name, edge) in enumerate(members)
                if name in turn and (edge.condition is None or edge.condition == turn[name])
            }
            if len(followed) >= needed:
                followed = set()
                if turn is turns[-1]:
                    found.add(target)
    return found


@given(graphs(), st.data())
async def test_any_graph_is_walked_as_its_words_say_also_when_it_is_saved_and_loaded(
    of: DiGraph, data: st.DataObject
) -> None:
    rule = GraphRule(of)
    turns: list[Mapping[str, str]] = []
    answered: list[Answered] = []
    for number in range(1, 12):
        if data.draw(st.booleans(), label="load"):
            saved, rule = rule.save_state(), GraphRule(of)
            rule.load_state(saved)
        decision = await rule.decide([], RuleContext(turns=number - 1, answered=answered))
        if isinstance(decision, Stop):
            assert activated(of, turns) == set()
            break
        assert isinstance(decision, Speak)
        assert set(decision.names) == (activated(of, turns) if turns else {"a"})
        assert len(set(decision.names)) == len(decision.names)
        said = {name: data.draw(st.sampled_from(["x", "y"]), label=name) for name in decision.names}
        turns.append(said)
        answered = [
            Answered(number, name, 0, [TextMessage(content=said[name], source=name)]) for name in decision.names
        ]
