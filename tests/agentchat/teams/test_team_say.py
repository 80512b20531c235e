"""What the team itself says: a turn without speakers, in the transcript, the stream, the log and the saved state."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from tests.support.team_log import Log
from tests.support.team_members import Member, Script, lines, ran

from symposia.agentchat.base import TaskResult
from symposia.agentchat.conditions import MaxMessageTermination, TextMentionTermination
from symposia.agentchat.messages import BaseChatMessage, TextMessage
from symposia.agentchat.teams import GroupChat, Restart, RoundRobinGroupChat, Say, Speak, Stop, TurnEnded, fold_log
from symposia.core import AgentRuntime, CancellationToken
from symposia.core.exceptions import ArgumentTypeError

Where = AgentRuntime | None


def said(text: str, *, anew: bool = False) -> Say:
    return (Restart if anew else Say)((TextMessage(content=text, source="manager"),))


def team(*decisions: Any, members: Sequence[Member] = (), **options: Any) -> GroupChat:
    return GroupChat(members or [Member("ann"), Member("bob")], rule=Script(*decisions), **options)


async def test_what_a_team_says_reaches_every_participant_the_transcript_and_the_stream(runtime: Where) -> None:
    ann, bob = Member("ann"), Member("bob")
    chat = team(said("plan"), Speak(("ann",)), Speak(("bob",)), Stop("done"), members=[ann, bob], runtime=runtime)
    *shown, result = [item async for item in chat.run_stream(task="go")]

    assert isinstance(result, TaskResult)
    assert ran(result) == (["user: go", "manager: plan", "ann: hello", "bob: hello"], "done")
    assert shown == result.messages == chat.transcript
    assert ann.heard == [["user: go", "manager: plan"]]
    assert bob.heard == [["user: go", "manager: plan", "ann: hello"]]


async def test_participants_that_are_reset_begin_with_what_the_team_says(runtime: Where) -> None:
    ann, bob = Member("ann"), Member("bob")
    inner = RoundRobinGroupChat([bob], name="inner", max_turns=1)
    chat = GroupChat(
        [ann, inner],
        rule=Script(Speak(("ann",)), said("anew", anew=True), Speak(("inner",)), Speak(("ann",)), Stop("done")),
        runtime=runtime,
    )
    result = await chat.run(task="go")

    assert lines(result.messages) == ["user: go", "ann: hello", "manager: anew", "bob: hello", "ann: hello"]
    assert ann.heard == [["user: go"], ["manager: anew", "bob: hello"]]
    assert bob.heard == [["manager: anew"]]
    assert ann.orders == bob.orders == ["reset"]
    assert lines(inner.transcript) == ["manager: anew", "bob: hello"]


async def test_a_condition_sees_what_the_team_says_and_the_speaker_speaks_in_the_next_run(runtime: Where) -> None:
    chat = team(
        said("STOP"),
        Speak(("ann",)),
        Stop("done"),
        termination_condition=TextMentionTermination("STOP"),
        runtime=runtime,
    )

    assert ran(await chat.run(task="go")) == (["user: go", "manager: STOP"], "Text 'STOP' mentioned")
    assert ran(await chat.run()) == (["ann: hello"], "done")


async def test_what_a_team_says_is_no_turn_of_max_turns() -> None:
    chat = team(said("one"), said("two"), Speak(("ann",)), said("three"), Stop("done"), max_turns=1)

    assert lines((await chat.run(task="go")).messages) == ["user: go", "manager: one", "manager: two", "ann: hello"]


async def test_f28_a_speaker_that_fails_hears_what_the_team_said_once(runtime: Where) -> None:
    ann = Member("ann", ValueError("boom"), "hello")
    chat = team(said("plan"), Speak(("ann",)), Stop("done"), members=[ann, Member("bob")], runtime=runtime)

    with pytest.raises(ValueError, match="boom"):
        await chat.run(task="go")
    assert ran(await chat.run()) == (["ann: hello"], "done")
    assert ann.heard == [["user: go", "manager: plan"]] * 2
    assert lines(chat.transcript) == ["user: go", "manager: plan", "ann: hello"]


async def test_the_log_and_the_saved_state_have_what_the_team_said(runtime: Where) -> None:
    log = Log()
    chat = team(Speak(("ann",)), said("anew", anew=True), said("more"), Speak(("bob",)), Stop("done"), runtime=runtime)
    async with chat.log_to(log):
        await chat.run(task="go")
    state = await chat.save_state()

    assert fold_log(log.entries) == state
    turns = [entry for entry in log.entries if isinstance(entry, TurnEnded)]
    assert [lines(turn.items) for turn in turns] == [
        ["ann: hello"],
        ["manager: anew"],
        ["manager: more"],
        ["bob: hello"],
        [],
    ]
    other = team(said("unused"), runtime=runtime)
    await other.load_state(state)
    assert lines(other.transcript) == lines(chat.transcript)


class Waiting(Member):
    """Takes its time to forget."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.forgets = asyncio.Event()
        self.may_forget = asyncio.Event()

    async def on_reset(self, cancellation_token: CancellationToken) -> None:
        self.forgets.set()
        await self.may_forget.wait()
        await super().on_reset(cancellation_token)


