"""A team under any sequence of runs, failures, cancellations, pauses and saves keeps its promises."""

import asyncio
from collections.abc import AsyncGenerator, Coroutine, Sequence
from contextlib import suppress
from typing import Any, TypeVar

from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from tests.support.team_members import Member, Turn

from symposia.agentchat.base import Response, TaskResult
from symposia.agentchat.messages import BaseAgentEvent, BaseChatMessage, TextMessage
from symposia.agentchat.teams import RoundRobinGroupChat
from symposia.core import CancellationToken

T = TypeVar("T")


class Told(Member):
    """Does in each turn what it is told then."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.next: Turn = "said"
        self.known: list[str] = []

    async def on_messages_stream(
        self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken
    ) -> AsyncGenerator[BaseAgentEvent | BaseChatMessage | Response, None]:
        self._turns = [self.next]
        async for item in super().on_messages_stream(messages, cancellation_token):
            if isinstance(item, Response):  # not reached by a turn that is cut short
                self.known += [message.id for message in messages]
            yield item


class TeamMachine(RuleBasedStateMachine):
    """Two members; each run is one turn. Every message has to reach the other member, once, and in order."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.run: asyncio.Task[TaskResult] | None = None

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        async def in_time() -> T:
            async with asyncio.timeout(30):
                return await work

        return self.loop.run_until_complete(in_time())

    def teardown(self) -> None:
        if self.run is not None:
            self.cancel()
        self.loop.close()

    @initialize()
    def make(self) -> None:
        self.members = [Told("ann"), Told("bob")]
        self.team = RoundRobinGroupChat(self.members, max_turns=1)
        self.tasks: list[str] = []
        self.turns = 0
        self.paused = False

    def start(self, does: Turn) -> "asyncio.Task[TaskResult]":
        for member in self.members:
            member.next = does
        task = TextMessage(content="go", source="user")
        self.tasks.append(task.id)
        return self.loop.create_task(self.team.run(task=task))

    async def let_it_speak(self) -> None:
        for _ in range(20):
            await asyncio.sleep(0)

    @precondition(lambda self: self.run is None and not self.paused)
    @rule()
    def run_well(self) -> None:
        result = self.do(self._finish(self.start("said")))
        speaker = self.members[self.turns % 2]
        assert [message.source for message in result.messages] == ["user", speaker.name]
        assert self.tasks_heard(speaker) == self.tasks
        self.turns += 1

    @precondition(lambda self: self.run is None and not self.paused)
    @rule()
    def fail(self) -> None:
        run = self.start(ValueError("boom"))
        with suppress(ValueError):
            self.do(self._finish(run))
            raise AssertionError("the failure was lost")

    @precondition(lambda self: self.run is None)
    @rule()
    def start_a_run_that_waits(self) -> None:
        self.run = self.start(asyncio.Event())
        self.do(self.let_it_speak())
        assert not self.run.done()

    @precondition(lambda self: self.run is not None)
    @rule()
    def cancel(self) -> None:
        assert self.run is not None
        self.run.cancel()
        self.do(self.wait_for(self.run))
        assert self.run.cancelled()
        self.run = None

    @rule()
    def pause(self) -> None:
        self.do(self.team.pause())
        self.paused = True

    @rule()
    def resume(self) -> None:
        self.do(self.team.resume())
        self.paused = False

    @rule()
    def save_and_load_into_another(self) -> None:
        state = self.do(self.team.save_state())
        other = RoundRobinGroupChat([Told("ann"), Told("bob")], max_turns=1)
        self.do(other.load_state(state))
        result = self.do(other.run())
        assert [message.source for message in result.messages] == [self.members[self.turns % 2].name]

    @invariant()
    def nobody_speaks_between_runs(self) -> None:
        if self.run is None:
            assert not any(member.speaking.is_set() for member in getattr(self, "members", ()))

    @invariant()
    def every_task_is_heard_once_and_in_order(self) -> None:
        for member in getattr(self, "members", ()):
            heard = self.tasks_heard(member)
            assert heard == self.tasks[: len(heard)]

    def tasks_heard(self, member: Told) -> list[str]:
        tasks = set(self.tasks)
        return [known for known in member.known if known in tasks]

    async def _finish(self, run: "asyncio.Task[TaskResult]") -> TaskResult:
        return await run

    async def wait_for(self, run: "asyncio.Task[TaskResult]") -> None:
        await asyncio.wait([run])


TeamMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=20, deadline=None)
TestTeamMachine = TeamMachine.TestCase
