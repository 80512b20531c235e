"""The tokens of answers that ended early are counted: as far as the vendor did, and otherwise by an estimate."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from tests.support.model_clients import ANTHROPIC, APART, OPENAI, VENDORS, Vendor, kind_name, read

from symposia.core import CancellationToken
from symposia.core.exceptions import ModelError
from symposia.core.models import AssistantMessage, RequestUsage, UserMessage, estimate_tokens
from symposia.testing.model_server import Failure, Hold, MockModelServer, Raw, Reply

HELLO = [UserMessage(content="Count to seven, and then back to one.", source="user")]
WORDS = "one two three four five six seven"

every_vendor = pytest.mark.parametrize("vendor", [*VENDORS, *APART], ids=kind_name)


@pytest.fixture
async def server() -> AsyncIterator[MockModelServer]:
    async with MockModelServer() as server:
        yield server


def estimate(text: str) -> int:
    return estimate_tokens([AssistantMessage(content=text, source="model")])


@every_vendor
async def test_a_stream_that_is_cancelled_counts_its_tokens(vendor: Vendor, server: MockModelServer) -> None:
    client, token = vendor.client(server, Reply(text=WORDS, hold=Hold(after=6))), CancellationToken()
    stream = client.create_stream(HELLO, cancellation_token=token)
    assert await anext(stream) == "one"
    asyncio.get_running_loop().call_soon(token.cancel)
    with pytest.raises(asyncio.CancelledError):
        await read(stream)
    usage = client.total_usage()
    assert usage.estimated
    assert usage.model == vendor.model
    assert usage.prompt_tokens in {11, estimate_tokens(HELLO)}
    assert estimate("one") <= usage.completion_tokens <= estimate(WORDS)
    assert client.actual_usage() == usage


@every_vendor
async def test_a_stream_that_is_left_counts_its_tokens(vendor: Vendor, server: MockModelServer) -> None:
    client = vendor.client(server, Reply(text=WORDS, hold=Hold(after=6)))
    stream = client.create_stream(HELLO)
    assert await anext(stream) == "one"
    await stream.aclose()
    assert client.total_usage().completion_tokens >= estimate("one")
    assert client.total_usage().estimated


@every_vendor
async def test_a_stream_that_is_cut_counts_its_tokens(vendor: Vendor, server: MockModelServer) -> None:
    client = vendor.client(server, Reply(text=WORDS, cut_after=6))
    with pytest.raises(ModelError) as caught:
        await read(client.create_stream(HELLO))
    assert caught.value.partial is not None
    received = caught.value.partial["text"]  # a dropped connection may take all of it along
    assert client.total_usage().completion_tokens == (estimate(received) if received else 0)
    assert client.total_usage().estimated == bool(received)


@every_vendor
async def test_a_call_that_ends_before_its_answer_begins_counts_nothing(
    vendor: Vendor, server: MockModelServer
) -> None:
    hold, token = Hold(), CancellationToken()
    page = Raw(body=b"<!doctype html>", content_type="text/html")
    client = vendor.client(server, Reply(text=WORDS, hold=hold), page)
    server.script(Failure(status=400))
    asking = asyncio.ensure_future(read(client.create_stream(HELLO, cancellation_token=token)))
    await hold.reached.wait()
    token.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    for _ in range(2):
        with pytest.raises(ModelError):
            await read(client.create_stream(HELLO))
    assert client.total_usage() == RequestUsage(0, 0)
    assert not client.total_usage().estimated


async def test_what_the_vendor_has_counted_before_is_kept(server: MockModelServer) -> None:
    client = ANTHROPIC.client(server, Reply(text=WORDS, usage=(300, 70), cached_tokens=200, hold=Hold(after=6)))
    stream = client.create_stream(HELLO)
    await anext(stream)
    await stream.aclose()
    usage = client.total_usage()
    assert (usage.prompt_tokens, usage.cached_tokens) == (500, 200)
    assert usage.completion_tokens < 70


async def test_tokens_of_an_answer_that_ended_early_have_a_price(server: MockModelServer) -> None:
    client = OPENAI.client(server, Reply(text=WORDS, hold=Hold(after=6)))
    stream = client.create_stream(HELLO)
    await anext(stream)
    await stream.aclose()
    usage, price = client.total_usage(), client.token_price
    assert price is not None
    assert usage.usd == pytest.approx(price.cost_of(usage))
    assert usage.unpriced_tokens == 0
