from collections.abc import Mapping
from typing import Any

import pytest
from tests.contracts.runtime_contract import RuntimeContract
from tests.support.agents import Ask, MakeRuntime, add_agent, started

from symposia.core import (
    AgentId,
    BaseAgent,
    ClosureContext,
    MessageContext,
    SingleThreadedAgentRuntime,
    TopicId,
)


class TestEmbeddedRuntime(RuntimeContract):
    @pytest.fixture
    def make_runtime(self) -> MakeRuntime:
        return SingleThreadedAgentRuntime


class Unsaved(BaseAgent):
    """Cannot save its state just now."""

    saves = 0

    async def on_message_impl(self, message: Any, ctx: MessageContext) -> str:
        return "still here"

    async def save_state(self) -> Mapping[str, Any]:
        type(self).saves += 1
        raise OSError("the disk is full")


async def test_the_errors_kept_for_the_owner_are_limited_and_all_are_counted() -> None:
    async def fail(_agent: ClosureContext, message: Any, _ctx: MessageContext) -> None:
        raise ValueError(message)

    async with started(SingleThreadedAgentRuntime()) as runtime:
        await add_agent(runtime, "a", fail, "topic")
        for number in range(70):
            await runtime.publish_message(number, TopicId("topic", "k"))
        with pytest.raises(ExceptionGroup, match=r"failed 70 times.*first 64") as raised:
            await runtime.stop_when_idle()
        assert [str(error) for error in raised.value.exceptions] == [str(number) for number in range(64)]


async def test_f09_an_agent_that_cannot_save_its_state_is_kept_and_its_owner_told() -> None:
    runtime = SingleThreadedAgentRuntime(max_idle_agents=0)
    await Unsaved.register(runtime, "unsaved", lambda: Unsaved("unsaved"))
    runtime.start()
    agent = AgentId("unsaved", "k")
    assert await runtime.send_message(Ask(), agent) == "still here"
    assert await runtime.send_message(Ask(), agent) == "still here"
    with pytest.raises(ExceptionGroup, match="2 times"):
        await runtime.stop_when_idle()
    assert Unsaved.saves == 2, "once after each message, not over and over"
    await runtime.close()


async def test_process_next_handles_one_message_and_what_it_asks_of_others() -> None:
    handled: list[str] = []

    async def relay(agent: ClosureContext, message: Any, _ctx: MessageContext) -> None:
        handled.append(message.text)
        await agent.send_message(Ask("inner"), AgentId("end", "k"))

    async def end(_agent: ClosureContext, message: Any, _ctx: MessageContext) -> None:
        handled.append(message.text)

    runtime = SingleThreadedAgentRuntime()
    await add_agent(runtime, "relay", relay, "topic")
    await add_agent(runtime, "end", end)
    for text in ("first", "second"):
        await runtime.publish_message(Ask(text), TopicId("topic", "k"))
    await runtime.process_next()
    assert handled == ["first", "inner"]
    assert runtime.unprocessed_messages_count == 1
    await runtime.process_next()
    assert handled == ["first", "inner", "second", "inner"]
    await runtime.close()
