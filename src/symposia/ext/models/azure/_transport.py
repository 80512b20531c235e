"""The way to Azure AI, through the client of Azure's SDK."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

from azure.core.exceptions import AzureError, HttpResponseError
from azure.core.rest import HttpRequest
from typing_extensions import override

from symposia.core.exceptions import UsageError
from symposia.ext.models._transport import HttpTransport, encode_json, split_options
from symposia.ext.models._wire_format import Body
from symposia.ext.models.azure.config import UNNAMED_MODEL

if TYPE_CHECKING:
    from azure.ai.inference.aio import ChatCompletionsClient
    from azure.core.rest import AsyncHttpResponse

PATH: Final = "{endpoint}/chat/completions"
SUCCESS: Final = 200
RETRIED_METHODS: Final = frozenset({"POST"})
"""The SDK tries again after POST for three statuses alone, and not after 429. Asking a model twice does no harm."""
KNOWN_FIELDS: Final = frozenset({
    "frequency_penalty", "max_tokens", "messages", "model", "presence_penalty", "response_format", "seed", "stop",
    "stream", "temperature", "tool_choice", "tools", "top_p",
})  # fmt: skip
"""The fields of version 2024-05-01-preview of the API. Others are refused, unless a header has them passed on."""


class Connections(Protocol):
    """The SDK's transport over aiohttp, which has no types for its session."""

    session: _Session | None


class _Session(Protocol):
    def detach(self) -> None: ...


class AzureResponse:
    """A response of the SDK's, with the names that `HttpResponse` has."""

    is_stream_consumed = True  # of an error: it is read before it is raised

    def __init__(self, response: AsyncHttpResponse) -> None:
        self._response = response
        self.status_code = response.status_code
        self.headers = cast("Mapping[str, str]", {name.lower(): value for name, value in response.headers.items()})
        self.content = b""

    @property
    def text(self) -> str:
        """The body of an error."""
        return self.content.decode(errors="replace")

    async def aread(self) -> None:
        """Read the body to its end."""
        self.content = await self._response.read()

    def aiter_bytes(self) -> AsyncIterator[bytes]:
        """See `HttpResponse`."""
        return self._response.iter_bytes()

    async def aclose(self) -> None:
        """See `HttpResponse`."""
        await self._response.close()


class StatusError(AzureError):
    """A status that is an error."""

    def __init__(self, response: AzureResponse) -> None:
        super().__init__(response.text)
        self.response = response
        self.status_code = response.status_code


class AzureTransport(HttpTransport):
    """Sends requests through the client of Azure's SDK.

    Its `complete` is not used: it makes objects of all messages and events, drops the fields that they lack, and
    accepts streams that are cut. Its `send_request` is public, and does keys, tokens and retries. Every response is
    taken as a stream from it, since its policies parse a whole one as JSON before anything can see its bytes.

    Args:
        client: The SDK's client.
        connections: The transport that it sends through.
        api_version: The version of the API.
        headers: Sent with every request.
        retries: How often to try again.
        timeout: Seconds to wait for the server; None for no limit.
    """

    errors: tuple[type[Exception], ...] = (AzureError, OSError, zlib.error)  # the last of a body that is no gzip

    def __init__(
        self,
        client: ChatCompletionsClient,
        connections: Connections,
        *,
        api_version: str,
        headers: Mapping[str, str],
        retries: int,
        timeout: float | None,
    ) -> None:
        self._client = client
        self._connections = connections
        self._api_version = api_version
        self._headers = headers
        self._retries = retries
        self._timeout = timeout

    @override
    async def post(self, body: Body, /, *, stream: bool = False) -> AzureResponse:
        """See `HttpTransport.post`.

        Raises:
            UsageError: The credential gives no token.
        """
        fields, options = split_options(body)
        if fields["model"] == UNNAMED_MODEL:
            del fields["model"]
        fields.update(cast("Mapping[str, object]", options.get("extra_json") or {}))
        headers = {"Content-Type": "application/json", **self._headers}
        if not fields.keys() <= KNOWN_FIELDS:
            headers["extra-parameters"] = "pass-through"
        request = HttpRequest(
            "POST",
            PATH,
            params={"api-version": self._api_version, **cast("Mapping[str, str]", options.get("params") or {})},
            headers={**headers, **cast("Mapping[str, str]", options.get("headers") or {})},
            content=encode_json(fields),
        )
        seconds = options.get("timeout", self._timeout)
        limits: dict[str, Any] = {} if seconds is None else {"connection_timeout": seconds, "read_timeout": seconds}
        limits["retry_total"] = options.get("max_retries", self._retries)
        try:
            response = AzureResponse(
                await self._client.send_request(request, stream=True, retry_on_methods=RETRIED_METHODS, **limits)
            )
        except HttpResponseError as error:  # of the credential's own requests: a status of the models is no exception
            raise UsageError(f"The credential gives no token for Azure: {error.message}") from error
        if response.status_code != SUCCESS:
            await response.aread()
            raise StatusError(response)
        if not stream:
            await response.aread()
        return response

    async def close(self) -> None:
        """See `Transport.close`."""
        await self._client.close()

    def __del__(self) -> None:
        # aiohttp logs an error about a session that was not closed. Clients of other vendors are dropped silently.
        connections: Connections | None = getattr(self, "_connections", None)
        if connections is not None and connections.session is not None:
            connections.session.detach()
