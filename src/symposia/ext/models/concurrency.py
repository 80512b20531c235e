"""A client of which only so many calls run at the same time."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Final

from symposia.core import CancellationToken, cancelled_by
from symposia.core.argument_checks import check_count
from symposia.core.exceptions import InvalidArgumentError
from symposia.core.models import ChatCompletionClient, CreateResult
from symposia.ext.models._fair_queue import FairQueue, current_caller
from symposia.ext.models._shared import SharedByName
from symposia.ext.models.wrappers import ModelCall, ModelClientWrapper

__all__ = ["ConcurrencyLimitedClient"]


class ConcurrencyLimitedClient(ModelClientWrapper):
    """Lets a number of calls run at the same time; the others wait.

    For a server that slows down or fails under more, such as a model on this machine. Callers take turns: see
    `FairQueue`. A call takes its place until its answer is complete, or its stream is closed. A stream whose consumer
    makes another call through the same limit needs two places.

    Args:
        client: The client to ask.
        max_concurrent: Calls at the same time.
        name: Clients with the same name share one limit in this process; None for a limit of its own.
        priority: Calls of a higher priority go first.

    Raises:
        ArgumentTypeError: `client` is not a client, or a number is no integer.
        InvalidArgumentError: `max_concurrent` is less than 1, or another client has this name and another number.
    """

    def __init__(
        self, client: ChatCompletionClient, max_concurrent: int, *, name: str | None = None, priority: int = 0
    ) -> None:
        super().__init__(client)
        check_count("max_concurrent", type(self).__name__, max_concurrent)
        check_count("priority", type(self).__name__, priority)
        if max_concurrent < 1:
            raise InvalidArgumentError(f"max_concurrent is {max_concurrent!r}: give at least 1.")
        self._priority = priority
        self._places = _shared.get(name or object(), max_concurrent, lambda: Places(max_concurrent))

    async def answer(self, call: ModelCall) -> AsyncGenerator[str | CreateResult, None]:
        """See `ModelClientWrapper.answer`."""
        places = self._places.value
        await places.acquire(self._priority, call.token)
        try:
            async with aclosing(call.ask(self._client)) as items:
                async for item in items:
                    yield item
        finally:
            places.release()


class Places:
    """A semaphore whose waiting callers take turns, for tasks of any event loop.

    `asyncio.Semaphore` was rejected: it belongs to one loop, and serves first in, first out, so that one agent with
    many calls holds up all others.

    Args:
        number: How many may hold a place.
    """

    def __init__(self, number: int) -> None:
        self._free = number
        self._lock = threading.Lock()
        self._waiting: FairQueue[_Waiter] = FairQueue()

    async def acquire(self, priority: int, token: CancellationToken | None) -> None:
        """Wait for a place, which has to be released.

        Raises:
            asyncio.CancelledError: The token or the task was cancelled; no place is held.
        """
        if token is not None and token.is_cancelled():
            raise asyncio.CancelledError
        with self._lock:
            if self._free > 0:  # then no call waits: a place that becomes free goes to the next in line
                self._free -= 1
                return
            waiter = _Waiter(asyncio.get_running_loop())
            self._waiting.push(waiter, current_caller(), priority)
        try:
            with cancelled_by(token):
                await waiter.turn
        except asyncio.CancelledError:
            # Decided under the lock: the place may have been given away to this call at the very moment in which it was
            # cancelled, in this thread or in another, and would be lost.
            with self._lock:
                was_waiting = self._waiting.remove(waiter)
            if not was_waiting:
                self.release()
            raise

    def release(self) -> None:
        """Give the place to the next in line."""
        with self._lock:
            while self._waiting:
                if self._waiting.pop().wake():
                    return
            self._free += 1


class _Waiter:
    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.turn: asyncio.Future[None] = loop.create_future()

    def wake(self) -> bool:
        """Tell the waiting task, on its own loop.

        Returns:
            False if that loop is closed, so that its task will never run again.
        """
        try:
            self._loop.call_soon_threadsafe(self._grant)
        except RuntimeError:
            return False
        return True

    def _grant(self) -> None:
        if not self.turn.done():  # its task may have been cancelled in the meantime, and gives the place back
            self.turn.set_result(None)


_shared: Final[SharedByName[Places]] = SharedByName("concurrency limit")
