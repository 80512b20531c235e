"""Sandboxes started ahead of their use, in front of any backend.

A sandbox has one owner in its life. The pool starts sandboxes and hands each to one caller of `create`, who closes it
as any other. What a block leaves in a sandbox (files, processes, memory, a changed interpreter) must never be found by
another owner, so a used sandbox does not come back: it is closed rather than cleaned, while another one is started.

How many are kept for which policy is a pure function (`shares`). Each sandbox ahead is one task, from its start to its
hand-over or its end, so that one place closes it whatever happens meanwhile: a cancellation, the end of the pool, the
death of the sandbox. A queue with a task that fills it was rejected, since a sandbox that has just left the backend and
is not yet in the queue would belong to neither.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Sequence
from itertools import cycle, islice
from typing import Final, Self

from symposia.core import uninterrupted
from symposia.core.argument_checks import check_backend
from symposia.core.code_executor import (
    Progress,
    Sandbox,
    SandboxBackend,
    SandboxMount,
    SandboxPackages,
    SandboxPolicy,
    sandbox_answers,
)
from symposia.core.exceptions import ArgumentTypeError, InvalidArgumentError, SandboxError, UsageError

logger = logging.getLogger(__name__)

IDLE_SECONDS: Final = 600.0
CHECK_SECONDS: Final = 15.0
"""How often a sandbox that waits is asked whether it still answers, which costs it less than a millisecond."""
STARTS: Final = 2
"""As many as a small machine starts without each taking longer: importing pandas ahead takes one processor's time."""


def shares(policies: Sequence[SandboxPolicy], size: int) -> dict[SandboxPolicy, int]:
    """How many sandboxes are kept ready for each policy: one each in turn, the first policy first."""
    return dict(Counter(islice(cycle(policies), size))) if policies else {}


class _Ahead:
    """A sandbox that is started ahead.

    Attributes:
        policy: What it is started with.
        started: The sandbox, once it has started; or why it has not, where a caller waits for it.
        taken: Whether it has an owner now, or never will.
        task: Keeps it, from its start on.
    """

    def __init__(self, policy: SandboxPolicy) -> None:
        loop = asyncio.get_running_loop()
        self.policy = policy
        self.started: asyncio.Future[Sandbox] = loop.create_future()
        self.taken: asyncio.Future[bool] = loop.create_future()
        self.task: asyncio.Task[None] | None = None


