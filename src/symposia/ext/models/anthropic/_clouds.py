"""The clients of Anthropic's models at Amazon Bedrock and at Vertex AI."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Unpack, cast

from pydantic import BaseModel, SecretStr
from typing_extensions import override

from symposia._lazy import lazy_module
from symposia.core.exceptions import InvalidArgumentError, UsageError
from symposia.ext.models import _aws
from symposia.ext.models._options import ClientOptions, check_installed, check_key, check_known
from symposia.ext.models.anthropic._client import BaseAnthropicChatCompletionClient, option_names
from symposia.ext.models.anthropic._options import (
    CONNECTION,
    VERTEX_CONNECTION,
    AnthropicBedrockClientConfiguration,
    AnthropicVertexClientConfiguration,
    BedrockInfo,
)
from symposia.ext.models.anthropic._platforms import CLOUD_PROJECTS

if TYPE_CHECKING:
    from anthropic.lib import bedrock, vertex
else:
    bedrock, vertex = lazy_module("anthropic.lib.bedrock"), lazy_module("anthropic.lib.vertex")

BEDROCK_EXTRA: Final = "anthropic-bedrock"
VERTEX_EXTRA: Final = "anthropic-vertex"
CLOUD_REGION: Final = "CLOUD_ML_REGION"
MASK: Final = str(SecretStr("secret"))
"""What is saved in place of a secret. Loaded again, it stands for the credentials of the environment."""
_SECRETS: Final = frozenset({"aws_access_key", "aws_secret_key", "aws_session_token"})


class AnthropicBedrockChatCompletionClient(BaseAnthropicChatCompletionClient):
    """A client of Anthropic's models at Amazon Bedrock.

    The options are those of `AnthropicBedrockClientConfiguration`, and any other argument of the Messages API::

        client = AnthropicBedrockChatCompletionClient(
            model="us.anthropic.claude-sonnet-4-6-v1:0",
            bedrock_info={"aws_region": "us-west-2"},
        )

    Requests have an API key of Bedrock's, or are signed with AWS credentials: those in `bedrock_info`, or else those
    that AWS's own tools would use on this machine. The latter are looked for, in a worker thread, when a request is
    sent, which raises a `UsageError` if there are none. A region that neither the options nor the environment names is
    read in ``~/.aws/config`` when the client is made.

    Raises:
        MissingExtraError: The SDK is not installed; or boto3 is not, and there is no API key.
        InvalidArgumentError: An option is unknown, no model is named, or there are several credentials.
        UsageError: There is no region.
    """

    def __init__(self, **options: Unpack[AnthropicBedrockClientConfiguration]) -> None:
        names = partial(option_names, CONNECTION | {"bedrock_info"})
        given = ClientOptions.read(self, options, sdk="anthropic", extra=BEDROCK_EXTRA, names=names)
        client = _connect_bedrock(type(self).__name__, given.model, given.connection)
        super().__init__(client, create_args=given.arguments, **given.behaviour)

    @override
    def _to_config(self) -> BaseModel:
        info: Mapping[str, str] = self._constructor_arguments().get("bedrock_info") or {}
        masked = {name: MASK if name in _SECRETS and info[name] else info[name] for name in info}
        return self._derived_config(bedrock_info=masked) if info else self._derived_config()


class AnthropicVertexChatCompletionClient(BaseAnthropicChatCompletionClient):
    """A client of Anthropic's models at Vertex AI of Google Cloud.

    The options are those of `AnthropicVertexClientConfiguration`, and any other argument of the Messages API::

        client = AnthropicVertexChatCompletionClient(
            model="claude-sonnet-4-5@20250929", region="global", project_id="my-project"
        )

    Without credentials of its own it uses the default ones of Google Cloud, which are looked for, in a worker thread,
    when the first request is sent; that raises a `UsageError` if there are none.

    Raises:
        MissingExtraError: The SDK or google-auth is not installed.
        InvalidArgumentError: An option is unknown, or no model is named.
        UsageError: There is no region.
    """

    component_secrets = frozenset({"access_token"})

    def __init__(self, **options: Unpack[AnthropicVertexClientConfiguration]) -> None:
        names = partial(option_names, VERTEX_CONNECTION)
        given = ClientOptions.read(self, options, sdk="anthropic", extra=VERTEX_EXTRA, names=names)
        check_installed("google.auth", type(self).__name__, VERTEX_EXTRA)
        super().__init__(_connect_vertex(given.model, given.connection), create_args=given.arguments, **given.behaviour)


def _connect_bedrock(name: str, model: str, connection: Mapping[str, Any]) -> bedrock.AsyncAnthropicBedrock:
    given: Mapping[str, Any] = connection.get("bedrock_info", {})
    check_known("bedrock_info", given, BedrockInfo.__annotations__)
    info = cast("BedrockInfo", {name: given[name] for name in given if given[name] != MASK})
    profile = info.get("aws_profile")
    keys = [info.get("aws_access_key"), info.get("aws_secret_key")]
    is_signed = any(keys) or profile is not None
    if any(keys) and not all(keys):
        raise InvalidArgumentError("bedrock_info needs both aws_access_key and aws_secret_key, or neither.")
    if is_signed and connection.get("api_key"):
        raise InvalidArgumentError("Give api_key or the credentials in bedrock_info: they are different credentials.")
    key = None if is_signed else connection.get("api_key") or os.environ.get(_aws.BEARER_KEY)
    check_key(model, key, _aws.BEARER_KEY)
    if key is None:
        _aws.load_signer(name, BEDROCK_EXTRA)
    region = info.get("aws_region") or _aws.find_region(profile)
    if region is None and (key is None or connection.get("base_url") is None):
        raise UsageError('There is no AWS region: set AWS_REGION, or give bedrock_info={"aws_region": "…"}.')
    further = {option: connection[option] for option in connection if option not in {"api_key", "bedrock_info"}}
    # With an empty key the SDK does not take that of the environment in place of other credentials.
    client = bedrock.AsyncAnthropicBedrock(api_key=key or "", aws_region=region or "", **further)
    client.api_key = key
    client.aws_profile = profile
    client.aws_access_key, client.aws_secret_key = keys
    client.aws_session_token = info.get("aws_session_token") if any(keys) else None
    return client


def _connect_vertex(model: str, connection: Mapping[str, Any]) -> vertex.AsyncAnthropicVertex:
    region = connection.get("region") or os.environ.get(CLOUD_REGION)
    if not region:
        raise UsageError(
            f"There is no region of Google Cloud: set {CLOUD_REGION}, or give region=, such as region='global'."
        )
    check_key(model, connection.get("access_token"), None)
    project = connection.get("project_id") or next(filter(None, map(os.environ.get, CLOUD_PROJECTS)), None)
    further = {option: connection[option] for option in connection if option not in {"region", "project_id"}}
    client = vertex.AsyncAnthropicVertex(region=region, **further)
    client.project_id = project
    return client
