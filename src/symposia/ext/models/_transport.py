"""How requests get to a vendor and bytes come back. The vendors' SDKs keep authentication, retries and connections."""

from __future__ import annotations

import asyncio
import sys
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from importlib import import_module
from inspect import signature
from types import ModuleType
from typing import Any, Final, Protocol, cast

from typing_extensions import override

from symposia.ext.models._bounded_bodies import BodyError, body_problem, expecting_stream
from symposia.ext.models._encoded_json import encode_json, replace_surrogates
from symposia.ext.models._http_clients import adapt_http_client
from symposia.ext.models._response_listeners import is_retried_outside
from symposia.ext.models._stream_decoders import EventDecoder, StreamDecoder
from symposia.ext.models._wire_format import Body, without_none

KEPT_START: Final = 4096
"""Bytes of a stream that are kept to show them in an error."""

DRAIN_SECONDS: Final = 0.1
"""How long to wait for the end of a response whose answer is complete. OpenAI's SDK waits as long."""

_REQUEST_OPTIONS: Final[Mapping[str, str]] = {
    "extra_headers": "headers",
    "extra_query": "params",
    "extra_body": "extra_json",
    "timeout": "timeout",
}
"""Arguments of the SDKs' own methods, and what they are called in the options of `post`."""


@dataclass(kw_only=True, slots=True)
class Response:
    """A response, as far as it was received.

    Attributes:
        status: The HTTP status; None where the vendor is not reached by HTTP.
        content_type: The header of that name.
        body: The body; of a stream, its first bytes.
        events: The number of a stream's events so far.
        headers: The headers, by lower-case name.
        problem: Why the body was not read to its end; None if it was, or is still being read.
    """

    body: bytes
    status: int | None = None
    content_type: str = ""
    events: int = 0
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    problem: BodyError | None = None

    @property
    def label(self) -> str:
        """Status and content type, for an error's text."""
        status = "no status" if self.status is None else f"status {self.status}"
        return f"{status}, {self.content_type}" if self.content_type else status


class EventStream(Protocol):
    """A response that is streamed as events."""

    @property
    def response(self) -> Response:
        """The metadata of the response so far."""
        ...

    async def read(self) -> Sequence[bytes]:
        """The data of the events that arrived, at least one; empty at the end."""
        ...

    async def finish(self) -> None:
        """Read what little is left after the answer's end, so that the connection can be used again."""
        ...

    async def close(self) -> None:
        """End the request, whatever is still to come."""
        ...


class Transport(Protocol):
    """Sends requests to a vendor."""

    @property
    def errors(self) -> tuple[type[Exception], ...]:
        """What its methods raise when a request fails."""
        ...

    async def send(self, body: Body, /) -> Response:
        """Send a request, and wait for the whole response."""
        ...

    async def open(self, body: Body, /) -> EventStream:
        """Send a request whose response is streamed."""
        ...

    async def close(self) -> None:
        """Give connections back. Closing twice is harmless."""
        ...


class HttpResponse(Protocol):
    """A response of httpx2, or of httpx: with openai 2, and where the caller gave OpenAI's SDK a client of it."""

    @property
    def headers(self) -> Mapping[str, str]: ...
    @property
    def status_code(self) -> int: ...
    @property
    def content(self) -> bytes: ...
    def aiter_bytes(self) -> AsyncIterator[bytes]: ...
    async def aclose(self) -> None: ...


class _SdkClient(Protocol):
    """The methods that the generated clients of OpenAI's and Anthropic's SDKs share."""

    async def post(
        self,
        path: str,
        *,
        cast_to: object,
        options: Mapping[str, object],
        body: Body | None = None,
        content: bytes | None = None,
        stream: bool = False,
        stream_cls: object = None,
    ) -> HttpResponse: ...
    async def close(self) -> None: ...


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