class SandboxPool(SandboxBackend):
    """A `SandboxBackend` that starts sandboxes of another backend ahead, so that `create` returns at once.

    After each `create`, a sandbox of the same policy is started in the background for the next one, and `prepare` does
    so before the first. Sandboxes with mounts are started when they are asked for: one that was started before would
    miss what the host has put in the place of a mounted file since.

    ::

        async with SandboxPool(DockerBackend(), size=4) as pool:
            pool.prepare(SandboxPolicy())
            async with SandboxCodeExecutor(pool) as executor: ...

    A pool belongs to the event loop that it is first used in, as its sandboxes do.

    Args:
        backend: Makes the sandboxes.
        size: Most sandboxes that are started ahead, for all policies together. Where the last policies asked for are
            more than one, they share them.
        starts: Most sandboxes that start at the same time, those that `create` waits for included.
        idle_seconds: Seconds after which a sandbox that was not used is replaced by a new one.
        check_seconds: Seconds between two checks of a sandbox that waits. One that has died is replaced.

    Raises:
        ArgumentTypeError: `backend` makes no sandboxes, or a number is none.
        InvalidArgumentError: A number is not above zero.
    """

    def __init__(
        self,
        backend: SandboxBackend,
        *,
        size: int = 1,
        starts: int = STARTS,
        idle_seconds: float = IDLE_SECONDS,
        check_seconds: float = CHECK_SECONDS,
    ) -> None:
        check_backend("SandboxPool", backend)
        numbers = {"size": size, "starts": starts, "idle_seconds": idle_seconds, "check_seconds": check_seconds}
        for name, number in numbers.items():
            if isinstance(number, bool) or not isinstance(number, int | float):  # pyright: ignore[reportUnnecessaryIsInstance] - unchecked programs
                raise ArgumentTypeError(f"{name} of SandboxPool is {number!r}: give a number above 0.")
            if not number > 0:
                raise InvalidArgumentError(f"{name} of SandboxPool is {number}: give a number above 0.")
        self.name = backend.name
        self._backend = backend
        self._size = size
        self._idle_seconds = idle_seconds
        self._check_seconds = check_seconds
        self._most_starts = starts
        self._starts = asyncio.Semaphore(starts)
        self._policies: list[SandboxPolicy] = []  # the last that were asked for, the latest first
        self._ahead: list[_Ahead] = []  # the oldest first
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False

    def with_packages(self, packages: SandboxPackages) -> SandboxBackend:
        """Refuse, as all sandboxes of a pool are of one backend: give the pool one that has the packages.

        Raises:
            InvalidArgumentError: Always.
        """
        names = ", ".join(packages.requirements)
        raise InvalidArgumentError(
            f"A SandboxPool starts the sandboxes of its backend, with its packages and not with {names}. Make it with "
            "SandboxPool(backend.with_packages(SandboxPackages(requirements=(...,))))."
        )

    async def unavailable_reason(self) -> str | None:
        """See `SandboxBackend.unavailable_reason`."""
        return await self._backend.unavailable_reason()

    async def is_set_up(self) -> bool:
        """See `SandboxBackend.is_set_up`."""
        return await self._backend.is_set_up()

    async def set_up(self, progress: Progress | None = None) -> None:
        """See `SandboxBackend.set_up`."""
        await self._backend.set_up(progress)

    def prepare(self, policy: SandboxPolicy) -> None:
        """Begin to start sandboxes of a policy, and return at once. Call it on the event loop.

        Raises:
            UsageError: The pool is closed, or belongs to another event loop.
        """
        self._check_usable()
        self._ask_for(policy)

    async def create(self, policy: SandboxPolicy, *, mounts: Sequence[SandboxMount] = ()) -> Sandbox:
        """Return a sandbox that was started ahead, or start one; see `SandboxBackend.create`.

        Where one is just starting, it is waited for, and its error is raised here. A start ahead that failed before is
        logged as a warning, and made again here.

        Raises:
            UsageError: The pool is closed, or belongs to another event loop.
            SandboxUnavailableError: It cannot work on this machine.
        """
        self._check_usable()
        if mounts:
            return await self._start(policy, mounts)
        while (ahead := self._next(policy)) is not None:
            sandbox = await self._take(ahead)
            if await self._answers(sandbox):
                self._ask_for(policy)
                return sandbox
        self._check_usable()
        sandbox = await self._start(policy)
        self._ask_for(policy)  # only now: where a start fails here, one ahead would fail as well
        return sandbox

    async def close(self) -> None:
        """End the sandboxes that wait, and those that start. What was handed out is its owner's to close.

        It returns when all are gone. Closing twice is harmless.
        """
        self._closed = True
        for ahead in list(self._ahead):
            self._give_up(ahead)
        while tasks := {task for task in self._tasks if not task.done()}:
            await uninterrupted(asyncio.wait(tasks))

    async def __aenter__(self) -> Self:
        """Return the pool."""
        self._check_usable()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the pool."""
        await self.close()

    def _check_usable(self) -> None:
        loop = asyncio.get_running_loop()
        if self._closed:
            raise UsageError("The pool of sandboxes is closed. Make a new SandboxPool.")
        if self._loop is not None and self._loop is not loop:
            raise UsageError(
                "The pool of sandboxes belongs to the event loop that it was first used in. Make a SandboxPool in each "
                "event loop, and close it there."
            )
        self._loop = loop

    def _ask_for(self, policy: SandboxPolicy) -> None:
        """Remember that a policy is in use, and start what is to be ready for it."""
        self._policies = [policy, *(other for other in self._policies if other != policy)][: self._size]
        self._refill()

    def _refill(self) -> None:
        """Bring what is ahead in line with the policies in use. It is called whenever one of both has changed.

        No more starts are begun than may run at the same time: a `create` that waits for its turn is then behind few
        others. The rest is begun as these end.
        """
        if self._closed:
            return
        missing = Counter(shares(self._policies, self._size))
        for ahead in list(self._ahead):
            if missing[ahead.policy] > 0:
                missing[ahead.policy] -= 1
            else:
                self._give_up(ahead)
        starting = sum(not ahead.started.done() for ahead in self._ahead)
        for policy in islice(missing.elements(), max(0, self._most_starts - starting)):
            ahead = _Ahead(policy)
            ahead.task = asyncio.create_task(self._keep(ahead))
            self._ahead.append(ahead)
            self._tasks.add(ahead.task)
            ahead.task.add_done_callback(self._tasks.discard)

    def _next(self, policy: SandboxPolicy) -> _Ahead | None:
        """The sandbox that a caller gets next: the oldest that has started, else the one that started first."""
        fitting = [ahead for ahead in self._ahead if ahead.policy == policy]
        return next((ahead for ahead in fitting if ahead.started.done()), fitting[0] if fitting else None)

    async def _take(self, ahead: _Ahead) -> Sandbox:
        """Wait for a sandbox that is now the caller's. It goes back where the caller is cancelled meanwhile."""
        self._ahead.remove(ahead)
        try:
            sandbox = await asyncio.shield(ahead.started)
        except asyncio.CancelledError:
            if not _has_failed(ahead):
                self._ahead.insert(0, ahead)
                if self._closed:
                    self._give_up(ahead)
                self._refill()  # there may be enough without it
            raise
        ahead.taken.set_result(True)
        return sandbox

    def _give_up(self, ahead: _Ahead) -> None:
        """Have a sandbox ended that no caller has taken."""
        self._ahead.remove(ahead)
        if ahead.started.done():
            ahead.taken.set_result(False)
        elif ahead.task is not None:
            ahead.task.cancel()

    async def _keep(self, ahead: _Ahead) -> None:
        """Start a sandbox, and keep it until it has an owner, or end it."""
        try:
            sandbox = await self._start(ahead.policy)
        except Exception as error:  # noqa: BLE001 - raised in `create` if one waits for it, else logged
            self._failed(ahead, error)
            return
        ahead.started.set_result(sandbox)
        self._refill()
        taken = False
        try:
            taken = await self._wait_for_owner(ahead, sandbox)
        finally:  # cancelled, where the event loop ends before the pool was closed
            if not taken:
                await self._end(sandbox)

    def _failed(self, ahead: _Ahead, error: Exception) -> None:
        # Not tried again by itself: without an engine, one attempt would follow another as long as the pool lives.
        self._policies = [policy for policy in self._policies if policy != ahead.policy]
        if ahead in self._ahead:
            self._ahead.remove(ahead)
            logger.warning("A sandbox could not be started ahead: %s", error)
        else:
            ahead.started.set_exception(error)
            ahead.started.exception()  # marks it as seen: the caller may just have been cancelled

    async def _wait_for_owner(self, ahead: _Ahead, sandbox: Sandbox) -> bool:
        """Return whether an owner has taken the sandbox, rather than that it is to be ended."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._idle_seconds
        while True:
            await asyncio.wait([ahead.taken], timeout=min(self._check_seconds, max(0, deadline - loop.time())))
            if ahead.taken.done():
                return ahead.taken.result()
            fit = loop.time() < deadline and await sandbox_answers(sandbox)
            if not fit and ahead in self._ahead:  # else it has got an owner meanwhile, who checks it
                self._ahead.remove(ahead)
                self._refill()
                return False

    async def _start(self, policy: SandboxPolicy, mounts: Sequence[SandboxMount] = ()) -> Sandbox:
        async with self._starts:
            sandbox = await self._backend.create(policy, mounts=mounts)
        self.name = self._backend.name
        return sandbox

    async def _answers(self, sandbox: Sandbox) -> bool:
        """Check a sandbox before it is handed out, and end it where it has died or the caller is cancelled."""
        alive = False
        try:
            alive = await sandbox_answers(sandbox)
        finally:
            if not alive:
                await self._end(sandbox)
        return alive

    async def _end(self, sandbox: Sandbox) -> None:
        try:
            await uninterrupted(sandbox.close())
        except SandboxError as error:  # no caller waits for the end of this sandbox
            logger.warning("A sandbox that was started ahead could not be closed: %s", error)


def _has_failed(ahead: _Ahead) -> bool:
    return ahead.started.done() and ahead.started.exception() is not None
