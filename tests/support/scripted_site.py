"""A scripted site on loopback that keeps the requests that it was sent."""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Sent:
    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Answer:
    body: bytes | str = ""
    status: int = 200
    media_type: str | None = "text/plain"
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    declared: int | None = None
    stay: bool = False


@dataclass
class ScriptedSite:
    port: int = 0
    pages: dict[str, Answer | Callable[[Sent], Answer]] = field(
        default_factory=dict[str, "Answer | Callable[[Sent], Answer]"]
    )
    sent: list[Sent] = field(default_factory=list[Sent])
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    left: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.strip().split("\r\n")
        method, target, _ = first.split(" ")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        sent = Sent(method, target, headers, await reader.readexactly(int(headers.get("content-length", 0))))
        self.sent.append(sent)
        self.reached.set()
        answer = self.pages.get(target.partition("?")[0], Answer("no such page", 404))
        if callable(answer):
            answer = answer(sent)
        body = answer.body.encode() if isinstance(answer.body, str) else answer.body
        fields = dict(answer.headers)
        if answer.media_type is not None:
            fields["Content-Type"] = answer.media_type
        fields["Connection"] = "close"
        if "Transfer-Encoding" not in fields:
            fields["Content-Length"] = str(len(body) if answer.declared is None else answer.declared)
        lines = [f"HTTP/1.1 {answer.status} Said", *(f"{name}: {value}" for name, value in fields.items())]
        try:
            writer.write(("\r\n".join(lines) + "\r\n\r\n").encode() + body)
            await writer.drain()
            if answer.stay:
                await reader.read()  # until the client has gone
        finally:
            self.left.set()
