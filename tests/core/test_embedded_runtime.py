import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from tests.contracts.runtime_contract import EmbeddedRuntimeContract
from tests.support.agents import WAIT, Answer, Ask, MakeRuntime, add_agent, answer

from symposia.core import AgentId, BaseAgent, ClosureContext, MessageContext, SingleThreadedAgentRuntime
from symposia.core.exceptions import DeadlineExceededError, InvalidArgumentError
from symposia.testing.simulation import simulate


class TestEmbeddedRuntime(EmbeddedRuntimeContract):
    @pytest.fixture
    def make_runtime(self) -> MakeRuntime:
        return SingleThreadedAgentRuntime


async def test_a_request_that_is_given_up_before_the_start_is_kept_no_longer() -> None:
    runtime = SingleThreadedAgentRuntime()
    agent = await add_agent(runtime, "echo", answer)
    with pytest.raises(DeadlineExceededError):
        await runtime.send_message(Ask("given up"), agent, timeout=0.001)
    assert runtime.unprocessed_messages_count == 0
    request = asyncio.create_task(runtime.send_message(Ask("kept"), agent))
    async with asyncio.timeout(WAIT):
        await runtime.process_next()
        assert await request == Answer("kept")
    await runtime.close()


async def test_stopping_interrupts_handlers_in_the_order_in_which_they_began() -> None:
    ended: list[str] = []

    async def stay(agent: ClosureContext, _message: Ask, _ctx: MessageContext) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(agent.id.type)

    runtime = SingleThreadedAgentRuntime()
    names = [f"agent{number}" for number in range(30)]
    agents = [await add_agent(runtime, name, stay) for name in names]
    runtime.start()
    requests = [asyncio.create_task(runtime.send_message(Ask(), agent)) for agent in agents]
    await asyncio.sleep(0)
    async with asyncio.timeout(WAIT):
        await runtime.stop()
        await asyncio.gather(*requests, return_exceptions=True)
    assert ended == names
    await runtime.close()


@pytest.mark.parametrize("option", ["max_idle_seconds", "max_blocking_seconds"])
def test_d24_limits_in_seconds_are_numbers(option: str) -> None:
    with pytest.raises(InvalidArgumentError, match=f"{option}=nan"):
        SingleThreadedAgentRuntime(**{option: float("nan")})  # type: ignore[arg-type]  # one of several options


def test_a_closed_runtime_evicts_no_agent() -> None:
    class Closed(BaseAgent):
        times = 0

        async def on_message_impl(self, message: Any, ctx: MessageContext) -> None:
            pass

        async def save_state(self) -> dict[str, Any]:
            return {}

        async def load_state(self, state: Mapping[str, Any]) -> None:
            pass

        async def close(self) -> None:
            type(self).times += 1

    async def close() -> None:
        runtime = SingleThreadedAgentRuntime(max_idle_seconds=5)
        await Closed.register(runtime, "closed", lambda: Closed("Counts."))
        await runtime.agent_save_state(AgentId("closed", "k"))
        await runtime.close()
        await asyncio.sleep(10)  # of the simulation

    simulate(close)
    assert Closed.times == 1


async def test_a_runtime_whose_messages_are_processed_one_by_one_asks_for_no_start(
    caplog: pytest.LogCaptureFixture,
) -> None:
    one_by_one, forgotten = SingleThreadedAgentRuntime(), SingleThreadedAgentRuntime()
    requests: list[asyncio.Task[Any]] = []
    for runtime in (one_by_one, forgotten):
        agent = await add_agent(runtime, "echo", answer)
        requests += [asyncio.create_task(runtime.send_message(Ask(text), agent)) for text in ("first", "second")]
    await one_by_one.process_next()
    async with asyncio.timeout(WAIT):
        while not caplog.records:
            await asyncio.wait(requests, timeout=0.05, return_when=asyncio.ALL_COMPLETED)
    await one_by_one.process_next()
    forgotten.start()
    await asyncio.gather(*requests)
    await forgotten.stop()
    assert [record.getMessage() for record in caplog.records] == [
        "Requests wait for a runtime that is not started: call its start() method."
    ]
