"""The server itself: requests in, scripted answers out, in the dialect that the path names."""

import asyncio
import json
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Protocol, Self

from tests.support.model_server import _anthropic, _openai
from tests.support.model_server._http import Answer, HttpRequest, HttpServer
from tests.support.model_server._script import Failure, Raw, Reply


class Dialect(Protocol):
    """How one vendor puts an answer on the wire."""

    def complaint(self, body: Mapping[str, Any], headers: Mapping[str, str], /) -> str | None:
        """Why the vendor would refuse this request, if it would."""
        ...

    def whole(self, reply: Reply, body: Mapping[str, Any], /) -> object:
        """The answer to a request that does not stream."""
        ...

    def events(self, reply: Reply, body: Mapping[str, Any], /) -> Iterator[bytes]:
        """The answer to a request that streams."""
        ...

    def error(self, status: int, message: str, /) -> object:
        """The body of an error."""
        ...


DIALECTS: Mapping[str, Dialect] = {"/v1/chat/completions": _openai, "/v1/messages": _anthropic}


@dataclass(frozen=True)
class RecordedRequest:
    """A request as it arrived."""

    path: str
    headers: Mapping[str, str]
    body: Mapping[str, Any]  # JSON
    disconnected: asyncio.Event = field(default_factory=asyncio.Event)


class ModelServer:
    """Answers each request with the next item of its script; an unexpected request gets status 500.

    Attributes:
        requests: Every request so far, oldest first.
    """

    def __init__(self) -> None:
        self.requests: list[RecordedRequest] = []
        self._script: deque[Reply | Failure | Raw] = deque()
        self._http = HttpServer(self._answer)

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
        record = RecordedRequest(request.path, request.headers, body, request.disconnected)
        self.requests.append(record)
        dialect = DIALECTS.get(request.path)
        if dialect is None:
            await answer.whole(404, {"error": {"message": f"no such path: {request.path}"}})
        elif complaint := dialect.complaint(body, request.headers):
            await answer.whole(400, dialect.error(400, complaint))
        else:
            await self._follow_script(dialect, body, answer)

    async def _follow_script(self, dialect: Dialect, body: Mapping[str, Any], answer: Answer) -> None:
        item = self._script.popleft() if self._script else Failure(status=500, message="the script has ended")
        match item:
            case Failure():
                await answer.whole(item.status, dialect.error(item.status, item.message), item.headers)
            case Raw():
                kind = {} if item.content_type is None else {"content-type": item.content_type}
                await answer.raw(item.status, item.body, {**kind, **item.headers}, cut=item.cut)
            case Reply() if body.get("stream"):
                await _stream(item, dialect.events(item, body), answer)
            case Reply():
                if item.hold:
                    await item.hold.wait()
                await answer.whole(200, dialect.whole(item, body))


async def _stream(reply: Reply, events: Iterator[bytes], answer: Answer) -> None:
    for number, one in enumerate(events):
        if reply.hold and reply.hold.after == number:
            await reply.hold.wait()
        if reply.cut_after == number:
            answer.cut()
            return
        await answer.event(one)
    await answer.end()
