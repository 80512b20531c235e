"""How the two forms wait: the plain one in the thread of its caller, the asynchronous one in the running event loop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any, ClassVar, Final, Protocol, TypeVar

from symposia.v02._background_loop import run_in_background
from symposia.v02._plain import call_in_thread

T = TypeVar("T")


class Waiting(Protocol):
    """Waits for what takes time. No method of the plain form suspends.

    Attributes:
        is_async: Whether coroutine functions can be awaited.
    """

    is_async: ClassVar[bool]

    async def in_thread(self, function: Callable[..., T], *args: object) -> T:
        """Call a plain function that may take long; the asynchronous form calls it in a thread."""
        ...

    async def run(self, make_coroutine: Callable[[], Coroutine[Any, Any, T]]) -> T:  # Any: what no caller sees
        """Run a coroutine; the plain form runs it in the loop of another thread."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Let time pass."""
        ...


class PlainWaiting:
    """Waits in the thread of the caller."""

    is_async: ClassVar[bool] = False

    async def in_thread(self, function: Callable[..., T], *args: object) -> T:
        return function(*args)

    async def run(self, make_coroutine: Callable[[], Coroutine[Any, Any, T]]) -> T:
        return run_in_background(make_coroutine)

    async def sleep(self, seconds: float) -> None:
        time.sleep(seconds)  # noqa: ASYNC251 - the thread is the caller's


class AsyncWaiting:
    """Waits in the running loop, which nothing blocks."""

    is_async: ClassVar[bool] = True

    async def in_thread(self, function: Callable[..., T], *args: object) -> T:
        return await call_in_thread(function, *args)

    async def run(self, make_coroutine: Callable[[], Coroutine[Any, Any, T]]) -> T:
        return await make_coroutine()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


PLAIN: Final[Waiting] = PlainWaiting()
ASYNC: Final[Waiting] = AsyncWaiting()
