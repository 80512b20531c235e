"""Rules alone: a list of messages in, a decision out, no runtime."""

import pytest
from tests.support.team_members import handoff

from symposia.agentchat.messages import TextMessage
from symposia.agentchat.teams import RoundRobinRule, RuleContext, Speak, Stop, SwarmRule, TeamRule
from symposia.core.exceptions import InvalidArgumentError

TASK = TextMessage(content="go", source="user")
HELLO = TextMessage(content="hello", source="ann")


async def speakers(rule: TeamRule, turns: int) -> list[str]:
    chosen: list[str] = []
    for _ in range(turns):
        decision = await rule.decide([TASK], RuleContext())
        assert isinstance(decision, Speak)
        chosen += decision.names
    return chosen


async def test_round_robin_goes_round() -> None:
    assert await speakers(RoundRobinRule(["ann", "bob"]), 3) == ["ann", "bob", "ann"]


async def test_round_robin_goes_on_from_a_saved_state() -> None:
    rule, other = RoundRobinRule(["ann", "bob"]), RoundRobinRule(["ann", "bob"])
    await speakers(rule, 1)
    other.load_state(rule.save_state())

    assert await speakers(other, 2) == ["bob", "ann"]


async def test_round_robin_begins_anew_after_reset() -> None:
    rule = RoundRobinRule(["ann", "bob"])
    await speakers(rule, 1)
    rule.reset()

    assert await speakers(rule, 1) == ["ann"]


async def test_a_swarm_begins_with_its_first_participant_who_keeps_the_conversation() -> None:
    rule = SwarmRule(["ann", "bob"])

    assert await rule.decide([TASK], RuleContext()) == Speak(("ann",))
    assert await rule.decide([TASK, HELLO], RuleContext()) == Speak(("ann",))


async def test_a_swarm_follows_the_last_handoff() -> None:
    rule = SwarmRule(["ann", "bob", "cid"])
    transcript = [TASK, handoff("ann", "cid"), handoff("cid", "bob")]

    assert await rule.decide(transcript, RuleContext()) == Speak(("bob",))


async def test_a_handoff_to_a_name_outside_the_team_stops_a_swarm() -> None:
    decision = await SwarmRule(["ann", "bob"]).decide([TASK, handoff("ann", "user")], RuleContext())

    assert decision == Stop("Handoff to user from ann, and user is not in the team.")


async def test_a_stopped_swarm_goes_on_when_the_task_hands_back() -> None:
    rule = SwarmRule(["ann", "bob"])
    stopped = [TASK, handoff("ann", "user")]
    await rule.decide(stopped, RuleContext())

    assert await rule.decide([*stopped, handoff("user", "bob")], RuleContext()) == Speak(("bob",))


async def test_an_answer_from_outside_goes_to_the_participant_that_handed_over() -> None:
    rule = SwarmRule(["ann", "bob"])
    stopped = [TASK, handoff("ann", "bob"), handoff("bob", "user")]
    assert isinstance(await rule.decide(stopped, RuleContext()), Stop)
    answered = [*stopped, TextMessage(content="yes", source="user")]

    assert await rule.decide(answered, RuleContext()) == Speak(("bob",))
    assert await rule.decide([*answered, TextMessage(content="fine", source="bob")], RuleContext()) == Speak(("bob",))


async def test_handoffs_between_others_are_not_followed() -> None:
    transcript = [TASK, handoff("eve", "team")]
    assert await SwarmRule(["ann", "bob"]).decide(transcript, RuleContext()) == Speak(("ann",))
    transcript += [handoff("ann", "bob"), handoff("eve", "mallory")]
    assert await SwarmRule(["ann", "bob"]).decide(transcript, RuleContext()) == Speak(("bob",))


@pytest.mark.parametrize(
    ("task", "advice"),
    [
        (HELLO, "Start the run with a HandoffMessage"),
        (handoff("user", "nobody"), "'user' hands over to 'nobody', .* Give the HandoffMessage one of them"),
    ],
)
async def test_a_stopped_swarm_says_what_the_task_lacks(task: TextMessage, advice: str) -> None:
    with pytest.raises(InvalidArgumentError, match=advice):
        await SwarmRule(["ann", "bob"]).decide([TASK, handoff("ann", "user"), task], RuleContext())


async def test_a_swarm_goes_on_from_a_saved_state() -> None:
    rule, other = SwarmRule(["ann", "bob"]), SwarmRule(["ann", "bob"])
    transcript = [TASK, handoff("ann", "bob")]
    await rule.decide(transcript, RuleContext())
    other.load_state(rule.save_state())

    assert await other.decide([*transcript, HELLO], RuleContext()) == Speak(("bob",))


async def test_a_swarm_begins_anew_after_reset() -> None:
    rule = SwarmRule(["ann", "bob"])
    await rule.decide([handoff("ann", "bob")], RuleContext())
    rule.reset()

    assert await rule.decide([TASK], RuleContext()) == Speak(("ann",))
