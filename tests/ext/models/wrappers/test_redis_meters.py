"""Rate limits that several processes share by Redis."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import cast

import pytest
import redis
from tests.support.redis_server import running_redis

from symposia.core import CancellationToken
from symposia.core.exceptions import ModelError
from symposia.core.models import CreateResult, LLMMessage, RequestUsage, UserMessage
from symposia.ext.models.rate_limit import Load, RateLimitedClient, Rates, RedisMeters
from symposia.ext.models.replay import ReplayChatCompletionClient
from symposia.ext.models.retry import is_transient

HELLO: list[LLMMessage] = [UserMessage(content="hello", source="user")]


async def test_what_one_takes_the_other_waits_for(redis_port: int) -> None:
    one, other = RedisMeters(port=redis_port), RedisMeters(port=redis_port)
    rates = Rates(requests=60, tokens=6000)
    assert await one.named("taken").take(rates, Load(1, 300)) == 0
    assert 2 < await other.named("taken").take(rates, Load(1, 1)) <= 3  # 300 of 6000 tokens a minute take 3 seconds
    assert await other.named("another name").take(rates, Load(1, 1)) == 0
    await one.named("taken").correct(rates, Load(-1, -300))
    assert await other.named("taken").take(rates, Load(1, 1)) == 0
    await one.close()
    await other.close()


async def test_a_pause_holds_for_all(redis_port: int) -> None:
    one, other = RedisMeters(port=redis_port), RedisMeters(port=redis_port)
    await one.named("paused").pause(30)
    assert 29 < await other.named("paused").take(Rates(), Load()) <= 30
    await one.named("paused").pause(1)  # a shorter one does not end it
    assert 29 < await other.named("paused").take(Rates(), Load()) <= 30
    await one.close()
    await other.close()


@pytest.fixture
def connection(redis_port: int) -> redis.Redis:
    return redis.Redis(port=redis_port)


async def test_a_name_that_is_not_used_any_more_is_forgotten(redis_port: int, connection: redis.Redis) -> None:
    meters = RedisMeters(port=redis_port, prefix="forgotten:")
    await meters.named("name").take(Rates(requests=60), Load(1))
    await meters.close()
    assert 0 < await asyncio.to_thread(connection.ttl, "forgotten:name") <= 61


PROCESS = """
    import asyncio, json, sys, time
    from symposia.core.models import UserMessage
    from symposia.ext.models.rate_limit import RateLimitedClient, RedisMeters
    from symposia.ext.models.replay import ReplayChatCompletionClient

    async def main():
        times = []
        async def answer(_):
            times.append(time.time())
            return "hi"
        meters = RedisMeters(port=int(sys.argv[1]))
        model = ReplayChatCompletionClient(answer)
        model.set_cached_bool_value(False)  # else its answers take nothing of the limit
        client = RateLimitedClient(model, requests_per_minute=3000, name="processes", meters=meters)
        message = [UserMessage(content="hello", source="user")]
        times.append(time.time())
        await asyncio.gather(*(client.create(message) for _ in range(60)))
        await meters.close()
        print(json.dumps(times))

    asyncio.run(main())
