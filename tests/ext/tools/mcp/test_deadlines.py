import asyncio

import pytest

from symposia.ext.tools.mcp._deadlines import Deadlines
from symposia.testing.simulation import simulate


async def late_after(deadlines: Deadlines, seconds: float) -> float:
    now = asyncio.get_running_loop().time
    began = now()
    with pytest.raises(TimeoutError):
        async with deadlines.within(seconds):
            await asyncio.Event().wait()
    return now() - began


def test_a_deadline_stands_still_while_the_server_waits_for_us() -> None:
    async def main() -> tuple[float, float]:
        deadlines = Deadlines()
        call = asyncio.create_task(late_after(deadlines, 5))
        await asyncio.sleep(2)
        with deadlines.paused():
            later = asyncio.create_task(late_after(deadlines, 5))  # begins while the clock stands
            await asyncio.sleep(1_000)
            with deadlines.paused():
                await asyncio.sleep(1_000)
        return await call, await later

    first, second = simulate(main)
    assert first == pytest.approx(2005)
    assert second == pytest.approx(2005)


def test_a_sign_of_progress_starts_a_deadline_anew() -> None:
    async def main() -> float:
        deadlines, now = Deadlines(), asyncio.get_running_loop().time
        began = now()

        async def work() -> None:
            async with deadlines.within(5) as deadline:
                for _ in range(3):
                    await asyncio.sleep(4)
                    deadlines.restart(deadline, 5)
                await asyncio.Event().wait()

        with pytest.raises(TimeoutError):
            await work()
        return now() - began

    assert simulate(main) == pytest.approx(17)


def test_all_waiting_ends_at_once_with_the_session() -> None:
    async def main() -> float:
        deadlines = Deadlines()
        call = asyncio.create_task(late_after(deadlines, 1_000))
        await asyncio.sleep(1)
        deadlines.expire()
        return await call

    assert simulate(main) == pytest.approx(1)
