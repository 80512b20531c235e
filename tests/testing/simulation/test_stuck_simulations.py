"""A simulation that cannot go on says who waits for what, and what it cannot simulate it refuses."""

import asyncio
from typing import Any

import pytest
from tests.support.agents import Ask, Door, add_agent, started

from symposia.core import AgentId, ClosureContext, MessageContext, SingleThreadedAgentRuntime
from symposia.core.exceptions import SimulationBoundaryError, SimulationStuckError
from symposia.testing.simulation import simulate


def test_a_simulation_in_which_everybody_waits_says_who_waits_where() -> None:
    async def main() -> None:
        async def wait_for_news() -> None:
            await asyncio.Queue[str]().get()

        await asyncio.sleep(2)
        await asyncio.create_task(wait_for_news(), name="reader")

    with pytest.raises(SimulationStuckError) as raised:
        simulate(main, seed=4)
    text = str(raised.value)
    assert "seed 4, 2 virtual seconds" in text
    assert "Task-1 waits for reader, in " in text
    assert "reader waits for Queue.get(), in " in text
    assert "test_stuck_simulations.py:" in text
    assert "await asyncio.Queue[str]().get()" in text


def test_the_agents_of_a_stuck_simulation_are_named() -> None:
    async def main() -> None:
        async def ask_slow(agent: ClosureContext, message: Any, _ctx: MessageContext) -> Any:
            return await agent.send_message(message, AgentId("slow", "k"))

        runtime = SingleThreadedAgentRuntime()
        await add_agent(runtime, "slow", Door())
        agent = await add_agent(runtime, "middle", ask_slow)
        runtime.start()
        requests = [asyncio.create_task(runtime.send_message(Ask(), one)) for one in (agent, AgentId("slow", "k"))]
        await asyncio.gather(*requests)

    with pytest.raises(SimulationStuckError) as raised:
        simulate(main)
    text = str(raised.value)
    assert "Task-2 in a message for middle/k → slow/k waits for Event.wait(), in Door.__call__" in text
    assert "Task-3 in a message for slow/k, whose turn has not come, waits for a future" in text


def test_a_program_that_never_ends_is_stopped() -> None:
    async def main() -> None:
        while True:  # noqa: ASYNC110 - what the test is about
            await asyncio.sleep(1)

    with pytest.raises(SimulationStuckError, match=r"did not end within 500 steps.*\n.*sleep\(\), in .*main"):
        simulate(main, max_steps=500)


def test_a_program_that_neither_ends_nor_lets_itself_be_cancelled_is_stopped_too() -> None:
    async def main() -> None:
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                """Stays."""

    with pytest.raises(SimulationStuckError, match="every task waits"):
        simulate(main)


def test_what_a_program_leaves_behind_must_let_itself_be_cancelled() -> None:
    async def stay() -> None:
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                """Stays."""

    async def main() -> None:
        task = asyncio.create_task(stay())
        await asyncio.sleep(1)
        assert not task.done()

    with pytest.raises(SimulationStuckError, match=r"Event\.wait"):
        simulate(main)


def test_a_started_runtime_that_is_left_is_no_problem() -> None:
    async def main() -> str:
        async with started(SingleThreadedAgentRuntime()) as runtime:
            agent = await add_agent(runtime, "door", Door())
            asyncio.create_task(runtime.send_message(Ask(), agent)).add_done_callback(lambda task: task.exception())
            await asyncio.sleep(1)
        return "ended"

    assert simulate(main, seed=1) == "ended"


@pytest.mark.parametrize(
    ("call", "what"),
    [
        (lambda: asyncio.open_connection("localhost", 80), "create_connection.*network connection"),
        (lambda: asyncio.start_server(print, "localhost", 0), "create_server.*network connection"),
        (lambda: asyncio.create_subprocess_exec("true"), "subprocess_exec.*subprocess"),
        (lambda: asyncio.get_running_loop().getaddrinfo("localhost", 80), "getaddrinfo.*network"),
        (lambda: asyncio.get_running_loop().add_reader(0, print), "add_reader.*file descriptor"),
    ],
)
def test_the_world_outside_is_refused(call: Any, what: str) -> None:
    async def main() -> None:
        await call()

    with pytest.raises(SimulationBoundaryError, match=what):
        simulate(main)
