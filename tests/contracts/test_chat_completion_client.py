"""What every `ChatCompletionClient` promises, and what those of the vendors promise on top of it."""

import asyncio
import copy
from collections.abc import AsyncIterator
from inspect import isasyncgen, isawaitable
from typing import Any

import pytest
from tests.support.model_clients import ADD, APART, KINDS, STACK, VENDORS, Kind, Vendor, Wrapped, kind_name, read

from symposia.core import CancellationToken, FunctionCall
from symposia.core.exceptions import ArgumentTypeError
from symposia.core.models import LLMMessage, RequestUsage, SystemMessage, UserMessage
from symposia.testing.model_server import Hold, MockModelServer, Reply, ToolCall

MESSAGES: list[LLMMessage] = [
    SystemMessage(content="Be brief."),
    UserMessage(content="How many fingers?", source="user"),
]
CALLS = (
    ToolCall(id="call_1", name="add", arguments='{"a": 1, "b": 2}'),
    ToolCall(id="call_2", name="add", arguments='{"a": 3, "b": 4}'),
)

every_kind = pytest.mark.parametrize("kind", KINDS, ids=kind_name)
every_vendor = pytest.mark.parametrize("vendor", [*VENDORS, *APART, STACK], ids=kind_name)


@pytest.fixture
async def server() -> AsyncIterator[MockModelServer]:
    async with MockModelServer() as server:
        yield server


@every_kind
async def test_a_text_answer_comes_back_whole(kind: Kind, server: MockModelServer) -> None:
    client = kind.client(server, Reply(text="Five, a hand."))
    result = await client.create(MESSAGES)
    assert (result.content, result.finish_reason, result.thought) == ("Five, a hand.", "stop", None)


@every_kind
async def test_streamed_pieces_join_to_the_answer_which_comes_last(kind: Kind, server: MockModelServer) -> None:
    client = kind.client(server, Reply(text="Five,  a\nhand. "))
    pieces, whole = await read(client.create_stream(MESSAGES))
    assert len(pieces) > 1
    assert "".join(pieces) == whole.content == "Five,  a\nhand. "


@every_kind
async def test_streaming_gives_the_same_result_as_not_streaming(kind: Kind, server: MockModelServer) -> None:
    reply = Reply(text="Five.")
    client = kind.client(server, reply, reply)
    _, streamed = await read(client.create_stream(MESSAGES))
    assert (streamed.content, streamed.finish_reason) == ("Five.", (await client.create(MESSAGES)).finish_reason)


@every_kind
@pytest.mark.parametrize("streaming", [False, True])
async def test_parallel_tool_calls_come_back_in_order(kind: Kind, server: MockModelServer, streaming: bool) -> None:
    client = kind.client(server, Reply(tool_calls=CALLS))
    if streaming:
        pieces, result = await read(client.create_stream(MESSAGES, tools=[ADD]))
        assert pieces == []
    else:
        result = await client.create(MESSAGES, tools=[ADD])
    assert result.finish_reason == "function_calls"
    assert result.content == [FunctionCall(id=call.id, name="add", arguments=call.arguments) for call in CALLS]


@every_kind
async def test_the_callers_messages_are_never_edited(kind: Kind, server: MockModelServer) -> None:
    client = kind.client(server, Reply(text="Five."), Reply(text="Six."))
    before = copy.deepcopy(MESSAGES)
    await client.create(MESSAGES)
    await read(client.create_stream(MESSAGES))
    assert before == MESSAGES


@every_kind
async def test_a_longer_conversation_leaves_fewer_tokens(kind: Kind, server: MockModelServer) -> None:
    client = kind.client(server)
    longer = [*MESSAGES, UserMessage(content="And how many toes has a whole family?", source="user")]
    assert 0 < client.count_tokens(MESSAGES) < client.count_tokens(longer)
    assert client.remaining_tokens(MESSAGES) > client.remaining_tokens(longer)


