"""An event loop with a clock and an order of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Generator
from concurrent.futures import Executor, Future
from contextvars import Context
from itertools import count
from random import Random
from typing import Any, NoReturn, TypeVar

from symposia.core.exceptions import SimulationBoundaryError, SimulationStuckError
from symposia.testing.simulation._schedule import STRAYS, Kind, ReadyQueue, Timers
from symposia.testing.simulation._threads import Threads
from symposia.testing.simulation._waiting import who_waits

T = TypeVar("T")
LoopT = TypeVar("LoopT", bound=asyncio.AbstractEventLoop)

MAX_STEPS = 1_000_000
"""How many steps a simulation may take: some seconds. Tests take thousands; more is a loop that never ends."""

BUSY_STEPS = 1_000
"""After so many steps that only let others run, a task is polling: time passes, as it would on a real loop."""


REFUSED = {
    "a network connection": (
        "create_connection",
        "create_datagram_endpoint",
        "create_server",
        "create_unix_connection",
        "create_unix_server",
        "connect_accepted_socket",
        "getaddrinfo",
        "getnameinfo",
        "sendfile",
        "start_tls",
        "sock_accept",
        "sock_connect",
        "sock_recv",
        "sock_recv_into",
        "sock_recvfrom",
        "sock_recvfrom_into",
        "sock_sendall",
        "sock_sendfile",
        "sock_sendto",
    ),
    "a file descriptor": ("add_reader", "add_writer", "remove_reader", "remove_writer"),
    "a pipe": ("connect_read_pipe", "connect_write_pipe"),
    "a subprocess": ("subprocess_exec", "subprocess_shell"),
    "a signal": ("add_signal_handler", "remove_signal_handler"),
}


def without_the_outside(cls: type[LoopT]) -> type[LoopT]:
    """Make every method of a loop that leaves the simulation raise an error.

    Loops of this module have no selector, so those methods could only fail in ways that are hard to understand.
    """
    for what, methods in REFUSED.items():
        for method in methods:
            setattr(cls, method, _refuse(method, what))
    return cls


def _refuse(method: str, what: str) -> Callable[..., NoReturn]:
    def refuse(*_args: object, **_options: object) -> NoReturn:
        raise SimulationBoundaryError(
            f"loop.{method}() needs {what}, which a simulation cannot control. Give the code under test a stand-in "
            "that lives in memory, or run this test on a real event loop."
        )

    return refuse


@without_the_outside
class SimulationLoop(asyncio.BaseEventLoop):
    """An event loop in which the seed decides the order, and time passes only when nothing else is left to do.

    `loop.time()` starts at 0 and jumps to the next timer as soon as nothing is ready. The same seed runs the same
    program in the same order. Seed 0 is asyncio's own order. The order that other seeds may choose is described in the
    guide's page on simulation.

    Worker threads (`run_in_executor`, `asyncio.to_thread`) are real; the loop waits for them while virtual time stands
    still. Sockets, pipes, subprocesses and signals are refused with `SimulationBoundaryError`.

    Args:
        seed: Which of the many possible orders this is.
        max_steps: The largest number of callbacks and steps of tasks.

    Attributes:
        seed: The same.
    """

    def __init__(self, seed: int, *, max_steps: int = MAX_STEPS) -> None:
        super().__init__()
        self.seed = seed
        random = Random(seed)  # noqa: S311 - it plays, it keeps no secret
        stray = 0.0 if seed == 0 else random.choice(STRAYS)
        self._random = random
        self._stray = stray
        self._queue = ReadyQueue(random, stray)
        self._timers = Timers(random if stray else None)
        self._threads = Threads(lambda callback: self._queue.append(Kind.CALLBACK, callback))
        self._home = threading.get_ident()
        self._now = 0.0
        self._max_steps = max_steps
        self._steps = 0
        self._pauses = 0
        self._is_starting = False
        self._numbers = count(1)
        self._task_numbers = count(1)

    def __repr__(self) -> str:
        return f"<SimulationLoop seed={self.seed} time={self._now:g} steps={self._steps}>"

    def time(self) -> float:
        """Virtual seconds since the loop was made."""
        return self._now

    # Any, in the signatures below: they are those of `asyncio.AbstractEventLoop`, as typeshed has them.

    def create_future(self) -> asyncio.Future[Any]:
        return NumberedFuture(next(self._numbers), loop=self)

    def create_task(  # type: ignore[override]  # typeshed lists the options, which grow with Python's versions
        self, coro: Generator[Any, None, T] | Coroutine[Any, Any, T], **options: Any
    ) -> asyncio.Task[T]:
        self._check_closed()
        # A task's constructor schedules its first step by `call_soon`, where nothing tells it from later steps.
        self._is_starting = True
        try:
            if self.get_task_factory() is not None:
                return super().create_task(coro, **options)
            return NumberedTask(next(self._task_numbers), coro, loop=self, **options)
        finally:
            self._is_starting = False

    def call_soon(self, callback: Callable[..., Any], *args: Any, context: Context | None = None) -> asyncio.Handle:
        self._check_closed()
        handle = asyncio.Handle(callback, args, self, context)
        self._queue.append(self._kind_of(callback), handle)
        return handle

    def call_at(
        self, when: float, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        self._check_closed()
        timer = asyncio.TimerHandle(when, callback, args, self, context)
        self._timers.push(timer)
        return timer

    def call_soon_threadsafe(
        self, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        if threading.get_ident() == self._home:
            return self.call_soon(callback, *args, context=context)
        self._check_closed()
        handle = asyncio.Handle(callback, args, self, context)
        self._threads.schedule(handle)
        return handle

    def run_in_executor(  # type: ignore[override]  # typeshed's signature needs TypeVarTuple
        self, executor: Executor | None, func: Callable[..., T], *args: Any
    ) -> asyncio.Future[T]:
        """Call a function in a worker thread, as one step of the simulation, whose time the seed chooses."""
        self._check_closed()
        # Not started at once: then the order in which threads begin would be that of the calls, whatever the seed.
        job: Future[T] = Future()
        handle = asyncio.Handle(self._threads.run, (executor, job, func, args), self, None)
        self._queue.append(Kind.WAKE, handle)
        return asyncio.wrap_future(job, loop=self)

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:
        """Do nothing: the worker threads end when the loop is closed."""

    def close(self) -> None:
        self._queue.clear()
        self._timers.clear()
        self._threads.close()
        super().close()

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """Called by a timer that is cancelled; it is passed over when its time comes."""

    def _run_once(self) -> None:
        """Run one callback, or one step of a task. The base class calls this until it is stopped."""
        while not self._queue:
            self._wait()
        # Of the timers that are due the seed may have left some behind, to fire some steps after the others.
        self._admit_due()
        self._count_step()
        kind, handle = self._queue.pop()
        self._pauses = self._pauses + 1 if kind is Kind.PAUSE else 0
        if self._pauses > BUSY_STEPS:
            self._let_time_pass()
        if not handle.cancelled():
            handle._run()  # noqa: SLF001 - how an event loop runs a handle

    def _kind_of(self, callback: Callable[..., Any]) -> Kind:
        task = getattr(callback, "__self__", None)
        if not isinstance(task, asyncio.Task) or hasattr(asyncio.Task, getattr(callback, "__name__", "")):
            return Kind.CALLBACK
        if self._is_starting:
            return Kind.START
        return Kind.PAUSE if asyncio.current_task(self) is task else Kind.WAKE

    def _wait(self) -> None:
        """Nothing is ready: let whatever comes next become ready.

        Threads come before timers, since a thread that computes takes no virtual time. A thread that has scheduled a
        callback and goes on may wait for what a timer does, so then the timer comes first.
        """
        if self._threads.accept_before_time_passes():
            return
        if self._let_time_pass():
            return
        if self._threads.at_work:
            self._threads.accept_for_ever()
            return
        raise SimulationStuckError(
            f"Nothing can run any more: every task waits, and no timer is set (seed {self.seed}, "
            f"{self._now:g} virtual seconds).\n{who_waits(self)}"
        )

    def _let_time_pass(self) -> bool:
        """Jump to the next timer, if there is one."""
        self._pauses = 0
        timer = self._timers.first()
        if timer is None:
            return False
        self._now = max(self._now, timer.when())
        self._admit_due()
        return True

    def _admit_due(self) -> None:
        """Let timers that are due fire: in asyncio's order all of them now, else now or some steps later."""
        while (timer := self._timers.due(self._now)) is not None:
            if self._queue and self._stray and self._random.random() < 0.5:  # noqa: PLR2004 - a coin
                return
            self._timers.pop()
            self._queue.append(Kind.CALLBACK, timer)

    def _count_step(self) -> None:
        self._steps += 1
        if self._steps > self._max_steps:
            self._steps = 0  # or the tasks that are cancelled now could not end
            raise SimulationStuckError(
                f"The simulation did not end within {self._max_steps} steps (seed {self.seed}, {self._now:g} virtual "
                f"seconds).\n{who_waits(self)}"
            )

    def _check_closed(self) -> None:
        if self.is_closed():
            raise RuntimeError("Event loop is closed")


class NumberedTask(asyncio.Task[T]):
    """A task with a number, which also names it, and is its hash.

    asyncio and programs keep tasks and futures in sets, and go through them: `wait`, task groups, `asyncio.all_tasks`.
    Objects are hashed by their addresses, so the order would differ from run to run under the same seed.
    """

    def __init__(
        self,
        number: int,
        coro: Generator[Any, None, T] | Coroutine[Any, Any, T],
        *,
        loop: asyncio.AbstractEventLoop,
        name: str | None = None,
        **options: Any,  # further parameters of this Python's tasks: `context`, later `eager_start`
    ) -> None:
        self.number = number  # set first: asyncio puts the task into a set while it is being made
        super().__init__(coro, loop=loop, name=name or f"Task-{number}", **options)

    def __hash__(self) -> int:
        return self.number


class NumberedFuture(asyncio.Future[T]):
    """A future with a number as its hash: see `NumberedTask`."""

    def __init__(self, number: int, *, loop: asyncio.AbstractEventLoop) -> None:
        self.number = number
        super().__init__(loop=loop)

    def __hash__(self) -> int:
        return self.number
