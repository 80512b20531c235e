"""The way to Amazon Bedrock: requests signed by botocore, over httpx2."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from typing_extensions import override

from symposia._lazy import lazy_module
from symposia.ext.models._aws import AwsCredentials, AwsKeys
from symposia.ext.models._encoded_json import encode_json
from symposia.ext.models._event_frames import FrameDecoder
from symposia.ext.models._http_transport import HttpResponse, HttpxTransport, RequestOptions
from symposia.ext.models._limit_headers import retry_delay
from symposia.ext.models._wire_format import Body
from symposia.ext.models.bedrock._stream import read_event

if TYPE_CHECKING:
    import httpx2
else:
    httpx2 = lazy_module("httpx2")

SERVICE: Final = "bedrock"
"""The name by which requests to ``bedrock-runtime`` are signed."""
TOO_MANY: Final = 429
RETRIED: Final = frozenset({408, 429, 500, 502, 503, 504})
"""The statuses after which botocore tries again, in its mode "standard", and that of a model that took too long."""
FIRST_PAUSE, LONGEST_PAUSE, LONGEST_TOLD = 0.5, 8.0, 60.0
"""Seconds between attempts, as with OpenAI's and Anthropic's SDKs: the first and the longest without Retry-After, and
the longest with it. Where the service tells a longer one, its error is told at once."""


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)  # tracebacks and logs show reprs
class Authorization:
    """What requests are authorized by: an API key, or a signature.

    Attributes:
        key: An API key of Bedrock's.
        credentials: What to sign with, where there is no key.
        region: The region to sign for.
    """

    key: str | None
    credentials: AwsKeys | AwsCredentials
    region: str

    async def headers(self, url: str, content: bytes) -> Mapping[str, str]:
        """The headers of a request.

        Raises:
            UsageError: There are no credentials.
        """
        plain = {"content-type": "application/json"}
        if self.key is not None:
            return {**plain, "authorization": f"Bearer {self.key}"}
        keys = self.credentials if isinstance(self.credentials, AwsKeys) else await self.credentials.keys()
        auth, awsrequest = import_module("botocore.auth"), import_module("botocore.awsrequest")
        request: Any = awsrequest.AWSRequest("POST", url, data=content, headers=plain)  # Any: botocore has no types
        signer = auth.SigV4Auth(import_module("botocore.credentials").Credentials(*keys), SERVICE, self.region)
        signer.add_auth(request)
        return dict(request.headers.items())


def load_signer() -> None:
    """Import what signs requests, which takes tenths of a second, before an event loop waits for it."""
    for module in ("botocore.auth", "botocore.awsrequest", "botocore.credentials", "botocore.session"):
        import_module(module)


class BedrockTransport(HttpxTransport["httpx2.AsyncClient"]):
    """Sends requests to Converse and ConverseStream.

    boto3's own client was rejected: it is synchronous, and a request in a worker thread cannot be ended. To close its
    stream from another thread waits for the read to end (boto3 1.44), so the model generates, and bills, to the end of
    its answer. It also takes 18 microseconds for each event of a stream, where this takes 9, and 11 milliseconds to
    check and encode a conversation of a thousand messages anew for each request, where this takes 0.4. aioboto3 was
    rejected since it needs a certain version of botocore, a year older than boto3's. What belongs to AWS, the
    credentials and the signature, is botocore's here.

    Args:
        http: The HTTP client.
        address: Where the models are served.
        authorization: What requests are authorized by.
        retries: How often to try again.
    """

    def __init__(self, http: httpx2.AsyncClient, address: str, authorization: Authorization, retries: int) -> None:
        import httpx2  # noqa: PLC0415 - heavy

        super().__init__(http)
        self._address = address
        self._authorization = authorization
        self._retries = retries
        self._passing = (httpx2.NetworkError, httpx2.TimeoutException, httpx2.RemoteProtocolError)

    @staticmethod
    @override
    def decoder() -> FrameDecoder:
        """See `HttpTransport`."""
        return FrameDecoder(read_event)

    @override
    async def start(self, fields: Body, options: RequestOptions, /, *, stream: bool) -> HttpResponse:
        """See `HttpxTransport.start`.

        Raises:
            UsageError: There are no credentials.
        """
        sent = {name: value for name, value in fields.items() if name not in {"model", "stream"}}
        # In whole, with the colons and slashes of an ARN, as botocore writes it: the signature covers it.
        model = quote(str(fields["model"]), safe="-._~")
        url = f"{self._address}/model/{model}/{'converse-stream' if stream else 'converse'}"
        return await self._send(url, encode_json(sent), options)

    async def _send(self, url: str, content: bytes, options: RequestOptions) -> httpx2.Response:
        retries = options.get("max_retries", self._retries)
        attempt = 0
        while True:
            request = await self._request(url, content, options)  # signed anew: a signature ages
            pause = min(FIRST_PAUSE * 2**attempt, LONGEST_PAUSE) * random.uniform(0.5, 1)  # noqa: S311 - no secret
            try:
                response = await self._http.send(request, stream=True)
            except self._passing:
                if attempt >= retries:
                    raise
            else:
                told = retry_delay(response.headers, limited=response.status_code == TOO_MANY)
                is_long = told is not None and told > LONGEST_TOLD
                if attempt >= retries or is_long or response.status_code not in RETRIED:
                    return response
                await response.aclose()
                pause = pause if told is None else told
            attempt += 1
            await asyncio.sleep(pause)

    async def _request(self, url: str, content: bytes, options: RequestOptions) -> httpx2.Request:
        request = self._http.build_request(
            "POST",
            url,
            content=content,
            params=options.get("params"),
            headers=options.get("headers"),
            timeout=options.get("timeout", self._http.timeout),
        )
        request.headers.update(await self._authorization.headers(str(request.url), content))
        return request