@every_kind
async def test_closing_twice_is_harmless(kind: Kind, server: MockModelServer) -> None:
    client = kind.client(server)
    await client.close()
    await client.close()


@every_vendor
async def test_a_token_that_is_already_cancelled_sends_nothing(
    vendor: Vendor | Wrapped, server: MockModelServer
) -> None:
    client = vendor.client(server, Reply(text="Five."))
    token = CancellationToken()
    token.cancel()
    with pytest.raises(asyncio.CancelledError):
        await client.create(MESSAGES, cancellation_token=token)
    assert server.requests == []


@every_vendor
async def test_text_that_comes_along_with_tool_calls_is_the_thought(
    vendor: Vendor | Wrapped, server: MockModelServer
) -> None:
    client = vendor.client(server, Reply(text="Let me add.", tool_calls=CALLS))
    pieces, result = await read(client.create_stream(MESSAGES, tools=[ADD]))
    assert "".join(pieces) == result.thought == "Let me add."
    assert isinstance(result.content, list)


@every_vendor
async def test_f46_a_streamed_answer_counts_its_tokens(vendor: Vendor | Wrapped, server: MockModelServer) -> None:
    client = vendor.client(server, Reply(text="Five.", usage=(30, 4)))
    _, result = await read(client.create_stream(MESSAGES))
    assert result.usage == RequestUsage(prompt_tokens=30, completion_tokens=4)


@every_vendor
async def test_the_tokens_of_all_requests_add_up(vendor: Vendor | Wrapped, server: MockModelServer) -> None:
    client = vendor.client(server, Reply(text="Five.", usage=(30, 4)), Reply(text="Six.", usage=(50, 6)))
    await client.create(MESSAGES)
    await read(client.create_stream(MESSAGES))
    assert client.total_usage() == client.actual_usage() == RequestUsage(prompt_tokens=80, completion_tokens=10)


@every_vendor
@pytest.mark.parametrize("stop", ["stop", "length", "content_filter"])
async def test_why_the_model_stopped_is_told(vendor: Vendor | Wrapped, server: MockModelServer, stop: str) -> None:
    expected = "stop" if stop == "content_filter" and isinstance(vendor, Vendor) and not vendor.filters else stop
    reply = Reply(text="Fi", stop=stop)  # pyright: ignore[reportArgumentType] - one of those listed above
    client = vendor.client(server, reply, reply)
    _, streamed = await read(client.create_stream(MESSAGES))
    assert streamed.finish_reason == (await client.create(MESSAGES)).finish_reason == expected


@every_vendor
async def test_a_token_ends_the_request_before_the_first_byte(
    vendor: Vendor | Wrapped, server: MockModelServer
) -> None:
    hold = Hold()
    client = vendor.client(server, Reply(text="Five.", hold=hold))
    token = CancellationToken()
    async with asyncio.timeout(5):
        asking = asyncio.create_task(client.create(MESSAGES, cancellation_token=token))
        await hold.reached.wait()
        token.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        await server.requests[0].disconnected.wait()


@every_vendor
async def test_a_token_ends_the_request_in_the_middle_of_a_stream(
    vendor: Vendor | Wrapped, server: MockModelServer
) -> None:
    hold = Hold(after=5)
    client = vendor.client(server, Reply(text="one two three four five six seven", hold=hold))
    token = CancellationToken()
    first = asyncio.Event()

    async def listen() -> None:
        async for _ in client.create_stream(MESSAGES, cancellation_token=token):
            first.set()

    async with asyncio.timeout(5):
        listening = asyncio.create_task(listen())
        await first.wait()
        token.cancel()
        with pytest.raises(asyncio.CancelledError):
            await listening
        await server.requests[0].disconnected.wait()


@every_vendor
async def test_cancelling_the_task_ends_the_request(vendor: Vendor | Wrapped, server: MockModelServer) -> None:
    hold = Hold()
    client = vendor.client(server, Reply(text="Five.", hold=hold))
    async with asyncio.timeout(5):
        asking = asyncio.create_task(client.create(MESSAGES, cancellation_token=CancellationToken()))
        await hold.reached.wait()
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        await server.requests[0].disconnected.wait()


