import asyncio
import gc
import weakref
from dataclasses import dataclass

import pytest
from tests.contracts.runtime_contract import EmbeddedRuntimeContract
from tests.support.agents import WAIT, Answer, Ask, Door, MakeRuntime, add_agent, answer

from symposia.core import AgentId, CancellationToken, ClosureContext, MessageContext, SingleThreadedAgentRuntime
from symposia.core.exceptions import DeadlineExceededError, InvalidArgumentError


@dataclass
class Letter:
    text: str


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


@pytest.mark.parametrize("queued", [True, False])
@pytest.mark.parametrize("how", ["deadline", "token", "task"])
async def test_d10_a_message_that_is_given_up_is_freed_without_the_garbage_collector(how: str, queued: bool) -> None:
    door = Door()
    kept: list[weakref.ref[Letter]] = []
    token = CancellationToken()
    runtime = SingleThreadedAgentRuntime()
    agent = await add_agent(runtime, "busy", door)
    runtime.start()
    first = asyncio.ensure_future(runtime.send_message(Ask("first"), agent))
    await door.entered.wait()

    async def send(key: int) -> object:
        letter = Letter("given up")
        kept.append(weakref.ref(letter))
        recipient = agent if queued else AgentId("busy", f"other {key}")
        timeout = 0.01 if how == "deadline" else None
        return await runtime.send_message(letter, recipient, timeout=timeout, cancellation_token=token)

    gc.collect()
    gc.disable()
    try:
        tasks = [asyncio.ensure_future(send(key)) for key in range(10)]
        await asyncio.sleep(0)
        if how == "token":
            token.cancel()
        elif how == "task":
            _ = [task.cancel() for task in tasks]  # no loop, whose variable would keep the last task
        async with asyncio.timeout(WAIT):
            await asyncio.wait(tasks)
        errors = {type(task.exception()) for task in tasks if not task.cancelled()}
        assert errors == ({DeadlineExceededError} if how == "deadline" else set())
        tasks.clear()
        await asyncio.sleep(0)  # the event loop keeps what it has called last
        assert [letter() for letter in kept] == [None] * 10
    finally:
        gc.enable()
        door.opened.set()
        await first
        await runtime.close()
