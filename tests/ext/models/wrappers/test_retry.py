"""The client that asks again: what it tries again, how long it waits, and when it gives up."""

import asyncio
from collections.abc import Sequence

import pytest
from tests.support.model_clients import FORMATS, OPENAI, Vendor, kind_name, read
from tests.support.telemetry import events_read

from symposia.core import CancellationToken
from symposia.core.exceptions import InvalidArgumentError, ModelError
from symposia.core.logging import LLMRetryEvent
from symposia.core.models import CreateResult, RequestUsage, UserMessage
from symposia.ext.models.replay import ReplayChatCompletionClient
from symposia.ext.models.retry import RetryingClient
from symposia.testing.model_server import Failure, Hold, MockModelServer, Raw, Reply
from symposia.testing.simulation import simulate

HELLO = [UserMessage(content="hello", source="user")]


def overloaded(status: int = 503, retry_after: float | None = None) -> ModelError:
    return ModelError("no", status=status, retry_after=retry_after)


async def time_of(client: RetryingClient) -> float:
    """The virtual seconds that an answer takes."""
    clock = asyncio.get_running_loop().time
    started = clock()
    await client.create(HELLO)
    return clock() - started


def replaying(answers: Sequence[str | CreateResult | Exception]) -> ReplayChatCompletionClient:
    return ReplayChatCompletionClient(list(answers))  # pyright: ignore[reportArgumentType] - a list of any of these


@pytest.mark.parametrize("vendor", FORMATS, ids=kind_name)
@pytest.mark.parametrize("status", [408, 429, 500, 529])
@pytest.mark.parametrize("streaming", [False, True])
async def test_a_failure_that_may_pass_is_tried_again(
    vendor: Vendor, server: MockModelServer, status: int, streaming: bool
) -> None:
    client = RetryingClient(vendor.client(server), longest_wait=0.001)
    server.script(Failure(status=status), Reply(text="hi"))
    result = (await read(client.create_stream(HELLO)))[1] if streaming else await client.create(HELLO)
    assert (result.content, len(server.requests)) == ("hi", 2)


@pytest.mark.parametrize("vendor", FORMATS, ids=kind_name)
@pytest.mark.parametrize("status", [400, 401, 404])
async def test_a_failure_that_will_not_pass_is_raised_at_once(
    vendor: Vendor, server: MockModelServer, status: int
) -> None:
    client = RetryingClient(vendor.client(server))
    server.script(Failure(status=status), Reply(text="hi"))
    with pytest.raises(ModelError) as caught:
        await client.create(HELLO)
    assert (caught.value.is_transient, len(server.requests)) == (False, 1)


async def test_a_quota_that_is_used_up_is_raised_at_once(server: MockModelServer) -> None:
    client = RetryingClient(OPENAI.client(server))
    body = b'{"error": {"message": "You exceeded your current quota", "code": "insufficient_quota"}}'
    server.script(Raw(body=body, status=429), Reply(text="hi"))
    with pytest.raises(ModelError, match=r"the quota is used up .* Check the account's plan and billing"):
        await client.create(HELLO)
    assert len(server.requests) == 1


@pytest.mark.parametrize("vendor", [vendor for vendor in FORMATS if vendor.retries], ids=kind_name)
async def test_the_retries_of_the_sdk_do_not_multiply_with_these(vendor: Vendor, server: MockModelServer) -> None:
    client = RetryingClient(vendor.client(server, max_retries=5), max_attempts=3, longest_wait=0.001)
    server.script(*[Failure(status=500)] * 20)
    with pytest.raises(ModelError) as caught:
        await client.create(HELLO)
    assert len(server.requests) == 3
    assert caught.value.__notes__[-1].startswith("It was tried 3 times in ")


async def test_the_sdk_retries_again_where_nobody_else_does(server: MockModelServer) -> None:
    inner = OPENAI.client(server, max_retries=1)
    server.script(Failure(status=500, headers={"retry-after-ms": "1"}), Reply(text="hi"), Reply(text="ho"))
    assert (await inner.create(HELLO)).content == "hi"
    assert (await RetryingClient(inner).create(HELLO)).content == "ho"


@pytest.mark.parametrize("vendor", FORMATS, ids=kind_name)
async def test_a_server_that_is_not_there_is_tried_again(vendor: Vendor) -> None:
    async with MockModelServer() as server:
        inner = vendor.client(server)
    with pytest.raises(ModelError, match="The connection to") as caught:
        await RetryingClient(inner, max_attempts=2, longest_wait=0.001).create(HELLO)
    assert caught.value.__notes__[-1].startswith("It was tried 2 times")


@pytest.mark.parametrize("vendor", FORMATS, ids=kind_name)
async def test_a_stream_that_was_shown_in_part_is_not_tried_again(vendor: Vendor, server: MockModelServer) -> None:
    client = RetryingClient(vendor.client(server, Reply(text="one two three four five six", cut_after=5)))
    stream = client.create_stream(HELLO)
    assert await anext(stream) == "one"
    with pytest.raises(ModelError, match=r"The connection to .* was lost"):
        await read(stream)
    assert len(server.requests) == 1


