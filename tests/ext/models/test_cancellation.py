import asyncio

import pytest

from symposia.core import CancellationToken
from symposia.ext.models._cancellable_calls import CancellableCalls


async def never() -> None:
    await asyncio.get_running_loop().create_future()


async def test_what_is_awaited_gives_its_result() -> None:
    async def five() -> int:
        return 5

    with CancellableCalls(CancellationToken()) as calls:
        assert await calls.run(five) == 5
    with CancellableCalls(None) as calls:
        assert await calls.run(five) == 5


async def test_a_cancelled_token_leaves_no_mark_on_the_task() -> None:
    token = CancellationToken()
    task = asyncio.current_task()
    assert task is not None
    async with asyncio.timeout(5):
        with CancellableCalls(token) as calls:
            asyncio.get_running_loop().call_soon(token.cancel)
            with pytest.raises(asyncio.CancelledError):
                await calls.run(never)
    assert task.cancelling() == 0


async def test_a_timeout_around_a_wait_is_a_timeout() -> None:
    with CancellableCalls(CancellationToken()) as calls, pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await calls.run(never)


async def test_token_and_task_cancelled_together_leave_the_task_cancelled() -> None:
    token = CancellationToken()

    async def wait() -> None:
        with CancellableCalls(token) as calls:
            await calls.run(never)

    task = asyncio.create_task(wait())
    await asyncio.sleep(0)
    token.cancel()
    task.cancel()
    async with asyncio.timeout(5):
        await asyncio.wait([task])
    assert task.cancelled()


async def test_nothing_is_started_once_the_token_is_cancelled() -> None:
    token = CancellationToken()
    token.cancel()
    with CancellableCalls(token) as calls, pytest.raises(asyncio.CancelledError):
        await calls.run(lambda: pytest.fail("started"))


async def test_a_token_that_outlives_the_wait_can_be_cancelled_later() -> None:
    token = CancellationToken()
    with CancellableCalls(token):
        pass
    token.cancel()
    await asyncio.sleep(0)
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0
