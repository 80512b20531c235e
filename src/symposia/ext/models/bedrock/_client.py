"""The client of the models at Amazon Bedrock, by Converse."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import lru_cache, partial
from importlib import import_module
from typing import Any, Final, Unpack

from symposia.core.exceptions import InvalidArgumentError, UsageError
from symposia.core.models import LLMMessage
from symposia.ext.models import _aws
from symposia.ext.models._client import VendorClient
from symposia.ext.models._conversions import ConversionCache
from symposia.ext.models._encoded_json import EncodedObject
from symposia.ext.models._options import ClientOptions, OptionNames, check_key, usual_form
from symposia.ext.models._prompts import JSON_INSTRUCTION, leading_system_messages, write_system
from symposia.ext.models._service import Service, public_address
from symposia.ext.models._wire_format import Body, ChatRequest, JsonOutput
from symposia.ext.models.bedrock._answer import parse_answer, read_answer
from symposia.ext.models.bedrock._cache_points import add_cache_points
from symposia.ext.models.bedrock._options import (
    ARGUMENTS,
    BEHAVIOUR,
    BY_CALL,
    CONNECTION,
    SECRETS,
    BedrockClientConfiguration,
)
from symposia.ext.models.bedrock._profiles import CATALOG, BedrockProfile
from symposia.ext.models.bedrock._request import (
    MessageWriter,
    QuotingWriter,
    add_arguments,
    add_instruction,
    add_schema,
    add_tools,
    offers_tools,
)
from symposia.ext.models.bedrock._stream import AnswerAssembly
from symposia.ext.models.bedrock._transport import Authorization, BedrockTransport, load_signer

ENDPOINT: Final = "AWS_ENDPOINT_URL_BEDROCK_RUNTIME"
"""The environment variable by which AWS's tools are given another address of this service."""
LONGEST: Final = 600
"""Seconds that a request may take without a byte by default, as with Anthropic's SDK; boto3's 60 end long thinking."""
RETRIES: Final = 2
"""As often as OpenAI's and Anthropic's SDKs, and boto3's mode "standard"."""
MOST_CONNECTIONS, MOST_KEPT = 1000, 100
"""Connections at once, and those that are kept for later requests, as with OpenAI's and Anthropic's SDKs."""


class ConverseFormat:
    """Converse, for one model; see `WireFormat`.

    Args:
        arguments: What goes with every request, ``model`` among it.
        profile: The model's profile.
        vision: Whether it takes images.
        json_output: The form of answers, where a request does not ask for one.
        caches: Whether requests have cache points.
    """

    def __init__(
        self,
        arguments: Mapping[str, object],
        profile: BedrockProfile,
        *,
        vision: bool,
        json_output: JsonOutput,
        caches: bool,
    ) -> None:
        self._usual: Body = {}
        add_arguments(self._usual, arguments)
        self._profile = profile
        self._json_output = json_output
        self._caches = caches and profile.cache_points != "nowhere"
        model = str(arguments["model"])
        self._writer = MessageWriter(model=model, vision=vision, tool_status=profile.tool_status)
        quoting = QuotingWriter(model=model, vision=vision, tool_status=profile.tool_status)
        self._written: ConversionCache[LLMMessage, EncodedObject] = ConversionCache(self._writer.write)
        self._quoted: ConversionCache[LLMMessage, EncodedObject] = ConversionCache(quoting.write)

    def write(self, request: ChatRequest, *, stream: bool) -> Body:
        """See `WireFormat.write`."""
        body: Body = dict(self._usual)
        add_arguments(body, request.extra_create_args)  # first: what else is asked for depends on them
        with_tools = offers_tools(request)
        written = self._written if with_tools or "toolConfig" in body else self._quoted
        instructions = leading_system_messages(request.messages)
        body["messages"] = self._writer.alternate(written.each(request.messages[len(instructions) :]))
        if system := write_system(instructions):
            add_instruction(body, system)
        if with_tools:
            add_tools(body, request.tools, request.tool_choice, self._profile)
        wanted = request.form(self._json_output)
        if wanted is True:
            add_instruction(body, JSON_INSTRUCTION)
        elif isinstance(wanted, type):
            add_schema(body, wanted, request.tool_choice, self._profile)
        if self._caches:
            add_cache_points(body, in_tools=self._profile.cache_points == "everywhere")
        if stream:
            body["stream"] = True
        return body

    parse = staticmethod(parse_answer)
    read = staticmethod(read_answer)
    assembly = AnswerAssembly


