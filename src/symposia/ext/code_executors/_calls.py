"""The calls of a code executor: one at a time, and all of them ended when the executor stops."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from symposia.core import CancellationToken
from symposia.core.exceptions import ArgumentTypeError, InvalidArgumentError, SandboxDiedError

T = TypeVar("T")


def checked_timeout(timeout: float) -> float:
    """Check the seconds that a block may run.

    Raises:
        ArgumentTypeError: It is not a number.
        InvalidArgumentError: It is less than 1, as in AutoGen.
    """
    if not isinstance(timeout, int | float):  # pyright: ignore[reportUnnecessaryIsInstance] - checks the caller
        raise ArgumentTypeError(f"timeout is {timeout!r}: give a number of seconds, 1 at least.")
    if not timeout >= 1:
        raise InvalidArgumentError(f"Timeout must be greater than or equal to 1. It is {timeout}.")
    return timeout


class SerialCalls:
    """Runs calls one after another, in the order in which they come."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()
        # Calls that run or wait. `end` cancels them, and empties the set first: that is how a call tells `end` from a
        # cancellation of its own.
        self._calls: set[asyncio.Future[Any]] = set()  # Any: calls of any result

    @asynccontextmanager
    async def turn(self) -> AsyncGenerator[None]:
        """Wait until no call runs, and keep others waiting."""
        async with self._turn:
            yield

    async def run(self, call: Callable[[], Awaitable[T]], token: CancellationToken) -> T:
        """Make a call in its turn.

        Args:
            call: Makes it. It is cancelled by the token, by the cancellation of the caller, and by `end`.
            token: Cancels it.

        Raises:
            SandboxDiedError: `end` was called meanwhile.
        """
        running = asyncio.ensure_future(self._in_turn(call))
        token.link_future(running)
        self._calls.add(running)
        try:
            return await running
        except asyncio.CancelledError:
            if running not in self._calls:
                raise SandboxDiedError("The code executor was stopped before the blocks had ended.") from None
            raise
        finally:
            self._calls.discard(running)

    async def end(self) -> None:
        """Cancel every call that runs or waits, and wait for their ends."""
        ended, self._calls = self._calls, set()
        for call in ended:
            call.cancel()
        if ended:
            await asyncio.wait(ended)

    async def _in_turn(self, call: Callable[[], Awaitable[T]]) -> T:
        async with self._turn:
            return await call()
