"""The way to Google's models, through the client of Google's SDK."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, Protocol, cast
from urllib.parse import urlencode

from typing_extensions import override

from symposia._lazy import lazy_module
from symposia.core.exceptions import InvalidArgumentError
from symposia.ext.models._credentials import TokenError
from symposia.ext.models._encoded_json import encode_json
from symposia.ext.models._google_cloud import PROJECT, GoogleCredentials, missing_project
from symposia.ext.models._http_transport import HttpResponse, HttpxTransport, RequestOptions
from symposia.ext.models._wire_format import Body

if TYPE_CHECKING:
    import httpx2
    from google import genai
    from google.genai.types import HttpOptions
else:
    httpx2, genai = lazy_module("httpx2"), lazy_module("google.genai")

MILLISECONDS: Final = 1000
UNKNOWN_PROJECT: Final = "-"
"""A project for the SDK's client, which would otherwise look for one, and wait, while it is made."""


class _Request(Protocol):
    data: object


class _Answer(Protocol):
    response_stream: HttpResponse


class _ApiClient(Protocol):
    """The part of the SDK that knows addresses, keys, tokens of Google Cloud and retries."""

    vertexai: bool | None
    api_key: str | None
    project: str | None
    location: str | None
    custom_base_url: str | None
    _credentials: object
    _http_options: HttpOptions

    def _build_request(self, method: str, path: str, body: Body, options: object, /) -> _Request: ...
    async def _async_request(self, request: _Request, options: object, /, *, stream: bool) -> _Answer: ...


class GeminiTransport(HttpxTransport["httpx2.AsyncClient"]):
    """Sends requests through the client of Google's SDK.

    Its `generate_content` is not used: it converts every message by its own types, drops the fields that they lack,
    builds objects for each event, and accepts streams that are cut. The two methods beneath it, that write a request's
    address and headers and send it, are private, and the same since the SDK's first version. Every response is taken as
    a stream from them, since a whole one comes as text, without its status.

    Args:
        client: The SDK's client, which sends through `http`.
        http: The HTTP client, made by `http_client`.
        model: The model.
    """

    def __init__(self, client: genai.Client, http: httpx2.AsyncClient, model: str) -> None:
        from google.auth.exceptions import GoogleAuthError  # noqa: PLC0415 - heavy
        from google.genai import _transformers, errors  # noqa: PLC0415 - heavy

        super().__init__(http, errors=(errors.APIError, GoogleAuthError, TokenError))
        self._client = client
        self._api = cast("_ApiClient", client._api_client)  # noqa: SLF001 - see the class
        if self._api.project == UNKNOWN_PROJECT:
            self._api.project = None
        self._credentials = GoogleCredentials("credentials=")
        self._resource = cast("Callable[[object, object], str]", _transformers.t_model)
        self._path_of(model)  # a name that cannot be one is told now

    @property
    def is_vertex(self) -> bool:
        """Whether the models are served by Google Cloud, and not by the API for developers."""
        return bool(self._api.vertexai)

    @property
    def address(self) -> str:
        """Where requests go."""
        return str(self._api._http_options.base_url or "")  # noqa: SLF001 - see the class

    @override
    def with_extra(self, fields: Body, extra: Mapping[str, object], /) -> Body:
        """The request as it is: the SDK joins further fields to it, part by part."""
        return fields

    @override
    async def start(self, fields: Body, options: RequestOptions, /, *, stream: bool) -> HttpResponse:
        """See `HttpxTransport.start`.

        Raises:
            UsageError: There are no credentials of Google Cloud, or there is no project.
        """
        await self._find_credentials()
        query = dict(options.get("params") or {})
        if stream:
            query["alt"] = "sse"
        method = "streamGenerateContent" if stream else "generateContent"
        path = f"{self._path_of(fields['model'])}:{method}" + (f"?{urlencode(query)}" if query else "")
        given = _http_options(options)
        try:
            request = self._api._build_request("post", path, _without_names(fields), given)  # noqa: SLF001 - see the class
        except ValueError as error:  # the SDK's error of an address that is empty
            raise httpx2.UnsupportedProtocol(str(error)) from error
        request.data = encode_json(cast("Body", request.data))
        return (await self._api._async_request(request, given, stream=True)).response_stream  # noqa: SLF001

    async def _find_credentials(self) -> None:
        """Give the SDK what it would look for itself: for a time without limit, and for each of the first requests."""
        api = self._api
        needs_token = api.vertexai and not api.api_key and (api.project or api.location)
        if not needs_token:
            return
        if not api._credentials or not (api.project or api.custom_base_url):  # noqa: SLF001 - see the class
            found, project = await self._credentials.find()
            api._credentials = api._credentials or found  # noqa: SLF001
            api.project = api.project or project
            if not api.project and not api.custom_base_url:
                raise missing_project(PROJECT, "project=")
        await self._credentials.renew(api._credentials)  # noqa: SLF001

    def _path_of(self, model: object) -> str:
        try:
            return self._resource(self._api, model)
        except ValueError as error:
            raise InvalidArgumentError(f"Google has no model of the name {model!r}: {error}") from error

    @override
    async def close(self) -> None:
        """See `Transport.close`."""
        await self._client.aio.aclose()
        await super().close()


def _without_names(fields: Body) -> Body:
    """The fields of the body: the path has the model, and says whether the answer streams."""
    return {name: field for name, field in fields.items() if name not in {"model", "stream"}}


def _http_options(given: RequestOptions) -> dict[str, Any] | None:
    """The SDK's options of one request; None if it has none, so that the SDK does not check them."""
    options: dict[str, Any] = {}
    if "extra_json" in given:
        options["extra_body"] = given["extra_json"]
    if "headers" in given:
        options["headers"] = given["headers"]
    if isinstance(seconds := given.get("timeout"), int | float):
        options["timeout"] = round(seconds * MILLISECONDS)
    if given.get("max_retries") == 0:
        options["retry_options"] = {"attempts": 1}
    return options or None


def http_client(context: ssl.SSLContext) -> httpx2.AsyncClient:
    """The HTTP client that the SDK is given.

    Left to itself the SDK sends through aiohttp if that is installed, whose responses are read in another way.
    """
    import httpx2  # noqa: PLC0415 - heavy

    hooks = {"response": [_raise_for_status]}
    return httpx2.AsyncClient(verify=context, follow_redirects=True, timeout=None, event_hooks=hooks)


async def _raise_for_status(response: httpx2.Response) -> None:
    """Raise the SDK's error of a status that is one.

    The SDK would do so after the body is parsed as JSON, of which a body that nests too deeply, or is no text, makes a
    `RecursionError` or `UnicodeDecodeError` without the status. Like the SDK, it takes 200 alone for a success.
    """
    from google.genai.errors import APIError  # noqa: PLC0415 - heavy; imported by now

    if response.status_code == HTTPStatus.OK or response.has_redirect_location:
        return
    await response.aread()
    words = {"message": response.text, "status": response.reason_phrase}
    raise_error = cast("Callable[[int, object, object], None]", getattr(APIError, "raise_error"))  # noqa: B009 - untyped
    raise_error(response.status_code, words, response)
