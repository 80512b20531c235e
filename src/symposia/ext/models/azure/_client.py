"""The client of the models that Azure AI and GitHub serve."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, Unpack, cast
from urllib.parse import urlsplit, urlunsplit

from pydantic import BaseModel
from typing_extensions import override

from symposia.core import call_function
from symposia.core.exceptions import InvalidArgumentError, UsageError
from symposia.core.models import ModelInfo, RequestUsage
from symposia.core.tools import Tool
from symposia.ext.models._client import VendorClient
from symposia.ext.models._credentials import token_of
from symposia.ext.models._options import ClientOptions, OptionNames, check_installed, check_key
from symposia.ext.models._profiles import ModelCatalog, shipped_catalog
from symposia.ext.models._service import Service, public_address
from symposia.ext.models._strict_schemas import strict_format
from symposia.ext.models._transport import Transport
from symposia.ext.models._wire_format import Body, ChatRequest, without_none
from symposia.ext.models.azure.config import (
    GITHUB_MODELS_ENDPOINT,
    UNNAMED_MODEL,
    AzureAIChatCompletionClientConfig,
    AzureAIClientArguments,
    AzureAICreateArguments,
)
from symposia.ext.models.openai import CATALOG as OPENAI_CATALOG
from symposia.ext.models.openai import ChatCompletionsFormat, MessageWriter, OpenAIProfile, adapt_arguments

KEY: Final = "AZURE_INFERENCE_CREDENTIAL"
ENDPOINT: Final = "AZURE_INFERENCE_ENDPOINT"
EXTRA: Final = "azure-ai"
API_VERSION: Final = "2024-05-01-preview"
SECONDS: Final = 600
"""Seconds to wait by default, as with OpenAI's and Anthropic's SDKs; Azure's waits five minutes."""
RETRIES: Final = 2
"""As often as OpenAI's and Anthropic's SDKs; Azure's tries ten times."""
CATALOG: Final = shipped_catalog("azure-ai", "Azure AI", OpenAIProfile)
_BEHAVIOUR: Final = frozenset({"model_info", "model_capabilities"})


class AzureAIFormat(ChatCompletionsFormat):
    """Chat Completions as Azure AI has them, which takes schemas without OpenAI's SDK; see `WireFormat`."""

    def __init__(self, writer: MessageWriter, arguments: Body, profile: OpenAIProfile) -> None:
        super().__init__(writer, {name: arguments[name] for name in arguments if name not in _TOOLS}, profile)
        self._tools = cast("Sequence[object]", arguments.get("tools", ()))
        self._tool_choice = arguments.get("tool_choice")

    @override
    def write(self, request: ChatRequest, *, stream: bool) -> Body:
        """See `WireFormat.write`."""
        given = dict(request.extra_create_args)
        schema = given.get("response_format", request.json_output)
        if isinstance(schema, type):
            given["response_format"] = strict_format(cast("type[BaseModel]", schema))
            request = replace(request, json_output=None)
        body = super().write(replace(request, extra_create_args=given), stream=stream)
        if self._tools and "tools" not in given:
            body["tools"] = [*self._tools, *cast("Sequence[object]", body.get("tools", ()))]
        is_open = request.tool_choice == "auto" and not isinstance(request.tool_choice, Tool)
        if self._tool_choice is not None and "tools" in body and is_open and "tool_choice" not in given:
            body["tool_choice"] = self._tool_choice
        return body


_PASSED_ON: Final = frozenset({
    "logprobs", "max_completion_tokens", "parallel_tool_calls", "reasoning_effort", "stream_options", "top_logprobs",
})  # fmt: skip
"""Arguments of Chat Completions that are not of the API, and that models behind it take."""
_TOOLS: Final = frozenset({"tools", "tool_choice"})


class AzureAIChatCompletionClient(VendorClient):
    """A client of the models at Azure AI Foundry, and of GitHub's.

    The options are those of `AzureAIChatCompletionClientConfig`::

        client = AzureAIChatCompletionClient(
            model="Phi-4",
            endpoint="https://name.services.ai.azure.com/models",
            credential=AzureKeyCredential("…"),
        )

    Microsoft has no final version of the SDK, ``azure-ai-inference``. New programs that need none of its tokens can use
    `OpenAIChatCompletionClient` with the address ``https://name.services.ai.azure.com/openai/v1``.

    Raises:
        MissingExtraError: The SDK or httpx2 is not installed.
        InvalidArgumentError: An option is unknown, or no model is named where one has to be.
        UsageError: There is no credential or no endpoint.
        ValueError: `model_info` lacks a field.
    """

    component_secrets = frozenset({"credential"})

    def __init__(self, **options: Unpack[AzureAIChatCompletionClientConfig]) -> None:
        # An endpoint that has one model alone is not told its name.
        is_unnamed = "model" not in options and "model_info" in options
        named: Mapping[str, object] = {"model": UNNAMED_MODEL, **options} if is_unnamed else options
        given = ClientOptions.read(self, named, sdk="azure.ai.inference", extra=EXTRA, names=_option_names)
        check_installed("httpx2", type(self).__name__, EXTRA)
        connection = given.connection
        credential, endpoint = _credential(given.model, connection), _endpoint(connection)
        if is_unnamed and endpoint == GITHUB_MODELS_ENDPOINT:
            raise InvalidArgumentError(f"{type(self).__name__} needs the name of a model at GitHub: give model=.")
        catalog = _catalog(given.model)
        profile, info = catalog.describe(given.model, stacklevel=2, **given.behaviour)
        arguments = _arguments(given, profile)
        transport = _connect(endpoint, credential, connection)
        address = public_address(endpoint)
        super().__init__(
            service=Service.at(address, title="Azure AI", host="azure.com", provider="azure.ai.inference", key=KEY),
            model=given.model,
            model_info=info,
            context=profile.context,
            price=catalog.price(given.model),
            wire=AzureAIFormat(_writer(given.model, info, address), arguments, profile),
            transport=transport,
            arguments={name: argument for name, argument in arguments.items() if name != "model"},
        )

    def add_usage(self, usage: RequestUsage) -> None:
        """Count the tokens of a request that was made elsewhere."""
        self._usage += usage


