"""The proxy through which the browser makes all its connections: it refuses private addresses.

A check of the address that a model gives is not enough. A page redirects, loads pictures and scripts, and opens
connections of its own; a name may lead to another address at the second question. Playwright's `route` was rejected: it
is not asked about redirects, about WebSockets on every version, or about which address a name had. A proxy is asked for
each connection, resolves the name itself, and connects to the address that it has checked.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Collection, Coroutine, Sequence
from typing import Final, NamedTuple, cast
from urllib.parse import urlsplit

from symposia.core import cancel_and_wait
from symposia.core.argument_checks import check_each
from symposia.core.exceptions import InvalidArgumentError, ToolServiceError
from symposia.ext._hosts import Resolver, UnknownNameError, canonical_host, open_first
from symposia.ext._shown_addresses import shown_address

ANY_HOST: Final = "*"
_LARGEST_HEAD: Final = 64 * 1024  # bytes; Chromium itself refuses heads of answers above 256 KiB
_CHUNK: Final = 64 * 1024
_CONNECT_SECONDS: Final = 10.0
_HEAD_SECONDS: Final = 60.0
_FIRST_FINAL_STATUS: Final = 200
_resolver: Final = Resolver("browser", 16)
_PORTS: Final = {"http": 80, "https": 443}
_HOP_BY_HOP: Final = (b"connection", b"keep-alive", b"proxy-connection", b"proxy-authorization")


class Destination(NamedTuple):
    """A host and a port, and the addresses to try."""

    host: str
    port: int
    addresses: Sequence[str]


class HostRules:
    """Which hosts may be visited: all with public addresses, and the private ones that are named.

    Args:
        private: Hosts with private addresses that may be visited, as ``host`` or ``host:port``; ``*`` for all.
    """

    def __init__(self, private: Collection[str] = ()) -> None:
        self._private = {_host_and_port(name) for name in private}

    async def resolve(self, host: str, port: int) -> Destination:
        """Resolve a host, and check all its addresses.

        Raises:
            ToolServiceError: It may not be visited, or has no address.
        """
        name, bare = canonical_host(host), host.strip("[]")
        is_free = bool(self._private & {(ANY_HOST, None), (name, None), (name, port)})
        try:
            async with asyncio.timeout(_CONNECT_SECONDS):
                addresses, private = await _resolver.resolve(bare, port)
        except (UnknownNameError, TimeoutError):
            raise ToolServiceError(f"There is no address for the host {host!r}.") from None
        if private is not None and not is_free:
            raise ToolServiceError(
                f"{host}:{port} is a private address ({private.address}), which this browser may not visit."
            )
        return Destination(bare, port, addresses)

    async def check(self, url: str) -> None:
        """Check an address before the browser is sent to it.

        Raises:
            ToolServiceError: It is no address of the web, or its host may not be visited.
        """
        await self.resolve(*web_host(url))


def full_address(url: str) -> str:
    """An address as people write it, with a scheme."""
    return url if "://" in url else f"https://{url}"


def web_host(url: str) -> tuple[str, int]:
    """The host and the port of an address.

    Raises:
        ToolServiceError: It is no address of the web.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ToolServiceError(f"{shown_address(url)!r} is no address of a page.") from None
    if parts.scheme not in _PORTS or not parts.hostname:
        raise ToolServiceError(
            f"{shown_address(url)!r} is no address of the web: only http:// and https:// can be visited."
        )
    return parts.hostname, port or _PORTS[parts.scheme]


def check_private_hosts(owner: str, given: object) -> None:
    """Check the argument `private_hosts`.

    Raises:
        ArgumentTypeError: It is no list of texts.
        InvalidArgumentError: One of them is no host: such a rule would allow nothing.
    """
    check_each("private_hosts", owner, given, str, "['wiki.local', '10.0.0.5:8080']")
    for host in cast("Sequence[str]", given):
        if not host.strip() or set(host) & set("/@ "):
            raise InvalidArgumentError(
                f"private_hosts of {owner} has {host!r}: give a host, such as 'wiki.local' or '10.0.0.5:8080', or '*' "
                "for all."
            )


def _host_and_port(rule: str) -> tuple[str, int | None]:
    host, _, port = rule.rpartition(":")
    if port.isdecimal() and host and (":" not in host or host.endswith("]")):
        return canonical_host(host), int(port)
    return canonical_host(rule), None  # an address of IPv6 may have no brackets