@every_vendor
async def test_leaving_a_stream_early_ends_the_request(vendor: Vendor | Wrapped, server: MockModelServer) -> None:
    hold = Hold(after=6)
    client = vendor.client(server, Reply(text="one two three four five six seven", hold=hold))
    async with asyncio.timeout(5):
        stream = client.create_stream(MESSAGES)
        assert await anext(stream) == "one"
        await stream.aclose()
        await server.requests[0].disconnected.wait()


@every_vendor
async def test_a_token_cancels_a_wait_but_never_the_callers_own_code(
    vendor: Vendor | Wrapped, server: MockModelServer
) -> None:
    client = vendor.client(server, Reply(text="one two three"))
    token = CancellationToken()
    stream = client.create_stream(MESSAGES, cancellation_token=token)
    async with asyncio.timeout(5):
        assert await anext(stream) == "one"
        token.cancel()
        await asyncio.sleep(0)
        with pytest.raises(asyncio.CancelledError):
            await anext(stream)
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


@every_vendor
async def test_a_client_answers_again_after_a_cancelled_request(
    vendor: Vendor | Wrapped, server: MockModelServer
) -> None:
    hold = Hold()
    client = vendor.client(server, Reply(hold=hold), Reply(text="Five."))
    token = CancellationToken()
    async with asyncio.timeout(5):
        asking = asyncio.create_task(client.create(MESSAGES, cancellation_token=token))
        await hold.reached.wait()
        token.cancel()
        await asyncio.wait([asking])
        assert (await client.create(MESSAGES)).content == "Five."


@every_vendor
async def test_many_requests_share_a_client(vendor: Vendor | Wrapped, server: MockModelServer) -> None:
    client = vendor.client(server, *(Reply(text="Five.", usage=(2, 1)) for _ in range(20)))
    async with asyncio.timeout(20):
        results = await asyncio.gather(*(client.create(MESSAGES) for _ in range(20)))
    assert [result.content for result in results] == ["Five."] * 20
    assert client.total_usage() == RequestUsage(prompt_tokens=40, completion_tokens=20)


NO_MESSAGES: dict[str, Any] = {
    "text": "hello",
    "message": MESSAGES[-1],
    "texts": ["hello"],
    "text at the end": [*MESSAGES, "hello"],
    "dict": {"content": "hello"},
    "None": None,
}


@pytest.mark.parametrize("given", NO_MESSAGES)
@pytest.mark.parametrize("method", ["create", "create_stream", "count_tokens", "remaining_tokens"])
@every_kind
async def test_what_are_no_messages_are_refused_with_what_to_give(
    kind: Kind, server: MockModelServer, method: str, given: str
) -> None:
    ask = getattr(kind.client(server, Reply(text="Five.")), method)
    with pytest.raises(ArgumentTypeError, match=r"list of SystemMessage, .* such as \[UserMessage\(.*\)\], not "):
        await outcome(ask(NO_MESSAGES[given]))


def add(a: int, b: int) -> int:
    return a + b


@pytest.mark.parametrize("method", ["create", "create_stream", "count_tokens", "remaining_tokens"])
@every_kind
async def test_what_are_no_tools_are_refused(kind: Kind, server: MockModelServer, method: str) -> None:
    ask = getattr(kind.client(server, Reply(text="Five.")), method)
    for given in ("add", add, {"name": "add"}, 5):
        with pytest.raises(ArgumentTypeError, match="The tools of a model are given as a list, not "):
            await outcome(ask(MESSAGES, tools=given))


async def outcome(called: Any) -> object:
    """What a method gives, be it a value, a coroutine or a stream."""
    if isasyncgen(called):
        return [item async for item in called]
    return await called if isawaitable(called) else called