async def test_a_run_that_is_cancelled_while_participants_forget_says_it_in_the_next_run(runtime: Where) -> None:
    ann, bob = Waiting("ann"), Member("bob")
    chat = team(said("anew", anew=True), Speak(("bob",)), Stop("done"), members=[ann, bob], runtime=runtime)
    run = asyncio.create_task(chat.run(task="go"))
    async with asyncio.timeout(10):
        await ann.forgets.wait()
    run.cancel()
    ann.may_forget.set()
    with pytest.raises(asyncio.CancelledError):
        await run

    assert bob.orders == ["reset"]
    assert ran(await chat.run()) == (["manager: anew", "bob: hello"], "done")
    assert bob.heard == [["manager: anew"]]


async def test_a_team_that_is_saved_while_participants_forget_says_it_after_loading() -> None:
    ann = Waiting("ann")
    chat = team(said("anew", anew=True), Speak(("bob",)), Stop("done"), members=[ann, Member("bob")])
    run = asyncio.create_task(chat.run(task="go"))
    async with asyncio.timeout(10):
        await ann.forgets.wait()
        state = await chat.save_state()
        ann.may_forget.set()
        await run

    bob = Member("bob")
    other = team(said("anew", anew=True), Speak(("bob",)), Stop("done"), members=[Member("ann"), bob])
    await other.load_state(state)
    assert ran(await other.run()) == (["manager: anew", "bob: hello"], "done")
    assert bob.heard == [["manager: anew"]]


async def test_a_participant_that_cannot_forget_fails_the_run_and_the_team_runs_again() -> None:
    class Stubborn(Member):
        async def on_reset(self, cancellation_token: CancellationToken) -> None:
            await super().on_reset(cancellation_token)
            if len(self.orders) == 1:
                raise ValueError("no")

    log = Log()
    chat = team(said("anew", anew=True), Speak(("bob",)), Stop("done"), members=[Stubborn("ann"), Member("bob")])
    async with chat.log_to(log):
        with pytest.raises(ValueError, match="no"):
            await chat.run(task="go")
        assert fold_log(log.entries) == await chat.save_state()
    assert ran(await chat.run()) == (["manager: anew", "bob: hello"], "done")


async def test_the_number_of_messages_includes_what_the_team_says() -> None:
    chat = team(said("one"), said("two"), Speak(("ann",)), termination_condition=MaxMessageTermination(3))

    assert lines((await chat.run(task="go")).messages) == ["user: go", "manager: one", "manager: two"]


@pytest.mark.parametrize("wrong", [(), "text", [TextMessage], ("text",)])
def test_what_is_no_message_cannot_be_said(wrong: Sequence[BaseChatMessage]) -> None:
    with pytest.raises(ArgumentTypeError, match="Say"):
        Say(wrong)
