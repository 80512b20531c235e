"""Sessions over HTTP in both versions of the MCP SDK: a client of limited answers, which tells why a request failed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus
from importlib import import_module
from typing import Any, TypeAlias

from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamable_http_client

from symposia.ext.tools.mcp._params import SseServerParams, StreamableHttpServerParams
from symposia.ext.tools.mcp._sdk import IS_FIRST, MOST_MESSAGE_BYTES, Stream, too_long

OnFault: TypeAlias = Callable[[str | None], None]

# Any, in this module: a type checker sees one of the two versions of the SDK, and of its HTTP client.
_httpx: Any = import_module("httpx" if IS_FIRST else "httpx2")


@asynccontextmanager
async def http_streams(
    params: SseServerParams | StreamableHttpServerParams, auth: Any, on_fault: OnFault, on_lost: Callable[[], None]
) -> AsyncGenerator[tuple[Stream, Stream]]:
    """Connect to a server at an address; as long as this is open, messages pass.

    Args:
        params: The server.
        auth: An authentication of the SDK or of its HTTP client.
        on_fault: Called with why a request failed; with None if it did not.
        on_lost: Called where a request gets no answer and the SDK would wait for it.
    """
    # In a thread: a client reads the certificates of this machine.
    client = await asyncio.to_thread(_client, params, auth, on_fault, on_lost)
    if isinstance(params, SseServerParams):

        def factory(*_given: object, **_options: object) -> Any:
            return client

        async with sse_client(
            params.url,
            headers=params.headers,
            timeout=params.timeout,
            sse_read_timeout=params.sse_read_timeout,
            httpx_client_factory=factory,
            auth=auth,
        ) as streams:
            yield streams[0], streams[1]
        return
    more: Any = {} if IS_FIRST else {"max_sse_event_size": MOST_MESSAGE_BYTES}
    async with (
        client,
        streamable_http_client(
            params.url, http_client=client, terminate_on_close=params.terminate_on_close, **more
        ) as streams,
    ):
        yield streams[0], streams[1]


def _client(
    params: SseServerParams | StreamableHttpServerParams, auth: Any, on_fault: OnFault, on_lost: Callable[[], None]
) -> Any:
    has_events = isinstance(params, SseServerParams)

    async def note(response: Any) -> None:
        # The SDK's error does not name the status, or names the whole address with it. Only a server of events has to
        # answer other requests than POST.
        if has_events or response.request.method == "POST":
            on_fault(_fault(response.status_code, has_auth=auth is not None))

    async def tell_terminated(response: Any) -> None:
        # Of a session that the server no longer knows, version 2 of the SDK passes on the server's own words, if they
        # are JSON. As they are of any other kind here, the error is `SESSION_TERMINATED` for every server.
        if response.status_code == HTTPStatus.NOT_FOUND and "mcp-session-id" in response.request.headers:
            response.headers["content-type"] = "text/plain"

    async def limit(response: Any) -> None:
        # By a hook and not by a transport: a client with a transport of its own ignores the proxies of the environment.
        response.stream = _LimitedStream(response, on_fault, on_lost)

    # Compressed answers are refused: a few kilobytes of them may be gigabytes of text.
    plain = {"Accept-Encoding": "identity", **{name: str(value) for name, value in (params.headers or {}).items()}}
    timeout = _httpx.Timeout(params.timeout, read=params.sse_read_timeout)
    return _httpx.AsyncClient(
        headers=plain, timeout=timeout, auth=auth, event_hooks={"response": [limit, note, tell_terminated]}
    )


def _fault(status: int, *, has_auth: bool) -> str | None:
    if status < HTTPStatus.MULTIPLE_CHOICES:
        return None
    if status not in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return f"the HTTP status is {status}"
    if has_auth:
        return f"the HTTP status is {status}: what auth= gives is not accepted"
    return f"the HTTP status is {status}: give headers= with a key, or auth="


class _LimitedStream(_httpx.AsyncByteStream):
    """The bytes of an answer, up to the limit; of a stream of events, up to the limit for each event.

    Raises:
        httpx.DecodingError: The answer is compressed.
    """

    def __init__(self, response: Any, on_fault: OnFault, on_lost: Callable[[], None]) -> None:
        if response.headers.get("content-encoding", "identity") != "identity":
            raise _httpx.DecodingError("the answer is compressed, which was not asked for", request=response.request)
        self._stream = response.stream
        self._is_stream = response.headers.get("content-type", "").startswith("text/event-stream")
        self._on_fault = on_fault
        self._on_lost = on_lost
        # Version 1 of the SDK logs that an answer cannot be read, and goes on waiting for it.
        self._is_awaited = IS_FIRST and response.request.method == "POST"

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for chunk in self._within_limit():
                yield chunk
        except Exception as error:
            # A stream of events that was cut is resumed, where the server can.
            if self._is_awaited and (isinstance(error, _httpx.StreamError) or not self._is_stream):
                self._on_lost()
            raise

    async def _within_limit(self) -> AsyncIterator[bytes]:
        size, before = 0, b""
        async for chunk in self._stream:
            seen = before + chunk  # the end of an event may be in two chunks
            end = max(seen.rfind(b"\n\n"), seen.rfind(b"\n\r\n")) if self._is_stream else -1
            size = size + len(chunk) if end < 0 else len(seen) - end
            before = seen[-2:]
            if size > MOST_MESSAGE_BYTES:
                self._on_fault(too_long())  # of the error of a stream of events, the SDK tells nothing
                raise _httpx.StreamError(too_long())
            yield chunk

    async def aclose(self) -> None:
        """Close the stream."""
        await self._stream.aclose()
