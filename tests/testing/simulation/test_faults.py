"""Messages are slow, lost, failing and reordered, by seed and probability, and the runtime keeps its promises."""

import asyncio
from typing import Any

import pytest
from tests.support.agents import Answer, Ask, add_agent, answer, started

from symposia.core import (
    AgentId,
    CancellationToken,
    ClosureContext,
    DeadLetter,
    MessageContext,
    TopicId,
)
from symposia.core.exceptions import (
    DeadlineExceededError,
    InvalidArgumentError,
    RuntimeStoppedError,
    SimulationBoundaryError,
    UndeliverableException,
)
from symposia.testing.simulation import FaultPlan, FaultyRuntime, simulate, simulated

NEWS = TopicId("news", "k")
SEEDS = range(20)


class Listener:
    """Records what it hears, and when."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.when: list[float] = []

    async def __call__(self, _agent: ClosureContext, message: Any, _ctx: MessageContext) -> Answer:
        self.heard.append(message.text)
        self.when.append(asyncio.get_running_loop().time())
        return Answer(message.text)


@simulated(seeds=SEEDS)
async def test_a_slow_request_takes_a_while_and_is_answered() -> None:
    async with started(FaultyRuntime(FaultPlan(slow=1, delay=(2, 3)))) as runtime:
        agent = await add_agent(runtime, "echo", answer)
        assert await runtime.send_message(Ask("hello"), agent) == Answer("hello")
        assert 2 <= asyncio.get_running_loop().time() <= 3


@simulated(seeds=SEEDS)
async def test_slow_publications_keep_their_order() -> None:
    listener = Listener()
    async with started(FaultyRuntime(FaultPlan(slow=1, delay=(0, 1)))) as runtime:
        await add_agent(runtime, "listener", listener, "news")
        for number in range(5):
            await runtime.publish_message(Ask(str(number)), NEWS)
        await runtime.stop_when_idle()
    assert listener.heard == list("01234")


@simulated(seeds=SEEDS)
async def test_a_request_that_is_lost_ends_at_its_deadline() -> None:
    async with started(FaultyRuntime(FaultPlan(lost=1))) as runtime:
        agent = await add_agent(runtime, "echo", answer)
        with pytest.raises(DeadlineExceededError, match="echo/k"):
            await runtime.send_message(Ask(), agent, timeout=5)
        assert asyncio.get_running_loop().time() == 5


def test_sometimes_the_request_is_lost_and_sometimes_only_its_answer() -> None:
    async def main() -> bool:
        listener = Listener()
        async with started(FaultyRuntime(FaultPlan(lost=1))) as runtime:
            agent = await add_agent(runtime, "listener", listener)
            with pytest.raises(DeadlineExceededError):
                await runtime.send_message(Ask(), agent, timeout=5)
        return bool(listener.heard)

    assert {simulate(main, seed=seed) for seed in SEEDS} == {True, False}


@simulated(seeds=SEEDS)
async def test_stopping_answers_the_sender_of_a_request_that_was_lost() -> None:
    async with started(FaultyRuntime(FaultPlan(lost=1))) as runtime:
        agent = await add_agent(runtime, "echo", answer)
        request = asyncio.create_task(runtime.send_message(Ask(), agent))
        await asyncio.sleep(1)
        await runtime.stop()
        with pytest.raises(RuntimeStoppedError, match="echo/k"):
            await request


@simulated(seeds=SEEDS)
async def test_a_lost_request_can_be_cancelled_by_its_token() -> None:
    async with started(FaultyRuntime(FaultPlan(lost=1))) as runtime:
        agent = await add_agent(runtime, "echo", answer)
        token = CancellationToken()
        asyncio.get_running_loop().call_later(5, token.cancel)
        with pytest.raises(asyncio.CancelledError):
            await runtime.send_message(Ask(), agent, cancellation_token=token)


@simulated(seeds=SEEDS)
async def test_a_lost_publication_is_gone() -> None:
    listener = Listener()
    async with started(FaultyRuntime(FaultPlan(lost=1))) as runtime:
        await add_agent(runtime, "listener", listener, "news")
        await runtime.publish_message(Ask(), NEWS)
        await runtime.stop_when_idle()
    assert not listener.heard


@simulated(seeds=SEEDS)
async def test_a_failing_message_raises_the_error_of_the_plan() -> None:
    async with started(FaultyRuntime(FaultPlan(failing=1, error=OSError))) as runtime:
        agent = await add_agent(runtime, "echo", answer)
        with pytest.raises(OSError, match=r"Ask.*echo/k"):
            await runtime.send_message(Ask(), agent)
        with pytest.raises(OSError, match=r"Ask.*news/k"):
            await runtime.publish_message(Ask(), NEWS)


def test_reordered_publications_overtake_each_other() -> None:
    async def main() -> tuple[str, ...]:
        listener = Listener()
        async with started(FaultyRuntime(FaultPlan(reordered=0.5))) as runtime:
            await add_agent(runtime, "listener", listener, "news")
            for number in range(3):
                await runtime.publish_message(Ask(str(number)), NEWS)
            assert len(listener.heard) < 3
            await runtime.stop_when_idle()
        assert sorted(listener.heard) == list("012")
        return tuple(listener.heard)

    assert len({simulate(main, seed=seed) for seed in range(100)}) == 6


@simulated(seeds=SEEDS)
async def test_publications_on_their_way_become_dead_letters_when_the_runtime_stops() -> None:
    letters: list[DeadLetter] = []
    listener = Listener()
    plan = FaultPlan(reordered=1, delay=(5, 5))
    async with started(FaultyRuntime(plan, on_dead_letter=letters.append)) as runtime:
        await add_agent(runtime, "listener", listener, "news")
        await runtime.publish_message(Ask("late"), NEWS)
        await asyncio.sleep(1)
        await runtime.stop()
    assert not listener.heard
    assert [(letter.message, letter.topic_id) for letter in letters] == [(Ask("late"), NEWS)]


@simulated(seeds=SEEDS)
async def test_what_agents_say_to_each_other_is_concerned_too() -> None:
    async def ask_echo(agent: ClosureContext, message: Any, _ctx: MessageContext) -> Any:
        return await agent.send_message(Ask("from an agent"), AgentId("echo", "k"))

    plan = FaultPlan(failing=1, concerns=lambda message: message == Ask("from an agent"))
    async with started(FaultyRuntime(plan)) as runtime:
        await add_agent(runtime, "echo", answer)
        agent = await add_agent(runtime, "asks", ask_echo)
        with pytest.raises(ConnectionError, match="from an agent"):
            await runtime.send_message(Ask("from outside"), agent)


def test_the_same_seed_has_the_same_faults() -> None:
    async def main() -> list[str]:
        said = list[str]()
        plan = FaultPlan(slow=0.2, lost=0.2, failing=0.2, reordered=0.2, delay=(0, 3))
        async with started(FaultyRuntime(plan)) as runtime:
            agent = await add_agent(runtime, "echo", answer)
            for number in range(20):
                try:
                    await runtime.send_message(Ask(str(number)), agent, timeout=0.4)
                    said.append(f"{asyncio.get_running_loop().time()}")
                except (ConnectionError, DeadlineExceededError) as error:
                    said.append(str(error))
        return said

    assert simulate(main, seed=6) == simulate(main, seed=6) != simulate(main, seed=7)


@simulated(seeds=SEEDS)
async def test_an_unknown_recipient_stays_unknown() -> None:
    async with started(FaultyRuntime(FaultPlan(lost=1))) as runtime:
        with pytest.raises(UndeliverableException):
            await runtime.send_message(Ask(), AgentId("nobody", "k"))


def test_outside_a_simulation_a_faulty_runtime_needs_a_seed() -> None:
    with pytest.raises(SimulationBoundaryError):
        FaultyRuntime(FaultPlan())
    FaultyRuntime(FaultPlan(), seed=1)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"slow": 1.1}, "slow=1.1"),
        ({"lost": -0.1}, "lost=-0.1"),
        ({"slow": 0.6, "failing": 0.6}, "add up to 1.2"),
        ({"delay": (3, 1)}, "least comes first"),
    ],
)
def test_a_plan_that_makes_no_sense_is_refused(options: dict[str, Any], problem: str) -> None:
    with pytest.raises(InvalidArgumentError, match=problem):
        FaultPlan(**options)
