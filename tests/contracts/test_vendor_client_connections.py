"""Connections to a vendor that end at any stage of a request."""

import asyncio
import gc
import warnings
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import anyio
import httpcore
import httpcore2
import pytest
from tests.support.model_clients import SDKS, VENDORS, Vendor, kind_name, read
from tests.support.web_server import CERTIFICATE, serving

from symposia.core import cancel_and_wait
from symposia.core.exceptions import ModelError
from symposia.core.models import ChatCompletionClient, UserMessage
from symposia.testing.model_server import MockModelServer, Reply

HELLO = [UserMessage(content="hello", source="user")]
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
SENT = {
    "before the response": b"",
    "in the head": HEAD[:20],
    "behind the head": HEAD,
    "in a chunk": HEAD + b"100\r\ndata: ",
    "in an error": b"HTTP/1.1 500 No\r\nContent-Length: 1000\r\n\r\nno",
}
"""What a server sends before it ends a connection."""

every_vendor = pytest.mark.parametrize("vendor", VENDORS, ids=kind_name)
every_sdk = pytest.mark.parametrize("vendor", SDKS, ids=kind_name)


@pytest.fixture
async def server() -> AsyncIterator[MockModelServer]:
    async with MockModelServer() as server:
        yield server


def client_at(vendor: Vendor, server: MockModelServer, port: int) -> ChatCompletionClient:
    """A client that sends its requests by TLS to a port, once."""
    path = vendor.address(server).removeprefix(server.url)
    return vendor.client(server, **vendor.at(f"https://127.0.0.1:{port}{path}"), **once(vendor))


def once(vendor: Vendor) -> dict[str, Any]:
    return {"max_retries": 0} if vendor.retries else {}


async def check_fails(client: ChatCompletionClient) -> None:
    for streaming in (False, True):
        with pytest.raises(ModelError):
            await (read(client.create_stream(HELLO)) if streaming else client.create(HELLO))


@every_vendor
@pytest.mark.parametrize("stage", SENT)
async def test_a_connection_that_ends_is_an_error_of_the_model(
    vendor: Vendor, server: MockModelServer, stage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "trusted.pem").write_text(CERTIFICATE)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "trusted.pem"))
    answered = 0

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal answered
        await reader.readuntil(b"\r\n\r\n")
        writer.write(SENT[stage])
        await writer.drain()
        if answered in {1, 2}:  # of a stream, and of a whole answer; the others are closed in order
            writer.transport.abort()
        answered += 1

    async with serving(answer, tls=True) as port:
        client = client_at(vendor, server, port)
        await check_fails(client)
        await check_fails(client)
        await client.close()
    assert answered == 4


@every_vendor
@pytest.mark.parametrize("length", [0, 10_000], ids=["before the handshake", "in the handshake"])
async def test_a_connection_that_ends_before_it_is_safe_is_an_error_of_the_model(
    vendor: Vendor, server: MockModelServer, length: int
) -> None:
    async def leave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if length:
            await reader.read(length)
        writer.close()

    async with serving(leave) as port:
        client = client_at(vendor, server, port)
        await check_fails(client)
        await client.close()


class FailingStreams:
    """Has the connections of the HTTP clients fail with errors of anyio, as some versions of httpcore do.

    Args:
        error: The error.
        reads: How many reads succeed; -1 fails the first write.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, error: type[Exception], reads: int) -> None:
        self.error = error
        self.most = self.left = reads
        for library in (httpcore, httpcore2):
            stream = getattr(library, "_backends").anyio.AnyIOStream  # noqa: B009 - private to both
            monkeypatch.setattr(stream, "read", self._failing(stream.read))
            if reads < 0:
                monkeypatch.setattr(stream, "write", self._failing(stream.write))

    def _failing(self, method: Any) -> Any:
        async def call(stream: object, data: Any, timeout: float | None = None) -> Any:
            if self.left <= 0:
                self.left = self.most
                raise self.error
            self.left -= 1
            return await method(stream, 300, timeout)  # less than an answer

        return call


@every_vendor
@pytest.mark.parametrize("error", [anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError])
@pytest.mark.parametrize("reads", [-1, 0, 3], ids=["writing", "reading the head", "reading the body"])
async def test_an_error_of_anyio_that_the_http_client_lets_through_is_one_of_the_model(
    vendor: Vendor, server: MockModelServer, error: type[Exception], reads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = Reply(text="one two three four " * 100)
    client = vendor.client(server, long, long, **once(vendor))
    FailingStreams(monkeypatch, error, reads)
    await check_fails(client)
    await client.close()


@every_sdk
@pytest.mark.parametrize("steps", range(3))
def test_a_stream_that_is_cancelled_as_its_answer_ends_leaves_no_connection_open(vendor: Vendor, steps: int) -> None:
    async def cancelled() -> None:
        begun = asyncio.Event()

        async def consume(client: ChatCompletionClient) -> None:
            async with aclosing(client.create_stream(HELLO)) as stream:
                async for _ in stream:
                    begun.set()

        async with MockModelServer() as server:
            task = asyncio.create_task(consume(vendor.client(server, Reply(text="one two"))))
            await begun.wait()
            for _ in range(steps):
                await asyncio.sleep(0)
            await cancel_and_wait(task)

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        asyncio.run(cancelled())
        gc.collect()
    assert [str(each.message) for each in caught if each.category is ResourceWarning] == []
