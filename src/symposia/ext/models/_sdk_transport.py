"""The way to a vendor through the clients of OpenAI's and Anthropic's SDKs."""

from __future__ import annotations

import sys
from importlib import import_module
from inspect import signature
from types import ModuleType
from typing import Any, Protocol, cast

from typing_extensions import override

from symposia.ext.models._encoded_json import encode_json, replace_surrogates
from symposia.ext.models._http_clients import adapt_http_client, request_errors
from symposia.ext.models._http_transport import HttpResponse, HttpTransport, RequestOptions, split_options
from symposia.ext.models._wire_format import Body


class _SdkClient(Protocol):
    """The methods that the generated clients of OpenAI's and Anthropic's SDKs share."""

    async def post(
        self,
        path: str,
        *,
        cast_to: object,
        options: RequestOptions,
        body: Body | None = None,
        content: bytes | None = None,
        stream: bool = False,
        stream_cls: object = None,
    ) -> HttpResponse: ...
    async def close(self) -> None: ...


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
        self._client = cast("_SdkClient", client)
        adapt_http_client(getattr(client, "_client", None))
        self._takes_bytes = _takes_bytes(self._client, _sdk_of(stream_type))
        self._path = path
        self._response_type = _http_library(stream_type).Response
        self._stream_type = stream_type
        self.errors = (*errors, *request_errors())

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

    def _encoded(self, request: Body, options: RequestOptions) -> bytes | None:
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
