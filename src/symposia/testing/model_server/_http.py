"""An HTTP/1.1 server: keep-alive, bounded requests, and it notices when a client leaves before it has its answer.

h11 reads and writes the protocol; this module moves the bytes. One task serves a connection. While a request is
handled, a second one reads on: the end of the input is how a client is seen to leave. What arrives meanwhile belongs
to the next request and is kept for it. A client that closes only its sending side counts as gone, as it does
for most servers; no SDK does that.
"""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import sys
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from symposia.core.exceptions import MissingExtraError, UsageError
from symposia.testing.model_server._signal import Signal

try:
    import h11
except ImportError:
    raise MissingExtraError("MockModelServer", "testing") from None

CHUNK: Final = 65536
BODY_LIMIT: Final = 64 * 2**20
"""The most bytes of a body. The vendors take 20 to 50 MB with images."""
LINGER: Final = "hh" if sys.platform == "win32" else "ii"
"""The structure of the option with which closing a socket resets its connection."""
BODILESS: Final = (204, 304)
"""Statuses of answers that have no body, whatever a script says."""
BACKLOG: Final = 1024
"""Connections that wait to be accepted: a test may open as many at once."""


@dataclass(frozen=True)
class HttpRequest:
    """A whole request. `disconnected` is set when the client goes away before it has the whole answer."""

    path: str
    headers: Mapping[str, str]
    body: bytes
    method: str = "POST"
    query: str = ""
    disconnected: Signal = field(default_factory=Signal)


class RefusedRequest(Exception):  # noqa: N818 - not an error of this program
    """A request that is answered without being handled."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class UnsendableError(Exception):
    """A status or a header that HTTP does not have, or an answer that a format does not have. Nothing has been sent."""


class HttpResponse:
    """The way back to the client: one whole answer, or pieces and an end.

    Attributes:
        is_to_head: Whether the request is ``HEAD``, whose answer has no body.
    """

    def __init__(self, connection: h11.Connection, writer: asyncio.StreamWriter, *, keep_alive: bool) -> None:
        self._connection = connection
        self._writer = writer
        self.is_to_head = False
        self._common = [] if keep_alive else [(b"connection", b"close")]

    async def whole(self, status: int, body: object, headers: Mapping[str, str] | None = None) -> None:
        """Send a JSON value."""
        await self.raw(status, json.dumps(body).encode(), {"content-type": "application/json", **(headers or {})})

    async def piece(self, data: bytes, content_type: str) -> None:
        """Send a piece of a body; the first one begins the answer."""
        if self._connection.our_state is h11.SEND_RESPONSE:
            await self._send(self._head(200, {"content-type": content_type}))
        await self._send(h11.Data(data=data))

    async def raw(self, status: int, body: bytes, headers: Mapping[str, str], *, cut: bool = False) -> None:
        """Send a body as it is; if `cut`, one that lacks its last byte, and drop the connection."""
        if status in BODILESS or self.is_to_head:
            await self._send(self._head(status, headers))
            await self.end()
            return
        length = {"content-length": str(len(body) + cut)}
        await self._send(self._head(status, {**headers, **length}), h11.Data(data=body))
        if cut:
            self.cut()
        else:
            await self.end()

    async def end(self) -> None:
        """End the pieces."""
        await self._send(h11.EndOfMessage())

    def cut(self) -> None:
        """Close the connection once what was sent is out, as a failing proxy does."""
        self._writer.close()

    def reset(self) -> None:
        """Reset the connection at once, as a crashing host does. What was sent may be lost."""
        connected: socket.socket = self._writer.get_extra_info("socket")
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack(LINGER, 1, 0))
        self._writer.transport.abort()

    def _head(self, status: int, headers: Mapping[str, str]) -> h11.Response:
        given = [(name.encode(), value.encode()) for name, value in headers.items()]
        try:
            return h11.Response(status_code=status, headers=[*given, *self._common])
        except h11.LocalProtocolError as error:
            raise UnsendableError(str(error)) from None

    async def _send(self, *events: h11.Event) -> None:
        self._writer.write(b"".join(self._connection.send(event) or b"" for event in events))
        await self._writer.drain()


Handler = Callable[[HttpRequest, HttpResponse], Awaitable[None]]


class HttpServer:
    """Serves from `start` to `stop`.

    Args:
        handler: Answers one request. It is cancelled when the client leaves.
        port: 0 for a free one.
        keep_alive: Whether a connection takes more than one request.
    """

    def __init__(self, handler: Handler, *, host: str = "127.0.0.1", port: int = 0, keep_alive: bool = True) -> None:
        self._handler = handler
        self._host = host
        self._port = port
        self._keep_alive = keep_alive
        self._server: asyncio.Server | None = None
        self._connections: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        self._refusing: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        """The address, once it is known."""
        if not self._port:
            raise UsageError("The server has no address before it is started. Enter it with `async with` or `with`.")
        return f"http://[{self._host}]:{self._port}" if ":" in self._host else f"http://{self._host}:{self._port}"

    async def start(self) -> None:
        """Listen.

        Raises:
            OSError: The port is in use, or the host is not one of this machine.
            UsageError: It listens already.
        """
        if self._server is not None:
            raise UsageError("The server runs already. Leave it before it is entered again.")
        self._server = await asyncio.start_server(self._connected, self._host, self._port, backlog=BACKLOG)
        self._port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stop listening, drop all connections, and wait until their tasks have ended."""
        if self._refusing is not None:
            self._refusing.cancel()
            await asyncio.gather(self._refusing, return_exceptions=True)
        server, self._server = self._server, None
        if server is not None:
            server.close()
        connections = dict(self._connections)
        for task, writer in connections.items():
            task.cancel()
            writer.transport.abort()  # else what a slow reader has not read would be waited for
        await asyncio.gather(*connections, return_exceptions=True)
        if server is not None:
            await server.wait_closed()

    def refuse(self, seconds: float) -> None:
        """Refuse new connections for a time. The port is closed and opened again."""
        if self._refusing is None or self._refusing.done():
            self._refusing = asyncio.create_task(self._refuse(seconds))

    async def _refuse(self, seconds: float) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.close()
            await asyncio.sleep(seconds)
            await self.start()

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._connections[task] = writer
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._connections.pop(task).close()
        if not task.cancelled() and (error := task.exception()) is not None:
            task.get_loop().call_exception_handler({"message": "a handler of requests failed", "exception": error})

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = h11.Connection(h11.SERVER)
        response = HttpResponse(connection, writer, keep_alive=self._keep_alive)
        with suppress(ConnectionError):  # the client has gone
            while True:
                try:
                    request = await _read(connection, reader, writer)
                except h11.RemoteProtocolError as error:
                    await _refuse(connection, response, error.error_status_hint, str(error))
                    return
                except RefusedRequest as error:
                    await _refuse(connection, response, error.status, str(error))
                    return
                if request is None or not await self._handle(request, connection, response, reader):
                    return
                connection.start_next_cycle()

    async def _handle(
        self, request: HttpRequest, connection: h11.Connection, response: HttpResponse, reader: asyncio.StreamReader
    ) -> bool:
        """Handle a request. Returns whether the connection can take another one."""
        response.is_to_head = request.method == "HEAD"
        handling = asyncio.ensure_future(self._handler(request, response))
        reading_on = asyncio.ensure_future(_read_on(connection, reader))
        try:
            await asyncio.wait((handling, reading_on), return_when=asyncio.FIRST_COMPLETED)
            if not handling.done():
                request.disconnected.set()
                return False
            try:
                handling.result()
            except ConnectionError:
                request.disconnected.set()
                return False
            return connection.our_state is h11.DONE and connection.their_state is h11.DONE
        finally:
            handling.cancel()
            reading_on.cancel()
            await asyncio.gather(handling, reading_on, return_exceptions=True)