def _option_names() -> OptionNames:
    return OptionNames(
        connection=frozenset(AzureAIClientArguments.__annotations__) - _BEHAVIOUR,
        behaviour=_BEHAVIOUR,
        arguments=frozenset(AzureAICreateArguments.__annotations__) | {"extra_body", "extra_headers", "extra_query"},
        later_arguments=_PASSED_ON,
    )


def _catalog(model: str) -> ModelCatalog[OpenAIProfile]:
    return OPENAI_CATALOG if OPENAI_CATALOG.knows(model) else CATALOG


def _writer(model: str, info: ModelInfo, address: str) -> MessageWriter:
    return MessageWriter(
        model=model,
        vision=info["vision"],
        add_name_prefixes=False,
        include_name_in_message=False,  # models that are not OpenAI's refuse the field
        blocks=f"azure-ai@{urlsplit(address).hostname}",  # what a host adds to answers is not for others
    )


def _arguments(given: ClientOptions, profile: OpenAIProfile) -> Body:
    """What goes with every request, as JSON."""
    sent = without_none(given.arguments)
    extras = cast("Mapping[str, object]", sent.pop("model_extras", {}))
    tools = [_as_json(tool) for tool in cast("Sequence[object]", sent.pop("tools", ()))]
    choice = _as_json(sent.pop("tool_choice", None))
    body = adapt_arguments(given.model, {**sent, **extras}, profile)
    if "response_format" in body:
        body["response_format"] = _response_format(body["response_format"])
    return {**body, **({"tools": tools} if tools else {}), **({} if choice is None else {"tool_choice": choice})}


def _as_json(value: object) -> object:
    """An object of the SDK's as JSON; other values as they are."""
    as_dict = getattr(value, "as_dict", None)
    return value if as_dict is None else as_dict()


def _response_format(wanted: object) -> object:
    """The form of answers as the API has it, from the names and objects that the SDK takes."""
    if isinstance(wanted, type):
        return strict_format(cast("type[BaseModel]", wanted))
    if isinstance(wanted, str):
        return {"type": wanted}
    form = cast("Mapping[str, object]", _as_json(wanted))
    return form if "type" in form else {"type": "json_schema", "json_schema": form}


def _connect(endpoint: str, credential: object, connection: Mapping[str, Any]) -> Transport:
    from azure.ai.inference.aio import ChatCompletionsClient  # noqa: PLC0415 - takes half a second

    from symposia.ext.models.azure._transport import AzureTransport, HttpxConnections  # noqa: PLC0415 - it imports both

    further = {name: connection[name] for name in ("credential_scopes",) if name in connection}
    connections = HttpxConnections()
    return AzureTransport(
        ChatCompletionsClient(endpoint, cast("Any", credential), transport=connections, **further),
        connections,
        api_version=connection.get("api_version", API_VERSION),
        headers=connection.get("default_headers", {}),
        retries=connection.get("max_retries", RETRIES),
        timeout=connection.get("timeout", SECONDS),
    )


# Credentials ---------------------------------------------------------------------------------------------------------


def _endpoint(connection: Mapping[str, Any]) -> str:
    endpoint = connection.get("endpoint")
    endpoint = os.environ.get(ENDPOINT) if endpoint is None else endpoint
    if endpoint is None:
        raise UsageError(f"There is no endpoint: set the environment variable {ENDPOINT}, or give endpoint=.")
    parts = urlsplit(endpoint)
    # aiohttp refuses a user in the address beside a key.
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2])).rstrip("/")


def _credential(model: str, connection: Mapping[str, Any]) -> object:
    """The credential for the SDK: a key, or what gives tokens without blocking an event loop."""
    from azure.core.credentials import AzureKeyCredential  # noqa: PLC0415 - the extra's

    given = connection.get("credential") or os.environ.get(KEY)
    if not given:
        raise UsageError(
            f"There is no credential for model {model!r}: set the environment variable {KEY}, or give credential=."
        )
    if isinstance(given, str):
        check_key(model, given, KEY)
        return AzureKeyCredential(given)
    if isinstance(given, AzureKeyCredential):
        check_key(model, given.key, KEY)
        return given
    get_token = getattr(given, "get_token", None)
    if get_token is None:
        raise InvalidArgumentError(
            f"credential is a {type(given).__name__}: give an AzureKeyCredential, a credential of azure.identity, or "
            "the key as a text."
        )
    return _Credential(get_token)


class _Credential:
    """A credential of azure.identity, which is asked in a worker thread if it blocks, and within a time limit.

    The SDK asks it once for all requests that wait for a token.
    """

    def __init__(self, get_token: Callable[..., object]) -> None:
        self._get_token = get_token

    async def get_token(self, *scopes: str, **options: object) -> object:
        return await token_of(call_function(self._get_token, *scopes, **options))

    async def close(self) -> None:
        """Nothing is open: the caller owns the credential."""
