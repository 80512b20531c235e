"""Calls that wait for something: until they end they can be interrupted, and the runtime is not idle.

A call is interrupted by cancelling the task in which it runs, which is its caller's. So the cancellation must not go on
into the caller: it is taken back (`uncancel`) where the call ends, and the reason is raised in its place. A task of its
own for each call would keep the two apart, at ten times the price; a flag that handlers poll would not reach what they
await. A call inside another one's task is not cancelled twice: it ends with the outer one.

Idle is what remains when everything has ended but the handlers that wait for just that, and what waits for them.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterator
from contextlib import suppress
from contextvars import Context
from functools import partial
from typing import cast

from symposia.core._agent_id import AgentId
from symposia.core._runtime._home_loop import running_loop
from symposia.core._runtime._mailbox import Call
from symposia.core._runtime._wait_graph import FIRST_LOOK, LAST_LOOK, WaitGraph, calls_behind
from symposia.core.runtimes import DeadLetters, deadline_exceeded, stopped_before_answer


class Supervisor:
    """Keeps every call that is under way, and settles each once.

    A call that never waits is over before anything could ask for it, so it is never entered here.

    Attributes:
        live: The calls that wait for something, oldest first: stopping does the same in every run of a simulation.
        held: Those among them that wait for the start of the runtime; they do not keep the runtime from being idle.
        idle_waiting_calls: Those among them that themselves wait for the runtime to be idle, and how often.
        awake: How many workers run, with or without a call.
        when_idle: Called once, as soon as the runtime is idle.
        dead_letters: Takes the messages without a recipient.
        waits: The wait graph of the calls.
        release: Passes on the turn of a call that has ended.
    """

    def __init__(self, dead_letters: DeadLetters, release: Callable[[Call], None]) -> None:
        self.live: dict[Call, None] = {}
        self.held: set[Call] = set()
        self.idle_waiting_calls: Counter[Call] = Counter()
        self.awake = 0
        self.when_idle: Callable[[], None] | None = None
        self.dead_letters = dead_letters
        self.waits = WaitGraph()
        self.release = release
        self._tasks: set[asyncio.Task[None]] = set()
        self._idle_waiters: dict[asyncio.Future[None], None] = {}

    async def supervise(self, call: Call, work: Awaitable[object]) -> object:
        """Await work that can be interrupted: if it is, its outcome is the reason, whatever became of the work.

        The work may end by itself in the very step in which it is interrupted. Then too the reason wins: the one who
        interrupts (a deadline, a token, a stop) has acted on it, and there is one outcome.
        """
        self.live[call] = None
        _enlist(call)
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
                # Before anything else: a timer or a token that fires from here on would cancel the task in the middle
                # of the caller, which knows nothing of this call's deadline.
                _delist(call)
            await _absorb_cancellation(call, cause)
            raise call.reason from None if isinstance(cause, asyncio.CancelledError) else cause
        finally:
            # An error refers to this frame by its traceback. If the frame or the call referred to the error, the frames
            # of the handler, and with them its message, would stay until the garbage collector finds the circle.
            cause = call.reason = None
            self._end(call)

    def start(self, work: Coroutine[object, None, None]) -> None:
        """Run something in a task of its own, which is kept until it ends."""
        # In an empty context: by default a task takes a copy of the present one. A worker would keep alive what the
        # variables of the first publisher hold, and make agents under that one's deadline, scope and trace.
        task = asyncio.get_running_loop().create_task(work, context=Context())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def interrupt_all(self, here: Collection[Call]) -> None:
        """The runtime stops: interrupt every call but those `here`, and others that wait for the runtime to be idle.

        A call inside another one's task ends with that one.
        """
        for call in list(self.live):
            if call not in here and call not in self.idle_waiting_calls and not _is_inside_its_parents_task(call):
                _interrupt(call, stopped_before_answer(call.mailbox.id))

    def is_idle(self) -> bool:
        """Whether nothing is under way but what waits for this.

        What can only end after a handler that waits for this is not waited for either: a request that is queued behind
        such a handler, and the handlers that await its answer.
        """
        if self.awake or (len(self.live) > len(self.held) and not self.idle_waiting_calls):
            return False
        if self.live.keys() <= self.held:
            return True
        return self.live.keys() <= calls_behind(self.idle_waiting_calls) | self.held

    async def wait_idle(self, over: Callable[[], bool], here: Collection[Call]) -> None:
        """Wait until `over` holds, which is asked whenever the runtime may be idle.

        Args:
            over: Ends the wait.
            here: The calls whose handlers wait.
        """
        if here:
            self.idle_waiting_calls.update(here)
        self.wake_if_idle()
        try:
            # The end of a call wakes the waiters. That a handler begins to wait for one that waits here ends no call
            # and wakes none, so handlers look again by themselves, at growing intervals.
            pauses = _pauses() if here else None
            while not over():
                await self._wait_until_woken(None if pauses is None else next(pauses, None))
        finally:
            if here:  # seldom, and counters are slow
                self.idle_waiting_calls -= Counter(here)

    def wake_if_idle(self) -> None:
        """Complete a stop and wake the waiters for an idle runtime, if it is idle now."""
        if (self.when_idle is None and not self._idle_waiters) or not self.is_idle():
            return
        # First the stop is completed, then its waiters are woken: they read the phase, and may start the
        # runtime again at once.
        when_idle, self.when_idle = self.when_idle, None
        if when_idle is not None:
            when_idle()
        for waiter in self._idle_waiters:
            if not waiter.done():
                waiter.set_result(None)

    async def _wait_until_woken(self, at_most: float | None) -> None:
        """Wait until the runtime may be idle.

        Args:
            at_most: Seconds. That a handler begins to await another one, behind one that waits for this, is not seen.
        """
        waiter = asyncio.get_running_loop().create_future()
        self._idle_waiters[waiter] = None
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(at_most):
                    await waiter
        finally:
            del self._idle_waiters[waiter]

    def _end(self, call: Call) -> None:
        """Take a settled call out of the live ones and pass on its turn, once none of its work is running."""
        work = call.lingering
        if work is not None and not work.done():
            # A thread cannot be stopped. The caller has its outcome, but the agent is busy: with its turn handed on,
            # two handlers of one agent would run at the same time.
            work.add_done_callback(lambda _: self._end(call))
            return
        self.live.pop(call, None)
        self.release(call)
        self.wake_if_idle()


def _enlist(call: Call) -> None:
    """Note the task of a call that has to wait, so that its deadline and its token can interrupt it."""
    task = call.task = cast("asyncio.Task[object]", asyncio.current_task())
    call.cancelling = task.cancelling()  # to tell other requests to cancel the task from this call's own
    parent = call.parent
    if parent is not None:
        if parent.children is None:
            parent.children = {}
        parent.children[call] = None
    # An inherited deadline has no timer of its own. Two timers of one moment fire in any order, and the error of the
    # outer call, which names all agents that were waited for, must be the one that is raised.
    if call.deadline is not None and (parent is None or parent.deadline != call.deadline):
        call.timer = task.get_loop().call_at(call.deadline, _expire, call)
    if call.token is not None:
        call.token.link(call, partial(_cancel, call))


def _delist(call: Call) -> None:
    """Mark a call as ended, and detach its task, its deadline and its token."""
    call.task = None
    call.ended = True
    if call.parent is not None and call.parent.children is not None:
        call.parent.children.pop(call, None)
    if call.timer is not None:
        call.timer.cancel()
    if call.token is not None:
        call.token.unlink(call)


def _interrupt(call: Call, reason: BaseException) -> None:
    """Interrupt a call. Its caller receives `reason`; only the first reason counts."""
    # Without a task it has not begun to wait, or is over already: then there is nothing to cancel, and the task that it
    # ran in does something else by now.
    if call.reason is None and call.task is not None:
        call.reason = reason
        call.interrupted = True
        call.task.cancel()


def _expire(call: Call) -> None:
    """Interrupt a call for its deadline."""
    _interrupt(call, deadline_exceeded(call.mailbox.id, _waits_for(call)))


def _cancel(call: Call) -> None:
    """Interrupt a call for its token, which may be cancelled in any thread."""
    task = call.task  # read once: the call may end in its own thread between two questions
    if task is None:
        return
    loop = task.get_loop()
    if running_loop() is loop:
        _interrupt(call, asyncio.CancelledError())
    else:
        loop.call_soon_threadsafe(_interrupt, call, asyncio.CancelledError())


def _waits_for(call: Call) -> list[AgentId]:
    """The agents that wait for each other's answers, from that of a call down."""
    call, below = call.passed_on or call, list[AgentId]()
    while call.children:
        call = next(reversed(call.children))
        below.append(call.mailbox.id)
    return below


def _is_inside_its_parents_task(call: Call) -> bool:
    """Whether another call of the same runtime has this one in its task, and ends it by ending."""
    parent = call.parent
    return parent is not None and parent.task is call.task and parent.supervisor is call.supervisor


def _pauses() -> Iterator[float]:
    pause = FIRST_LOOK
    while pause <= LAST_LOOK:
        yield pause
        pause *= 2


async def _absorb_cancellation(call: Call, cause: BaseException | None) -> None:
    """Take back the cancellation that interrupted the call, unless the task was cancelled from elsewhere too."""
    if not isinstance(cause, asyncio.CancelledError):
        # The work ended before the cancellation reached it. asyncio keeps such a request and raises it at the task's
        # next wait, wherever that is in the caller. This is that wait.
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(0)
    task = cast("asyncio.Task[object]", asyncio.current_task())
    # `_enlist` has noted how many requests to cancel the task had by then. One more is this call's own; if there are
    # others, someone wants the caller itself to end, and that goes first.
    if task.uncancel() > call.cancelling:
        raise asyncio.CancelledError
