"""What the wrappers of model clients add to a call, how exactly a rate is held, and a thousand calls at once.

python wrappers.py      prints one table a question

Times are of the processor, so that other programs of the machine do not count; the model answers at once.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import statistics
import tempfile
import time
from bisect import bisect_left
from collections.abc import AsyncGenerator, Callable, Sequence

import diskcache  # pyright: ignore[reportMissingTypeStubs] - it has none
from pydantic import JsonValue
from rich.console import Console
from rich.table import Table

from symposia.core.models import ChatCompletionClient, CreateResult, LLMMessage, ModelInfo, RequestUsage, UserMessage
from symposia.ext.cache_store.diskcache import DiskCacheStore
from symposia.ext.models.cache import ChatCompletionCache
from symposia.ext.models.concurrency import ConcurrencyLimitedClient
from symposia.ext.models.fallback import FallbackClient
from symposia.ext.models.rate_limit import RateLimitedClient
from symposia.ext.models.replay import ReplayChatCompletionClient
from symposia.ext.models.retry import RetryingClient
from symposia.ext.models.routing import RoutingClient
from symposia.testing.simulation import simulate

HISTORY = 1_000
CALLS = 200
CHUNKS = 2_000
ROUNDS = 5
ABLE = ModelInfo(vision=False, function_calling=True, json_output=True, structured_output=True, family="unknown")
USAGE = RequestUsage(1, 1)

clock = time.process_time


class Instant(ReplayChatCompletionClient):
    """Answers at once."""

    def __init__(self) -> None:
        super().__init__([], ABLE)

    def effect_identity(self) -> dict[str, JsonValue]:
        arguments: dict[str, JsonValue] = {"model": "m", "temperature": 0}
        return {"class": "Instant", "model": "m", "address": "https://models.example/v1", "arguments": arguments}

    async def create(self, messages: Sequence[LLMMessage], **options: object) -> CreateResult:
        return CreateResult(finish_reason="stop", content="hi", usage=USAGE, cached=False)

    async def create_stream(
        self, messages: Sequence[LLMMessage], **options: object
    ) -> AsyncGenerator[str | CreateResult, None]:
        for _ in range(CHUNKS):
            yield "word "
        yield CreateResult(finish_reason="stop", content="word " * CHUNKS, usage=USAGE, cached=False)


def limited(client: ChatCompletionClient) -> RateLimitedClient:
    return RateLimitedClient(client, requests_per_minute=1e9, tokens_per_minute=1e13)


WRAPPERS: dict[str, Callable[[ChatCompletionClient], ChatCompletionClient]] = {
    "none": lambda client: client,
    "retry": RetryingClient,
    "rate limit": limited,
    "concurrency": lambda client: ConcurrencyLimitedClient(client, 8),
    "fallback": lambda client: FallbackClient([client, client]),
    "routing": lambda client: RoutingClient({"one": client}, lambda _: "one"),
    "cache, a miss": ChatCompletionCache,
    "cache, a hit": ChatCompletionCache,
    "cache(retry(rate limit))": lambda client: ChatCompletionCache(RetryingClient(limited(client))),
}


def history(length: int) -> list[LLMMessage]:
    return [
        UserMessage(content=f"{number}: {'a few words of a message ' * 8}", source="user") for number in range(length)
    ]


async def seconds_of_calls(client: ChatCompletionClient, *, growing: bool) -> float:
    """The time of a call, of a conversation that grows by two messages from one to the next, or stays as it is."""
    messages = history(HISTORY)
    await client.create(messages)
    calls: list[list[LLMMessage]] = []
    for _ in range(CALLS):
        messages = [*messages, *history(2)] if growing else messages
        calls.append(messages)
    gc.collect()
    started = clock()
    for each in calls:
        await client.create(each)
    return (clock() - started) / CALLS


async def seconds_of_chunks(client: ChatCompletionClient) -> float:
    """The time of a piece of a stream."""
    messages = history(2)
    gc.collect()
    started = clock()
    async for _ in client.create_stream(messages):
        pass
    return (clock() - started) / CHUNKS


async def overhead() -> Table:
    """What each wrapper adds, beyond the client that answers at once."""
    table = Table("wrapper", f"µs a call, after {HISTORY:,} messages", "µs a piece of a stream")
    bare_call = bare_chunk = 0.0
    for name, wrap in WRAPPERS.items():
        growing = not name.endswith("hit")
        call = statistics.median([await seconds_of_calls(wrap(Instant()), growing=growing) for _ in range(ROUNDS)])
        chunk = statistics.median([await seconds_of_chunks(wrap(Instant())) for _ in range(ROUNDS)])
        if name == "none":
            bare_call, bare_chunk = call, chunk
            table.add_row("none (the client alone)", f"{call * 1e6:.1f}", f"{chunk * 1e6:.2f}")
        else:
            table.add_row(name, f"+ {(call - bare_call) * 1e6:.1f}", f"+ {(chunk - bare_chunk) * 1e6:.2f}")
    return table


def rates(agents: int = 100, minutes: int = 3) -> Table:
    """How exactly a hundred agents hold a rate, on a clock that jumps."""
    table = Table("requests a minute", f"by {agents} agents in {minutes} minutes", "of the rate", "most in one minute")
    for rate in (60, 500, 3000):
        times: list[float] = []

        async def answer(_: Sequence[LLMMessage], times: list[float] = times) -> str:
            times.append(asyncio.get_running_loop().time())
            await asyncio.sleep(0.4)
            return "hi"

        async def ask_on(client: ChatCompletionClient) -> None:
            while True:
                await client.create(history(1))

        async def main(rate: int = rate) -> None:
            model = ReplayChatCompletionClient(answer)
            model.set_cached_bool_value(False)
            clients = [RateLimitedClient(model, requests_per_minute=rate, name=f"bench {rate}") for _ in range(agents)]
            tasks = [asyncio.create_task(ask_on(client)) for client in clients]
            await asyncio.sleep(60 * minutes)
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

        simulate(main, max_steps=100_000_000)
        times.sort()
        most = max(bisect_left(times, start + 59.999) - first for first, start in enumerate(times))
        table.add_row(f"{rate:,}", f"{len(times):,}", f"{len(times) / rate / minutes:.2%}", f"{most:,}")
    return table


async def crowd(calls: int = 1_000) -> Table:
    """A thousand calls at once, each of its own conversation, whose model takes 50 ms."""
    table = Table("wrapper", f"ms for {calls:,} calls at once", "µs of the processor a call")

    async def answer(_: Sequence[LLMMessage]) -> str:
        await asyncio.sleep(0.05)
        return "hi"

    with tempfile.TemporaryDirectory() as folder:
        kinds: dict[str, Callable[[ChatCompletionClient], ChatCompletionClient]] = {
            **{name: wrap for name, wrap in WRAPPERS.items() if name != "cache, a hit"},
            "concurrency": lambda client: ConcurrencyLimitedClient(client, calls),
            "cache on the disk": lambda client: ChatCompletionCache(client, DiskCacheStore(diskcache.Cache(folder))),
        }
        for name, wrap in kinds.items():
            client = wrap(ReplayChatCompletionClient(answer, ABLE))
            conversations = [[*history(1), UserMessage(content=str(number), source="u")] for number in range(calls)]
            gc.collect()
            started, spent = time.perf_counter(), clock()
            await asyncio.gather(*(client.create(each) for each in conversations))
            spent, elapsed = clock() - spent, time.perf_counter() - started
            table.add_row(name, f"{elapsed * 1e3:.0f}", f"{spent / calls * 1e6:.0f}")
    return table


def main() -> None:
    logging.disable(logging.CRITICAL)
    console = Console()
    console.print(asyncio.run(overhead()))
    console.print(rates())
    console.print(asyncio.run(crowd()))


if __name__ == "__main__":
    main()
