"""The server against clients of all manners, over bare sockets."""

import asyncio
import json
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from symposia.testing import MockModelServer
from symposia.testing.model_server import Hold, Message, Reply, Rule, ToolCall, When

BODY: dict[str, object] = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
WAIT = 30


def request(body: bytes | object, path: str = "/v1/chat/completions", *headers: str, method: str = "POST") -> bytes:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"{method} {path} HTTP/1.1", "host: h", f"content-length: {len(data)}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + data


@asynccontextmanager
async def connection(server: MockModelServer) -> AsyncGenerator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    host, port = server.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        yield reader, writer
    finally:
        writer.close()


async def response(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """The status and the body of an answer that has a length."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
    return int(head.split()[1]), await reader.readexactly(length)


async def asked(server: MockModelServer, data: bytes) -> tuple[int, bytes]:
    async with connection(server) as (reader, writer):
        writer.write(data)
        return await asyncio.wait_for(response(reader), WAIT)


async def test_a_connection_takes_one_request_after_another_and_those_sent_ahead() -> None:
    rules = [Rule([Reply(text="yes")])]
    async with MockModelServer(rules, keep_alive=True) as server, connection(server) as (reader, writer):
        writer.write(request(BODY) + request(BODY))
        for _ in range(2):
            status, body = await asyncio.wait_for(response(reader), WAIT)
            assert (status, json.loads(body)["choices"][0]["message"]["content"]) == (200, "yes")
        writer.write(request(b"", "/v1/models", method="GET"))
        assert (await asyncio.wait_for(response(reader), WAIT))[0] == 200


async def test_an_answer_to_head_has_no_body_and_the_connection_goes_on() -> None:
    rules = [Rule([Reply(text="yes")])]
    async with MockModelServer(rules, keep_alive=True) as server, connection(server) as (reader, writer):
        writer.write(request(b"", method="HEAD") + request(BODY))
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), WAIT)
        assert head.startswith(b"HTTP/1.1 405 ")
        assert (await asyncio.wait_for(response(reader), WAIT))[0] == 200


async def test_what_is_sent_ahead_of_an_answer_is_bounded_and_holds_up_nobody() -> None:
    async def flood(writer: asyncio.StreamWriter) -> None:
        for _ in range(100):
            writer.write(bytes(2**20))
            await asyncio.wait_for(writer.drain(), WAIT)

    hold = Hold()
    rules = [Rule([Reply(text="yes", hold=hold)])]
    async with MockModelServer(rules, keep_alive=True) as server, connection(server) as (_, writer):
        writer.write(request(BODY))
        await asyncio.wait_for(hold.reached.wait(), WAIT)
        began = time.process_time()
        with pytest.raises(ConnectionError):
            await flood(writer)
        assert time.process_time() - began < 5  # it took 25


@pytest.mark.parametrize(
    ("data", "status", "words"),
    [
        (b"nonsense\r\n\r\n", 400, b"illegal request line"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400, b""),
        (b"POST / HTTP/1.1\r\nhost: h\r\ncontent-length: -1\r\n\r\n", 400, b"Content-Length"),
        (b"POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 99999999999\r\n\r\n", 413, b"bytes"),
        (b"GET / HTTP/1.1\r\nhost: h\r\nx: " + b"y" * 200_000, 431, b""),
        (request(b"\xff"), 400, b"not one of openai"),
        (request(b"[" * 100_000), 400, b"not one of openai"),
        (request(b"[]"), 400, b"no JSON object"),
        (request({}), 400, b"KeyError: 'messages'"),
        (request({"model": "m", "messages": 5}), 400, b"not one of openai"),
        (request({"model": "m", "messages": [{"role": 5}]}, "/v1/messages"), 400, b"not one of anthropic"),
        (request({"contents": [7]}, "/v1beta/models/m:generateContent"), 400, b"not one of gemini"),
        (request({"model": "m", "messages": [7]}, "/api/chat"), 400, b"not one of ollama"),
        (request({"model": "m", "input": [7]}, "/v1/responses"), 400, b"not one of openai-responses"),
        (request(BODY, "/nowhere"), 404, b"no such path: POST /nowhere"),
        (request(b"", method="GET"), 405, b"GET is not POST"),
        (request({**BODY, "odd": 1}), 400, b"Unrecognized request argument supplied: odd"),
    ],
    ids=lambda value: f"{value!r:.40}" if isinstance(value, bytes) else str(value),
)
async def test_a_request_that_is_wrong_is_refused_and_the_server_goes_on(
    data: bytes, status: int, words: bytes
) -> None:
    async with MockModelServer([Rule([Reply(text="yes")])]) as server:
        got, body = await asked(server, data)
        assert (got, words in body) == (status, True), body
        assert (await asked(server, request(BODY)))[0] == 200


async def test_a_lenient_server_answers_requests_that_the_vendor_would_refuse() -> None:
    async with MockModelServer([Rule([Reply(text="yes")])], strict=False) as server:
        assert (await asked(server, request({**BODY, "odd": 1})))[0] == 200


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ("role", "content", "type", "text", "parts", "tools", "tool_calls", "function", "input")
                ),
                inner,
                max_size=4,
            )
        ),
        max_leaves=12,
    ),
    st.sampled_from(
        (
            ("/v1/chat/completions", "messages"),
            ("/v1/messages", "messages"),
            ("/v1/responses", "input"),
            ("/v1/models/m:streamGenerateContent", "contents"),
            ("/api/chat", "messages"),
        )
    ),
)
def test_any_json_gets_an_answer(value: object, place: tuple[str, str]) -> None:
    path, field = place

    async def ask() -> int:
        rules = [Rule([Reply(text="yes")])]
        async with MockModelServer(rules) as server, connection(server) as (reader, writer):
            writer.write(request({"model": "m", "stream": False, field: value}, path))
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), WAIT)
            return int(head.split()[1])

    assert asyncio.run(ask()) in (200, 400)


async def test_a_client_that_vanishes_is_noticed_and_the_server_stops_at_once() -> None:
    hold = Hold(after=2)
    async with MockModelServer([Rule([Reply(text="one two three", hold=hold)])]) as server:
        async with connection(server) as (_, writer):
            writer.write(request({**BODY, "stream": True}))
            await asyncio.wait_for(hold.reached.wait(), WAIT)
            writer.transport.abort()
        await asyncio.wait_for(server.requests[0].disconnected.wait(), WAIT)


async def test_a_reader_that_does_not_read_holds_up_nobody_and_not_the_end() -> None:
    large = Reply(text="word " * 2_000_000)
    rules = [Rule([large], when=When(model="large")), Rule([Reply(text="yes")])]
    async with asyncio.timeout(WAIT):
        async with MockModelServer(rules) as server, connection(server) as (reader, writer):
            writer.write(request({**BODY, "model": "large"}))
            await reader.readuntil(b"\r\n\r\n")
            assert (await asked(server, request(BODY)))[0] == 200


async def test_five_hundred_streams_at_once_come_whole() -> None:
    text = " ".join(f"word{number}" for number in range(40))
    hold = Hold(after=20)  # so that all of them are open together

    async def stream(server: MockModelServer) -> str:
        async with connection(server) as (reader, writer):
            writer.write(request({**BODY, "stream": True}))
            data = await reader.read(-1)
        lines = [line[6:] for line in data.split(b"\r\n") if line.startswith(b"data: {")]
        deltas = [choice["delta"] for line in lines for choice in json.loads(line)["choices"]]
        return "".join(delta.get("content") or "" for delta in deltas)

    async with asyncio.timeout(2 * WAIT):
        async with MockModelServer([Rule([Reply(text=text, hold=hold)])]) as server:
            streams = [asyncio.create_task(stream(server)) for _ in range(500)]
            await hold.reached.wait()
            hold.release.set()
            assert await asyncio.gather(*streams) == [text] * 500
    assert len(server.requests) == 500


async def test_gemini_and_ollama_get_answers_in_their_own_formats() -> None:
    reply = Reply(text="A sum.", tool_calls=(ToolCall(id="c1", name="add", arguments='{"a": 1}'),))
    tools = [{"functionDeclarations": [{"name": "add", "parameters": {"type": "OBJECT"}}]}]
    gemini = {
        "systemInstruction": {"parts": [{"text": "Be kind."}]},
        "contents": [
            {"role": "user", "parts": [{"text": "hi"}, {"inlineData": {"mimeType": "image/png", "data": ""}}]}
        ],
        "tools": tools,
    }
    ollama = {
        "model": "llama",
        "messages": [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "hi"}],
    }
    async with MockModelServer([Rule([reply])]) as server:
        _, whole = await asked(server, request(gemini, "/v1beta/models/gemini-x:generateContent"))
        async with connection(server) as (reader, writer):
            writer.write(request(ollama, "/api/chat"))
            streamed = await asyncio.wait_for(reader.read(-1), WAIT)
    candidate = json.loads(whole)["candidates"][0]
    call = {"functionCall": {"id": "c1", "name": "add", "args": {"a": 1}}}
    assert (candidate["content"]["parts"], candidate["finishReason"]) == ([{"text": "A sum."}, call], "STOP")
    lines = [json.loads(line) for line in streamed.split(b"\r\n") if line.startswith(b"{")]
    assert [line["message"]["content"] for line in lines] == ["A", " sum.", "", ""]
    assert (lines[2]["message"]["tool_calls"][0]["function"], lines[-1]["done"]) == (
        {"name": "add", "arguments": {"a": 1}},
        True,
    )
    first, second = (each.conversation for each in server.requests)
    assert first is not None
    assert second is not None
    assert (first.model, first.system, first.messages) == (
        "gemini-x",
        "Be kind.",
        (Message(role="user", text="hi", images=1),),
    )
    assert [tool.name for tool in first.tools] == ["add"]
    assert (second.system, second.streams) == ("Be kind.", True)


@pytest.mark.parametrize(
    ("path", "header", "names"),
    [
        ("/v1/models", "x: y", ["data", "object"]),
        ("/v1/models", "anthropic-version: 2023-06-01", ["data", "first_id", "has_more", "last_id"]),
        ("/v1/models", "x-goog-api-key: k", ["models"]),
        ("/v1beta/models/a", "x: y", ["displayName", "name", "supportedGenerationMethods"]),
        ("/v1/models/a", "x: y", ["created", "id", "object", "owned_by"]),
        ("/api/tags", "x: y", ["models"]),
    ],
)
async def test_models_are_listed_as_each_vendor_does(path: str, header: str, names: list[str]) -> None:
    async with MockModelServer([Rule([Reply()], when=When(model="a"))]) as server:
        status, body = await asked(server, request(b"", path, header, method="GET"))
    assert (status, sorted(json.loads(body))) == (200, names)
