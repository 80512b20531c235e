import asyncio
import gc
import threading
import weakref

import pytest
from tests.support.agents import WAIT

from symposia.core import CancellationToken, cancel_and_wait, uninterrupted


async def test_cancelling_calls_back_and_cancels_linked_futures() -> None:
    token = CancellationToken()
    called: list[str] = []
    token.add_callback(lambda: called.append("back"))
    future = token.link_future(asyncio.get_running_loop().create_future())
    token.cancel()
    assert (called, future.cancelled(), token.is_cancelled()) == (["back"], True, True)


async def test_what_is_linked_to_a_cancelled_token_is_cancelled_at_once() -> None:
    token = CancellationToken()
    token.cancel()
    called: list[str] = []
    token.add_callback(lambda: called.append("back"))
    assert token.link_future(asyncio.get_running_loop().create_future()).cancelled()
    assert called == ["back"]


def test_f17_a_callback_may_ask_whether_its_token_is_cancelled() -> None:
    token = CancellationToken()
    answers: list[bool] = []
    token.add_callback(lambda: answers.append(token.is_cancelled()))
    token.cancel()
    assert answers == [True]


async def test_f10_a_token_forgets_futures_that_are_done() -> None:
    token = CancellationToken()

    class Result:
        pass

    def finish_one() -> "weakref.ref[Result]":
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        result = Result()
        token.link_future(future).set_result(result)
        return weakref.ref(result)

    results = [finish_one() for _ in range(1000)]
    await asyncio.sleep(0)
    gc.collect()
    assert not [each for each in results if each() is not None]


def test_every_callback_is_called_even_if_one_raises() -> None:
    def fail() -> None:
        raise KeyError

    token = CancellationToken()
    called: list[str] = []
    token.add_callback(fail)
    token.add_callback(lambda: called.append("back"))
    with pytest.raises(ExceptionGroup) as raised:
        token.cancel()
    assert called == ["back"]
    assert [type(error) for error in raised.value.exceptions] == [KeyError]


def test_cancelling_twice_calls_back_once() -> None:
    token = CancellationToken()
    called: list[str] = []
    token.add_callback(lambda: called.append("back"))
    token.cancel()
    token.cancel()
    assert called == ["back"]


async def test_a_future_is_cancelled_on_its_own_loop_whatever_thread_cancels_the_token() -> None:
    token = CancellationToken()
    future = token.link_future(asyncio.get_running_loop().create_future())
    await asyncio.to_thread(token.cancel)
    async with asyncio.timeout(WAIT):
        with pytest.raises(asyncio.CancelledError):
            await future


def test_a_future_of_a_loop_that_is_closed_is_left_alone() -> None:
    token = CancellationToken()
    loop = asyncio.new_event_loop()
    future = token.link_future(loop.create_future())
    loop.close()
    token.cancel()
    assert not future.done()


@pytest.mark.parametrize("_attempt", range(100))
def test_a_callback_that_is_linked_while_another_thread_cancels_is_called_once(_attempt: int) -> None:
    token = CancellationToken()
    calls: list[int] = []
    start = threading.Barrier(3)

    def link(numbers: range) -> None:
        start.wait(WAIT)
        for number in numbers:
            token.add_callback(lambda number=number: calls.append(number))

    threads = [threading.Thread(target=link, args=(numbers,)) for numbers in (range(100), range(100, 200))]
    for thread in threads:
        thread.start()
    start.wait(WAIT)
    token.cancel()
    for thread in threads:
        thread.join(WAIT)
    assert sorted(calls) == [*range(200)]


async def test_uninterrupted_work_ends_however_often_its_caller_is_cancelled() -> None:
    begun, may_end, ended = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def work() -> None:
        begun.set()
        await may_end.wait()
        ended.set()

    async with asyncio.timeout(WAIT):
        caller = asyncio.create_task(uninterrupted(work()))
        await begun.wait()
        for _ in range(3):
            caller.cancel()
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        assert not caller.done()
        may_end.set()
        with pytest.raises(asyncio.CancelledError):
            await caller
    assert ended.is_set()


async def test_uninterrupted_work_gives_its_result_and_its_error() -> None:
    async def work(result: int) -> float:
        return 1 / result

    assert await uninterrupted(work(2)) == 0.5
    with pytest.raises(ZeroDivisionError):
        await uninterrupted(work(0))


async def test_the_error_of_uninterrupted_work_is_the_cause_of_the_cancellation() -> None:
    begun = asyncio.Event()

    async def work() -> None:
        begun.set()
        await asyncio.sleep(0)
        raise LookupError("lost")

    caller = asyncio.create_task(uninterrupted(work()))
    await begun.wait()
    caller.cancel()
    with pytest.raises(asyncio.CancelledError) as raised:
        await caller
    assert isinstance(raised.value.__cause__, LookupError)


async def test_tasks_that_are_cancelled_are_awaited_however_often_their_caller_is_cancelled() -> None:
    cleaning, may_end = asyncio.Event(), asyncio.Event()
    reported: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: reported.append(context))

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cleaning.set()
            await may_end.wait()
            raise LookupError("lost")

    async with asyncio.timeout(WAIT):
        task = asyncio.create_task(work())
        await asyncio.sleep(0)
        caller = asyncio.create_task(cancel_and_wait(task))
        await cleaning.wait()
        for _ in range(3):
            caller.cancel()
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        assert not caller.done()
        may_end.set()
        with pytest.raises(asyncio.CancelledError):
            await caller
    assert task.done()
    del task
    gc.collect()
    assert not reported
