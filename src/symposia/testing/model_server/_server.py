"""The server itself: requests in, scripted answers out, in the wire format that the path names."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from symposia.testing.model_server import _anthropic, _openai, _openai_responses
from symposia.testing.model_server._answers import Failure, Raw, Reply
from symposia.testing.model_server._conversation import Conversation
from symposia.testing.model_server._http import Answer, HttpRequest, HttpServer
from symposia.testing.model_server._wire_format import Fields, WireFormat

WIRE_FORMATS: tuple[WireFormat, ...] = (_openai, _openai_responses, _anthropic)


@dataclass(frozen=True)
class RecordedRequest:
    """A request as it arrived.

    Attributes:
        vendor: The name of its wire format, such as ``"openai"``; none where no format has this path.
        conversation: What it says, in no vendor's terms; none where it cannot be read.
        disconnected: Set when the client left before it had the whole answer.
    """

    path: str
    headers: Mapping[str, str]
    body: Mapping[str, Any]  # JSON
    vendor: str | None = None
    conversation: Conversation | None = None
    disconnected: asyncio.Event = field(default_factory=asyncio.Event)
    query: str = ""


class MockModelServer:
    """Answers each request with the next item of its script; an unexpected request gets status 500.

    Attributes:
        requests: Every request so far, oldest first.
    """

    def __init__(self) -> None:
        self.requests: list[RecordedRequest] = []
        self._script: deque[Reply | Failure | Raw] = deque()
        self._http = HttpServer(self._answer)

    @property
    def url(self) -> str:
        """The address without a path, as the clients of Anthropic, Gemini and Ollama take it."""
        return self._http.url

    @property
    def openai_url(self) -> str:
        return f"{self._http.url}/v1"

    @property
    def anthropic_url(self) -> str:
        return self._http.url

    def script(self, *items: Reply | Failure | Raw) -> None:
        """Add answers to the end of the script."""
        self._script.extend(items)

    @property
    def last_body(self) -> Mapping[str, Any]:
        """The body of the latest request."""
        return self.requests[-1].body

    async def __aenter__(self) -> Self:
        await self._http.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._http.stop()

    async def _answer(self, request: HttpRequest, answer: Answer) -> None:
        body: Mapping[str, Any] = json.loads(request.body or b"{}")
        for wire in WIRE_FORMATS:
            if found := wire.PATH.fullmatch(request.path):
                await self._answer_in(wire, {**body, **found.groupdict()}, body, request, answer)
                return
        self.requests.append(
            RecordedRequest(request.path, request.headers, body, disconnected=request.disconnected, query=request.query)
        )
        await answer.whole(404, {"error": {"message": f"no such path: {request.path}"}})

    async def _answer_in(
        self, wire: WireFormat, fields: Fields, body: Mapping[str, Any], request: HttpRequest, answer: Answer
    ) -> None:
        conversation = wire.conversation(fields)
        self.requests.append(
            RecordedRequest(
                request.path, request.headers, body, wire.NAME, conversation, request.disconnected, request.query
            )
        )
        if complaint := wire.complaint(fields, request.headers):
            await answer.whole(400, wire.error(400, complaint))
            return
        item = self._script.popleft() if self._script else Failure(status=500, message="the script has ended")
        match item:
            case Failure():
                await answer.whole(item.status, wire.error(item.status, item.message), item.headers)
            case Raw():
                kind = {} if item.content_type is None else {"content-type": item.content_type}
                await answer.raw(item.status, item.body, {**kind, **item.headers}, cut=item.cut)
            case Reply() if conversation.streams:
                await _stream(item, wire.events(item, fields), wire.STREAM_TYPE, answer)
            case Reply():
                if item.hold:
                    await item.hold.wait()
                await answer.whole(200, wire.whole(item, fields))


async def _stream(reply: Reply, pieces: Iterator[bytes], content_type: str, answer: Answer) -> None:
    for number, piece in enumerate(pieces):
        if reply.hold and reply.hold.after == number:
            await reply.hold.wait()
        if reply.cut_after == number:
            answer.cut()
            return
        await answer.piece(piece, content_type)
    await answer.end()
