"""However much a server sends, a client reads a limited part of it, and says so."""

import gzip
import json
from collections.abc import AsyncIterator
from functools import cache
from typing import Any, cast

import pytest
from pydantic import ValidationError
from tests.support.model_clients import FORMATS, SDKS, VENDORS, Vendor, kind_name, read

from symposia.core.exceptions import ModelError, ModelResponseError
from symposia.core.models import ChatCompletionClient, CreateResult, UserMessage
from symposia.testing.model_server import MockModelServer, Raw, Reply, ToolCall
from symposia.testing.model_server._event_frames import frame

HELLO = [UserMessage(content="hello", source="user")]
MIB = 1024 * 1024
GZIP = {"content-encoding": "gzip"}

every_vendor = pytest.mark.parametrize("vendor", VENDORS, ids=kind_name)
every_format = pytest.mark.parametrize("vendor", FORMATS, ids=kind_name)
every_sdk = pytest.mark.parametrize("vendor", SDKS, ids=kind_name)
every_sse = pytest.mark.parametrize(
    "vendor", [one for one in FORMATS if one.wire.STREAM_TYPE == "text/event-stream"], ids=kind_name
)
every_mode = pytest.mark.parametrize("streaming", [False, True], ids=["whole", "streamed"])


@pytest.fixture
async def server() -> AsyncIterator[MockModelServer]:
    async with MockModelServer() as server:
        yield server


async def ask(client: ChatCompletionClient, *, streaming: bool) -> CreateResult:
    return (await read(client.create_stream(HELLO)))[1] if streaming else await client.create(HELLO)


async def failure_of(client: ChatCompletionClient, *, streaming: bool) -> ModelError:
    with pytest.raises(ModelError) as caught:
        await ask(client, streaming=streaming)
    return caught.value


@cache
def zipped(start: bytes, repeated: bytes, times: int) -> bytes:
    """A body that is far larger than it is on its way."""
    return gzip.compress(start + repeated * times, compresslevel=1)


def without_events(vendor: Vendor) -> bytes:
    """A mebibyte of a stream that is well-formed, and has no event of an answer."""
    if not vendor.line_breaks:
        return frame(b"x" * MIB, "unheardOf")
    return b" " * MIB + b"\n" if vendor.wire.STREAM_TYPE != "text/event-stream" else b":" * MIB + b"\n\n"


@every_vendor
@every_mode
@pytest.mark.parametrize("compressed", [False, True], ids=["plain", "gzip"])
async def test_the_body_of_an_error_is_read_and_told_in_part(
    vendor: Vendor, server: MockModelServer, streaming: bool, compressed: bool
) -> None:
    words = "no such luck " * 100_000
    body = json.dumps({"error": {"message": words}}).encode()
    raw = Raw(body=gzip.compress(body), status=400, headers=GZIP) if compressed else Raw(body=body, status=400)
    error = await failure_of(vendor.client(server, raw), streaming=streaming)
    text = str(error)
    assert f"(status 400): {words[:4096]}… (cut after 4,096 characters). Sending it again" in text
    assert len(text) < 5_000
    assert len(str(error.__cause__)) < 70_000
    assert error.response_start.startswith('{"error": {"message": "no such luck')


@every_vendor
async def test_of_a_page_in_place_of_an_error_the_beginning_is_told(vendor: Vendor, server: MockModelServer) -> None:
    page = Raw(body=b"<!doctype html>" + b"<p>No." * 1_000, status=400, content_type="text/html")
    error = await failure_of(vendor.client(server, page), streaming=False)
    assert "<!doctype html><p>No." in str(error)
    assert len(str(error)) < 1_000


@every_vendor
async def test_a_whole_answer_that_is_too_large_is_an_error(vendor: Vendor, server: MockModelServer) -> None:
    body = zipped(b'{"text": "', b"x" * MIB, 65)
    client = vendor.client(server, Raw(body=body, headers=GZIP), Raw(body=body, headers=GZIP), Reply(text="Five."))
    for _ in range(2):
        error = await failure_of(client, streaming=False)
        assert isinstance(error, ModelResponseError)
        assert not error.is_transient
        assert str(error).startswith(
            f"The server at {vendor.address(server)} sent too large an answer of model '{vendor.model}' (status 200, "
            "application/json): it is larger than 64 MiB, the most that is read, so the connection was closed."
        )
    assert len(server.requests) == 2
    assert (await client.create(HELLO)).content == "Five."