async def _refuse(connection: h11.Connection, response: HttpResponse, status: int, message: str) -> None:
    if connection.our_state in (h11.IDLE, h11.SEND_RESPONSE):
        await response.whole(status, {"error": {"message": message}})


async def _read(
    connection: h11.Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> HttpRequest | None:
    """The next request, or None if the client closes the connection."""
    head: h11.Request | None = None
    body = bytearray()
    while True:
        match connection.next_event():
            case h11.NEED_DATA:
                if connection.they_are_waiting_for_100_continue:
                    writer.write(connection.send(h11.InformationalResponse(status_code=100, headers=[])) or b"")
                connection.receive_data(await reader.read(CHUNK))
            case h11.Request() as head:
                length = dict(head.headers).get(b"content-length", b"0")
                if int(length) > BODY_LIMIT:  # a number, as h11 has checked
                    raise RefusedRequest(413, f"The body has more than {BODY_LIMIT:,} bytes.")
            case h11.Data(data=data):
                body += data
                if len(body) > BODY_LIMIT:
                    raise RefusedRequest(413, f"The body has more than {BODY_LIMIT:,} bytes.")
            case h11.EndOfMessage() if head is not None:
                return _request(head, bytes(body))
            case _:
                return None


def _request(head: h11.Request, body: bytes) -> HttpRequest:
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in head.headers}
    path, _, query = head.target.decode("latin-1").partition("?")
    return HttpRequest(path, headers, body, head.method.decode("latin-1"), query)


async def _read_on(connection: h11.Connection, reader: asyncio.StreamReader) -> None:
    """Read until the client leaves, or has sent too much ahead, which is dealt with alike."""
    ahead = 0  # counted here, as `trailing_data` is a copy: of 64 MB for each chunk, it takes half a minute
    while data := await reader.read(CHUNK):
        connection.receive_data(data)
        ahead += len(data)
        if ahead > BODY_LIMIT:
            return
