"""Calls that wait for something: until they end they can be interrupted, and the runtime is not idle."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from collections.abc import Set as AbstractSet
from contextlib import suppress
from typing import Any, cast

from symposia.core._runtime._call import Call

NOBODY: AbstractSet[Call] = frozenset()


class Supervisor:
    """Knows every call that is under way, and sees each to its one outcome.

    A call that never waits is over before anybody could ask, so it is never entered here.

    Attributes:
        live: The calls that wait for something, oldest first: stopping does the same in every run of a simulation.
        awake: How many workers are on their feet, with or without a call.

    Args:
        release: Called with each call when it is over, to hand on its turn.
    """

    def __init__(self, release: Callable[[Call], None]) -> None:
        self.live: dict[Call, None] = {}
        self.awake = 0
        self._release = release
        self._idle_waiters: list[tuple[asyncio.Future[None], AbstractSet[Call]]] = []

    async def supervise(self, call: Call, work: Awaitable[Any]) -> Any:
        """Await work that can be interrupted: if it is, its outcome is the reason, whatever became of the work."""
        self.live[call] = None
        call.enlist()
        cause: BaseException | None = None
        try:
            try:
                answer = await work
            except BaseException as error:
                if call.reason is None:
                    raise
                cause = error
            else:
                if call.reason is None:
                    return answer
            finally:
                call.delist()
            await _absorb_cancellation(call, cause)
            raise call.reason from None if isinstance(cause, asyncio.CancelledError) else cause
        finally:
            self._end(call)

    def interrupt_all(self, reason: Callable[[Call], BaseException], besides: AbstractSet[Call] = NOBODY) -> None:
        """Cut every call short, besides some. A call inside another one's task ends with that one."""
        for call in list(self.live):
            if call not in besides and not call.is_inside_its_parents_task:
                call.interrupt(reason(call))

    def is_idle(self, besides: AbstractSet[Call] = NOBODY) -> bool:
        """Whether nothing is under way, besides some calls."""
        return self.awake == 0 and self.live.keys() <= besides

    async def wait_idle(self, besides: AbstractSet[Call] = NOBODY) -> None:
        """Wait until nothing is under way, besides some calls."""
        while not self.is_idle(besides):
            waiter = asyncio.get_running_loop().create_future()
            self._idle_waiters.append((waiter, besides))
            await waiter

    def wake_if_idle(self) -> None:
        """Something ended: tell those who wait for the last thing."""
        for waiter, besides in self._idle_waiters:
            if not waiter.done() and self.is_idle(besides):
                waiter.set_result(None)
        self._idle_waiters = [entry for entry in self._idle_waiters if not entry[0].done()]

    def _end(self, call: Call) -> None:
        """The call has its outcome; it is over when nothing of it goes on."""
        work = call.lingering
        if work is not None and not work.done():
            work.add_done_callback(lambda _: self._end(call))
            return
        self.live.pop(call, None)
        self._release(call)
        self.wake_if_idle()


async def _absorb_cancellation(call: Call, cause: BaseException | None) -> None:
    """Take back the cancellation that interrupted the call, unless somebody else cancelled the task too."""
    if not isinstance(cause, asyncio.CancelledError):
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(0)  # the work ended before the cancellation reached it
    task = cast("asyncio.Task[Any]", asyncio.current_task())
    if task.uncancel() > call.cancelling:
        raise asyncio.CancelledError
