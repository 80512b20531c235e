import asyncio
from datetime import timedelta

import pytest

from symposia.agentchat.conditions import MaxMessageTermination, TimeoutTermination
from symposia.agentchat.messages import TextMessage
from symposia.core.exceptions import InvalidArgumentError
from symposia.testing.simulation import simulate

HELLO = TextMessage(content="hello", source="ann")


@pytest.mark.parametrize("limit", [5, timedelta(seconds=5)])
def test_f38_the_clock_starts_with_the_run_and_not_with_the_condition(limit: float | timedelta) -> None:
    async def wait_then_run() -> None:
        condition = TimeoutTermination(limit)
        await asyncio.sleep(100)
        assert await condition.start([HELLO]) is None
        await asyncio.sleep(4)
        assert await condition([HELLO]) is None
        assert condition.due_in() == pytest.approx(1)
        await asyncio.sleep(1)
        stop = await condition([HELLO])
        assert stop is not None
        assert stop.content.startswith("Timeout of 5")
        assert stop.content.endswith(" seconds reached")

    simulate(wait_then_run)


def test_a_second_run_has_the_whole_time_again() -> None:
    async def run_twice() -> None:
        condition = TimeoutTermination(5)
        for _ in range(2):
            await condition.start([])
            await asyncio.sleep(3)
            assert await condition([HELLO]) is None
            await condition.reset()
            assert condition.due_in() is None

    simulate(run_twice)


def test_of_combined_conditions_the_first_due_counts() -> None:
    async def ask() -> None:
        short, long = TimeoutTermination(1), TimeoutTermination(9)
        either, both = short | long | MaxMessageTermination(5), short & long
        await both.start([])
        assert either.due_in() == both.due_in() == 1
        await asyncio.sleep(1)
        assert await both([]) is None
        assert both.due_in() == 8

    simulate(ask)


async def test_a_condition_without_a_clock_is_never_due() -> None:
    assert (MaxMessageTermination(1) | MaxMessageTermination(2)).due_in() is None


def test_a_negative_time_is_refused() -> None:
    with pytest.raises(InvalidArgumentError, match="timeout_seconds is -1"):
        TimeoutTermination(-1)
