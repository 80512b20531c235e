"""The way to a vendor over HTTP: requests with their options, whole responses, and streams of events."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Final, Generic, Protocol, TypeVar, cast

from typing_extensions import TypedDict, override

from symposia.ext.models._bounded_bodies import body_problem, expecting_stream
from symposia.ext.models._http_clients import adapt_http_client, request_errors
from symposia.ext.models._response_listeners import is_retried_outside
from symposia.ext.models._stream_decoders import EventDecoder, StreamDecoder
from symposia.ext.models._transport import KEPT_START, EventStream, Response
from symposia.ext.models._wire_format import Body, without_none

DRAIN_SECONDS: Final = 0.1
"""How long to wait for the end of a response whose answer is complete. OpenAI's SDK waits as long."""

_REQUEST_OPTIONS: Final[Mapping[str, str]] = {
    "extra_headers": "headers",
    "extra_query": "params",
    "extra_body": "extra_json",
    "timeout": "timeout",
}
"""Arguments of the SDKs' own methods, and the names of `RequestOptions`."""


class RequestOptions(TypedDict, total=False):
    """How to send a request, in the names of OpenAI's and Anthropic's SDKs.

    Attributes:
        headers: Further headers.
        params: Parameters of the query.
        extra_json: Further fields of the request.
        timeout: Seconds to wait for the server; None for no limit. Some HTTP clients take an object of theirs.
        max_retries: How often to try again.
    """

    headers: dict[str, str]
    params: dict[str, str]
    extra_json: Mapping[str, object]
    timeout: float | None
    max_retries: int


def split_options(body: Body) -> tuple[Body, RequestOptions]:
    """A request without the arguments that are None, apart from the options to send it with."""
    request = {name: value for name, value in without_none(body).items() if name not in _REQUEST_OPTIONS}
    options = {option: body[name] for name, option in _REQUEST_OPTIONS.items() if name in body}
    if is_retried_outside():
        options["max_retries"] = 0
    return request, cast("RequestOptions", options)


class HttpResponse(Protocol):
    """A response of httpx2, or of httpx: with openai 2, and where the caller gave OpenAI's SDK a client of it."""

    @property
    def is_success(self) -> bool: ...
    @property
    def headers(self) -> Mapping[str, str]: ...
    @property
    def status_code(self) -> int: ...
    @property
    def content(self) -> bytes: ...
    def raise_for_status(self) -> object: ...
    async def aread(self) -> bytes: ...
    def aiter_bytes(self) -> AsyncIterator[bytes]: ...
    async def aclose(self) -> None: ...


class HttpTransport(ABC):
    """A way to a vendor over HTTP, by the HTTP client of the vendor's SDK.

    Attributes:
        errors: See `Transport`.
        decoder: Finds the events of a streamed response.
    """

    errors: tuple[type[Exception], ...]
    decoder: Callable[[], StreamDecoder] = EventDecoder

    @abstractmethod
    async def post(self, body: Body, /, *, stream: bool = False) -> HttpResponse:
        """Send a request, and return the response: read to its end, unless it streams.

        Raises:
            Exception: One of `errors`, for a status that is an error as well.
        """

    async def send(self, body: Body, /) -> Response:
        """See `Transport.send`."""
        response = await self.post(body)
        return _head(response, response.content)

    async def open(self, body: Body, /) -> EventStream:
        """See `Transport.open`."""
        with expecting_stream():
            response = await self.post(body, stream=True)
        return _HttpEventStream(response, self.errors, self.decoder())


class HttpClient(Protocol):
    """A client of httpx2 or httpx."""

    async def aclose(self) -> None: ...


C = TypeVar("C", bound=HttpClient)


class HttpxTransport(HttpTransport, Generic[C]):
    """Sends requests through httpx, where a vendor's SDK has no method that takes JSON as it is.

    Args:
        http: The HTTP client.
        errors: What else is raised when a request fails.
    """

    def __init__(self, http: C, *, errors: tuple[type[Exception], ...] = ()) -> None:
        adapt_http_client(http)
        self._http = http
        self.errors = (*errors, *request_errors())

    @override
    async def post(self, body: Body, /, *, stream: bool = False) -> HttpResponse:
        """See `HttpTransport.post`."""
        fields, options = split_options(body)
        fields = self.with_extra(fields, options.get("extra_json") or {})
        response = await self.start(fields, options, stream=stream)
        if not response.is_success or not stream:
            await response.aread()
            response.raise_for_status()
        return response

    def with_extra(self, fields: Body, extra: Mapping[str, object], /) -> Body:
        """A request with further fields, which win."""
        return {**fields, **extra}

    @abstractmethod
    async def start(self, fields: Body, options: RequestOptions, /, *, stream: bool) -> HttpResponse:
        """Send a request, and return the response, of which the body may be still to be read."""

    async def close(self) -> None:
        """See `Transport.close`."""
        await self._http.aclose()


class _HttpEventStream:
    """A streamed response of an SDK's HTTP client."""

    def __init__(self, response: HttpResponse, errors: tuple[type[Exception], ...], decoder: StreamDecoder) -> None:
        self.response = _head(response, b"")
        self._errors = errors
        self._http = response
        self._chunks = response.aiter_bytes()
        self._decoder = decoder
        self._ended = False

    async def read(self) -> Sequence[bytes]:
        # One call gives all events of a network read, so that the caller wakes up once for each read and not once for
        # each event: a fast model sends several in one packet.
        while not self._ended:
            chunk = await anext(self._chunks, None)
            if chunk is None:
                self._ended = True
                if (problem := body_problem(self._http)) is not None:
                    raise problem
                events = self._decoder.finish()
            else:
                if len(self.response.body) < KEPT_START:
                    self.response.body += chunk[:KEPT_START]
                events = self._decoder.feed(chunk)
            if events:
                self.response.events += len(events)
                return events
        return ()

    async def finish(self) -> None:
        with suppress(TimeoutError, *self._errors):  # then the connection is not used again; the answer is complete
            async with asyncio.timeout(DRAIN_SECONDS):
                async for _ in self._chunks:
                    pass

    async def close(self) -> None:
        # An answer that was not read to its end closes the connection, which is how the vendor learns to stop
        # generating, and billing. To read the rest in the background would keep the connection and pay for it.
        with suppress(*self._errors):  # what has arrived is an answer, or another error, all the same
            await self._http.aclose()


def _head(response: HttpResponse, body: bytes) -> Response:
    content_type = str(response.headers.get("content-type", ""))
    return Response(
        body=body,
        status=response.status_code,
        content_type=content_type,
        headers=response.headers,
        problem=body_problem(response),
    )
