"""Parts of a team that a program has written itself, and that fail: the turn ends, and the team runs again."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import pytest
from tests.support.agents import let_others_run
from tests.support.team_log import Log
from tests.support.team_members import Member, Script, lines, pair, ran

from symposia.agentchat.agents import BaseChatAgent
from symposia.agentchat.base import Response
from symposia.agentchat.conditions import MaxMessageTermination
from symposia.agentchat.messages import BaseChatMessage, Messages, StopMessage, TextMessage
from symposia.agentchat.teams import GroupChat, RoundRobinGroupChat, Speak, Stop, fold_log
from symposia.core import AgentRuntime, CancellationToken

Where = AgentRuntime | None


class UnspeakableError(Exception):
    """An error that fails to describe itself."""

    def __str__(self) -> str:
        raise LookupError("no text")

    __repr__ = __str__


async def test_an_error_that_cannot_be_described_ends_a_turn_as_any_other_does() -> None:
    listener = Log()
    team = GroupChat(
        [Member("ann"), Member("bob", UnspeakableError(), "fine"), Member("cleo", UnspeakableError(), "fine")],
        rule=Script(Speak(("ann", "bob", "cleo")), Stop("enough")),
    )
    async with team.log_to(listener):
        with pytest.raises(UnspeakableError):
            await team.run(task="go")
        assert lines(team.transcript) == ["user: go", "ann: hello"]
        assert lines((await team.run()).messages) == ["ann: hello", "bob: fine", "cleo: fine"]
        assert fold_log(listener.entries) == await team.save_state()


class Untimely(MaxMessageTermination):
    """A condition that cannot say when it is due."""

    def due_in(self) -> float | None:
        raise ValueError("no clock")


async def test_a_condition_that_cannot_say_when_it_is_due_ends_the_turn() -> None:
    listener = Log()
    team = pair(termination_condition=Untimely(9))
    async with team.log_to(listener):
        with pytest.raises(ValueError, match="no clock"):
            await team.run(task="go")
    assert [type(entry).__name__ for entry in listener.entries[1:]] == ["RunStarted", "TurnEnded", "RunEnded"]


class Silent(MaxMessageTermination):
    """Ends a run without a reason."""

    async def __call__(self, messages: Messages) -> StopMessage | None:
        stop = await super().__call__(messages)
        return stop and StopMessage(content="", source="Silent")


async def test_a_condition_may_end_a_run_at_its_task_without_a_reason() -> None:
    assert ran(await pair(termination_condition=Silent(1)).run(task="go")) == (["user: go"], "")


class Stubborn(Member):
    """Answers though it is cancelled."""

    async def on_messages(self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken) -> Response:
        self.speaking.set()
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        return Response(chat_message=TextMessage(content="so what", source=self.name))

    on_messages_stream = BaseChatAgent.on_messages_stream


async def test_a_run_that_is_cancelled_ends_though_an_agent_does_not_stop(runtime: Where) -> None:
    ann = Stubborn("ann")
    team = RoundRobinGroupChat([ann, Member("bob")], runtime=runtime, max_turns=1)
    run = asyncio.create_task(team.run(task="go"))
    await ann.speaking.wait()
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert lines((await team.run()).messages)[-1] == "bob: hello"


class Refusing(Script):
    """A rule that takes no state back, once a participant has refused its own."""

    def load_state(self, state: Mapping[str, Any], /) -> None:
        if state["next"] == 0:
            raise ValueError("the rule takes nothing back")


class Choosy(Member):
    """Refuses every state."""

    async def load_state(self, state: Mapping[str, Any]) -> None:
        raise LookupError("ann refuses")


async def test_a_condition_is_put_back_though_the_rule_is_not_when_a_state_is_refused() -> None:
    def team(rule: Script, condition: MaxMessageTermination) -> GroupChat:
        return GroupChat([Choosy("ann", asyncio.Event())], rule=rule, termination_condition=condition)

    saved = team(Script(Speak(("ann",))), MaxMessageTermination(9))
    run = asyncio.create_task(saved.run(task="go"))
    await let_others_run()
    state: Any = await saved.save_state()
    state["agent_states"]["GroupChatManager"]["next"] = 1
    run.cancel()
    await asyncio.wait([run])

    condition = MaxMessageTermination(9)
    with pytest.raises(LookupError, match="ann refuses") as refused:
        await team(Refusing(), condition).load_state(state)
    assert condition.save_state() == MaxMessageTermination(9).save_state()
    assert any("the rule takes nothing back" in note for note in refused.value.__notes__)


class Unstoppable(MaxMessageTermination):
    """A condition that does not stop looking at a task when it is cancelled."""

    def __init__(self) -> None:
        super().__init__(9)
        self.looking = asyncio.Event()

    async def start(self, task: Messages) -> StopMessage | None:
        self.looking.set()
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        return await super().start(task)


async def test_no_turn_begins_in_a_run_that_was_cancelled_while_a_condition_looked_at_its_task() -> None:
    ann, condition = Member("ann"), Unstoppable()
    running = asyncio.create_task(RoundRobinGroupChat([ann], termination_condition=condition).run(task="go"))
    await condition.looking.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert ann.heard == []


class SlowToForget(MaxMessageTermination):
    """A condition whose first reset fails."""

    has_failed = False

    async def reset(self) -> None:
        if not self.has_failed:
            self.has_failed = True
            raise ConnectionError("the counter cannot be reached")
        await super().reset()


async def test_a_condition_that_could_not_be_reset_is_reset_before_the_next_run() -> None:
    team = pair(termination_condition=SlowToForget(2))
    with pytest.raises(ConnectionError):
        await team.run(task="go")
    assert lines((await team.run(task="on")).messages) == ["user: on", "bob: hello"]
