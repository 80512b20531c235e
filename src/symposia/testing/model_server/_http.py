"""Just enough of an HTTP/1.1 server: one request a connection, on loopback, and it notices when the client leaves."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

import h11

from symposia.core.exceptions import UsageError

CHUNK = 65536


@dataclass(frozen=True)
class HttpRequest:
    """A whole request. `disconnected` is set when the client goes away before it has the whole answer."""

    path: str
    headers: Mapping[str, str]
    body: bytes
    method: str = "POST"
    query: str = ""
    disconnected: asyncio.Event = field(default_factory=asyncio.Event)


class Answer:
    """The way back to the client."""

    def __init__(self, connection: h11.Connection, writer: asyncio.StreamWriter) -> None:
        self._connection = connection
        self._writer = writer
        self._started = False

    async def whole(self, status: int, body: object, headers: Mapping[str, str] | None = None) -> None:
        data = json.dumps(body).encode()
        head = {"content-type": "application/json", "content-length": str(len(data)), **(headers or {})}
        await self._send(_response(status, head), h11.Data(data=data), h11.EndOfMessage())

    async def piece(self, data: bytes, content_type: str) -> None:
        """Send a piece of a body; the first one begins the answer."""
        if not self._started:
            self._started = True
            await self._send(_response(200, {"content-type": content_type}))
        await self._send(h11.Data(data=data))

    async def raw(self, status: int, body: bytes, headers: Mapping[str, str], *, cut: bool) -> None:
        """Send a body that ends with the connection, as HTTP/1.0 does; if `cut`, one that lacks its end."""
        length = {"content-length": str(len(body) + 1)} if cut else {}
        await self._send(_response(status, {**headers, **length}))
        self._writer.write(body if cut else self._connection.send(h11.Data(data=body)) or b"")
        await self._writer.drain()
        if not cut:
            await self.end()

    async def end(self) -> None:
        await self._send(h11.EndOfMessage())

    def cut(self) -> None:
        """Drop the connection at once, as a failing network does."""
        self._writer.transport.abort()

    async def _send(self, *events: h11.Event) -> None:
        for one in events:
            self._writer.write(self._connection.send(one) or b"")
        await self._writer.drain()


Handler = Callable[[HttpRequest, Answer], Awaitable[None]]


class HttpServer:
    """Serves on a free port of 127.0.0.1 from `start` to `stop`."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        if self._server is None:
            raise UsageError("The server is not running. Enter it with `async with` first.")
        host, port = self._server.sockets[0].getsockname()
        return f"http://{host}:{port}"

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)

    async def stop(self) -> None:
        if self._server is None:
            raise UsageError("The server is not running. Enter it with `async with` first.")
        self._server.close()
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        await self._server.wait_closed()

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = h11.Connection(h11.SERVER)
        try:
            request = await _read(connection, reader)
            if request is not None:
                await self._handle(request, Answer(connection, writer), reader)
        finally:
            writer.close()

    async def _handle(self, request: HttpRequest, answer: Answer, reader: asyncio.StreamReader) -> None:
        handling = asyncio.ensure_future(self._handler(request, answer))
        leaving = asyncio.ensure_future(_end_of_input(reader))
        try:
            await asyncio.wait((handling, leaving), return_when=asyncio.FIRST_COMPLETED)
            if handling.done():
                handling.result()
            else:
                request.disconnected.set()
        finally:
            handling.cancel()
            leaving.cancel()
            await asyncio.gather(handling, leaving, return_exceptions=True)


def _response(status: int, headers: Mapping[str, str]) -> h11.Response:
    lines = [(name.encode(), value.encode()) for name, value in {**headers, "connection": "close"}.items()]
    return h11.Response(status_code=status, headers=lines)


async def _read(connection: h11.Connection, reader: asyncio.StreamReader) -> HttpRequest | None:
    head: h11.Request | None = None
    body = bytearray()
    while True:
        match connection.next_event():
            case h11.NEED_DATA:
                connection.receive_data(await reader.read(CHUNK))
            case h11.Request() as head:
                pass
            case h11.Data(data=data):
                body += data
            case h11.EndOfMessage() if head is not None:
                headers = {name.decode(): value.decode() for name, value in head.headers}
                path, _, query = head.target.decode().partition("?")
                return HttpRequest(path, headers, bytes(body), head.method.decode(), query)
            case _:
                return None


async def _end_of_input(reader: asyncio.StreamReader) -> None:
    while await reader.read(CHUNK):
        pass
