"""Votes, and who speaks next in a debate: by examples, and by hypothesis against plain definitions."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from symposia.agentchat.messages import BaseChatMessage, TextMessage
from symposia.agentchat.teams import (
    DebateCritique,
    DebateRule,
    DebateSetup,
    DebateStatement,
    DebateSummary,
    Decision,
    EndingRules,
    Position,
    RuleContext,
    Speak,
    Stop,
    Vote,
)
from symposia.core.exceptions import InvalidArgumentError

NAMES = ("ann", "bob", "cleo")
OPTIONS = ("a", "b", "c")
QUESTION = TextMessage(content="Which?", source="user")


def endings(
    *, independent_rounds: int = 1, max_rounds: int = 5, quorum: float | None = None, settled_rounds: int | None = 2
) -> EndingRules:
    return EndingRules(
        independent_rounds=independent_rounds, max_rounds=max_rounds, quorum=quorum, settled_rounds=settled_rounds
    )


def setup(rules: EndingRules | None = None, *, critic: str | None = None, moderator: str | None = None) -> DebateSetup:
    return DebateSetup(
        debaters=NAMES,
        options=tuple(Position(name, name) for name in OPTIONS),
        held={},
        critic=critic,
        moderator=moderator,
        endings=rules or endings(),
        simultaneous=False,
    )


def vote(position: str | None, confidence: float = 0.5) -> Vote:
    return Vote(position=position, confidence=confidence if position else 0, reason="")


def votes(*positions: str | None) -> dict[str, Vote]:
    return {name: vote(position) for name, position in zip(NAMES, positions, strict=True)}


def statement(name: str, number: int, position: str | None) -> DebateStatement:
    return DebateStatement(content="…", source=name, round=number, vote=vote(position))


def statements(number: int, *positions: str | None) -> list[BaseChatMessage]:
    return [statement(name, number, position) for name, position in zip(NAMES, positions, strict=True)]


def ending(rules: EndingRules, *rounds: Mapping[str, Vote]) -> tuple[str, str | None] | None:
    verdict = rules.verdict(rounds)
    return None if verdict is None else (verdict.ending, verdict.decision)


def test_all_votes_for_one_position_are_a_consensus_in_any_round() -> None:
    assert ending(endings(), votes("a", "a", "a")) == ("consensus", "a")
    assert ending(endings(), votes("a", "a", None)) is None


def test_a_quorum_counts_once_the_minority_was_heard() -> None:
    split = votes("a", "a", "b")
    assert ending(endings(quorum=0.6), split) is None
    assert ending(endings(quorum=0.6), split, split) == ("quorum", "a")
    assert ending(endings(quorum=0.7), split, split) is None


def test_an_abstention_counts_among_those_who_could_vote() -> None:
    assert ending(endings(quorum=0.7), votes("a", "b", None), votes("a", "a", None)) is None


def test_votes_that_nobody_changes_settle_the_debate() -> None:
    split = votes("a", "a", "b")
    assert ending(endings(settled_rounds=1), votes("a", "b", "c"), split, split) == ("settled", "a")
    assert ending(endings(settled_rounds=2), votes("a", "b", "c"), split, split) is None
    assert ending(endings(settled_rounds=None), split, split, split, split) is None


def test_the_last_round_decides_by_the_most_votes_and_between_equal_ones_by_confidence() -> None:
    last = endings(max_rounds=1)
    assert ending(last, votes("a", "a", "b")) == ("round limit", "a")
    sure = {"ann": vote("a", 0.4), "bob": vote("b", 0.9), "cleo": vote(None)}
    assert ending(last, sure) == ("round limit", "b")
    assert ending(last, votes("a", "b", "c")) == ("round limit", None)
    assert ending(last, votes(None, None, None)) == ("round limit", None)


def test_a_verdict_says_how_the_debate_ended_in_words() -> None:
    verdict = endings(max_rounds=1).verdict([votes("a", "b", "c")])
    assert verdict is not None
    assert verdict.reason == "The limit of 1 round is reached: no decision, as the first positions are tied."


POSITIONS = st.sampled_from([*OPTIONS, None])
ROUNDS = st.lists(st.tuples(POSITIONS, POSITIONS, POSITIONS).map(lambda each: votes(*each)), min_size=1, max_size=6)


@given(
    ROUNDS,
    st.integers(0, 2),
    st.integers(2, 6),
    st.none() | st.sampled_from([1 / 3, 0.5, 2 / 3, 0.8, 1.0]),
    st.none() | st.integers(1, 3),
)
def test_verdicts_are_those_of_the_definitions(
    rounds: Sequence[Mapping[str, Vote]], independent: int, most: int, quorum: float | None, settled: int | None
) -> None:
    rules = endings(independent_rounds=independent, max_rounds=most, quorum=quorum, settled_rounds=settled)
    verdict = rules.verdict(rounds)

    latest = [each.position for each in rounds[-1].values()]
    counts = {option: latest.count(option) for option in OPTIONS}
    leaders = [option for option in OPTIONS if counts[option] == max(counts.values()) > 0]
    is_open = len(rounds) > independent
    unchanged = (
        settled is not None
        and len(rounds) > settled
        and all(
            {name: vote.position for name, vote in one.items()} == {name: vote.position for name, vote in two.items()}
            for one, two in pairwise(rounds[-settled - 1 :])
        )
    )
    if 3 in counts.values():
        expected = "consensus"
    elif is_open and quorum is not None and len(leaders) == 1 and counts[leaders[0]] / 3 >= quorum:
        expected = "quorum"
    elif is_open and unchanged:
        expected = "settled"
    else:
        expected = "round limit" if len(rounds) >= most else None
    assert (verdict and verdict.ending) == expected
    if verdict is not None:
        assert verdict.decision == (leaders[0] if len(leaders) == 1 else None)  # all are equally confident


async def decide(of: DebateSetup, *transcript: BaseChatMessage) -> Decision:
    return await DebateRule(of).decide([QUESTION, *transcript], RuleContext())


async def test_all_speak_at_once_in_an_independent_round_and_those_who_failed_speak_again() -> None:
    assert await decide(setup()) == Speak(NAMES)
    assert await decide(setup(), statement("bob", 1, "a")) == Speak(("ann", "cleo"))


async def test_in_open_rounds_they_speak_one_after_another_and_each_time_another_one_begins() -> None:
    said = statements(1, "a", "b", "c")
    for number, order in ((2, NAMES), (3, ("bob", "cleo", "ann")), (4, ("cleo", "ann", "bob"))):
        for name in order:
            assert await decide(setup(endings(settled_rounds=None)), *said) == Speak((name,))
            said.append(statement(name, number, "abc"[(number + NAMES.index(name)) % 3]))


async def test_critic_and_moderator_speak_after_a_round_and_the_moderator_concludes() -> None:
    debate = setup(critic="zoe", moderator="max")
    said = statements(1, "a", "b", "c")
    assert await decide(debate, *said) == Speak(("zoe",))
    said.append(DebateCritique(content="", source="zoe", round=1))
    assert await decide(debate, *said) == Speak(("max",))
    said.append(DebateSummary(content="", source="max", round=1))
    assert await decide(debate, *said) == Speak(("ann",))
    said += statements(2, "a", "a", "a")
    assert await decide(debate, *said) == Speak(("max",))
    said.append(DebateSummary(content="", source="max", round=2, is_conclusion=True))
    assert await decide(debate, *said) == Stop("Consensus in round 2: 3 of 3 for 'a'.")


async def test_between_independent_rounds_nobody_else_speaks() -> None:
    debate = setup(endings(independent_rounds=2), critic="zoe", moderator="max")
    assert await decide(debate, *statements(1, "a", "b", "c")) == Speak(NAMES)
    assert await decide(debate, *statements(1, "a", "b", "c"), *statements(2, "a", "b", "c")) == Speak(("zoe",))


async def test_words_from_outside_are_a_remark_in_a_debate_and_another_question_after_it() -> None:
    rule, remark = DebateRule(setup()), TextMessage(content="By Friday.", source="user")
    said = [QUESTION, *statements(1, "a", "b", "c"), remark]
    assert await rule.decide(said, RuleContext()) == Speak(("ann",))
    said += statements(2, "a", "a", "a")
    assert isinstance(await rule.decide(said, RuleContext()), Stop)
    said.append(TextMessage(content="And then?", source="user"))
    assert await rule.decide(said, RuleContext()) == Speak(NAMES)


async def test_a_debate_without_a_question_is_an_error_that_says_so() -> None:
    with pytest.raises(InvalidArgumentError, match="no question"):
        await DebateRule(setup()).decide([], RuleContext())


async def test_a_rule_that_has_forgotten_early_rounds_still_counts_them() -> None:
    debate = setup(endings(settled_rounds=None, max_rounds=20))
    rule, said = DebateRule(debate), list[BaseChatMessage]([QUESTION])
    for number in range(1, 21):
        assert await rule.decide(said, RuleContext()) == Speak(
            (NAMES[max(number - 2, 0) % 3],) if number > 1 else NAMES
        )
        said += statements(number, "a", "b", "c")
    assert await rule.decide(said, RuleContext()) == Stop(
        "The limit of 20 rounds is reached: no decision, as the first positions are tied."
    )


@given(ROUNDS.filter(lambda rounds: len(rounds) <= 4), st.integers(0, 14))
async def test_a_rule_that_read_in_pieces_decides_as_one_that_reads_all(
    rounds: Sequence[Mapping[str, Vote]], cut: int
) -> None:
    said: list[BaseChatMessage] = [QUESTION]
    for number, each in enumerate(rounds, 1):
        said += statements(number, *(each[name].position for name in NAMES))
    rule = DebateRule(setup())
    await rule.decide(said[: cut + 1], RuleContext())
    continued = await rule.decide(said, RuleContext())
    rule.load_state(rule.save_state())
    assert continued == await rule.decide(said, RuleContext()) == await DebateRule(setup()).decide(said, RuleContext())
