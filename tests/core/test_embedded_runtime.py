import asyncio

import pytest
from tests.contracts.runtime_contract import EmbeddedRuntimeContract
from tests.support.agents import WAIT, Answer, Ask, MakeRuntime, add_agent, answer

from symposia.core import ClosureContext, MessageContext, SingleThreadedAgentRuntime
from symposia.core.exceptions import DeadlineExceededError, InvalidArgumentError


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
