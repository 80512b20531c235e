"""Tasks and futures whose place in a set is the same in every run.

A set goes through its members by their hashes. Those of tasks and futures are their addresses, which change from run
to run, and asyncio keeps them in sets: a `TaskGroup` cancels its tasks in that order, `asyncio.wait` returns them in
it. So here they are counted, and hash by their number.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Generator
from typing import Any, TypeVar

T = TypeVar("T")


class NumberedTask(asyncio.Task[T]):
    """A task with a number, which also names it."""

    def __init__(
        self,
        number: int,
        coro: Generator[Any, None, T] | Coroutine[Any, Any, T],
        *,
        loop: asyncio.AbstractEventLoop,
        name: str | None = None,
        **options: Any,  # what this Python's tasks take besides: `context`, later `eager_start`
    ) -> None:
        self.number = number  # set first: asyncio puts the task into a set while it is being made
        super().__init__(coro, loop=loop, name=name or f"Task-{number}", **options)

    def __hash__(self) -> int:
        return self.number


class NumberedFuture(asyncio.Future[T]):
    """A future with a number."""

    def __init__(self, number: int, *, loop: asyncio.AbstractEventLoop) -> None:
        self.number = number
        super().__init__(loop=loop)

    def __hash__(self) -> int:
        return self.number
