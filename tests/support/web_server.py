"""Servers on loopback that code in a sandbox may be allowed to reach: HTTP, TLS and plain bytes."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

CERTIFICATE = """\
-----BEGIN CERTIFICATE-----
MIIBpDCCAUugAwIBAgIUJtahdkMpgblbzxeFaTljBfLxWoIwCgYIKoZIzj0EAwIw
GTEXMBUGA1UEAwwOU3ltcG9zaWEgdGVzdHMwIBcNMjYxMTIyMDA1MDQ1WhgPMjEy
NjEwMjkwMDUwNDVaMBkxFzAVBgNVBAMMDlN5bXBvc2lhIHRlc3RzMFkwEwYHKoZI
zj0CAQYIKoZIzj0DAQcDQgAEAI6YjQs5pT/JYFiNe2st8S91it4rZL/r3hVqYGZI
sYzMCj06snwj+9qXnMHuIAnx6XwTVPspuC/vHNnIK4PSfqNvMG0wHQYDVR0OBBYE
FGoaQi9paQjfvkdFYPDdhZoU99lRMB8GA1UdIwQYMBaAFGoaQi9paQjfvkdFYPDd
hZoU99lRMA8GA1UdEwEB/wQFMAMBAf8wGgYDVR0RBBMwEYIJbG9jYWxob3N0hwR/
AAABMAoGCCqGSM49BAMCA0cAMEQCIBnMVrncgwBegIx15lxuNK9bU7swt7LOva/N
b0GfV/E7AiAuY+ubKmJBiLl7K0j/DpUsJcG0gFFmRaQwd/MfVRoZaw==
-----END CERTIFICATE-----
"""
"""Self-signed, for ``localhost`` and 127.0.0.1, valid for a hundred years."""
_KEY = """\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgyCmGM3cs5v7jqDAa
PzPRcrs/BgrnbrFGf3z00wovf0GhRANCAAQAjpiNCzmlP8lgWI17ay3xL3WK3itk
v+veFWpgZkixjMwKPTqyfCP72pecwe4gCfHpfBNU+ym4L+8c2cgrg9J+
-----END PRIVATE KEY-----
"""
Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Web:
    """A server that answers each request with its own head, and keeps what it was sent.

    Attributes:
        port: Where it listens on 127.0.0.1.
        heads: The heads of the requests.
        bodies: The bytes that came behind them.
    """

    def __init__(self) -> None:
        self.port = 0
        self.heads: list[bytes] = []
        self.bodies: list[bytes] = []

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        self.heads.append(head)
        length = next((int(line[15:]) for line in head.lower().split(b"\r\n") if line[:15] == b"content-length:"), 0)
        self.bodies.append(await reader.readexactly(length))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(head) + head)
        await writer.drain()


@asynccontextmanager
async def serving(handler: Handler, *, tls: bool = False) -> AsyncGenerator[int, None]:
    """Serve on a free port of 127.0.0.1, which is yielded. Connections are closed when their handler returns."""
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await handler(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass  # the client has gone
        finally:
            writer.close()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(serve(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    context = await asyncio.to_thread(_context) if tls else None
    server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=context)
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        if tasks:
            await asyncio.wait(list(tasks))


@asynccontextmanager
async def web_server(*, tls: bool = False) -> AsyncGenerator[Web, None]:
    """A `Web` that serves."""
    web = Web()
    async with serving(web.answer, tls=tls) as web.port:
        yield web


def _context() -> ssl.SSLContext:
    with TemporaryDirectory() as folder:
        file = Path(folder, "both.pem")
        file.write_text(CERTIFICATE + _KEY)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context
