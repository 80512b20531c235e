from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import TypeVar

T = TypeVar("T")


async def unless_overdue(
    work: Coroutine[None, None, T],
    due_in: Callable[[], float | None],
    overdue: Callable[[], Awaitable[T | None]],
) -> T:
    """Wait for `work`, and look at the clock meanwhile.

    Args:
        work: What is waited for.
        due_in: In how many seconds to ask `overdue`; None: not before `work` is done.
        overdue: Gives the result in place of `work`, which is cancelled then; or None to go on waiting.
    """
    working = asyncio.ensure_future(work)
    try:
        while True:
            await asyncio.wait([working], timeout=due_in())
            if working.done():
                return working.result()
            if (instead := await overdue()) is not None:
                return instead
    finally:
        if not working.done():
            working.cancel()
            await asyncio.wait([working])
