"""The key of a vendor is in no error, no traceback with local variables, and no `repr`."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from traceback import TracebackException

import pytest
from tests.support.model_clients import APART, VENDORS, Vendor, kind_name, read

from symposia.core import CancellationToken
from symposia.core.exceptions import ModelError
from symposia.core.models import ChatCompletionClient, UserMessage
from symposia.testing.model_server import Answer, Failure, Hold, MockModelServer, Raw, Reply, Reset

HELLO = [UserMessage(content="hello", source="user")]
KEY = "sk-0123456789-of-nobody"

every_vendor = pytest.mark.parametrize("vendor", [*VENDORS, *APART], ids=kind_name)
every_mode = pytest.mark.parametrize("streaming", [False, True], ids=["whole", "streamed"])


@pytest.fixture
async def server() -> AsyncIterator[MockModelServer]:
    async with MockModelServer() as server:
        yield server


def client_with_key(vendor: Vendor, server: MockModelServer, *answers: Answer) -> ChatCompletionClient:
    client = vendor.client(server, **{vendor.secret: KEY})
    server.script(*answers)
    return client


async def ask(client: ChatCompletionClient, *, streaming: bool, token: CancellationToken | None = None) -> None:
    if streaming:
        await read(client.create_stream(HELLO, cancellation_token=token))
    else:
        await client.create(HELLO, cancellation_token=token)


def chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def assert_hidden(error: BaseException) -> None:
    shown = "".join(TracebackException.from_exception(error, capture_locals=True).format())
    assert "client = " in shown  # local variables are there
    assert [line for line in shown.splitlines() if KEY in line] == []
    for each in chain(error):
        assert KEY not in repr((str(each), each.args, getattr(each, "__notes__", ())))


@every_vendor
@every_mode
@pytest.mark.parametrize(
    "answer", [Failure(status=401), Failure(status=500), Reset(), Raw(body=b"<!doctype html>")], ids=kind_name
)
async def test_a_request_that_fails_does_not_show_the_key(
    vendor: Vendor, server: MockModelServer, streaming: bool, answer: Answer
) -> None:
    client = client_with_key(vendor, server, answer)
    with pytest.raises(ModelError) as caught:
        await ask(client, streaming=streaming)
    assert_hidden(caught.value)


@every_vendor
@every_mode
async def test_a_server_that_is_not_there_is_not_told_with_the_key(vendor: Vendor, streaming: bool) -> None:
    async with MockModelServer() as server:
        client = client_with_key(vendor, server)
    with pytest.raises(ModelError) as caught:
        await ask(client, streaming=streaming)
    assert_hidden(caught.value)


@every_vendor
async def test_a_stream_that_is_cut_does_not_show_the_key(vendor: Vendor, server: MockModelServer) -> None:
    client = client_with_key(vendor, server, Reply(text="one two three four five six", cut_after=5))
    with pytest.raises(ModelError) as caught:
        await ask(client, streaming=True)
    assert_hidden(caught.value)


@every_vendor
@every_mode
async def test_a_call_that_is_cancelled_does_not_show_the_key(
    vendor: Vendor, server: MockModelServer, streaming: bool
) -> None:
    hold, token = Hold(), CancellationToken()
    client = client_with_key(vendor, server, Reply(text="Five.", hold=hold))
    asking = asyncio.ensure_future(ask(client, streaming=streaming, token=token))
    await hold.reached.wait()
    token.cancel()
    with pytest.raises(asyncio.CancelledError) as caught:
        await asking
    assert_hidden(caught.value)


@every_vendor
def test_the_repr_of_a_client_does_not_show_the_key(vendor: Vendor) -> None:
    client = vendor.client_class(
        **{"model": vendor.model, **vendor.usual_options, **vendor.at("http://localhost:1"), vendor.secret: KEY}
    )
    assert KEY not in repr(client)
    assert KEY not in str(client)


async def test_the_local_variables_of_the_program_are_kept(server: MockModelServer) -> None:
    client = client_with_key(VENDORS[0], server, Failure(status=401))

    def fail() -> None:
        kept = "a variable of the program"
        raise LookupError(len(kept))

    try:
        fail()
    except LookupError as error:
        with pytest.raises(ModelError):
            await ask(client, streaming=False)
        shown = "".join(TracebackException.from_exception(error, capture_locals=True).format())
        assert "kept = 'a variable of the program'" in shown
