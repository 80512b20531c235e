"""The event loop that a runtime lives in.

Handlers, mailboxes and futures belong to one loop and its thread. A call from another thread's loop runs in
this one. (Refusing it would be simpler, but a runtime is often shared with a thread that has a loop of its own, such as
a web server's. A lock around everything would cost each message, and would not help: a future of one loop cannot be
awaited in another.)
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Coroutine
from threading import get_ident
from types import CoroutineType
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

T = TypeVar("T")
P = ParamSpec("P")


class HomeLoop:
    """The event loop that a runtime lives in: the first one that uses it, until that one has stopped.

    Attributes:
        loop: The loop; None before its first use.
        thread: The thread in which it runs.
    """

    def __init__(self) -> None:
        self.loop: asyncio.AbstractEventLoop | None = None
        self.thread: int | None = None

    def from_elsewhere(self) -> asyncio.AbstractEventLoop | None:
        """The runtime's loop, if it is not the one that runs here.

        Asked for each message, unless the caller is in `thread`: asking for the running loop takes four times as long.
        """
        here = running_loop()
        if here is None or here is self.loop:
            return None
        if self.loop is None or not self.loop.is_running():
            self.loop, self.thread = here, get_ident()
            return None
        return self.loop


async def run_in(loop: asyncio.AbstractEventLoop, work: Coroutine[object, None, T]) -> T:
    """Await work in the event loop of another thread. Cancelling the caller cancels it."""
    return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, loop))


class LivesInLoop(Protocol):
    """What `in_home_loop` needs of a runtime."""

    _home: HomeLoop


RuntimeT = TypeVar("RuntimeT", bound=LivesInLoop)


def in_home_loop(
    method: Callable[Concatenate[RuntimeT, P], CoroutineType[Any, Any, T]],
) -> Callable[Concatenate[RuntimeT, P], CoroutineType[Any, Any, T]]:
    """Let a method of a runtime run in the runtime's own loop, wherever it is called."""

    @functools.wraps(method)
    async def call(runtime: RuntimeT, *args: P.args, **kwargs: P.kwargs) -> T:
        home = runtime._home.from_elsewhere()  # noqa: SLF001 - a decorator of that class's methods  # pyright: ignore[reportPrivateUsage]
        work = method(runtime, *args, **kwargs)
        return await (work if home is None else run_in(home, work))

    return call


def running_loop() -> asyncio.AbstractEventLoop | None:
    """The loop that runs in this thread, if one does."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
