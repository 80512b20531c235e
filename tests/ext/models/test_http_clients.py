"""What every vendor's HTTP client keeps: several event loops work, and a key goes to its vendor only."""

import asyncio
import gc
import threading
from contextlib import suppress

import httpx2
import pytest
from tests.support.model_clients import SDKS, VENDORS, Vendor, kind_name, read

from symposia.core.exceptions import ArgumentTypeError, ModelError, UsageError
from symposia.core.models import ChatCompletionClient, UserMessage
from symposia.ext.models._http_clients import adapt_http_client
from symposia.testing.model_server import Hold, MockModelServer, Raw, Reply, Rule

HELLO = [UserMessage(content="hello", source="user")]
SECRET = "sk-SECRET-1"

every_vendor = pytest.mark.parametrize("vendor", VENDORS, ids=kind_name)


@every_vendor
@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize("status", [302, 307])
async def test_a_redirect_to_another_host_is_refused(vendor: Vendor, status: int, streaming: bool) -> None:
    connections: list[object] = []

    def receive(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(writer)
        writer.close()

    async with await asyncio.start_server(receive, "127.0.0.1") as other, MockModelServer() as server:
        elsewhere = f"http://localhost:{other.sockets[0].getsockname()[1]}/"
        redirect = Raw(body=b"", status=status, headers={"location": elsewhere})
        client = vendor.client(server, redirect, **{vendor.secret: SECRET, vendor.headers: {"x-team-token": SECRET}})
        with pytest.raises(ModelError, match=rf"to another host .*{elsewhere}.* were not sent there") as refused:
            await (read(client.create_stream(HELLO)) if streaming else client.create(HELLO))
        await client.close()

    assert SECRET in "".join(server.requests[0].headers.values())
    assert refused.value.status == status
    assert not refused.value.is_transient
    assert not connections


@pytest.mark.parametrize("vendor", SDKS, ids=kind_name)
async def test_a_redirect_on_the_same_host_is_followed(vendor: Vendor) -> None:
    async with MockModelServer() as server:
        moved = Raw(body=b"", status=307, headers={"location": f"{server.url}/moved"})
        client = vendor.client(server, moved, **{vendor.secret: SECRET})
        with pytest.raises(ModelError, match="status 404"):
            await client.create(HELLO)
        await client.close()
    assert [request.path for request in server.requests][1:] == ["/moved"]
    assert SECRET in "".join(server.requests[1].headers.values())


@every_vendor
@pytest.mark.parametrize("key", [f"{SECRET}\n", f"“{SECRET}”", f"{SECRET}\x00"])
def test_a_key_that_cannot_be_sent_is_refused_and_not_shown(
    vendor: Vendor, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UsageError, match="Copy it again") as refused:
        vendor.client(MockModelServer(port=9), **{vendor.secret: key})
    assert SECRET not in str(refused.value)

    if vendor.has_key and "\x00" not in key:  # which no environment can hold
        monkeypatch.setenv(vendor.key, key)
        with pytest.raises(UsageError, match=vendor.key):
            vendor.client(MockModelServer(port=9), **{vendor.secret: None})


@pytest.mark.parametrize("vendor", SDKS, ids=kind_name)
@pytest.mark.parametrize("value", [f"{SECRET}\n", f"{SECRET}\ud800"])
async def test_a_header_that_cannot_be_sent_is_named_and_not_shown(vendor: Vendor, value: str) -> None:
    async with MockModelServer() as server:
        client = vendor.client(server)
        with pytest.raises(ModelError, match="header has a character") as refused:
            await client.create(HELLO, extra_create_args={"extra_headers": {"x-token": value}})
        await client.close()
    assert SECRET not in str(refused.value)
    assert not refused.value.is_transient


@pytest.mark.parametrize("vendor", SDKS, ids=kind_name)
@pytest.mark.filterwarnings("ignore::ResourceWarning")  # for connections whose loop ended before they were closed
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_client_is_used_on_one_event_loop_after_another_and_on_several(vendor: Vendor) -> None:
    with MockModelServer([Rule([Reply(text="Yes.")])], keep_alive=True) as server:
        answers = _answers_on_many_loops(vendor.client(server))
    gc.collect()  # what the loops left behind is warned of here, and not in another test
    assert answers == ["Yes."] * 8


def _answers_on_many_loops(client: ChatCompletionClient) -> list[object]:
    answers = [asyncio.run(_ask(client, streaming=turn % 2 == 1)) for turn in range(4)]
    threads = [
        threading.Thread(target=lambda: answers.append(asyncio.run(_ask(client, streaming=False)))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    asyncio.run(_ask_and_close(client))
    return answers


async def _ask(client: ChatCompletionClient, *, streaming: bool) -> object:
    """Ask twice, so that the second request takes the connection of the first."""
    await client.create(HELLO)
    return (await read(client.create_stream(HELLO)))[1].content if streaming else (await client.create(HELLO)).content


async def _ask_and_close(client: ChatCompletionClient) -> None:
    await client.create(HELLO)
    await client.close()


@pytest.mark.parametrize("vendor", SDKS, ids=kind_name)
@pytest.mark.parametrize("streaming", [False, True])
async def test_a_closed_client_says_that_it_is_closed(vendor: Vendor, streaming: bool) -> None:
    hold = Hold(after=2 if streaming else 0)
    async with MockModelServer() as server:
        client = vendor.client(server, Reply(text="one two three four", hold=hold))
        asking = asyncio.ensure_future(read(client.create_stream(HELLO)) if streaming else client.create(HELLO))
        async with asyncio.timeout(10):
            await hold.reached.wait()
        await client.close()
        with pytest.raises(ModelError, match="was closed while a request was under way"):
            await asyncio.wait_for(asking, 10)
        with pytest.raises(UsageError, match="is closed: make another"):
            await client.create(HELLO)
        await client.close()


@every_vendor
def test_a_number_given_as_text_is_refused_when_a_client_is_made(vendor: Vendor) -> None:
    for wrong in ("5", True):
        with pytest.raises(ArgumentTypeError, match=rf"timeout of \w+ is {wrong!r}: give seconds"):
            vendor.client(MockModelServer(port=9), timeout=wrong)
    if vendor.retries:
        with pytest.raises(ArgumentTypeError, match=r"max_retries of \w+ is '2': give a whole number"):
            vendor.client(MockModelServer(port=9), max_retries="2")


@pytest.mark.parametrize("ticks", [1, 2, 3])
async def test_connections_are_closed_though_the_request_that_closes_them_is_cancelled(ticks: int) -> None:
    connected: set[asyncio.StreamWriter] = set()
    all_gone = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connected.add(writer)
        with suppress(asyncio.IncompleteReadError):
            while await reader.readuntil(b"\r\n\r\n"):
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
        connected.remove(writer)
        writer.close()
        if not connected:
            all_gone.set()

    async with await asyncio.start_server(serve, "127.0.0.1") as server, asyncio.timeout(10):
        client = httpx2.AsyncClient(base_url=f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        adapt_http_client(client)
        await asyncio.gather(*[client.get("/") for _ in range(5)])
        assert connected
        closing = asyncio.create_task(client.aclose())
        for _ in range(ticks):
            await asyncio.sleep(0)
        closing.cancel()
        await asyncio.wait([closing])
        await all_gone.wait()
