"""The same seed gives the same order, within the rules; time jumps."""

import asyncio
import time
from itertools import pairwise, permutations
from typing import Any

import pytest
from tests.support.agents import Answer, Ask, MakeRuntime, add_agent, answer
from tests.support.interpreter import printed

from symposia.core import SingleThreadedAgentRuntime
from symposia.core.exceptions import ArgumentTypeError
from symposia.testing import SerializingRuntime
from symposia.testing.simulation import SimulationLoop, simulate

SEEDS = range(100)


async def three_waiters() -> str:
    """Three tasks wait for one event, and each sleeps once afterwards."""
    event, said = asyncio.Event(), list[str]()

    async def wait(name: str) -> None:
        await event.wait()
        said.append(name)
        await asyncio.sleep(0.01)
        said.append(name)

    tasks = [asyncio.create_task(wait(name)) for name in "abc"]
    await asyncio.sleep(0)
    event.set()
    await asyncio.gather(*tasks)
    return "".join(said)


async def sleepers() -> list[Any]:
    """What mixes timers, pauses, new tasks, callbacks and futures."""
    loop, said = asyncio.get_running_loop(), list[Any]()

    async def work(number: int) -> None:
        for turn in range(3):
            await asyncio.sleep(number % 2)
            said.append((number, turn, loop.time()))
            loop.call_soon(said.append, number)
        if number < 3:
            await asyncio.create_task(work(number + 3))

    await asyncio.gather(*(work(number) for number in range(3)))
    return said


@pytest.mark.parametrize("seed", range(20))
def test_the_same_seed_gives_the_same_order(seed: int) -> None:
    assert simulate(sleepers, seed=seed) == simulate(sleepers, seed=seed)


def test_seed_0_is_asyncios_own_order() -> None:
    assert simulate(three_waiters, seed=0) == asyncio.run(three_waiters()) == "abcabc"


def test_seeds_find_every_order_in_which_woken_tasks_may_go_on() -> None:
    orders = {simulate(three_waiters, seed=seed) for seed in SEEDS}
    assert {order[:3] for order in orders} == {"".join(order) for order in permutations("abc")}
    assert {order[3:] for order in orders} == {"".join(order) for order in permutations("abc")}


@pytest.mark.parametrize("seed", SEEDS)
def test_callbacks_are_called_in_the_order_in_which_they_were_registered(seed: int) -> None:
    async def main() -> list[int]:
        loop, called = asyncio.get_running_loop(), list[int]()
        future = loop.create_future()
        for number in range(5):
            future.add_done_callback(lambda _, number=number: called.append(number))
        other = asyncio.create_task(asyncio.sleep(0))
        future.set_result(None)
        for number in range(5, 10):
            loop.call_soon(called.append, number)
        await other
        await asyncio.sleep(1)
        return called

    assert simulate(main, seed=seed) == list(range(10))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_futures_callback_is_called_before_the_task_that_awaits_it_goes_on(seed: int) -> None:
    async def main() -> bool:
        future = asyncio.get_running_loop().create_future()
        called = list[bool]()
        future.add_done_callback(lambda _: called.append(True))
        asyncio.get_running_loop().call_later(1, future.set_result, None)
        await future
        return bool(called)

    assert simulate(main, seed=seed)


@pytest.mark.parametrize("seed", SEEDS)
def test_tasks_start_in_the_order_in_which_they_were_created(seed: int) -> None:
    async def main() -> list[int]:
        begun = list[int]()

        async def begin(number: int) -> None:
            begun.append(number)
            await asyncio.sleep(0)

        await asyncio.gather(*(begin(number) for number in range(8)))
        return begun

    assert simulate(main, seed=seed) == list(range(8))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_task_that_lets_others_run_does(seed: int) -> None:
    async def main() -> None:
        event = asyncio.Event()
        waiting = asyncio.create_task(event.wait())
        await asyncio.sleep(0)
        event.set()
        new = asyncio.create_task(asyncio.sleep(0, "begun"))
        new_one_began = asyncio.create_task(event.wait())
        await asyncio.sleep(0)
        assert waiting.done()
        assert new_one_began.done()
        await new

    simulate(main, seed=seed)


def test_hours_cost_nothing() -> None:
    async def main() -> float:
        await asyncio.sleep(3600)
        async with asyncio.timeout(24 * 3600):
            await asyncio.sleep(3600)
        return asyncio.get_running_loop().time()

    before = time.monotonic()
    assert simulate(main) == 7200
    assert time.monotonic() - before < 5


