"""Calling functions of the application that ask a person: plain ones in a thread, coroutine functions right here."""

import asyncio
import concurrent.futures
import inspect
import threading
from collections.abc import Awaitable, Callable
from contextvars import copy_context
from typing import Any, TypeVar, cast

T = TypeVar("T")


# Any: the arguments are the application's own business.
async def call_back(function: Callable[..., T | Awaitable[T]], *arguments: Any) -> T:
    """Call `function` without blocking the event loop, and await what it returns if it can be awaited."""
    if inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(type(function).__call__):
        answer = function(*arguments)
    else:
        answer = await _in_daemon_thread(function, *arguments)
    return await cast("Awaitable[T]", answer) if inspect.isawaitable(answer) else cast("T", answer)


def takes_arguments(function: Callable[..., object], count: int) -> bool:
    """Whether `function` can be called with this many positional arguments."""
    try:
        inspect.signature(function).bind(*range(count))
    except (TypeError, ValueError):  # it takes another number; or, being built in, does not say
        return False
    return True


async def _in_daemon_thread(function: Callable[..., T], *arguments: Any) -> T:
    """Call a plain function with this context's variables, in a thread that does not keep the process alive.

    A person who never answers a question that was cancelled would hold up the program's end in a thread of the event
    loop's pool, which is waited for.
    """
    outcome: concurrent.futures.Future[T] = concurrent.futures.Future()
    outcome.set_running_or_notify_cancel()
    context = copy_context()

    def work() -> None:
        try:
            outcome.set_result(context.run(function, *arguments))
        except BaseException as error:  # noqa: BLE001 - raised again where it is awaited
            outcome.set_exception(error)

    threading.Thread(target=work, daemon=True).start()
    return await asyncio.wrap_future(outcome)
