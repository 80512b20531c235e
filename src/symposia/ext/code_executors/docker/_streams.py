"""Streams of the engine: a request of its API whose connection then carries a program's stdin, stdout and stderr.

The engine takes such a request as an upgrade (``Connection: Upgrade``, status 101), and what follows on the connection
is the stream. It is opened by the event loop itself, over each kind of connection that an engine is reached by. Taking
over the connection under the SDK's answer was rejected: one behind TLS has its keys and buffered bytes in an object
that the event loop cannot adopt, and a thread that copies between that object and a socket has to handle what asyncio
handles here: cancellation, back pressure, and a read of the one side that waits for a write of the other.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Final, cast
from urllib.parse import urlencode, urlsplit

from symposia.core.exceptions import SandboxError
from symposia.ext.code_executors.docker._address import DEFAULT_PORTS, socket_path, ssh_opener, tls_context
from symposia.ext.code_executors.docker._engine import ERRORS_BY_STATUS, EngineClient, Json

UPGRADE_SECONDS: Final = 60.0  # as the SDK waits for an answer
SHUTDOWN_SECONDS: Final = 2.0  # for the engine's end of TLS; asyncio waits for half a minute
MOST_ANSWER_BYTES: Final = 64 * 1024
UPGRADED: Final = frozenset({101, 200})  # 200: an engine or a proxy that knows of no upgrade, and streams all the same
HEAD_END: Final = b"\r\n\r\n"


class UpgradingProtocol(asyncio.Protocol):
    """Sends a request. Gives the connection to the protocol of the stream once the engine has answered.

    Attributes:
        upgraded: Done when the stream has begun, or has an error.
    """

    def __init__(self, request: bytes, stream: asyncio.Protocol) -> None:
        self.upgraded: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._request = request
        self._stream = stream
        self._answer = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._answer += data
        head, ended, rest = bytes(self._answer).partition(HEAD_END)
        if not ended:
            if len(self._answer) > MOST_ANSWER_BYTES:
                self._fail(SandboxError("The Docker engine's answer to a request for a stream has no end."))
            return
        status = status_of(head)
        if status not in UPGRADED:
            if len(rest) >= min(_length_of(head), MOST_ANSWER_BYTES):
                self._fail(refusal(status, rest))
            return
        # In this order: a stream may read and write as soon as it has the connection.
        self._transport.set_protocol(self._stream)
        self._stream.connection_made(self._transport)
        if rest:  # the start of the stream came with the answer
            self._stream.data_received(rest)
        if not self.upgraded.done():
            self.upgraded.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail(SandboxError(f"The Docker engine closed the connection of a stream: {exc or 'without an answer'}."))

    def _fail(self, error: SandboxError) -> None:
        if not self.upgraded.done():
            self.upgraded.set_exception(error)


async def open_stream(
    client: EngineClient,
    path: str,
    protocol: asyncio.Protocol,
    *,
    query: Mapping[str, object] | None = None,
    body: Json | None = None,
) -> asyncio.Transport:
    """Send a request for a stream. `protocol` receives the stream from its first byte.

    Args:
        client: The engine.
        path: Of the request, without the API's version.
        protocol: Receives the stream.
        query: The parameters of the request.
        body: The request's JSON.

    Returns:
        The transport of the connection, for what is written to the stream.

    Raises:
        EngineNotFoundError: The object of the request does not exist.
        EngineConflictError: It does not run.
        SandboxError: The engine cannot be reached, or refused.
    """
    prefix = urlsplit(client.base_url).path.rstrip("/")  # of an address behind a proxy, such as tcp://proxy:80/engine
    full_path = f"{prefix}/v{client.api_version}{path}" + (f"?{urlencode(query)}" if query else "")
    request = upgrade_request(full_path, b"" if body is None else json.dumps(body).encode())
    transport: asyncio.Transport | None = None
    try:
        async with asyncio.timeout(UPGRADE_SECONDS):
            transport, upgrading = await _connect(client, lambda: UpgradingProtocol(request, protocol))
            await upgrading.upgraded
    except BaseException as error:
        if transport is not None:
            transport.abort()
        if isinstance(error, OSError):  # of which a timeout is one
            raise SandboxError(f"The Docker engine cannot be reached for a stream: {error or 'no answer'}.") from error
        raise
    return transport


def upgrade_request(path: str, body: bytes) -> bytes:
    """The bytes of a request for a stream."""
    lines = [
        f"POST {path} HTTP/1.1",
        "Host: docker",
        "User-Agent: symposia",
        "Connection: Upgrade",
        "Upgrade: tcp",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
    ]
    return "\r\n".join(lines).encode("ascii") + HEAD_END + body


def status_of(head: bytes) -> int:
    """The status in the head of an answer; 0 where it is no answer of HTTP."""
    parts = head.split(b"\r\n", 1)[0].split()
    is_http = len(parts) > 1 and parts[0].startswith(b"HTTP/1.") and parts[1].isdigit()
    return int(parts[1]) if is_http else 0


def refusal(status: int, body: bytes) -> SandboxError:
    """The error for an answer that is no stream. The engine gives its reason in JSON."""
    reason = body.decode(errors="replace").strip()
    with suppress(ValueError, KeyError, TypeError):
        reason = str(json.loads(body)["message"])
    return ERRORS_BY_STATUS.get(status, SandboxError)(f"The Docker engine answered: {status}: {reason or 'no reason'}")


def _length_of(head: bytes) -> int:
    """How many bytes of a refusal follow. 0 where it is not told: the reason is then left out, and not waited for."""
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length" and value.strip().isdigit():
            return int(value)
    return 0


async def _connect(
    client: EngineClient, protocol: Callable[[], UpgradingProtocol]
) -> tuple[asyncio.Transport, UpgradingProtocol]:
    loop = asyncio.get_running_loop()
    path, open_socket = socket_path(client), ssh_opener(client)
    if path is not None:
        return await loop.create_unix_connection(protocol, path)
    if open_socket is not None:
        connection = await asyncio.to_thread(open_socket)  # which starts a process
        connection.setblocking(False)
        return await loop.create_connection(protocol, sock=connection)
    address = urlsplit(client.base_url)
    context = await asyncio.to_thread(tls_context, client) if address.scheme == "https" else None
    return await loop.create_connection(
        protocol,
        address.hostname or "",
        address.port or DEFAULT_PORTS[address.scheme],
        ssl=context,
        ssl_shutdown_timeout=None if context is None else SHUTDOWN_SECONDS,
    )
