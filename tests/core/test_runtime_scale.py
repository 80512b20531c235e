"""What must not grow. Work is counted in function calls, so that the tests say the same on any machine."""

import gc
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from types import FrameType

import pytest

from symposia.core import (
    AgentId,
    MessageContext,
    RoutedAgent,
    SingleThreadedAgentRuntime,
    TopicId,
    TypeSubscription,
    message_handler,
)

FEW, MANY = 10, 2_000
MESSAGES = 256


@dataclass
class Ping:
    number: int


class Echo(RoutedAgent):
    @message_handler
    async def on_ping(self, message: Ping, ctx: MessageContext) -> Ping:
        return message


async def started_runtime() -> SingleThreadedAgentRuntime:
    runtime = SingleThreadedAgentRuntime()
    await Echo.register(runtime, "echo", lambda: Echo("echo"))
    runtime.start()
    return runtime


async def function_calls(work: Callable[[], Awaitable[None]]) -> int:
    """How many functions run while `work` does."""
    count = 0

    def profile(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal count
        count += event in {"call", "c_call"}

    sys.setprofile(profile)
    try:
        await work()
    finally:
        sys.setprofile(None)
    return count


async def send(runtime: SingleThreadedAgentRuntime) -> None:
    for number in range(MESSAGES):
        await runtime.send_message(Ping(number), AgentId("echo", "0"))


async def publish(runtime: SingleThreadedAgentRuntime, topics: int = 1) -> None:
    for number in range(MESSAGES):
        await runtime.publish_message(Ping(number), TopicId(f"topic{number % topics}", "0"))
    await runtime.stop_when_idle()
    runtime.start()


async def request_among(agents: int) -> int:
    runtime = await started_runtime()
    for number in range(agents):
        await runtime.send_message(Ping(number), AgentId("echo", str(number)))
    return await function_calls(lambda: send(runtime))


async def publication_among(subscriptions: int) -> int:
    runtime = await started_runtime()
    await runtime.add_subscription(TypeSubscription("topic0", "echo"))
    for number in range(subscriptions):
        await runtime.add_subscription(TypeSubscription(f"other{number}", "echo"))
    await publish(runtime)
    return await function_calls(lambda: publish(runtime))


async def publications_to(topics: int) -> int:
    runtime = await started_runtime()
    for number in range(topics):
        await runtime.add_subscription(TypeSubscription(f"topic{number}", "echo"))
    await publish(runtime, topics)
    return await function_calls(lambda: publish(runtime, topics))


@pytest.mark.parametrize("cost", [request_among, publication_among, publications_to])
async def test_a_message_costs_the_same_among_few_and_many(cost: Callable[[int], Awaitable[int]]) -> None:
    assert await cost(MANY) == pytest.approx(await cost(FEW), rel=0.05)


async def test_subscribing_costs_the_same_among_few_and_many_subscriptions() -> None:
    runtime = await started_runtime()

    async def subscribe(first: int, last: int) -> None:
        for number in range(first, last):
            await runtime.add_subscription(TypeSubscription(f"topic{number}", "echo"))

    few = await function_calls(lambda: subscribe(0, 100))
    await subscribe(100, MANY)
    assert await function_calls(lambda: subscribe(MANY, MANY + 100)) == pytest.approx(few, rel=0.05)


async def test_a_runtime_keeps_nothing_of_the_messages_that_it_delivered() -> None:
    runtime = await started_runtime()
    await runtime.add_subscription(TypeSubscription("topic0", "echo"))

    async def objects_after_messages() -> int:
        await send(runtime)
        await publish(runtime)
        gc.collect()
        return len(gc.get_objects())

    await objects_after_messages()
    before = await objects_after_messages()
    for _ in range(3):
        await objects_after_messages()
    assert await objects_after_messages() - before < MESSAGES // 10