class BedrockChatCompletionClient(VendorClient):
    """A client of the models at Amazon Bedrock, whoever made them, by its Converse API.

    The options are those of `BedrockClientConfiguration`, and any other argument of Converse::

        client = BedrockChatCompletionClient(model="us.amazon.nova-pro-v1:0", region_name="us-east-1")

    Requests have an API key of Bedrock's, or are signed with AWS credentials: those that are given, or else those that
    AWS's own tools would use on this machine. The latter are looked for, in a worker thread, when a request is sent,
    which raises a `UsageError` if there are none. A region that neither the options nor the environment names is read
    in ``~/.aws/config`` when the client is made.

    Raises:
        MissingExtraError: botocore is not installed.
        InvalidArgumentError: An option is unknown, no model is named, or there are several credentials.
        UsageError: There is no region.
        ValueError: `model_info` lacks a field.
    """

    component_secrets = SECRETS

    def __init__(self, **options: Unpack[BedrockClientConfiguration]) -> None:
        names = partial(_option_names, frozenset(options))
        given = ClientOptions.read(self, options, sdk="botocore", extra="bedrock", names=names)
        model, behaviour = given.model, given.behaviour
        caches = bool(behaviour.pop("prompt_caching", True))
        profile, info = CATALOG.describe(model, stacklevel=2, **behaviour)
        transport, address = _connect(model, given.connection)
        sent = dict(given.arguments)
        json_output = usual_form(sent.pop("response_format", None))
        super().__init__(
            service=Service.at(
                public_address(address),
                title="Amazon Bedrock",
                host=_aws.HOST,
                provider=_aws.PROVIDER,
                key=_aws.BEARER_KEY,
                login=_aws.LOGIN,
            ),
            model=model,
            model_info=info,
            context=profile.context,
            price=CATALOG.price(model),
            wire=ConverseFormat(sent, profile, vision=info["vision"], json_output=json_output, caches=caches),
            transport=transport,
            arguments=given.arguments,
        )


def _option_names(given: frozenset[str]) -> OptionNames:
    known = ARGUMENTS | CONNECTION | BEHAVIOUR
    return OptionNames(
        connection=CONNECTION,
        behaviour=BEHAVIOUR,
        arguments=ARGUMENTS,
        later_arguments=frozenset() if given <= known else converse_arguments() - BY_CALL,
    )


@lru_cache(maxsize=1)
def converse_arguments() -> frozenset[str]:
    """The arguments of Converse, by botocore's description of the service. To read it takes tenths of a second."""
    loader: Any = import_module("botocore.loaders").Loader()  # Any: botocore has no types
    return frozenset(loader.load_service_model("bedrock-runtime", "service-2")["shapes"]["ConverseRequest"]["members"])


def _connect(model: str, connection: Mapping[str, Any]) -> tuple[BedrockTransport, str]:
    """The way to the models, and their address.

    Raises:
        InvalidArgumentError: There are several credentials, or half of one.
        UsageError: There is no region.
    """
    import httpx2  # noqa: PLC0415 - heavy

    authorization, region = _authorization(model, connection)
    address = connection.get("base_url", os.environ.get(ENDPOINT))
    if region is None and (address is None or authorization.key is None):
        raise UsageError(f"There is no AWS region for model {model!r}: set {_aws.REGIONS[0]}, or give region_name=.")
    address = f"https://bedrock-runtime.{region}.{_aws.HOST}" if address is None else str(address).rstrip("/")
    http = httpx2.AsyncClient(
        follow_redirects=True,
        timeout=connection.get("timeout", LONGEST),
        limits=httpx2.Limits(max_connections=MOST_CONNECTIONS, max_keepalive_connections=MOST_KEPT),
        headers=connection.get("default_headers"),
    )
    return BedrockTransport(http, address, authorization, connection.get("max_retries", RETRIES)), address


def _authorization(model: str, connection: Mapping[str, Any]) -> tuple[Authorization, str | None]:
    """What requests are authorized by, and the region."""
    profile = connection.get("profile_name")
    access_key, secret_key = connection.get("aws_access_key_id"), connection.get("aws_secret_access_key")
    if bool(access_key) is not bool(secret_key):
        raise InvalidArgumentError("Give both aws_access_key_id and aws_secret_access_key, or neither.")
    if sum((bool(connection.get("api_key")), bool(access_key), profile is not None)) > 1:
        raise InvalidArgumentError(
            "Give one of api_key, profile_name, and aws_access_key_id with its secret: they are different credentials."
        )
    is_signed = access_key is not None or profile is not None
    key = None if is_signed else connection.get("api_key") or os.environ.get(_aws.BEARER_KEY)
    check_key(model, key, _aws.BEARER_KEY)
    region = connection.get("region_name") or _aws.find_region(profile)
    if key is None:
        load_signer()
    if access_key and secret_key:
        credentials = _aws.AwsKeys(access_key, secret_key, connection.get("aws_session_token"))
    else:
        credentials = _aws.AwsCredentials(profile)
    return Authorization(key=key, credentials=credentials, region=region or ""), region
