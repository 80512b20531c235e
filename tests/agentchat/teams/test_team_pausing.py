"""A paused team waits between two turns; its participants are told, whatever becomes of one of them."""

import asyncio

import pytest
from tests.support.agents import let_others_run
from tests.support.team_members import Member, Script, lines

from symposia.agentchat.conditions import MaxMessageTermination
from symposia.agentchat.teams import GroupChat, RoundRobinGroupChat, Speak
from symposia.core import AgentRuntime, CancellationToken

Where = AgentRuntime | None
NEVER = 30.0
"""Seconds of real time after which a test has failed."""


async def spoken_to(member: Member) -> None:
    async with asyncio.timeout(NEVER):
        await member.speaking.wait()


class Refuser(Member):
    """Fails whatever it is told."""

    async def on_reset(self, cancellation_token: CancellationToken) -> None:
        raise ValueError(f"{self.name} does not reset")

    async def on_pause(self, cancellation_token: CancellationToken) -> None:
        raise ValueError(f"{self.name} does not pause")

    async def on_resume(self, cancellation_token: CancellationToken) -> None:
        raise ValueError(f"{self.name} does not resume")


async def test_a_paused_team_takes_no_further_turn_and_tells_its_participants(runtime: Where) -> None:
    go = asyncio.Event()
    ann, bob = Member("ann", go), Member("bob")
    team = RoundRobinGroupChat([ann, bob], runtime=runtime, max_turns=2)
    run = asyncio.create_task(team.run(task="go"))
    await spoken_to(ann)

    await team.pause()
    go.set()
    await let_others_run()
    assert (ann.orders, bob.orders, bob.heard) == (["pause"], ["pause"], [])
    await team.resume()
    assert lines((await run).messages) == ["user: go", "ann: waited", "bob: hello"]
    assert bob.orders == ["pause", "resume"]


async def test_a_paused_team_can_be_cancelled(runtime: Where) -> None:
    team = RoundRobinGroupChat([Member("ann")], runtime=runtime, max_turns=1)
    await team.pause()
    run = asyncio.create_task(team.run(task="go"))
    await asyncio.sleep(0)
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    await team.resume()

    assert lines((await team.run()).messages) == ["ann: hello"]


async def test_whoever_fails_to_pause_or_resume_keeps_neither_the_others_nor_the_team(runtime: Where) -> None:
    bob = Member("bob")
    team = RoundRobinGroupChat([Refuser("ann"), bob, Refuser("cleo")], runtime=runtime, max_turns=1)

    with pytest.raises(ValueError, match="ann does not pause") as pausing:
        await team.pause()
    run = asyncio.create_task(team.run(task="go"))
    await let_others_run()
    assert not run.done()
    with pytest.raises(ValueError, match="ann does not resume") as resuming:
        await team.resume()

    assert lines((await run).messages) == ["user: go", "ann: hello"]
    assert bob.orders == ["pause", "resume"]
    assert any("cleo does not resume" in note for note in resuming.value.__notes__)
    assert any("is paused: resume() lets it continue" in note for note in pausing.value.__notes__)


async def test_whoever_fails_to_reset_keeps_neither_the_others_nor_the_team(runtime: Where) -> None:
    bob = Member("bob")
    team = RoundRobinGroupChat([Refuser("ann"), bob], runtime=runtime, max_turns=1)
    await team.run(task="go")

    with pytest.raises(ValueError, match="ann does not reset"):
        await team.reset()
    assert (bob.orders, list(team.transcript)) == (["reset"], [])
    assert lines((await team.run(task="on")).messages) == ["user: on", "ann: hello"]


class Unforgetting(Script):
    """A rule that fails to reset."""

    def reset(self) -> None:
        raise ValueError("the rule does not reset")


async def test_a_rule_that_fails_to_reset_leaves_a_paused_team_able_to_run() -> None:
    rule = Unforgetting(*[Speak(("ann",))] * 2)
    condition = MaxMessageTermination(2)
    team = GroupChat([Member("ann")], rule=rule, termination_condition=condition)
    await team.run(task="go")
    await team.pause()

    with pytest.raises(ValueError, match="the rule does not reset"):
        await team.reset()
    assert not team.transcript
    async with asyncio.timeout(NEVER):
        assert lines((await team.run(task="on")).messages) == ["user: on", "ann: hello"]
