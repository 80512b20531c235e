"""Worker threads work in a simulation: real ones, in an order that the seed decides."""

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.support.agents import Ask, started

from symposia.core import AgentId, CancellationToken, MessageContext, RoutedAgent, SingleThreadedAgentRuntime, rpc
from symposia.testing.simulation import simulate


class Plain(RoutedAgent):
    @rpc
    def on_ask(self, message: Ask, ctx: MessageContext) -> int:
        return threading.get_ident()


async def three_threads() -> list[str]:
    done = list[str]()

    async def work(name: str) -> None:
        await asyncio.to_thread(done.append, name)
        done.append(name.upper())

    await asyncio.gather(*(work(name) for name in "abc"))
    return done


def test_a_plain_handler_runs_in_another_thread() -> None:
    async def main() -> int:
        async with started(SingleThreadedAgentRuntime()) as runtime:
            await Plain.register(runtime, "plain", lambda: Plain("plain"))
            return await runtime.send_message(Ask(), AgentId("plain", "k"))

    assert simulate(main, seed=1) != threading.get_ident()


@pytest.mark.parametrize("seed", range(10))
def test_the_same_seed_runs_threads_in_the_same_order(seed: int) -> None:
    assert simulate(three_threads, seed=seed) == simulate(three_threads, seed=seed)


def test_seeds_find_different_orders_of_threads() -> None:
    orders = {tuple(word for word in simulate(three_threads, seed=seed) if word.islower()) for seed in range(30)}
    assert len(orders) > 3


def test_virtual_time_stands_still_while_a_thread_works() -> None:
    def work() -> None:
        started = time.perf_counter()
        while time.perf_counter() < started + 0.005:  # longer than the timeout, in real time
            pass

    async def main() -> float:
        async with asyncio.timeout(0.001):
            await asyncio.to_thread(work)
        return asyncio.get_running_loop().time()

    assert simulate(main, seed=1) == 0


def test_an_error_in_a_thread_is_raised_where_it_is_awaited() -> None:
    async def main() -> None:
        await asyncio.to_thread(int, "no number")

    with pytest.raises(ValueError, match="no number"):
        simulate(main)


def test_a_thread_may_run_coroutines_on_the_loop_and_wait_for_them() -> None:
    async def main() -> tuple[str, float]:
        loop = asyncio.get_running_loop()

        def ask_back() -> str:
            return asyncio.run_coroutine_threadsafe(asyncio.sleep(30, "slept"), loop).result(timeout=10)

        return await asyncio.to_thread(ask_back), loop.time()

    assert simulate(main, seed=2) == ("slept", 30)


def test_a_thread_may_wait_for_what_a_task_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("symposia.testing.simulation._threads.PATIENCE", 0.01)

    async def main() -> bool:
        let_go = threading.Event()
        waiting = asyncio.create_task(asyncio.to_thread(let_go.wait, 10))
        await asyncio.sleep(0)
        let_go.set()
        return await waiting

    assert simulate(main, seed=0)


def test_a_thread_may_cancel_a_token() -> None:
    async def main() -> bool:
        token = CancellationToken()
        future = token.link_future(asyncio.get_running_loop().create_future())
        await asyncio.to_thread(token.cancel)
        await asyncio.wait([future])
        return future.cancelled()

    assert simulate(main, seed=2)


def test_a_job_that_is_cancelled_before_its_thread_begins_never_runs() -> None:
    async def main() -> list[str]:
        ran = list[str]()
        task = asyncio.create_task(asyncio.to_thread(ran.append, "ran"))
        asyncio.get_running_loop().call_soon(task.cancel)
        await asyncio.wait([task])
        return ran

    assert {tuple(simulate(main, seed=seed)) for seed in range(40)} == {(), ("ran",)}


def test_an_executor_of_ones_own_works() -> None:
    with ThreadPoolExecutor(1, thread_name_prefix="mine") as executor:

        async def main() -> str:
            return await asyncio.get_running_loop().run_in_executor(executor, lambda: threading.current_thread().name)

        assert simulate(main, seed=1).startswith("mine")


def test_an_executor_that_was_shut_down_is_an_error() -> None:
    executor = ThreadPoolExecutor(1)
    executor.shutdown()

    async def main() -> None:
        await asyncio.get_running_loop().run_in_executor(executor, print)

    with pytest.raises(RuntimeError, match="shutdown"):
        simulate(main)
