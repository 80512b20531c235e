"""The life of a runtime: what it does with messages in each phase, and the event loop in which it lives."""

from __future__ import annotations

import asyncio
import functools
from collections import OrderedDict
from collections.abc import Callable, Coroutine
from enum import Enum, auto
from threading import get_ident
from types import CoroutineType
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from symposia.core._runtime._call import Call, running_loop
from symposia.core._runtime._dead_letters import raise_first
from symposia.core.exceptions import RuntimeStoppedError

T = TypeVar("T")
P = ParamSpec("P")


class Phase(Enum):
    """The life of a runtime. `ALLOWED` says what can follow what."""

    READY = auto()
    """Not started, or stopped: messages are kept until it is started."""
    RUNNING = auto()
    """Messages are handled."""
    STOPPING = auto()
    """Messages are refused."""
    CLOSED = auto()
    """Likewise, for good."""


ALLOWED = {
    Phase.READY: {Phase.RUNNING, Phase.CLOSED},
    Phase.RUNNING: {Phase.STOPPING},
    Phase.STOPPING: {Phase.READY},
    Phase.CLOSED: {Phase.CLOSED},
}


PLAIN_WORDS = {
    Phase.READY: "not started",
    Phase.RUNNING: "started",
    Phase.STOPPING: "being stopped",
    Phase.CLOSED: "closed",
}


class HomeLoop:
    """The event loop that a runtime lives in: the first one that uses it, until that one has stopped.

    Attributes:
        loop: The loop; None before its first use.
        thread: The thread in which it runs.

    Handlers, mailboxes and futures belong to one loop and its thread. What is asked for in another thread's loop is
    done in this one. (Refusing it would be simpler, but a runtime is often shared with a thread that has a loop of its
    own, such as a web server's; a lock around everything would cost each message.)
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


async def run_in(loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, T]) -> T:
    """Await work in the event loop of another thread. Cancelling the caller cancels it."""
    return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, loop))


class LivesInLoop(Protocol):
    """What `at_home` needs of a runtime."""

    _home: HomeLoop


RuntimeT = TypeVar("RuntimeT", bound=LivesInLoop)


def at_home(
    method: Callable[Concatenate[RuntimeT, P], CoroutineType[Any, Any, T]],
) -> Callable[Concatenate[RuntimeT, P], CoroutineType[Any, Any, T]]:
    """Let a method of a runtime run in the runtime's own loop, wherever it is called."""

    @functools.wraps(method)
    async def call(runtime: RuntimeT, *args: P.args, **kwargs: P.kwargs) -> T:
        home = runtime._home.from_elsewhere()  # noqa: SLF001 - a decorator of that class's methods  # pyright: ignore[reportPrivateUsage]
        work = method(runtime, *args, **kwargs)
        return await (work if home is None else run_in(home, work))

    return call


class Gate:
    """What stands before the mailboxes.

    Attributes:
        phase: What the runtime does with messages.
        held: How those that came while it was not started get in, oldest first. Ordered, and found by what asked for
            it: a sender may give up any of many thousands.
        waiting: The requests among them.
        stops: How often the runtime has been stopped: what waits for one stop must not take part in the next.
    """

    def __init__(self) -> None:
        self.phase = Phase.READY
        self.waiting: set[Call] = set()
        self.held: OrderedDict[object, Callable[[], None]] = OrderedDict()
        self.stops = 0
        self._arrivals: dict[asyncio.Future[None], None] = {}

    def move_to(self, phase: Phase) -> None:
        """Begin another phase.

        Raises:
            RuntimeError: It cannot follow the present one.
        """
        if phase not in ALLOWED[self.phase]:
            raise RuntimeError(f"The runtime is {PLAIN_WORDS[self.phase]}.")
        if self.phase is Phase.STOPPING:
            self.stops += 1
        self.phase = phase
        if phase is Phase.RUNNING:
            self._admit_all()

    def require(self, *phases: Phase) -> None:
        """Raise in other phases.

        Raises:
            RuntimeError: The runtime is in another phase.
        """
        if self.phase not in phases:
            wanted = PLAIN_WORDS[phases[0]]
            raise RuntimeError(f"The runtime is {PLAIN_WORDS[self.phase]}, it would have to be {wanted}.")

    def admit_next(self) -> None:
        """Let in the oldest message that is held."""
        _, admit = self.held.popitem(last=False)
        admit()

    def refuse_if_closed(self) -> None:
        """Raise unless messages are accepted.

        Raises:
            RuntimeStoppedError: The runtime is being stopped, or was closed.
        """
        if self.phase in (Phase.STOPPING, Phase.CLOSED):
            raise RuntimeStoppedError(f"The runtime is {PLAIN_WORDS[self.phase]} and takes no messages.")

    def hold(self, key: object, admit: Callable[[], None]) -> None:
        """Keep a message until the runtime is started, or is told to process one."""
        self.held[key] = admit
        for arrival in self._arrivals:
            if not arrival.done():
                arrival.set_result(None)

    def withdraw(self, key: object) -> None:
        """Keep a message no longer, whose sender has given up."""
        self.held.pop(key, None)

    async def wait_held(self) -> None:
        """Wait until a message is held."""
        while not self.held:
            arrival = asyncio.get_running_loop().create_future()
            self._arrivals[arrival] = None
            try:
                await arrival
            finally:
                del self._arrivals[arrival]

    def _admit_all(self) -> None:
        """Let in every message that is held, also those behind one that cannot be let in."""
        errors: list[BaseException] = []
        while self.phase is Phase.RUNNING and self.held:
            try:
                self.admit_next()
            except BaseException as error:  # noqa: BLE001 - raised when the others are in
                errors.append(error)
        raise_first(errors)
