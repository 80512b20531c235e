"""What a turn adds to the transcript, in which order, and what is left of a turn that fails or is cancelled."""

import asyncio
from collections.abc import AsyncGenerator, Sequence

import pytest
from tests.support.chat_agents import collected
from tests.support.team_members import RUNTIMES, Member, Script, lines, pair

from symposia.agentchat.agents import AssistantAgent
from symposia.agentchat.base import Response, TaskResult
from symposia.agentchat.messages import BaseAgentEvent, BaseChatMessage
from symposia.agentchat.teams import GroupChat, RoundRobinGroupChat, Speak, Stop
from symposia.core import AgentRuntime, CancellationToken
from symposia.ext.models.replay import ReplayChatCompletionClient
from symposia.testing.simulation import simulate

Where = AgentRuntime | None
NEVER = 30.0


async def done(awaited: asyncio.Task[object]) -> None:
    async with asyncio.timeout(NEVER):
        await asyncio.wait([awaited])


async def test_speakers_of_one_turn_are_committed_in_the_order_of_the_decision(runtime: Where) -> None:
    go = asyncio.Event()
    ann, bob, cid = Member("ann", go, "later"), Member("bob"), Member("cid")
    rule = Script(Speak(("ann", "bob")), Speak(("cid",)), Stop("enough"))
    team = GroupChat([ann, bob, cid], rule=rule, runtime=runtime)
    shown: list[str] = []
    result: TaskResult | None = None
    async for item in team.run_stream(task="go"):
        if isinstance(item, TaskResult):
            result = item
            break
        shown += lines([item])
        if shown[-1] == "bob: hello":
            go.set()

    assert result is not None
    assert shown == ["user: go", "bob: hello", "ann: waited", "cid: hello"]
    assert lines(result.messages) == ["user: go", "ann: waited", "bob: hello", "cid: hello"]
    assert rule.saw[1] == lines(team.transcript)[:3] == ["user: go", "ann: waited", "bob: hello"]
    assert cid.heard == [["user: go", "ann: waited", "bob: hello"]]


async def test_a_speaker_that_fails_does_not_interrupt_the_others_of_its_turn(runtime: Where) -> None:
    go = asyncio.Event()
    ann, bob, cid = Member("ann", ValueError("boom"), "fine"), Member("bob", go, "again"), Member("cid", "1", "3")
    rule = Script(Speak(("ann", "bob", "cid")), Stop("enough"))
    team = GroupChat([ann, bob, cid], rule=rule, runtime=runtime)
    run = asyncio.create_task(team.run(task="go"))
    async with asyncio.timeout(NEVER):
        await bob.speaking.wait()
    go.set()
    with pytest.raises(ValueError, match="boom"):
        await run

    assert lines(team.transcript) == ["user: go", "bob: waited", "cid: 1"]
    assert lines((await team.run()).messages) == ["ann: fine", "bob: again", "cid: 3"]
    assert ann.heard == [["user: go"], ["user: go", "bob: waited", "cid: 1"]]
    assert bob.heard == [["user: go"], ["cid: 1"]]


async def test_of_several_that_fail_the_first_of_the_decision_is_raised_with_the_others_as_notes() -> None:
    members = [Member("ann"), Member("bob", ValueError("one")), Member("cid", KeyError("two"))]
    team = GroupChat(members, rule=Script(Speak(("ann", "bob", "cid"))))

    with pytest.raises(ValueError, match="one") as caught:
        await team.run(task="go")
    assert "'bob'" in caught.value.__notes__[0]
    assert "'cid' failed in the same turn: KeyError('two')" in caught.value.__notes__[1]


async def test_what_ends_the_program_interrupts_the_other_speakers() -> None:
    class Killed(BaseException):
        pass

    class Dying(Member):
        async def on_messages_stream(
            self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken
        ) -> AsyncGenerator[BaseAgentEvent | BaseChatMessage | Response, None]:
            await waiting.speaking.wait()
            raise Killed
            yield

    waiting = Member("bob", asyncio.Event())
    team = GroupChat([Dying("ann"), waiting], rule=Script(Speak(("ann", "bob"))))
    async with asyncio.timeout(NEVER):
        with pytest.raises(Killed):
            await team.run(task="go")
    assert not waiting.speaking.is_set()


async def test_a_cancelled_turn_commits_those_that_have_answered(runtime: Where) -> None:
    ann, bob = Member("ann", asyncio.Event(), "later"), Member("bob", "1", "2")
    rule = Script(Speak(("ann", "bob")))
    team = GroupChat([ann, bob], rule=rule, runtime=runtime, max_turns=1)
    answered = asyncio.Event()

    async def watch() -> None:
        async for item in team.run_stream(task="go"):
            if getattr(item, "source", "") == "bob":
                answered.set()

    run = asyncio.create_task(watch())
    async with asyncio.timeout(NEVER):
        await answered.wait()
    run.cancel()
    await done(run)

    assert lines(team.transcript) == ["user: go", "bob: 1"]
    assert lines((await team.run()).messages) == ["ann: later", "bob: 2"]
    assert bob.heard == [["user: go"], []]


async def test_a_team_saved_in_a_turn_has_what_was_answered_and_counts_it_once(runtime: Where) -> None:
    ann, bob = Member("ann", asyncio.Event()), Member("bob")
    team = GroupChat([ann, bob], rule=Script(Speak(("ann", "bob"))), runtime=runtime)
    stream = team.run_stream(task="go")
    async with asyncio.timeout(NEVER):
        while getattr(await anext(stream), "source", "") != "bob":
            pass
        state = await team.save_state()
    await stream.aclose()
    again, other = Member("ann"), Member("bob", "2")
    fresh = GroupChat([again, other], rule=Script(Speak(("ann", "bob"))), runtime=runtime, max_turns=1)
    await fresh.load_state(state)
    await fresh.run()

    assert lines(fresh.transcript) == ["user: go", "bob: hello", "ann: hello", "bob: 2"]
    assert again.heard == [["user: go", "bob: hello"]]
    assert other.heard == [[]]