@pytest.mark.parametrize("vendor", FORMATS, ids=kind_name)
async def test_a_stream_that_is_cut_before_its_first_piece_is_tried_again(
    vendor: Vendor, server: MockModelServer
) -> None:
    cut = Reply(text="one two three", cut_after=0)
    client = RetryingClient(vendor.client(server, cut, Reply(text="one two")), longest_wait=0.001)
    assert (await read(client.create_stream(HELLO)))[1].content == "one two"
    assert len(server.requests) == 2


@pytest.mark.parametrize(("told", "least", "most"), [(7, 7, 8), (0, 0, 1), (119.5, 119.5, 120.5)])
def test_it_waits_as_long_as_the_server_says_and_at_most_a_second_more(told: float, least: float, most: float) -> None:
    async def main() -> float:
        return await time_of(RetryingClient(replaying([overloaded(429, told), "hi"])))

    for seed in range(20):
        assert least <= simulate(main, seed=seed) <= most


def test_waits_without_advice_are_random_below_a_bound_that_doubles() -> None:
    async def main() -> float:
        return await time_of(RetryingClient(replaying([overloaded()] * 5 + ["hi"]), longest_wait=2))

    waits = [simulate(main, seed=seed) for seed in range(50)]
    assert max(waits) <= 0.5 + 1 + 2 + 2 + 2
    assert max(waits) - min(waits) > 2


def test_a_wait_beyond_the_total_time_is_not_begun() -> None:
    async def main() -> float:
        clock = asyncio.get_running_loop().time
        started = clock()
        with pytest.raises(ModelError):
            await RetryingClient(replaying([overloaded(429, 61), "hi"]), max_seconds=60).create(HELLO)
        return clock() - started

    assert simulate(main) == 0


def test_the_total_time_ends_the_attempts() -> None:
    async def main() -> float:
        clock = asyncio.get_running_loop().time
        started = clock()
        client = RetryingClient(replaying([overloaded(429, 10)] * 20), max_attempts=20, max_seconds=35)
        with pytest.raises(ModelError) as caught:
            await client.create(HELLO)
        assert caught.value.__notes__[-1].startswith("It was tried 4 times in 3")
        return clock() - started

    assert 30 <= simulate(main) <= 35


@pytest.mark.parametrize("by", ["token", "task"])
def test_cancelling_ends_a_wait_at_once(by: str) -> None:
    async def main() -> float:
        clock = asyncio.get_running_loop().time
        started = clock()
        token = CancellationToken()
        client = RetryingClient(replaying([overloaded(429, 100), "hi"]))
        asking = asyncio.create_task(client.create(HELLO, cancellation_token=token))
        await asyncio.sleep(10)
        token.cancel() if by == "token" else asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        return clock() - started

    assert simulate(main) == 10


def test_each_attempt_that_is_followed_by_another_is_an_event() -> None:
    async def main() -> None:
        await RetryingClient(replaying([overloaded(), overloaded(429, 3), "hi"])).create(HELLO)

    with events_read() as events:
        simulate(main)
    retries = [event.kwargs for event in events.logged if isinstance(event, LLMRetryEvent)]
    assert [(each["attempt"], each["error"], each["model"]) for each in retries] == [
        (1, "no", "ReplayChatCompletionClient"),
        (2, "no", "ReplayChatCompletionClient"),
    ]
    assert 3 <= retries[1]["wait_seconds"] <= 4


@pytest.mark.parametrize(("error", "attempts"), [(ConnectionResetError("lost"), 2), (ValueError("wrong"), 1)])
def test_a_lost_connection_of_any_client_is_tried_again_and_a_mistake_is_not(error: Exception, attempts: int) -> None:
    inner = replaying([error, "hi"])

    async def main() -> None:
        try:
            await RetryingClient(inner).create(HELLO)
        except ValueError:
            return

    simulate(main)
    assert len(inner.create_calls) == attempts


async def test_a_request_is_cancelled_while_it_is_tried(server: MockModelServer) -> None:
    hold = Hold()
    client = RetryingClient(OPENAI.client(server, Reply(text="hi", hold=hold)))
    token = CancellationToken()
    async with asyncio.timeout(5):
        asking = asyncio.create_task(client.create(HELLO, cancellation_token=token))
        await hold.reached.wait()
        token.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        await server.requests[0].disconnected.wait()
    assert len(server.requests) == 1


@pytest.mark.parametrize("wrong", [{"max_attempts": 0}, {"max_seconds": -1}, {"longest_wait": float("nan")}])
def test_numbers_that_cannot_be_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(InvalidArgumentError, match="give at least 1 attempt"):
        RetryingClient(replaying([]), **wrong)  # pyright: ignore[reportArgumentType] - wrong on purpose


def test_the_usage_is_that_of_the_client() -> None:
    inner = replaying([overloaded(), "two words"])
    client = RetryingClient(inner)
    simulate(lambda: client.create(HELLO))
    assert client.total_usage() == inner.total_usage() == RequestUsage(1, 2)
