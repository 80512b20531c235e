"""How a wrapper waits: for a synchronous caller, or in an event loop. All else is written once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any, Protocol, TypeVar

from symposia.v02._background_loop import run_in_background
from symposia.v02._plain import call_in_thread

T = TypeVar("T")


class Form(Protocol):
    """What is awaited by a wrapper."""

    async def call(self, function: Callable[[], T]) -> T:
        """Call a function that may block."""
        ...

    async def wait(self, make_coroutine: Callable[[], Coroutine[Any, Any, T]]) -> T:  # Any: what no caller sees
        """Run a coroutine."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Let time pass."""
        ...


class SyncForm:
    """In the thread of the caller. No method suspends."""

    async def call(self, function: Callable[[], T]) -> T:
        return function()

    async def wait(self, make_coroutine: Callable[[], Coroutine[Any, Any, T]]) -> T:
        return run_in_background(make_coroutine)

    async def sleep(self, seconds: float) -> None:
        time.sleep(seconds)  # noqa: ASYNC251 - the thread is the caller's


class AsyncForm:
    """In the running loop, which nothing blocks."""

    async def call(self, function: Callable[[], T]) -> T:
        return await call_in_thread(function)

    async def wait(self, make_coroutine: Callable[[], Coroutine[Any, Any, T]]) -> T:
        return await make_coroutine()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
