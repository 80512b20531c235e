"""The services that serve Anthropic's models: Anthropic's own, Amazon Bedrock, and Vertex AI of Google Cloud.

All three have the Messages API, and Anthropic's SDK has a client for each. They differ in who is asked, with which
credentials, in the model's name and price, and in how a stream is cut into events.
"""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

from typing_extensions import override

from symposia._lazy import lazy_module
from symposia.ext.models import _aws, _google_cloud
from symposia.ext.models._credentials import TokenError
from symposia.ext.models._event_frames import FrameDecoder
from symposia.ext.models._http_transport import HttpResponse
from symposia.ext.models._profiles import ModelCatalog
from symposia.ext.models._sdk_transport import SdkTransport
from symposia.ext.models._wire_format import Body
from symposia.ext.models.anthropic._profiles import BEDROCK_CATALOG, CATALOG, VERTEX_CATALOG, AnthropicProfile

if TYPE_CHECKING:
    import anthropic
    from anthropic.lib import bedrock, vertex
else:
    anthropic = lazy_module("anthropic")
    bedrock, vertex = lazy_module("anthropic.lib.bedrock"), lazy_module("anthropic.lib.vertex")

KEY: Final = "ANTHROPIC_API_KEY"
CLOUD_PROJECTS: Final = ("ANTHROPIC_VERTEX_PROJECT_ID", _google_cloud.PROJECT)


@dataclass(frozen=True, kw_only=True, slots=True)
class Platform:
    """A service of Anthropic's models.

    Attributes:
        title: The service, as errors name it.
        host: The end of its hosts' names.
        provider: As OpenTelemetry's conventions for generative AI write it.
        key: The environment variable that holds its credentials.
        login: What to do about refused credentials, where they may be others than an API key.
        catalog: The profiles and prices of its models.
        sampling_version: The last version of its API that has sampling parameters.
        version_in_body: Whether the version is a field of a request, and not a header.
    """

    title: str
    host: str
    provider: str
    key: str
    catalog: ModelCatalog[AnthropicProfile]
    sampling_version: str
    version_in_body: bool = True
    login: str | None = None

    def ask_for_sampling(self, body: Body) -> None:
        """Have a request read by the last version of the API that has sampling parameters."""
        if self.version_in_body:
            body.setdefault("anthropic_version", self.sampling_version)
        else:
            headers = cast("Mapping[str, str]", body.get("extra_headers") or {})
            body["extra_headers"] = {"anthropic-version": self.sampling_version, **headers}


ANTHROPIC: Final = Platform(
    title="Anthropic",
    host="anthropic.com",
    provider="anthropic",
    key=KEY,
    catalog=CATALOG,
    sampling_version="2023-06-01",
    version_in_body=False,
)
BEDROCK: Final = Platform(
    title="Amazon Bedrock",
    host=_aws.HOST,
    provider=_aws.PROVIDER,
    key=_aws.BEARER_KEY,
    catalog=BEDROCK_CATALOG,
    sampling_version="bedrock-2023-05-31",
    login=_aws.LOGIN,
)
VERTEX: Final = Platform(
    title="Google Cloud",
    host=_google_cloud.HOST,
    provider=_google_cloud.PROVIDER,
    key=_google_cloud.CREDENTIALS,
    catalog=VERTEX_CATALOG,
    sampling_version="vertex-2023-10-16",
    login=_google_cloud.LOGIN,
)


def platform_of(client: object) -> Platform:
    """The service that a client of Anthropic's SDK is for."""
    if isinstance(client, bedrock.AsyncAnthropicBedrock):
        return BEDROCK
    return VERTEX if isinstance(client, vertex.AsyncAnthropicVertex) else ANTHROPIC


def transport_of(client: object) -> SdkTransport:
    """The way to the service of a client of Anthropic's SDK."""
    kind: type[SdkTransport] = SdkTransport
    errors: tuple[type[Exception], ...] = (anthropic.AnthropicError,)
    if isinstance(client, bedrock.AsyncAnthropicBedrock):
        kind = BedrockTransport
    elif isinstance(client, vertex.AsyncAnthropicVertex):
        from google.auth.exceptions import GoogleAuthError  # noqa: PLC0415 - heavy

        kind, errors = VertexTransport, (*errors, GoogleAuthError, TokenError)
    return kind(client, path="/v1/messages", stream_type=anthropic.AsyncStream[object], errors=errors)


class _Request(dict[str, object]):
    """A request of which a deep copy copies the top alone.

    The SDK's clients for clouds make a deep copy of each request to take the model out of it, which takes ten
    milliseconds for a history of a thousand messages, and change nothing but the top.
    """

    def __deepcopy__(self, memo: object) -> dict[str, object]:
        return dict(self)


class CloudTransport(SdkTransport):
    """Sends requests through a client of the SDK for a cloud."""

    @override
    def request(self, body: Body) -> Body:
        return _Request(body)


class BedrockTransport(CloudTransport):
    """Sends requests to Bedrock, with the credentials of the machine where the client was given none."""

    def __init__(self, client: object, **how: Any) -> None:  # Any: see SdkTransport
        super().__init__(client, **how)
        self._sdk = sdk = cast("bedrock.AsyncAnthropicBedrock", client)
        is_given = sdk.api_key is not None or sdk.aws_access_key is not None
        self._credentials = None if is_given else _aws.AwsCredentials(sdk.aws_profile)

    @staticmethod
    @override
    def decoder() -> FrameDecoder:
        """See `HttpTransport`."""
        return FrameDecoder(_read_chunk)

    @override
    async def post(self, body: Body, /, *, stream: bool = False) -> HttpResponse:
        """See `HttpTransport.post`.

        Raises:
            UsageError: There are no credentials.
        """
        if self._credentials is not None:
            # The SDK would search as well, for a time that has no limit, and with errors that are not its own.
            keys = await self._credentials.keys()
            self._sdk.aws_access_key, self._sdk.aws_secret_key, self._sdk.aws_session_token = keys
        return await super().post(body, stream=stream)


def _read_chunk(kind: str, payload: bytes) -> bytes | None:
    """The event of the Messages API in an event of Bedrock's stream; None where there is none."""
    if kind != "chunk":
        return None
    try:
        return b64decode(json.loads(payload)["bytes"], validate=True)
    except (ValueError, LookupError, TypeError) as error:
        raise ValueError("an event of the stream has no bytes in Base64") from error


class VertexTransport(CloudTransport):
    """Sends requests to Vertex AI, with the credentials of the machine where the client was given none."""

    def __init__(self, client: object, **how: Any) -> None:  # Any: see SdkTransport
        super().__init__(client, **how)
        self._sdk = cast("vertex.AsyncAnthropicVertex", client)
        self._credentials = _google_cloud.GoogleCredentials("credentials= or access_token=")

    @override
    async def post(self, body: Body, /, *, stream: bool = False) -> HttpResponse:
        """See `HttpTransport.post`.

        Raises:
            UsageError: There are no credentials, or there is no project.
        """
        sdk = self._sdk
        if sdk.access_token is None and sdk.credentials is None:
            found, project = await self._credentials.find()
            sdk.credentials = found
            sdk.project_id = sdk.project_id or project
        if sdk.access_token is None:
            await self._credentials.renew(sdk.credentials)
        if not sdk.project_id:
            raise _google_cloud.missing_project(CLOUD_PROJECTS[0], "project_id=")
        return await super().post(body, stream=stream)
