"""One use of a team at a time: a run, a reset, loading, the beginning of a log."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import TracebackType

from symposia.core.exceptions import TeamRunningError


class Claims:
    """Lets one use of a team exclude all others.

    A second one is an error and does not wait: to wait for a run that the caller itself holds open would never end.

    Args:
        team: The name of the team, for the error.
    """

    def __init__(self, team: str) -> None:
        self._team = team
        self._claim: Claim | None = None

    async def free(self) -> None:
        """Wait until the team is free, if it will be soon.

        Raises:
            TeamRunningError: It is running.
        """
        while self._claim is not None:
            if self._claim.is_of_closed_loop():  # nothing that belongs to it can run any more, nor release it
                self._claim = None
                return
            if not self._claim.is_released_soon():
                raise TeamRunningError(
                    f"The team {self._team!r} is already running, it cannot run again until it is stopped: wait for "
                    "its run to end, cancel it, or close the stream of it that you have left."
                )
            await self._claim.released()

    def claim(self, stream: Callable[[], object | None] | None = None) -> Claim:
        """Claim the team, which is free, until the claim is left as a context.

        Args:
            stream: Gives the stream that claims it as long as it exists: a weak reference. None for any other use.
        """
        self._claim = Claim(self, stream)
        return self._claim

    def release(self, claim: Claim) -> None:
        """Free the team for the next use, unless that has begun: a stream of a closed loop may be closed late."""
        if self._claim is claim:
            self._claim = None


class Claim:
    """A use of a team. A context manager, written as a class: as a generator it would cost each run four times as much.

    Args:
        claims: Those of the team.
        stream: See `Claims.claim`.
    """

    def __init__(self, claims: Claims, stream: Callable[[], object | None] | None) -> None:
        self._claims = claims
        self._stream = stream
        self._loop = asyncio.get_running_loop()
        self._released: asyncio.Event | None = None  # made when it is waited for, which is seldom

    def is_released_soon(self) -> bool:
        """Whether it is a stream that its reader has left by ``break`` and dropped.

        The event loop closes such a stream soon, but not before its next iteration; the next claim waits for that. A
        loop that does not run now may never have a next iteration.
        """
        is_dropped = self._stream is not None and self._stream() is None
        return is_dropped and self._loop is asyncio.get_running_loop()

    def is_of_closed_loop(self) -> bool:
        """Whether the event loop in which it was made is closed."""
        return self._loop.is_closed()

    async def released(self) -> None:
        """Wait until it is over."""
        self._released = self._released or asyncio.Event()
        await self._released.wait()

    def __enter__(self) -> None:
        """Enter the claim, which began when it was made."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._claims.release(self)
        if self._released is not None:
            self._released.set()
