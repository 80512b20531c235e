"""Every team, in every nesting, under any sequence of runs, failures, cancellations, pauses, saves and loads.

Whatever was done to it, it runs again; every tool call in its agents' conversations has a result, and no agent hears a
message twice.
"""

import asyncio
import json
import os
from collections.abc import Coroutine, Sequence
from contextlib import aclosing
from typing import Any, TypeVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from tests.support.agents import StartedRuntime
from tests.support.team_shapes import ACTS, SHAPES, Shape, Stage, faults_of

from symposia.agentchat.base import TaskResult
from symposia.core import SingleThreadedAgentRuntime
from symposia.testing import SerializingRuntime

T = TypeVar("T")

RUNTIMES: dict[str, type[StartedRuntime] | None] = {
    "the team's own": None,
    "embedded": SingleThreadedAgentRuntime,
    "serializing": SerializingRuntime,
}
EXAMPLES = 2000 if os.environ.get("SYMPOSIA_LONG") else 40
SOME_ACTS = st.lists(st.sampled_from(ACTS), max_size=6)


class EveryTeamMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.run: asyncio.Task[TaskResult] | None = None
        self.runtime: StartedRuntime | None = None
        self.is_paused = False
        self.has_task = False

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        async def in_time() -> T:
            async with asyncio.timeout(20):
                return await work

        return self.loop.run_until_complete(in_time())

    def teardown(self) -> None:
        if self.run is not None:
            self.cancel()
        if self.runtime is not None:
            self.do(self.runtime.stop_when_idle())
        self.loop.close()

    @initialize(shape=SHAPES, runtime=st.sampled_from([*RUNTIMES]))
    def make(self, shape: Shape, runtime: str) -> None:
        self.stage = Stage()
        self.shape = shape
        made = RUNTIMES[runtime]
        if made is not None:
            self.do(self.start_runtime(made))
        self.team, self.agents = self.stage.team(shape, self.runtime)

    async def start_runtime(self, made: type[StartedRuntime]) -> None:
        self.runtime = made()
        self.runtime.start()

    @precondition(lambda self: self.run is None and not self.is_paused)
    @rule(acts=SOME_ACTS, goes_on=st.booleans())
    def run_to_the_end(self, acts: Sequence[str], goes_on: bool) -> None:
        may_fail = "fail" in acts
        try:
            result = self.do(self.started(acts, goes_on=goes_on))
            assert result.stop_reason
        except ConnectionError:
            assert may_fail

    @precondition(lambda self: self.run is None and not self.is_paused)
    @rule(goes_on=st.booleans())
    def run_without_a_failure(self, goes_on: bool) -> None:
        result = self.do(self.started([], goes_on=goes_on))
        assert result.stop_reason

    @precondition(lambda self: self.run is None and not self.is_paused)
    @rule(acts=SOME_ACTS.filter(lambda acts: "fail" not in acts))
    def start_a_run_that_waits(self, acts: Sequence[str]) -> None:
        self.do(self.begin(acts))

    async def begin(self, acts: Sequence[str]) -> None:
        self.run = asyncio.create_task(self.started([*acts, "wait"]))
        waiting = asyncio.create_task(self.stage.waiting.wait())
        await asyncio.wait([self.run, waiting], return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if self.run.done():  # it had ended before the call that waits
            assert self.run.result().stop_reason
            self.run = None

    @precondition(lambda self: self.run is not None)
    @rule()
    def cancel(self) -> None:
        assert self.run is not None
        self.run.cancel()
        self.do(self.ended(self.run))
        assert self.run.cancelled()
        self.run = None

    @precondition(lambda self: self.run is None and not self.is_paused)
    @rule(acts=SOME_ACTS, items=st.integers(1, 8))
    def leave_a_stream(self, acts: Sequence[str], items: int) -> None:
        self.do(self.left(acts, items))

    async def left(self, acts: Sequence[str], items: int) -> None:
        self.prepare(acts)
        try:
            async with aclosing(self.team.run_stream(task=self.task())) as stream:
                for _ in range(items):
                    if await anext(stream, None) is None:
                        break
        except ConnectionError:  # also while the stream is closed, if the run has failed by then
            assert "fail" in acts

    @rule()
    def pause(self) -> None:
        self.do(self.team.pause())
        self.is_paused = True

    @rule()
    def resume(self) -> None:
        self.do(self.team.resume())
        self.is_paused = False

    @precondition(lambda self: self.run is None)
    @rule()
    def reset(self) -> None:
        self.do(self.team.reset())
        self.is_paused = self.has_task = False

    @rule()
    def save_and_load(self) -> None:
        """What is loaded runs, also where it was saved in the middle of a run, and takes the team's place if it can."""
        state = json.loads(json.dumps(self.do(self.team.save_state())))
        other, agents = self.stage.team(self.shape, self.runtime)
        self.do(other.load_state(state))
        self.prepare([])
        assert self.do(other.run(task=self.task())).stop_reason
        assert not self.do(self.faults(agents))
        if self.run is None:
            self.team, self.agents, self.is_paused = other, agents, False

    @invariant()
    def every_call_has_a_result_and_nothing_is_heard_twice(self) -> None:
        if self.run is None:
            assert not self.do(self.faults(getattr(self, "agents", [])))

    async def faults(self, agents: Sequence[Any]) -> Sequence[str]:
        return [fault for agent in agents for fault in await faults_of(agent)]

    def started(self, acts: Sequence[str], *, goes_on: bool = False) -> Coroutine[Any, Any, TaskResult]:
        self.prepare(acts)
        return self.team.run(task=None if goes_on and self.has_task else self.task())

    def prepare(self, acts: Sequence[str]) -> None:
        self.stage.acts = [*acts]
        self.stage.waiting.clear()

    def task(self) -> str:
        self.has_task = True
        return f"task {self.stage.word()}"

    async def ended(self, run: "asyncio.Task[TaskResult]") -> None:
        await asyncio.wait([run])


EveryTeamMachine.TestCase.settings = settings(max_examples=EXAMPLES, stateful_step_count=12, deadline=None)
TestEveryTeamMachine = EveryTeamMachine.TestCase