class FilteringProxy:
    """An HTTP proxy on loopback that connects where the rules allow it.

    Args:
        rules: Where it connects.

    Attributes:
        mark: A secret value of the header `MARK_HEADER` in answers that are the proxy's own, so that no page can
            pretend to be one.
        refusals: How many connections were not made.
        last_refusal: Why the last of them was not.
    """

    MARK_HEADER: Final = "x-symposia-proxy"

    def __init__(self, rules: HostRules) -> None:
        self.rules = rules
        self.mark = secrets.token_hex(16)
        self.refusals = 0
        self.last_refusal = ""
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()

    async def start(self) -> str:
        """Listen on a free port of 127.0.0.1, and return the address of the proxy."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, limit=_LARGEST_HEAD)
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def close(self) -> None:
        """Close all connections."""
        if self._server is not None:
            self._server.close()
        for task in self._connections:
            task.cancel()
        if self._connections:
            await asyncio.wait(self._connections)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream: asyncio.StreamWriter | None = None
        try:
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), _HEAD_SECONDS)
            request = _Request.parse(head)
            try:
                destination = await self.rules.resolve(request.host, request.port)
                answers, upstream = await _connect(destination)
            except ToolServiceError as error:
                await self._refuse(writer, str(error))
                return
            if request.is_tunnel:
                writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
                await _until_either_ends(_copy(reader, upstream), _copy(answers, writer))
            else:
                upstream.write(request.forwarded)
                await _until_either_ends(_copy(reader, upstream), _copy_answer(answers, writer))
        except (OSError, ValueError, EOFError, asyncio.LimitOverrunError, TimeoutError):
            pass  # either side has gone, or does not speak HTTP: the browser sees a connection that ends
        finally:
            for stream in (writer, upstream):
                if stream is not None:
                    stream.close()

    async def _refuse(self, writer: asyncio.StreamWriter, reason: str) -> None:
        self.refusals += 1
        self.last_refusal = reason
        body = reason.encode()
        writer.write(
            f"HTTP/1.1 403 Forbidden\r\n{self.MARK_HEADER}: {self.mark}\r\nContent-Type: text/plain; charset=utf-8\r\n"
            f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode()
            + body
        )
        await writer.drain()


class _Request(NamedTuple):
    """The head of a request to the proxy.

    Attributes:
        is_tunnel: Whether it asks for a connection (``CONNECT``), as for HTTPS and WebSockets.
        forwarded: The head for the server, which asks it to close the connection after its answer. One connection then
            carries one request, and none can be sent to a host that was checked for another one.
    """

    host: str
    port: int
    is_tunnel: bool
    forwarded: bytes

    @classmethod
    def parse(cls, head: bytes) -> _Request:
        """Read a head.

        Raises:
            ValueError: It is none of HTTP/1.1 to a proxy.
        """
        first, *fields = head[:-4].split(b"\r\n")
        method, target, version = first.decode("latin-1").split(" ")
        if method == "CONNECT":
            parts = urlsplit(f"//{target}")
            return cls(parts.hostname or "", parts.port or _PORTS["https"], is_tunnel=True, forwarded=b"")
        parts = urlsplit(target)
        if parts.scheme != "http" or not parts.hostname:
            raise ValueError(f"not a request to a proxy: {first!r}")
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        lines = [f"{method} {path} {version}".encode("latin-1"), *_end_to_end(fields), b"Connection: close", b"", b""]
        return cls(parts.hostname, parts.port or _PORTS["http"], is_tunnel=False, forwarded=b"\r\n".join(lines))


def _end_to_end(fields: Sequence[bytes]) -> list[bytes]:
    return [field for field in fields if field.partition(b":")[0].strip().lower() not in _HOP_BY_HOP]


async def _connect(destination: Destination) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    try:
        async with asyncio.timeout(_CONNECT_SECONDS):
            _, reader, writer = await open_first(destination.addresses, destination.port)
    except OSError:  # or a timeout
        raise ToolServiceError(f"{destination.host}:{destination.port} cannot be reached.") from None
    return reader, writer


async def _copy_answer(answers: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Copy an answer, with the announcement in its head that the connection ends after it."""
    status = 0
    while status < _FIRST_FINAL_STATUS:  # after `100 Continue` comes another head
        first, *fields = (await answers.readuntil(b"\r\n\r\n"))[:-4].split(b"\r\n")
        status = int(first.split(b" ", 2)[1])
        closing = [b"Connection: close"] if status >= _FIRST_FINAL_STATUS else []
        writer.write(b"\r\n".join([first, *_end_to_end(fields), *closing, b"", b""]))
    await _copy(answers, writer)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(_CHUNK):
        writer.write(data)
        await writer.drain()


async def _until_either_ends(*directions: Coroutine[None, None, None]) -> None:
    """Copy until the server ends its answer, or the browser leaves."""
    tasks = [asyncio.ensure_future(direction) for direction in directions]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await cancel_and_wait(*tasks)
