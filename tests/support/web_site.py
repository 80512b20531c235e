"""A scripted web site on loopback, for browsers: pages by their paths, and the ways in which servers misbehave."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager

from tests.support.web_server import serving


class Site:
    """What is answered, by path: a page, or the bytes of a whole answer. A path without an answer is never answered.

    Attributes:
        port: Where it listens on 127.0.0.1.
        answers: The answers. They may change while the site serves.
        asked: The first lines of the requests, as ``GET /path?query``.
    """

    def __init__(self, answers: Mapping[str, str | bytes]) -> None:
        self.port = 0
        self.answers = dict(answers)
        self.asked: list[str] = []

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    def url(self, path: str = "/") -> str:
        return f"http://{self.host}{path}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        request = head.split(b" HTTP/", 1)[0].decode()
        self.asked.append(request)
        path = request.split(" ")[1].partition("?")[0]
        if path == "/favicon.ico":
            writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        elif (answer := self.answers.get(path)) is None:
            await reader.read()  # until the browser leaves
        elif isinstance(answer, str):
            writer.write(answered(answer.encode(), "text/html; charset=utf-8"))
        else:
            writer.write(answer)
        await writer.drain()


def answered(body: bytes, kind: str, *fields: str) -> bytes:
    """An answer with a body."""
    lines = ["HTTP/1.1 200 OK", f"Content-Type: {kind}", f"Content-Length: {len(body)}", *fields, "Connection: close"]
    return "\r\n".join([*lines, "", ""]).encode() + body


def redirected(url: str) -> bytes:
    """An answer that leads elsewhere."""
    return f"HTTP/1.1 302 Found\r\nLocation: {url}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode()


@asynccontextmanager
async def web_site(answers: Mapping[str, str | bytes]) -> AsyncGenerator[Site, None]:
    site = Site(answers)
    async with serving(site.serve) as site.port:
        yield site