"""


def test_f49_processes_share_a_rate(redis_port: int) -> None:
    command = [sys.executable, "-c", textwrap.dedent(PROCESS), str(redis_port)]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    times = sorted(time for process in processes for time in json.loads(process.communicate(timeout=60)[0]))
    assert [process.returncode for process in processes] == [0, 0]
    # 30 of 120 requests may go ahead of time, and the others are 20 ms apart.
    assert times[-1] - times[0] >= (120 - 30 - 1) * 0.02 * 0.98


async def test_a_server_that_is_not_there_is_an_error_that_may_pass() -> None:
    client = RateLimitedClient(
        ReplayChatCompletionClient(["hi"]), requests_per_minute=60, meters=RedisMeters(port=1), name="not there"
    )
    with pytest.raises(ConnectionError, match=r"The rate limits in Redis at localhost:1/0/.* cannot be used") as caught:
        await client.create(HELLO)
    assert is_transient(caught.value)


async def test_a_429_pauses_the_other_processes(redis_port: int) -> None:
    refused = ModelError("too many", status=429, retry_after=60)
    meters, other = RedisMeters(port=redis_port), RedisMeters(port=redis_port)
    client = RateLimitedClient(ReplayChatCompletionClient([refused, "hi"]), name="429", meters=meters)
    with pytest.raises(ModelError):
        await client.create(HELLO)
    assert 59 < await other.named("429").take(Rates(), Load()) <= 60
    await meters.close()
    await other.close()


async def test_a_connection_that_was_lost_is_made_again(redis_port: int, connection: redis.Redis) -> None:
    meters = RedisMeters(port=redis_port)
    client = RateLimitedClient(
        ReplayChatCompletionClient(["hi"] * 20), requests_per_minute=60_000, name="back", meters=meters
    )
    await client.create(HELLO)
    kill = cast("Callable[..., object]", getattr(connection, "execute_command"))  # noqa: B009 - it has no type
    await asyncio.to_thread(kill, "CLIENT", "KILL", "TYPE", "normal")
    answers = await asyncio.gather(*(client.create(HELLO) for _ in range(10)))
    assert all(isinstance(answer, CreateResult) for answer in answers)
    await meters.close()


async def wait_until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0.005)


@contextmanager
def hanging(connection: redis.Redis) -> Generator[None]:
    """Have a server answer nothing meanwhile."""
    info = cast("Callable[[], dict[str, int]]", getattr(connection, "info"))()  # noqa: B009 - it has no type
    os.kill(info["process_id"], signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(info["process_id"], signal.SIGCONT)


async def test_an_answer_is_not_lost_with_the_server_that_is_to_be_told_of_it() -> None:
    asked, told = asyncio.Event(), asyncio.Event()

    async def answer(_: object) -> CreateResult:
        asked.set()
        await told.wait()
        return CreateResult(finish_reason="stop", content="paid", usage=RequestUsage(1, 1), cached=False)

    with running_redis() as port:
        meters = RedisMeters(port=port)
        client = RateLimitedClient(
            ReplayChatCompletionClient(answer), tokens_per_minute=60_000, name="lost", meters=meters
        )
        call = asyncio.create_task(client.create(HELLO))
        await asked.wait()
    told.set()
    with pytest.warns(UserWarning, match="A rate limit does not know of an answer: The rate limits in Redis at"):
        assert (await call).content == "paid"
    await meters.close()


async def test_all_that_wait_are_told_at_once_when_the_server_hangs(redis_port: int, connection: redis.Redis) -> None:
    meters = RedisMeters(port=redis_port, socket_timeout=0.5)
    client = RateLimitedClient(ReplayChatCompletionClient(["hi"]), requests_per_minute=60, name="hangs", meters=meters)
    await meters.named("hangs").take(Rates(requests=60), Load(1))
    calls = [asyncio.create_task(client.create(HELLO)) for _ in range(40)]
    for _ in range(5):  # by then, most of them have been told to wait
        await meters.named("hangs").take(Rates(requests=60), Load(1))
    loop = asyncio.get_running_loop()
    with hanging(connection):
        started = loop.time()
        outcomes = await asyncio.gather(*calls, return_exceptions=True)
    assert all(isinstance(outcome, ConnectionError) for outcome in outcomes)
    assert len({id(outcome) for outcome in outcomes}) == 40
    assert loop.time() - started < 10  # and not 40 times half a second
    await meters.close()


async def test_a_call_that_is_cancelled_while_the_server_is_asked_takes_nothing(
    redis_port: int, connection: redis.Redis
) -> None:
    meters = RedisMeters(port=redis_port)
    client = RateLimitedClient(ReplayChatCompletionClient(["hi"]), requests_per_minute=60, name="asked", meters=meters)
    await meters.named("another").take(Rates(), Load())  # connects
    with hanging(connection):
        calls = [asyncio.create_task(client.create(HELLO)) for _ in range(5)]
        await asyncio.sleep(0.05)
        for call in calls:
            call.cancel()
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    assert all(isinstance(outcome, asyncio.CancelledError) for outcome in outcomes)
    assert await meters.named("asked").take(Rates(requests=60), Load(1)) == 0
    await meters.close()


async def test_half_of_a_hundred_agents_are_cancelled_and_the_others_hold_the_rate(redis_port: int) -> None:
    meters = RedisMeters(port=redis_port)
    times: list[float] = []

    async def answer(_: object) -> CreateResult:
        times.append(asyncio.get_running_loop().time())
        return CreateResult(finish_reason="stop", content="hi", usage=RequestUsage(1, 1), cached=False)

    client = RateLimitedClient(ReplayChatCompletionClient(answer), requests_per_minute=3000, name="half", meters=meters)
    tokens = [CancellationToken() for _ in range(100)]
    calls = [asyncio.create_task(client.create(HELLO, cancellation_token=token)) for token in tokens]
    await wait_until(lambda: len(times) >= 30)  # so many may go ahead of time
    for number in range(0, 100, 2):
        tokens[number].cancel() if number % 4 else calls[number].cancel()
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    assert all(isinstance(outcome, CreateResult) for outcome in outcomes[1::2])
    assert sum(isinstance(outcome, CreateResult) for outcome in outcomes) <= len(times)  # some end after their answer
    await meters.close()
