"""The way to an Ollama server, through the HTTP client of Ollama's SDK."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Final, Protocol, cast

from typing_extensions import override

from symposia._lazy import lazy_module
from symposia.ext.models._encoded_json import encode_json
from symposia.ext.models._http_clients import adapt_http_client
from symposia.ext.models._stream_decoders import LineDecoder, StreamDecoder
from symposia.ext.models._transport import HttpResponse, HttpTransport, split_options
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


class OllamaTransport(HttpTransport):
    """Sends requests through the HTTP client of Ollama's SDK.

    `ollama.AsyncClient.chat` is not used: it copies every message into an object, drops the fields that it does not
    know, such as the ids of tool calls, builds an object for each streamed piece, and raises errors without the headers
    and the bytes that the user has to see. The SDK does not retry, and neither does this.

    Args:
        client: The SDK's client.
    """

    decoder: Callable[[], StreamDecoder] = LineDecoder

    def __init__(self, client: ollama.AsyncClient) -> None:
        import httpx  # noqa: PLC0415 - heavy

        import_module("httpcore")  # it is imported for the first request otherwise, while an event loop waits
        self._http = cast("_SdkClient", client)._client  # noqa: SLF001 - the SDK has no public way to send JSON as it is
        adapt_http_client(self._http)
        self.errors: tuple[type[Exception], ...] = (httpx.HTTPError, httpx.InvalidURL, OSError, UnicodeEncodeError)

    @property
    def address(self) -> str:
        """Where the server is."""
        return str(self._http.base_url)

    @override
    async def post(self, body: Body, /, *, stream: bool = False) -> HttpResponse:
        """See `HttpTransport.post`."""
        fields, options = split_options({**body, "stream": stream})  # the server streams by default
        fields.update(cast("Mapping[str, object]", options.get("extra_json") or {}))
        request = self._http.build_request(
            "POST",
            PATH,
            content=encode_json(fields),
            headers=cast("dict[str, str] | None", options.get("headers")),
            params=cast("dict[str, str] | None", options.get("params")),
            timeout=cast("float | None", options.get("timeout", self._http.timeout)),
        )
        response = await self._http.send(request, stream=True)
        if not response.is_success or not stream:
            await response.aread()
            response.raise_for_status()
        return response

    async def close(self) -> None:
        """See `Transport.close`."""
        await self._http.aclose()
