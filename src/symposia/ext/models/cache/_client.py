"""The client that caches answers."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import replace
from typing import Final, TypeVar

from symposia.core import CacheStore, InMemoryStore, run_in_worker_thread
from symposia.core.argument_checks import check_instance
from symposia.core.models import ChatCompletionClient, CreateResult, report_usage
from symposia.core.tools import prepare_tools
from symposia.ext.models._shared import ByLoop
from symposia.ext.models.cache._entry import CHAT_CACHE_VALUE_TYPE, EntryError, Items, read_entry, write_entry
from symposia.ext.models.cache._flight import Flight
from symposia.ext.models.cache._key import RequestKeys
from symposia.ext.models.wrappers import ModelCall, ModelClientWrapper

STORES: Final = "InMemoryStore() or DiskCacheStore(diskcache.Cache('folder'))"
T = TypeVar("T")

STORE_CALLS: Final = 8
"""Calls of a store at the same time. More would take the worker threads from tools if the store is slow."""


class ChatCompletionCache(ModelClientWrapper):
    """Keeps answers, and gives them again to equal requests, streamed or not.

    Requests are equal if everything that decides the answer is: the client (class, model, address, arguments), the
    messages, the tools, the choice among them, the form of the answer, and extra arguments. So models can share a
    store. The result of a hit has `cached` set, and the tokens of the request that was made, which now cost nothing;
    the client's usage counts no hits. Equal requests at the same time ask once. Errors are not kept.

    A store that fails, and an entry that cannot be read, is a `UserWarning`, and the model is asked. Stores other than
    `InMemoryStore` are called in worker threads.

    Args:
        client: The client to ask.
        store: Keeps the answers, as JSON text; by default an `InMemoryStore`.

    Raises:
        ArgumentTypeError: `client` is not a client, or `store` is not a store.
    """

    component_type = "chat_completion_cache"

    def __init__(self, client: ChatCompletionClient, store: CacheStore[CHAT_CACHE_VALUE_TYPE] | None = None) -> None:
        super().__init__(client)
        check_instance("store", type(self).__name__, store, CacheStore, STORES)
        self._store: CacheStore[CHAT_CACHE_VALUE_TYPE] = store or InMemoryStore()
        self._is_at_hand = isinstance(self._store, InMemoryStore)
        self._keys = RequestKeys(client)
        if self._keys.unknown and not self._is_at_hand:
            warnings.warn(
                f"{', '.join(self._keys.unknown)} does not say which model it asks, so what is cached of it is found "
                "by this very object only. Give the class a method effect_identity.",
                stacklevel=2,
            )
        self._turns = ByLoop(lambda: asyncio.Semaphore(STORE_CALLS))
        self._flights: dict[tuple[str, asyncio.AbstractEventLoop], Flight] = {}

    async def answer(self, call: ModelCall) -> AsyncGenerator[str | CreateResult, None]:
        """See `ModelClientWrapper.answer`."""
        if call.token is not None and call.token.is_cancelled():
            raise asyncio.CancelledError
        await prepare_tools(call.options.get("tools", ()))
        arriving, joined = await self._source(self._keys.key(call), call)
        shown = False
        async with aclosing(arriving):
            async for item in arriving:
                if isinstance(item, CreateResult):
                    if joined:
                        _mark_as_hit(item)
                    if call.streamed and not shown and isinstance(item.content, str) and item.content:
                        yield item.content  # the answer was not streamed when it was asked for
                    yield item
                elif call.streamed:
                    shown = True
                    yield item

    async def release(self) -> None:
        """Close the connections of the store, which the next request opens again."""
        await self._call(self._store.close)

    async def _source(self, key: str, call: ModelCall) -> tuple[AsyncGenerator[str | CreateResult, None], bool]:
        """The items of the answer; and whether another one has asked for it."""
        if self._is_at_hand:  # a hit needs no task
            items = await self._kept(key)
            if items is not None:
                return _hit(items), False
        flight, joined = self._flight(key, call)
        return flight.consume(call.token), joined

    def _flight(self, key: str, call: ModelCall) -> tuple[Flight, bool]:
        """The request that is under way, begun now if there is none; and whether it was."""
        place = (key, asyncio.get_running_loop())
        flight = self._flights.get(place)
        if flight is not None and not flight.is_over:
            return flight, True
        # The store is read inside of the flight too: one who has read it in vain before would ask again, if the flight
        # of another one has ended meanwhile.
        flight = self._flights[place] = Flight(self._found_or_asked(key, call))
        flight.add_done_callback(lambda: self._forget(place, flight))
        return flight, False

    def _forget(self, place: tuple[str, asyncio.AbstractEventLoop], flight: Flight) -> None:
        if self._flights.get(place) is flight:
            del self._flights[place]

    async def _found_or_asked(self, key: str, call: ModelCall) -> AsyncGenerator[str | CreateResult, None]:
        items = None if self._is_at_hand else await self._kept(key)
        if items is not None:
            async for item in _hit(items):
                yield item
            return
        # Without the token of the first who asks: it would cancel the answer of the others.
        options = call.options.copy()
        options.pop("cancellation_token", None)
        fresh: Items = []
        async with aclosing(replace(call, options=options).ask(self._client)) as asked:
            async for item in asked:
                fresh.append(item)
                if isinstance(item, CreateResult):
                    await self._keep(key, fresh)
                yield item

    async def _kept(self, key: str) -> Items | None:
        try:
            value = await self._call(lambda: self._store.get(key))
            return None if value is None else read_entry(value)
        except EntryError as error:
            warnings.warn(f"The cache has an entry that it cannot read, and asks the model: {error}", stacklevel=2)
        except Exception as error:  # noqa: BLE001 - a store of any class: without it, the model is asked
            warnings.warn(
                f"The cache cannot read its store, and asks the model: {type(error).__name__}: {error}", stacklevel=2
            )
        return None

    async def _keep(self, key: str, items: Items) -> None:
        try:
            entry = write_entry(items)
            await self._call(lambda: self._store.set(key, entry))
        except Exception as error:  # noqa: BLE001 - a store of any class: the answer is there, and was paid for
            warnings.warn(
                f"The cache cannot keep an answer in its store: {type(error).__name__}: {error}", stacklevel=2
            )

    async def _call(self, call: Callable[[], T]) -> T:
        if self._is_at_hand:
            return call()
        async with self._turns.get(asyncio.get_running_loop()):
            return await run_in_worker_thread(call)


async def _hit(items: Items) -> AsyncGenerator[str | CreateResult, None]:
    """The items of an answer that was kept."""
    for item in items:
        if isinstance(item, CreateResult):
            _mark_as_hit(item)
        yield item


def _mark_as_hit(result: CreateResult) -> None:
    """Mark an answer that was not paid for. Its tokens stay, as in AutoGen."""
    result.cached = True
    if result.usage.usd is not None:
        result.usage = replace(result.usage, usd=0.0)
    report_usage(result.usage)
