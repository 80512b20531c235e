"""The way to an Ollama server, through the HTTP client of Ollama's SDK."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Protocol, cast

from typing_extensions import override

from symposia._lazy import lazy_module
from symposia.ext.models._encoded_json import encode_json
from symposia.ext.models._http_transport import HttpResponse, HttpxTransport, RequestOptions
from symposia.ext.models._stream_decoders import LineDecoder, StreamDecoder
from symposia.ext.models._wire_format import Body

if TYPE_CHECKING:
    import httpx
    import ollama
else:
    httpx, ollama = lazy_module("httpx"), lazy_module("ollama")

PATH: Final = "/api/chat"


class _SdkClient(Protocol):
    """The part of `ollama.AsyncClient` that holds address, headers, key and connections."""

    _client: httpx.AsyncClient


class OllamaTransport(HttpxTransport["httpx.AsyncClient"]):
    """Sends requests through the HTTP client of Ollama's SDK.

    `ollama.AsyncClient.chat` is not used: it copies every message into an object, drops the fields that it does not
    know, such as the ids of tool calls, builds an object for each streamed piece, and raises errors without the headers
    and the bytes that the user has to see. The SDK does not retry, and neither does this.

    Args:
        client: The SDK's client.
    """

    decoder: Callable[[], StreamDecoder] = LineDecoder

    def __init__(self, client: ollama.AsyncClient) -> None:
        super().__init__(cast("_SdkClient", client)._client)  # noqa: SLF001 - the SDK has no public way to send JSON as it is
        self._url = self._http.build_request("POST", PATH).url  # to put it together takes a tenth of a short call

    @property
    def address(self) -> str:
        """Where the server is."""
        return str(self._http.base_url)

    @override
    async def start(self, fields: Body, options: RequestOptions, /, *, stream: bool) -> HttpResponse:
        request = self._http.build_request(
            "POST",
            self._url,
            content=encode_json({**fields, "stream": stream}),  # the server streams by default
            headers=options.get("headers"),
            params=options.get("params"),
            timeout=options.get("timeout", self._http.timeout),
        )
        return await self._http.send(request, stream=True)
