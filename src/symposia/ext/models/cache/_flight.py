"""A request that is being answered for all who ask it at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable

from symposia.core import CancellationToken, cancel_and_wait, cancelled_by
from symposia.core.models import CreateResult


class Flight:
    """The items of one answer, read by a task of its own and given to every consumer from the first one on.

    A task of its own, since consumers come and go: one who is cancelled, or who leaves a stream early, must not take
    the answer from the others, and one who is slow must not delay them. When the last consumer has left, the request is
    cancelled. Rejected: to have the first consumer ask and the others wait for it. One who asks the same again inside
    of its own stream would wait for itself.

    Args:
        items: The answer, whose last item is the result.
    """

    def __init__(self, items: AsyncGenerator[str | CreateResult, None]) -> None:
        self._items: list[str | CreateResult] = []
        self._consumers = 0
        self._changed: list[asyncio.Future[None]] = []
        self._abandoned = self._is_complete = False
        self._is_shared = False
        self._task = asyncio.ensure_future(self._read(items))
        self._task.add_done_callback(lambda _: self._wake())

    @property
    def is_over(self) -> bool:
        """Whether there is nothing to wait for: the answer is complete or failed, or its last consumer has left.

        Who asks from then on finds the answer in the store. So the one consumer of a flight has its items to itself.
        """
        return self._abandoned or self._is_complete or self._task.done()

    def add_done_callback(self, callback: Callable[[], None]) -> None:
        """Call `callback` when the answer is complete, failed or cancelled."""
        self._task.add_done_callback(lambda _: callback())

    async def consume(self, token: CancellationToken | None) -> AsyncGenerator[str | CreateResult, None]:
        """All items, those before included.

        Raises:
            asyncio.CancelledError: The token or the task was cancelled.
            Exception: The error of the request.
        """
        self._is_shared = self._is_shared or self._consumers > 0
        self._consumers += 1
        position = 0
        try:
            while True:
                while position < len(self._items):
                    item = self._items[position]
                    if self._is_shared and isinstance(item, CreateResult):
                        item = item.model_copy(deep=True)
                    yield item
                    position += 1
                if self._task.done():
                    break
                await self._change(token)
            self._task.result()
        finally:
            self._consumers -= 1
            if not self._consumers:
                self._abandoned = True
                await cancel_and_wait(self._task)

    async def _read(self, items: AsyncGenerator[str | CreateResult, None]) -> None:
        try:
            async for item in items:
                self._items.append(item)
                self._is_complete = isinstance(item, CreateResult)
                self._wake()
        finally:
            await items.aclose()

    async def _change(self, token: CancellationToken | None) -> None:
        changed = asyncio.get_running_loop().create_future()
        self._changed.append(changed)
        with cancelled_by(token):
            await changed

    def _wake(self) -> None:
        changed, self._changed = self._changed, []
        for future in changed:
            if not future.done():
                future.set_result(None)
