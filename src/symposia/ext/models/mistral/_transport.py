"""The way to Mistral, through the client of Mistral's SDK."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from importlib import import_module
from typing import TYPE_CHECKING, Final, Protocol, cast

from typing_extensions import override

from symposia._lazy import lazy_module
from symposia.ext.models._encoded_json import encode_json
from symposia.ext.models._http_transport import HttpResponse, HttpxTransport, RequestOptions
from symposia.ext.models._wire_format import Body

if TYPE_CHECKING:
    import httpx2
    from mistralai.client import Mistral
    from mistralai.client.utils.retries import Retries
else:
    httpx2 = lazy_module("httpx2")

PATH: Final = "/v1/chat/completions"
RETRIED: Final = ("429", "500", "502", "503", "504")
"""The statuses after which the SDK's own methods try again."""
MILLISECONDS: Final = 1000
FIRST_PAUSE, LONGEST_PAUSE, GROWTH = 500, 8_000, 2.0
"""Milliseconds between attempts, as with OpenAI's and Anthropic's SDKs; Retry-After comes before them."""
NO_END: Final = 2**31
"""Milliseconds after which the SDK would stop trying: it is the number of attempts that ends them."""


class _Retry(Protocol):
    async def __call__(
        self, attempt: Callable[[], Awaitable[httpx2.Response]], policy: Retries, /
    ) -> httpx2.Response: ...


class _Chat(Protocol):
    """The part of the SDK that knows addresses, keys and headers."""

    def _build_request_async(self, **how: object) -> httpx2.Request: ...


class MistralTransport(HttpxTransport["httpx2.AsyncClient"]):
    """Sends requests as Mistral's SDK writes them, through its HTTP client and with its retries.

    The SDK's ``chat.complete_async`` is not used: it converts every message by its own types, drops fields that they
    lack, and accepts streams that are cut. Nor are its hooks, which trace to the vendor where that is switched on, cost
    a thread for each request, and for a model that is to be withdrawn read a stream as if it were whole.

    Args:
        client: The SDK's client, which sends through `http`.
        http: The HTTP client.
        address: Where the models are served.
        retries: How often to try again.
    """

    def __init__(self, client: Mistral, http: httpx2.AsyncClient, address: str, retries: int) -> None:
        from mistralai.client.utils import BackoffStrategy, RetryConfig, SerializedRequestBody  # noqa: PLC0415 - heavy
        from mistralai.client.utils import retries as sdk_retries  # noqa: PLC0415 - heavy

        # It is imported for the first schema otherwise, while an event loop waits.
        import_module("mistralai.extra.utils.response_format")
        super().__init__(http)
        self._chat = cast("_Chat", client.chat)
        self._security = client.sdk_configuration.security
        self._address = address
        self._retries = retries
        self._policy = sdk_retries.Retries(
            RetryConfig("backoff", BackoffStrategy(FIRST_PAUSE, LONGEST_PAUSE, GROWTH, NO_END), True), list(RETRIED)
        )
        self._retry = cast("_Retry", getattr(sdk_retries, "retry_async"))  # noqa: B009 - its types are incomplete
        self._body_type = SerializedRequestBody

    @override
    async def start(self, fields: Body, options: RequestOptions, /, *, stream: bool) -> HttpResponse:
        request = self._request({**fields, "stream": stream}, options)
        return await self._send(request, options.get("max_retries", self._retries))

    def _request(self, fields: Body, options: RequestOptions) -> httpx2.Request:
        content = self._body_type(media_type="application/json", content=encode_json(fields))
        seconds = options.get("timeout")
        request = self._chat._build_request_async(  # noqa: SLF001 - the SDK has no public way to send JSON as it is
            method="POST",
            path=PATH,
            base_url=self._address,
            url_variables=None,
            request=None,
            request_body_required=True,
            request_has_path_params=False,
            request_has_query_params=False,
            user_agent_header="user-agent",
            accept_header_value="text/event-stream" if fields["stream"] else "application/json",
            security=self._security,
            get_serialized_body=lambda: content,
            http_headers=options.get("headers"),
            timeout_ms=round(seconds * MILLISECONDS) if isinstance(seconds, int | float) else None,
        )
        if query := options.get("params"):
            request.url = request.url.copy_merge_params(query)
        return request

    async def _send(self, request: httpx2.Request, retries: int) -> httpx2.Response:
        left = retries

        async def attempt() -> httpx2.Response:
            nonlocal left
            if not left:
                raise _LastAttempt
            left -= 1
            return await self._http.send(request, stream=True)

        # The SDK ends its retries by the time alone. The last attempt is made outside of them, so that its response
        # is taken as it is.
        try:
            return await self._retry(attempt, self._policy)
        except _LastAttempt:
            return await self._http.send(request, stream=True)


class _LastAttempt(Exception):  # noqa: N818 - a signal
    """All attempts are used up but one."""
