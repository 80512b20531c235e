"""The first lines of a request to an HTTP proxy, read strictly. Pure.

Two forms are taken: ``CONNECT host:port`` for a tunnel, and ``GET http://host/path`` for a plain request (RFC 9112,
section 3.2). What could be read in two ways is refused rather than repaired: what this program checks has to be what
the next one acts on. Of a plain request, one is carried for each connection, and its head is written anew.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from symposia.core.code_executor import host_name

MOST_HEAD_BYTES: Final = 32 * 1024  # servers take 8 to 64 KiB
_MOST_FIELDS: Final = 200
_END: Final = b"\r\n\r\n"
_TOKEN: Final = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_TARGET: Final = re.compile(rb"[\x21-\x7e]+")
_VALUE: Final = re.compile(rb"[\t\x20-\x7e\x80-\xff]*")
_VERSIONS: Final = (b"HTTP/1.1", b"HTTP/1.0")
_AUTHORITY: Final = re.compile(rb"(\[[0-9A-Fa-f:.]+\]|[0-9A-Za-z._-]+)(?::([0-9]{1,5}))?")
_HTTP_PORT: Final = 80
_LARGEST_PORT: Final = 65_535
_LARGEST_BODY: Final = 2**53
# Fields that are for the proxy and not for the server (RFC 9110, section 7.6.1), and those that are written anew.
_OF_ONE_HOP: Final = frozenset(
    (b"connection", b"keep-alive", b"proxy-connection", b"proxy-authorization", b"te", b"trailer", b"upgrade", b"host")
)


class RequestError(Exception):
    """A request that is not carried out. The text is for the program that sent it, and holds nothing that it sent."""


class ProxyRequest(NamedTuple):
    """What a program asks of the proxy.

    Attributes:
        host: In the form of `host_name`.
        port: The TCP port.
        head: What is sent to the server first: a plain request's head; empty for a tunnel.
        body_bytes: How much of what follows belongs to the request; None for a tunnel, and for a body in chunks.
    """

    host: str
    port: int
    head: bytes = b""
    body_bytes: int | None = None

    @property
    def is_tunnel(self) -> bool:
        """Whether it is a ``CONNECT``."""
        return not self.head

    @property
    def is_chunked(self) -> bool:
        """Whether the body is in chunks, the last of which ends it."""
        return self.body_bytes is None and not self.is_tunnel


def head_length(received: bytes | bytearray) -> int:
    """The length of the head at the start of what was received; 0 while it is incomplete.

    Raises:
        RequestError: It is too long.
    """
    end = received.find(_END, 0, MOST_HEAD_BYTES)
    if end < 0 and len(received) >= MOST_HEAD_BYTES:
        raise RequestError(f"the head of the request is longer than {MOST_HEAD_BYTES} bytes")
    return end + len(_END) if end >= 0 else 0


def parse_head(head: bytes) -> ProxyRequest:
    """Read the head of a request, with the empty line at its end.

    Raises:
        RequestError: It is not a request to a proxy, or can be read in more than one way.
    """
    line, *lines = head.removesuffix(_END).split(b"\r\n")
    method, target, version = _request_line(line)
    fields = _fields(lines)
    if method == b"CONNECT":
        if any(name in (b"content-length", b"transfer-encoding") for name, _ in fields):
            raise RequestError("a CONNECT request has no body")
        host, port = _authority(target, None)
        return ProxyRequest(host, port)
    if not target[:7].lower() == b"http://":
        raise RequestError("a proxy takes CONNECT host:port, or an address that begins with http://")
    authority, path = _split_address(target[7:])
    host, port = _authority(authority, _HTTP_PORT)
    return ProxyRequest(host, port, _new_head(method, path, version, host, port, fields), _body_bytes(fields, version))


def _request_line(line: bytes) -> tuple[bytes, bytes, bytes]:
    parts = line.split(b" ")
    if len(parts) != 3 or not _TOKEN.fullmatch(parts[0]) or not _TARGET.fullmatch(parts[1]):  # noqa: PLR2004
        raise RequestError("the first line is not a method, an address and a version")
    if parts[2] not in _VERSIONS:
        raise RequestError("the version is not HTTP/1.1 or HTTP/1.0")
    return parts[0], parts[1], parts[2]


def _fields(lines: list[bytes]) -> list[tuple[bytes, bytes]]:
    """The header fields, with their names in lower case."""
    if len(lines) > _MOST_FIELDS:
        raise RequestError(f"there are more than {_MOST_FIELDS} header fields")
    fields: list[tuple[bytes, bytes]] = []
    for line in lines:
        name, colon, value = line.partition(b":")
        # A line that goes on in the next one, and a space before the colon, are read differently by different servers.
        if not colon or not _TOKEN.fullmatch(name) or not _VALUE.fullmatch(value):
            raise RequestError("a line is not a header field")
        fields.append((name.lower(), value.strip(b" \t")))
    return fields


def _split_address(rest: bytes) -> tuple[bytes, bytes]:
    """The authority of an address without its scheme, and the path for the server."""
    authority = re.split(rb"[/?#\\]", rest, maxsplit=1)[0]
    path = rest[len(authority) :].partition(b"#")[0]
    if path.startswith(b"\\"):
        raise RequestError("the address has a backslash after its host")
    return authority, path if path.startswith(b"/") else b"/" + path


def _authority(text: bytes, default_port: int | None) -> tuple[str, int]:
    found = _AUTHORITY.fullmatch(text)
    if found is None:  # a user's name and password too: they would go to the server in clear text
        raise RequestError("the address does not name a host and a port alone")
    port = default_port if found[2] is None else int(found[2])
    if port is None or not 0 < port <= _LARGEST_PORT:
        raise RequestError("the address needs a port from 1 to 65535")
    try:
        return host_name(found[1].decode("ascii")), port
    except ValueError:
        raise RequestError("the address does not name a host") from None


def _body_bytes(fields: list[tuple[bytes, bytes]], version: bytes) -> int | None:
    lengths = {value for name, value in fields if name == b"content-length"}
    encoded = [value.lower() for name, value in fields if name == b"transfer-encoding"]
    # Chunks are not in HTTP/1.0: a server of it would read them as something else (RFC 9112, section 6.1).
    if encoded and (lengths or encoded != [b"chunked"] or version == b"HTTP/1.0"):
        raise RequestError("the length of the body can be read in more than one way")
    if encoded:
        return None
    if not lengths:
        return 0
    length = lengths.pop()
    if lengths or not length.isdigit() or len(length) > len(str(_LARGEST_BODY)):
        raise RequestError("the length of the body can be read in more than one way")
    return int(length)


def _new_head(
    method: bytes, path: bytes, version: bytes, host: str, port: int, fields: list[tuple[bytes, bytes]]
) -> bytes:
    name = f"[{host}]" if ":" in host else host
    own = name if port == _HTTP_PORT else f"{name}:{port}"
    listed = b",".join(value for field, value in fields if field == b"connection").lower().split(b",")
    left_out = _OF_ONE_HOP | {each.strip() for each in listed} - {b"content-length", b"transfer-encoding"}
    kept = [field + b": " + value for field, value in fields if field not in left_out]
    # One request for a connection: the next could be for another host.
    lines = [b" ".join((method, path, version)), b"Host: " + own.encode(), *kept, b"Connection: close"]
    return b"\r\n".join(lines) + _END


def answer(status: int, reason: str, text: str) -> bytes:
    """An answer of the proxy's own that ends the connection.

    Args:
        status: The number of the status.
        reason: The rest of the first line, which some programs show as their error.
        text: What happened, in a sentence.
    """
    body = f"{text}\n".encode()
    return (
        f"HTTP/1.1 {status} {reason}\r\nContent-Type: text/plain; charset=utf-8\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    ).encode() + body
