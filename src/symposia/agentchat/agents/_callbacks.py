"""Calling functions of the application that ask a person: plain ones in a thread, coroutine functions right here."""

import inspect
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, cast

from symposia.core import run_in_worker_thread

T = TypeVar("T")


# Any: the arguments are the application's own business.
async def call_back(function: Callable[..., T | Awaitable[T]], *arguments: Any) -> T:
    """Call `function` without blocking the event loop, and await what it returns if it can be awaited."""
    if inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(type(function).__call__):
        answer = function(*arguments)
    else:
        answer = await run_in_worker_thread(function, *arguments)
    return await cast("Awaitable[T]", answer) if inspect.isawaitable(answer) else cast("T", answer)


def takes_arguments(function: Callable[..., object], count: int) -> bool:
    """Whether `function` can be called with this many positional arguments."""
    try:
        inspect.signature(function).bind(*range(count))
    except (TypeError, ValueError):  # it takes another number; or, being built in, does not say
        return False
    return True