class SdkTransport(HttpTransport):
    """Sends requests through the client of a vendor's SDK.

    OpenAI's and Anthropic's SDKs are generated alike, and both have `post`. Their typed methods are not used: they walk
    every message along its type hints, which takes 150 microseconds a message (openai 3.52), and build an object for
    each streamed chunk, which takes 80. Nor do they encode requests, where they take bytes. Their reading of responses
    is not used either: it accepts streams that are cut, empty or HTML, and raises errors of `json` and `codecs` without
    the bytes and the status that the user has to see.

    Retries are the SDK's as well, twice by default: it tries again after a lost connection and the statuses 408, 409,
    429 and 5xx, honours ``Retry-After``, and jitters. All of that is before the first byte of an answer. A stream that
    breaks later is not tried again: its first pieces have been shown, and another answer would begin with others.
    Inside `symposia.ext.models.retry` the SDK does not retry, or the two would multiply. A program with retries of its
    own gives the client ``max_retries=0``.

    Args:
        client: The SDK's asynchronous client.
        path: Where requests go, below the client's base URL.
        stream_type: The SDK's `AsyncStream`, which `post` requires although none is made.
        errors: What the SDK raises.
    """

    def __init__(self, client: object, *, path: str, stream_type: object, errors: tuple[type[Exception], ...]) -> None:
        httpx = _http_library(stream_type)
        # It is imported for the first request otherwise, while an event loop waits.
        import_module(httpx.__name__.replace("httpx", "httpcore"))
        self._client = cast("_SdkClient", client)
        adapt_http_client(getattr(client, "_client", None))
        self._takes_bytes = _takes_bytes(self._client, _sdk_of(stream_type))
        self._path = path
        self._response_type = httpx.Response
        self._stream_type = stream_type
        # ssl.SSLError is an OSError; anyio's error slips through httpx (https://github.com/pydantic/httpx2/issues/854).
        broken_stream = import_module("anyio").EndOfStream
        # A text that cannot be encoded is a header's by then: `post` has cleaned the body.
        broken = (httpx.HTTPError, httpx.InvalidURL, OSError, broken_stream, UnicodeEncodeError)
        self.errors = (*errors, *broken, *_legacy_errors())

    async def close(self) -> None:
        """See `Transport.close`."""
        await self._client.close()

    @override
    async def post(self, body: Body, /, *, stream: bool = False) -> HttpResponse:
        """See `HttpTransport.post`."""
        request, options = split_options(body)
        how: dict[str, Any] = {"stream": True, "stream_cls": self._stream_type} if stream else {}
        if (content := self._encoded(request, options)) is not None:
            how["content"] = content
        else:
            how["body"] = self.request(request)
        try:
            return await self._client.post(self._path, cast_to=self._response_type, options=options, **how)
        except UnicodeEncodeError:
            if content is not None:  # which is clean: the text is that of a header
                raise
            # The SDKs encode before they send. Cleaning only now costs the other requests nothing; a message that can
            # never be sent would end the conversation that it is in.
            how["body"] = self.request(cast("Body", replace_surrogates(request)))
            return await self._client.post(self._path, cast_to=self._response_type, options=options, **how)

    def _encoded(self, request: Body, options: Mapping[str, object]) -> bytes | None:
        """The request's bytes; None where the SDK has to have its fields.

        The SDKs encode a whole conversation anew for each request, and Anthropic's looks through each message before.
        """
        # Anthropic's client may be given middleware, which reads the fields of requests.
        is_read = "extra_json" in options or getattr(self._client, "_middleware", None)
        if is_read or not self._takes_bytes:
            return None
        try:
            return encode_json(self.request(request))
        except (TypeError, ValueError):  # the SDK writes some more types than JSON has, and words its own errors
            return None

    def request(self, body: Body) -> Body:
        """A request as the SDK is given it."""
        return body


def _takes_bytes(client: _SdkClient, sdk: ModuleType) -> bool:
    """Whether `post` sends bytes as they are, which the first versions 2 of openai lack.

    The clients for Azure, Bedrock and Vertex read the fields of a request, and write its address and more from them. A
    program's own class may do anything.
    """
    plain = (getattr(sdk, "AsyncOpenAI", None), getattr(sdk, "AsyncAnthropic", None))
    return type(client) in plain and "content" in signature(client.post).parameters


def split_options(body: Body) -> tuple[Body, dict[str, object]]:
    """A request without the arguments that are None, apart from the options to send it with.

    Returns:
        The request, and `RequestOptions`, of which each SDK has its own class.
    """
    request = {name: value for name, value in without_none(body).items() if name not in _REQUEST_OPTIONS}
    options = {option: body[name] for name, option in _REQUEST_OPTIONS.items() if name in body}
    if is_retried_outside():
        options["max_retries"] = 0
    return request, options


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


def _http_library(sdk_type: object) -> ModuleType:
    """The HTTP client that an SDK is built on: httpx2, and httpx up to openai 2.

    Its `Response` is the one type with which `post` gives the bytes and not an object made of them, so it has to be the
    SDK's own. The only public sign is that the SDKs export its `Timeout`; what that calls its module, they overwrite.
    """
    sdk = _sdk_of(sdk_type)
    loaded = (sys.modules.get(name) for name in ("httpx2", "httpx"))
    return next(library for library in loaded if library is not None and library.Timeout is sdk.Timeout)


def _sdk_of(sdk_type: object) -> ModuleType:
    return import_module(getattr(sdk_type, "__origin__", sdk_type).__module__.partition(".")[0])


def _legacy_errors() -> tuple[type[Exception], ...]:
    """The errors of httpx, which OpenAI's SDK takes in place of httpx2 if the caller gives it a client of httpx."""
    httpx = sys.modules.get("httpx")
    return () if httpx is None else (httpx.HTTPError,)
