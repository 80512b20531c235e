"""Servers at an address that answer as they should not: with too much, compressed, or from somewhere else."""

import asyncio
import gzip
import json
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest
from tests.support.web_server import serving

from symposia.core.exceptions import ToolServiceError
from symposia.ext.tools.mcp import McpWorkbench, SseServerParams, StreamableHttpServerParams

HUGE = 100_000_000
How = Literal["plain", "events", "endless", "cut", "split", "gzip", "moved", "lost"]


@dataclass
class Server:
    """A server with one tool, in plain bytes.

    Attributes:
        how: How a call of the tool is answered.
        elsewhere: The address of another host, for ``moved``.
        heads: The heads of the requests.
        written: The bytes of the answers to calls.
    """

    how: How = "plain"
    elsewhere: str = ""
    heads: list[str] = field(default_factory=list[str])
    written: int = 0

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            self.heads.append(head)
            sizes = [line.split(":")[1] for line in head.splitlines() if line.lower().startswith("content-length:")]
            body = await reader.readexactly(int(sizes[0]) if sizes else 0)
            message: dict[str, Any] = json.loads(body) if body else {}
            if message.get("method") == "tools/call":
                await self.answer_call(writer, message["id"])
            elif "id" in message:
                send(writer, json.dumps({"jsonrpc": "2.0", "id": message["id"], **self.result(message)}).encode())
            else:
                send(writer, b"", status="202 Accepted" if message else "405 Method Not Allowed")
            await writer.drain()

    def result(self, message: dict[str, Any]) -> dict[str, Any]:
        if message["method"] == "initialize":
            version = message["params"]["protocolVersion"]
            info = {"name": "scripted", "version": "1"}
            return {"result": {"protocolVersion": version, "capabilities": {"tools": {}}, "serverInfo": info}}
        if message["method"] == "tools/list":
            return {"result": {"tools": [{"name": "weigh", "inputSchema": {"type": "object"}}]}}
        return {"error": {"code": -32601, "message": "Method not found"}}

    async def answer_call(self, writer: asyncio.StreamWriter, number: int) -> None:
        if self.how == "lost":
            writer.close()
            return
        head = b'{"jsonrpc":"2.0","id":%d,"result":{"content":[{"type":"text","text":"' % number
        tail = b'"}]}}'
        match self.how:
            case "moved":
                send(writer, b"", f"Location: {self.elsewhere}", status="307 Temporary Redirect")
            case "gzip":
                packed = await asyncio.to_thread(gzip.compress, head + b"x" * HUGE + tail, 1)
                send(writer, packed, "Content-Encoding: gzip")
            case "cut":
                writer.write(f"{OK}\r\nContent-Length: {len(head) + len(tail)}\r\n\r\n".encode() + head)
                writer.close()
            case "plain":
                writer.write(f"{OK}\r\nContent-Length: {len(head) + HUGE + len(tail)}\r\n\r\n".encode() + head)
                await self.fill(writer, tail)
            case "events" | "endless":
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\ndata: ")
                writer.write(head)
                await self.fill(writer, tail + b"\n\n")
                writer.close()
            case "split":
                writer.write(
                    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
                )
                comment = b"\n: " + b"x" * 1_000_000 + b"\n"
                for chunk in (*[comment] * 20, b"\ndata: " + head + tail + b"\n\n", b""):
                    writer.write(b"%x\r\n%b\r\n" % (len(chunk), chunk))
                    await writer.drain()

    async def fill(self, writer: asyncio.StreamWriter, tail: bytes) -> None:
        while self.written < HUGE or self.how == "endless":
            writer.write(b"x" * 1_000_000)
            await writer.drain()
            self.written += 1_000_000
        writer.write(tail)


OK = "HTTP/1.1 200 OK\r\nContent-Type: application/json"


def send(writer: asyncio.StreamWriter, body: bytes, *headers: str, status: str = "200 OK") -> None:
    lines = [f"HTTP/1.1 {status}", "Content-Type: application/json", f"Content-Length: {len(body)}", *headers]
    writer.write("\r\n".join([*lines, "", ""]).encode() + body)


@asynccontextmanager
async def connected(server: Server) -> AsyncGenerator[McpWorkbench]:
    async with serving(server.answer) as port:
        params = StreamableHttpServerParams(url=f"http://127.0.0.1:{port}/mcp", headers={"X-Key": "secret"})
        async with McpWorkbench(params) as workbench:
            yield workbench


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ("plain", "gave no valid answer to the tool 'weigh': The server sent more than 16 MiB in one message"),
        ("events", "sent more than 16 MiB in one message"),
        ("endless", "sent more than 16 MiB in one message"),
        ("gzip", "the answer is compressed, which was not asked for"),
    ],
)
async def test_a_result_that_is_too_large_is_not_read_and_one_clear_error(how: How, told: str) -> None:
    server = Server(how)
    async with connected(server) as workbench:
        async with asyncio.timeout(60):
            result = await workbench.call_tool("weigh")
        assert result.is_error
        assert told in result.to_text()
        assert len(result.to_text()) < 1_500
        assert server.written < HUGE / 2
        assert len(await workbench.list_tools()) == 1  # the session, or another one, goes on


async def test_a_result_whose_connection_is_cut_is_an_error_at_once() -> None:
    async with connected(Server("cut")) as workbench:
        async with asyncio.timeout(60):
            result = await workbench.call_tool("weigh")
        assert result.is_error
        assert len(await workbench.list_tools()) == 1


async def test_events_whose_ends_are_in_two_chunks_are_within_the_limit() -> None:
    async with connected(Server("split")) as workbench, asyncio.timeout(60):
        result = await workbench.call_tool("weigh")
    assert not result.is_error, result.to_text()


async def test_a_redirection_to_another_host_is_not_followed() -> None:
    other = Server()
    async with serving(other.answer) as port:
        server = Server("moved", f"http://localhost:{port}/mcp")
        async with connected(server) as workbench:
            async with asyncio.timeout(60):
                result = await workbench.call_tool("weigh")
            assert result.is_error
            assert "307" in result.to_text()
            assert len(await workbench.list_tools()) == 1
    assert other.heads == []
    assert "secret" in server.heads[0]


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "The HTTP status is 404."),
        (
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n",
            "did not start within 1 seconds",
        ),
    ],
    ids=["status", "broken off"],
)
async def test_an_address_of_events_that_fails_is_one_line_and_no_traceback(
    answer: bytes, told: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def fail(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()

    monkeypatch.setattr("symposia.ext.tools.mcp._params.START_SECONDS", 1)
    monkeypatch.setattr(logging.getLogger(), "handlers", [])  # as in a program that has set up no logging
    async with serving(fail) as port, asyncio.timeout(60):
        with pytest.raises(ToolServiceError) as failed:
            await McpWorkbench(SseServerParams(url=f"http://127.0.0.1:{port}/sse", timeout=1)).start()
    assert told in str(failed.value)
    assert "\n" not in str(failed.value)
    assert capsys.readouterr().err == ""


async def test_an_address_whose_connection_is_lost_in_a_call_is_connected_to_again() -> None:
    async with connected(Server("lost")) as workbench, asyncio.timeout(60):
        result = await workbench.call_tool("weigh")
        assert result.is_error
        assert "The next call connects again." in result.to_text()
        assert len(await workbench.list_tools()) == 1