@every_sdk
async def test_a_stream_that_is_too_large_is_an_error(vendor: Vendor, server: MockModelServer) -> None:
    body = zipped(b"", without_events(vendor), 257)
    client = vendor.client(server, Raw(body=body, content_type=vendor.wire.STREAM_TYPE, headers=GZIP))
    error = await failure_of(client, streaming=True)
    assert "sent too large an answer" in str(error)
    assert "it is larger than 256 MiB, the most that is read, so" in str(error)
    assert len(server.requests) == 1


@every_format
async def test_an_answer_of_more_values_than_can_be_parsed_quickly_is_an_error(
    vendor: Vendor, server: MockModelServer
) -> None:
    body = zipped(b'{"more": [', b"[]," * 1_000, 2_001)
    error = await failure_of(vendor.client(server, Raw(body=body, headers=GZIP)), streaming=False)
    assert "sent too large an answer" in str(error)
    assert "its JSON has more than 4,000,000 values and names, the most that are read." in str(error)
    assert isinstance(error, ModelResponseError)


@every_format
async def test_a_stream_that_goes_on_without_saying_anything_is_an_error(
    vendor: Vendor, server: MockModelServer
) -> None:
    nothing = b"\n" if vendor.line_breaks else frame(b"", "unheardOf")
    body = zipped(b"", nothing, 200_000)
    client = vendor.client(server, Raw(body=body, content_type=vendor.wire.STREAM_TYPE, headers=GZIP))
    error = await failure_of(client, streaming=True)
    assert "the stream has more than 100,000 " in str(error)


def with_long_lists(value: Any) -> Any:
    """An answer whose lists have 200,000 wrong items."""
    if isinstance(value, list):
        return [0] * 200_000
    if isinstance(value, dict):
        return {name: with_long_lists(field) for name, field in cast("dict[str, Any]", value).items()}
    return value


@every_format
async def test_of_a_list_of_wrong_items_the_first_is_an_error(vendor: Vendor, server: MockModelServer) -> None:
    reply = Reply(text="Five.", tool_calls=(ToolCall(id="1", name="add"),))
    whole = with_long_lists(vendor.wire.whole(reply, {"model": vendor.model}))
    error = await failure_of(vendor.client(server, Raw(body=json.dumps(whole).encode())), streaming=False)
    assert ".0" in str(error)
    assert isinstance(error.__cause__, ValidationError)
    assert error.__cause__.error_count() < 10


@every_sse
async def test_comments_that_keep_a_connection_alive_are_no_harm(vendor: Vendor, server: MockModelServer) -> None:
    fields = {"model": vendor.model, "stream_options": {"include_usage": True}}
    events = list(vendor.wire.events(Reply(text="Five fingers."), fields))
    body = (b": processing\n\n" * 20_000).join([b"", *events])
    client = vendor.client(server, Raw(body=body, content_type=vendor.wire.STREAM_TYPE))
    assert (await ask(client, streaming=True)).content == "Five fingers."


@every_vendor
@every_mode
async def test_a_compressed_answer_is_read(vendor: Vendor, server: MockModelServer, streaming: bool) -> None:
    fields = {"model": vendor.model, "stream_options": {"include_usage": True}}
    reply = Reply(text="Five fingers.")
    if streaming:
        plain, content_type = b"".join(vendor.wire.events(reply, fields)), vendor.wire.STREAM_TYPE
    else:
        plain, content_type = json.dumps(vendor.wire.whole(reply, fields)).encode(), "application/json"
    client = vendor.client(server, Raw(body=gzip.compress(plain), content_type=content_type, headers=GZIP))
    assert (await ask(client, streaming=streaming)).content == "Five fingers."
    assert server.requests[0].headers["accept-encoding"] == "gzip"


@every_sdk
@every_mode
async def test_a_compression_that_was_not_asked_for_is_an_error(
    vendor: Vendor, server: MockModelServer, streaming: bool
) -> None:
    client = vendor.client(server, Raw(body=b"zipped", headers={"content-encoding": "br"}))
    error = await failure_of(client, streaming=streaming)
    assert "it is in the encoding 'br', which was not asked for." in str(error)