def test_timers_fire_in_the_order_of_their_times_and_those_of_one_instant_in_any() -> None:
    async def main() -> tuple[str, ...]:
        fired = list[str]()
        loop = asyncio.get_running_loop()
        for name, when in (("late", 2), ("a", 1), ("b", 1), ("c", 1)):
            loop.call_later(when, fired.append, name)
        await asyncio.sleep(3)
        return tuple(fired)

    orders = {simulate(main, seed=seed) for seed in SEEDS}
    assert orders == {(*order, "late") for order in permutations("abc")}


def test_a_timer_that_was_cancelled_does_not_make_time_pass() -> None:
    async def main() -> float:
        loop = asyncio.get_running_loop()
        loop.call_later(1000, print).cancel()
        await asyncio.sleep(1)
        return loop.time()

    assert simulate(main, seed=1) == 1


def test_seeds_find_both_ends_of_a_race_between_an_answer_and_its_deadline() -> None:
    async def main() -> str:
        try:
            async with asyncio.timeout(5):
                await asyncio.sleep(5)
        except TimeoutError:
            return "too late"
        return "in time"

    assert {simulate(main, seed=seed) for seed in SEEDS} == {"too late", "in time"}


def test_time_passes_for_a_task_that_polls() -> None:
    async def main() -> float:
        loop = asyncio.get_running_loop()
        timer = asyncio.create_task(asyncio.sleep(60))
        while not timer.done():  # noqa: ASYNC110 - what the test is about
            await asyncio.sleep(0)
        return loop.time()

    assert simulate(main, seed=3) == 60


CANCELLING_A_GROUP = """
import asyncio
from symposia.testing.simulation import simulate
junk = [object() for _ in range({junk})]
async def main():
    ended = []
    async def stay(number):
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(number)
    try:
        async with asyncio.TaskGroup() as group:
            for number in range(20):
                group.create_task(stay(number))
            await asyncio.sleep(1)
            raise ValueError
    except* ValueError:
        pass
    return ended
print(simulate(main, seed=5))
"""


def test_the_order_does_not_depend_on_where_objects_lie_in_memory() -> None:
    assert len({printed(CANCELLING_A_GROUP.format(junk=junk)) for junk in (1, 1000, 12345)}) == 1


def test_a_group_is_cancelled_in_the_order_in_which_its_tasks_were_made() -> None:
    async def main() -> list[int]:
        ended = list[int]()

        async def stay(number: int) -> None:
            try:
                await asyncio.Event().wait()
            finally:
                ended.append(number)

        with pytest.raises(ExceptionGroup):  # noqa: PT012 - the group's block is its statement
            async with asyncio.TaskGroup() as group:
                for number in range(20):
                    group.create_task(stay(number))
                await asyncio.sleep(1)
                raise ValueError
        return ended

    assert all(first < second for first, second in pairwise(simulate(main)))


def test_a_loop_can_be_given_to_a_runner() -> None:
    with asyncio.Runner(loop_factory=lambda: SimulationLoop(7)) as runner:
        loop = runner.get_loop()
        assert runner.run(asyncio.sleep(5, "done")) == "done"
        assert loop.time() == 5
        assert repr(loop).startswith("<SimulationLoop seed=7 time=5 ")


def test_a_coroutine_in_the_place_of_its_function_is_refused() -> None:
    async def main() -> None:
        pass

    coroutine: Any = main()  # Any: of the wrong type
    with pytest.raises(ArgumentTypeError, match=r"simulate takes the coroutine function, without a call"):
        simulate(coroutine)


@pytest.mark.parametrize("make_runtime", [SingleThreadedAgentRuntime, SerializingRuntime])
def test_a_start_after_hours_of_virtual_time_is_no_late_one(
    make_runtime: MakeRuntime, caplog: pytest.LogCaptureFixture
) -> None:
    async def ask_long_before_the_start() -> Answer:
        runtime = make_runtime()
        agent = await add_agent(runtime, "echo", answer)
        request = asyncio.create_task(runtime.send_message(Ask("hello"), agent))
        await asyncio.sleep(10_000)
        runtime.start()
        try:
            return await request
        finally:
            await runtime.close()

    assert simulate(ask_long_before_the_start) == Answer("hello")
    assert not caplog.messages
