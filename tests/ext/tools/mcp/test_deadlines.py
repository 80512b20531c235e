import asyncio

import pytest

from symposia.ext.tools.mcp._deadlines import Deadlines
from symposia.testing.simulation import simulate


async def late_after(deadlines: Deadlines, silence: float, whole: float = 1_000_000) -> tuple[float, str]:
    """After how many seconds a call is ended, and why."""
    now = asyncio.get_running_loop().time
    began = now()
    with pytest.raises(TimeoutError) as late:
        async with deadlines.within(silence, whole):
            await asyncio.Event().wait()
    return round(now() - began), str(late.value)


async def reporting(deadlines: Deadlines, steps: int, whole: float) -> tuple[float, str]:
    """The same of a call with 5 seconds, for which progress is reported each 4 seconds."""
    now = asyncio.get_running_loop().time
    began = now()

    async def work() -> None:
        async with deadlines.within(5, whole) as deadline:
            for _ in range(steps):
                await asyncio.sleep(4)
                deadline.restart()
            await asyncio.Event().wait()

    with pytest.raises(TimeoutError) as late:
        await work()
    return round(now() - began), str(late.value)


def test_silence_is_not_counted_while_the_server_waits_for_us() -> None:
    async def main() -> tuple[object, object]:
        deadlines = Deadlines()
        call = asyncio.create_task(late_after(deadlines, 5))
        await asyncio.sleep(2)
        with deadlines.while_answering():
            later = asyncio.create_task(late_after(deadlines, 5))  # begins while the clock stands
            await asyncio.sleep(1_000)
            with deadlines.while_answering(), deadlines.while_asking():
                await asyncio.sleep(1_000)
        return await call, await later

    told = "did not answer within 5 seconds"
    assert simulate(main) == ((2005, told), (2005, told))


@pytest.mark.parametrize(
    ("steps", "whole", "result"),
    [
        (3, 1_000_000, (17, "did not answer within 5 seconds")),
        (1_000, 3_600, (3_600, "took more than 3,600 seconds in all")),
        (1_000, 3, (3, "took more than 3 seconds in all")),
    ],
)
def test_progress_starts_the_silence_anew_and_not_the_whole(steps: int, whole: float, result: object) -> None:
    async def main() -> object:
        return await reporting(Deadlines(), steps, whole)

    assert simulate(main) == result


def test_the_whole_counts_models_and_not_people() -> None:
    async def main() -> object:
        deadlines = Deadlines()
        call = asyncio.create_task(late_after(deadlines, 30, whole=110))
        for _ in range(20):
            with deadlines.while_answering():
                await asyncio.sleep(4)  # a model
                with deadlines.while_asking():
                    await asyncio.sleep(1_000)
            await asyncio.sleep(1)
        with deadlines.while_answering():
            return await call

    assert simulate(main) == (20 * 1_000 + 110, "took more than 110 seconds in all")


def test_all_waiting_ends_at_once_with_the_session() -> None:
    async def main() -> object:
        deadlines = Deadlines()
        call = asyncio.create_task(late_after(deadlines, 1_000))
        await asyncio.sleep(1)
        deadlines.expire()
        return (await call)[0]

    assert simulate(main) == 1
