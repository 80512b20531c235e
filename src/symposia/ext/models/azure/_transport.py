"""The way to Azure AI, through the client of Azure's SDK."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, cast

import httpx2
from azure.core.exceptions import (
    AzureError,
    ServiceRequestError,
    ServiceRequestTimeoutError,
    ServiceResponseError,
    ServiceResponseTimeoutError,
)
from azure.core.pipeline.transport import AsyncHttpTransport
from azure.core.rest import HttpRequest
from typing_extensions import override

from symposia.ext.models._credentials import TokenError
from symposia.ext.models._encoded_json import encode_json
from symposia.ext.models._http_transport import HttpResponse, HttpxTransport, RequestOptions
from symposia.ext.models._wire_format import Body
from symposia.ext.models.azure.config import UNNAMED_MODEL

if TYPE_CHECKING:
    from azure.ai.inference.aio import ChatCompletionsClient

PATH: Final = "{endpoint}/chat/completions"
MOST_CONNECTIONS, MOST_IDLE = 1000, 100
"""Connections at a time, as with OpenAI's and Anthropic's SDKs."""
RETRIED_METHODS: Final = frozenset({"POST"})
"""The SDK tries again after POST for three statuses alone, and not after 429. Asking a model twice does no harm."""
KNOWN_FIELDS: Final = frozenset({
    "frequency_penalty", "max_tokens", "messages", "model", "presence_penalty", "response_format", "seed", "stop",
    "stream", "temperature", "tool_choice", "tools", "top_p",
})  # fmt: skip
"""The fields of version 2024-05-01-preview of the API. Others are refused, unless a header has them passed on."""


class AzureResponse:
    """A response as the SDK's policies read it.

    Args:
        http: The response.
    """

    def __init__(self, http: httpx2.Response) -> None:
        self.http = http
        self.status_code = http.status_code
        self.headers = http.headers
        self.reason = http.reason_phrase

    async def read(self) -> bytes:
        """The whole body."""
        return await self.http.aread()

    def text(self) -> str:
        """The body, which has been read."""
        return self.http.text


class HttpxConnections(AsyncHttpTransport[HttpRequest, Any]):  # Any: the SDK's response has 20 members, not used here
    """The way by which the SDK's pipeline sends, over httpx2.

    The SDK's own goes over aiohttp: it works on one event loop, warns of clients that are dropped, and its pipeline
    follows redirects with the key. A client of httpx2 is what the other vendors' SDKs have, and `adapt_http_client`
    does the same for all of them.

    Attributes:
        http: The HTTP client.
    """

    def __init__(self) -> None:
        limits = httpx2.Limits(max_connections=MOST_CONNECTIONS, max_keepalive_connections=MOST_IDLE)
        self.http = httpx2.AsyncClient(follow_redirects=True, timeout=None, limits=limits)

    @override
    async def open(self) -> None:
        """Nothing is opened before a request."""

    @override
    async def close(self) -> None:
        """Close the connections."""
        await self.http.aclose()

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @override
    async def send(self, request: HttpRequest, **options: Any) -> AzureResponse:  # Any: see the SDK's transports
        """Send a request; the body of a response that is no success is read.

        Raises:
            ServiceRequestError: There is no connection, after which the SDK tries again.
            ServiceResponseError: The connection was lost, likewise.
        """
        timeout = httpx2.Timeout(options.get("read_timeout"), connect=options.get("connection_timeout"))
        sent = self.http.build_request(
            request.method, request.url, headers=dict(request.headers), content=request.content, timeout=timeout
        )
        try:
            response = await self.http.send(sent, stream=True)
            if not response.is_success:  # the SDK drops it where it tries again, and the connection with it
                await response.aread()
        except (httpx2.LocalProtocolError, httpx2.UnsupportedProtocol):  # no other attempt can be better
            raise
        except httpx2.ConnectTimeout as error:
            raise ServiceRequestTimeoutError(_said(error), error=error) from error
        except httpx2.ConnectError as error:
            raise ServiceRequestError(_said(error), error=error) from error
        except httpx2.TimeoutException as error:
            raise ServiceResponseTimeoutError(_said(error), error=error) from error
        except httpx2.TransportError as error:
            raise ServiceResponseError(_said(error), error=error) from error
        return AzureResponse(response)


def _said(error: Exception) -> str:
    return str(error) or type(error).__name__


class AzureTransport(HttpxTransport[httpx2.AsyncClient]):
    """Sends requests through the client of Azure's SDK.

    Its `complete` is not used: it makes objects of all messages and events, drops the fields that they lack, and
    accepts streams that are cut. Its `send_request` is public, and does keys, tokens and retries. Every response is
    taken as a stream from it, since its policies parse a whole one as JSON before anything can see its bytes.

    Args:
        client: The SDK's client, which sends through `connections`.
        connections: How it sends.
        api_version: The version of the API.
        headers: Sent with every request.
        retries: How often to try again.
        timeout: Seconds to wait for the server; None for no limit.
    """

    def __init__(
        self,
        client: ChatCompletionsClient,
        connections: HttpxConnections,
        *,
        api_version: str,
        headers: Mapping[str, str],
        retries: int,
        timeout: float | None,
    ) -> None:
        super().__init__(connections.http, errors=(AzureError, TokenError))
        self._client = client
        self._api_version = api_version
        self._headers = headers
        self._retries = retries
        self._timeout = timeout

    @override
    async def start(self, fields: Body, options: RequestOptions, /, *, stream: bool) -> HttpResponse:
        """See `HttpxTransport.start`.

        Raises:
            UsageError: The credential gives no token.
        """
        if fields["model"] == UNNAMED_MODEL:
            del fields["model"]
        headers = {"Content-Type": "application/json", **self._headers}
        if not fields.keys() <= KNOWN_FIELDS:
            headers["extra-parameters"] = "pass-through"
        request = HttpRequest(
            "POST",
            PATH,
            params={"api-version": self._api_version, **(options.get("params") or {})},
            headers={**headers, **(options.get("headers") or {})},
            content=encode_json(fields),
        )
        seconds = options.get("timeout", self._timeout)
        limits: dict[str, Any] = {} if seconds is None else {"connection_timeout": seconds, "read_timeout": seconds}
        limits["retry_total"] = options.get("max_retries", self._retries)
        sent = await self._client.send_request(request, stream=True, retry_on_methods=RETRIED_METHODS, **limits)
        return cast("AzureResponse", sent).http

    @override
    async def close(self) -> None:
        """See `Transport.close`."""
        await self._client.close()
