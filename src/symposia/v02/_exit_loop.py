"""Coroutines while the interpreter exits: they run in the thread of the caller, and need no other one.

At the exit, pools of threads take no more functions, and from Python 3.12 on no thread starts. Functions of `atexit`
still end sandboxes and run code, so here an event loop calls in its own thread what a coroutine would have called in
another.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
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
    loop.set_default_executor(_ThisThread())
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


class _ThisThread(ThreadPoolExecutor):
    """Calls functions at once. Event loops take no executor of another class."""

    @override
    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        future: Future[T] = Future()
        try:
            future.set_result(call_for_future(partial(fn, *args, **kwargs)))
        except Exception as error:  # noqa: BLE001 - raised in the coroutine
            future.set_exception(error)
        return future
