"""Coroutines while the interpreter exits: they need no pool of threads, and where no thread starts, no other thread.

Pools of threads take no more functions once the main thread has ended, and until Python 3.12.2 no thread starts then.
Other threads still hold chats, and functions of `atexit` end sandboxes and run code.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from threading import Thread
from typing import Any, ParamSpec, TypeVar

from typing_extensions import override

from symposia.v02._plain import call_for_future

P = ParamSpec("P")
T = TypeVar("T")


def run_in_this_thread(make_coroutine: Callable[[], Coroutine[Any, Any, T]]) -> T:  # Any: what no caller sees
    """Run a coroutine in a new event loop, also inside a running one, and wait for it.

    Raises:
        BaseException: The coroutine's error.
    """

    async def run() -> T:
        return await make_coroutine()

    outer = asyncio._get_running_loop()  # noqa: SLF001 - of this thread, if it has one
    asyncio._set_running_loop(None)  # noqa: SLF001 - else asyncio refuses to run a loop inside another
    loop = asyncio.new_event_loop()
    loop.set_default_executor(DaemonThreads())
    try:
        return loop.run_until_complete(run())
    finally:
        try:
            end_tasks(loop)
        finally:
            loop.close()
            asyncio._set_running_loop(outer)  # noqa: SLF001 - see above


def end_tasks(loop: asyncio.AbstractEventLoop) -> None:
    """Cancel what is left in a loop that was stopped, and wait for its end."""
    loop.run_until_complete(_cancel_all())
    loop.run_until_complete(loop.shutdown_asyncgens())


async def _cancel_all() -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


class DaemonThreads(ThreadPoolExecutor):
    """Calls each function in a thread of its own, or at once where none starts.

    The base class is the only one that event loops take.
    """

    @override
    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        future: Future[T] = Future()
        call = partial(_settle, future, partial(fn, *args, **kwargs))
        try:
            Thread(target=call, name="symposia-background-function", daemon=True).start()
        except RuntimeError:
            call()
        return future


def _settle(future: Future[T], function: Callable[[], T]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        future.set_result(call_for_future(function))
    except BaseException as error:  # noqa: BLE001 - raised in the coroutine
        future.set_exception(error)