@pytest.mark.parametrize("by", ["failure", "cancellation"])
async def test_d07_a_nested_team_hears_each_message_once_though_its_turn_did_not_end(by: str) -> None:
    attempts: list[str] = []
    waiting = asyncio.Event()

    async def answer(_: object) -> str:
        attempts.append("")
        if len(attempts) == 2:
            waiting.set()
            if by == "failure":
                raise ConnectionError("model down")
            await asyncio.Event().wait()
        return "ok"

    members = [AssistantAgent(name, ReplayChatCompletionClient(answer), system_message=None) for name in ("a", "b")]
    inner = RoundRobinGroupChat(members, max_turns=2, name="inner")
    cid = Member("cid")
    outer = RoundRobinGroupChat([inner, cid], max_turns=2)
    run = asyncio.create_task(outer.run(task="TASK"))
    async with asyncio.timeout(NEVER):
        await waiting.wait()
        if by == "cancellation":
            run.cancel()
    await done(run)
    await outer.run()

    assert lines(inner.transcript) == ["user: TASK", "a: ok", "b: ok", "a: ok"]
    for member in members:
        texts = [str(message.content) for message in await member.model_context.get_messages()]
        assert texts.count("TASK") == 1
    assert cid.heard == [["user: TASK", "a: ok", "b: ok", "a: ok"]]


async def test_d07_a_nested_team_that_did_not_take_the_messages_is_given_them_again() -> None:
    ann = Member("ann")
    inner = RoundRobinGroupChat([ann], max_turns=1, name="inner")
    outer = RoundRobinGroupChat([inner], max_turns=1)
    busy = inner.run_stream()
    await anext(busy)
    with pytest.raises(RuntimeError, match="already running"):
        await outer.run(task="go")
    await busy.aclose()

    assert lines((await outer.run()).messages) == ["ann: hello"]
    assert ann.heard[-1] == ["user: go"]


async def test_d07_a_team_saved_while_its_nested_team_runs_goes_on_without_repeating() -> None:
    def teams(second: Member) -> tuple[RoundRobinGroupChat, RoundRobinGroupChat]:
        inner = RoundRobinGroupChat([Member("ann"), second], max_turns=2, name="inner")
        return inner, RoundRobinGroupChat([inner], max_turns=1)

    bob = Member("bob", asyncio.Event())
    _, team = teams(bob)
    run = asyncio.create_task(team.run(task="go"))
    async with asyncio.timeout(NEVER):
        await bob.speaking.wait()
        state = await team.save_state()
    run.cancel()
    await done(run)
    inner, other = teams(Member("bob"))
    await other.load_state(state)
    await other.run()

    assert lines(inner.transcript) == lines(other.transcript) == ["user: go", "ann: hello", "bob: hello"]


@pytest.mark.parametrize("then", ["run", "run_stream", "reset", "load_state"])
async def test_d21_a_team_can_be_used_right_after_its_stream_was_left(runtime: Where, then: str) -> None:
    team = pair(runtime=runtime, max_turns=1)
    state = await team.save_state()
    async for _ in team.run_stream(task="go"):
        break
    match then:
        case "run":
            assert len((await team.run(task="on")).messages) == 2
        case "run_stream":
            assert len(await collected(team.run_stream(task="on"))) == 3
        case "reset":
            await team.reset()
        case _:
            await team.load_state(state)


async def test_d21_a_stream_that_is_kept_holds_its_team_until_it_is_closed() -> None:
    team = pair(max_turns=1)
    stream = team.run_stream(task="go")
    await anext(stream)
    with pytest.raises(RuntimeError, match="close the stream"):
        await team.run()
    await stream.aclose()

    assert len((await team.run()).messages) == 1


def slow(name: str, seconds: float) -> Member:
    """Speaks after so many seconds of the simulated clock."""

    class Slow(Member):
        async def on_messages_stream(
            self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken
        ) -> AsyncGenerator[BaseAgentEvent | BaseChatMessage | Response, None]:
            await asyncio.sleep(seconds)
            async for item in super().on_messages_stream(messages, cancellation_token):
                yield item

    return Slow(name, f"I am {name}")


@pytest.mark.parametrize("serializing", [False, True])
@pytest.mark.parametrize(("ann", "bob"), [(0.0, 2.0), (2.0, 0.0)])
def test_a_nested_teams_answers_are_committed_in_the_order_of_its_own_decision(
    ann: float, bob: float, serializing: bool
) -> None:
    async def play() -> None:
        async with RUNTIMES["serializing" if serializing else "the team's own"]() as runtime:
            rule = Script(Speak(("ann", "bob")), Stop("enough"))
            inner = GroupChat([slow("ann", ann), slow("bob", bob)], rule=rule, name="inner", runtime=runtime)
            cid = Member("cid")
            outer = RoundRobinGroupChat([inner, cid], max_turns=2, runtime=runtime)
            result = await outer.run(task="go")

            assert lines(result.messages) == ["user: go", "ann: I am ann", "bob: I am bob", "cid: hello"]
            assert lines(outer.transcript) == lines(result.messages)
            assert cid.heard == [lines(result.messages)[:3]]

    simulate(play)
