"""The client of Google's models, in Google's own format."""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, Unpack, cast

from symposia._lazy import lazy_module
from symposia.core.exceptions import InvalidArgumentError
from symposia.core.models import LLMMessage
from symposia.ext.models import _google_cloud
from symposia.ext.models._client import VendorClient
from symposia.ext.models._conversions import ConversionCache
from symposia.ext.models._encoded_json import EncodedObject
from symposia.ext.models._options import ClientOptions, OptionNames, check_key, missing_key, usual_form
from symposia.ext.models._prompts import leading_system_messages, write_system
from symposia.ext.models._service import Service, public_address
from symposia.ext.models._wire_format import Body, ChatRequest, JsonOutput
from symposia.ext.models.gemini._answer import ResponseAssembly, parse_response, read_response
from symposia.ext.models.gemini._options import ARGUMENTS, BEHAVIOUR, BY_CALL, CONNECTION, GeminiClientConfiguration
from symposia.ext.models.gemini._profiles import CATALOG, GeminiProfile
from symposia.ext.models.gemini._request import (
    MessageWriter,
    add_arguments,
    add_instruction,
    add_response_format,
    add_tools,
)
from symposia.ext.models.gemini._transport import MILLISECONDS, UNKNOWN_PROJECT, GeminiTransport, http_client

if TYPE_CHECKING:
    import httpx2
    from google import genai
else:
    httpx2, genai = lazy_module("httpx2"), lazy_module("google.genai")

KEY: Final = "GEMINI_API_KEY"
OTHER_KEY: Final = "GOOGLE_API_KEY"
CLOUD_SWITCHES: Final = ("GOOGLE_GENAI_USE_ENTERPRISE", "GOOGLE_GENAI_USE_VERTEXAI")
LONGEST: Final = 600
"""Seconds that a request may take by default, as with OpenAI's and Anthropic's SDKs; Google's has no limit."""
RETRIES: Final = 2
"""As often as OpenAI's and Anthropic's SDKs; Google's does not by default."""


class GenerateContentFormat:
    """Google's `generateContent`, for one model; see `WireFormat`.

    Args:
        writer: Writes messages.
        arguments: What goes with every request.
        profile: The model's profile.
        json_output: The form of answers, where a request does not ask for one.
    """

    def __init__(
        self, writer: MessageWriter, arguments: Mapping[str, object], profile: GeminiProfile, json_output: JsonOutput
    ) -> None:
        self._usual: Body = {}
        add_arguments(self._usual, arguments)
        self._writer = writer
        self._schema_with_tools = profile.schema_with_tools
        self._json_output = json_output
        self._written: ConversionCache[LLMMessage, EncodedObject] = ConversionCache(writer.write)

    def write(self, request: ChatRequest, *, stream: bool) -> Body:
        """See `WireFormat.write`."""
        instructions = leading_system_messages(request.messages)
        contents = self._written.each(request.messages[len(instructions) :])
        body: Body = {**self._usual, "contents": self._writer.alternate(contents)}
        if system := write_system(instructions):
            add_instruction(body, system)
        add_tools(body, request.tools, request.tool_choice)
        wanted = request.form(self._json_output)
        add_response_format(body, wanted, model=self._writer.model, schema_with_tools=self._schema_with_tools)
        add_arguments(body, request.extra_create_args)
        if stream:
            body["stream"] = True
        return body

    parse = staticmethod(parse_response)
    read = staticmethod(read_response)
    assembly = ResponseAssembly


class GeminiChatCompletionClient(VendorClient):
    """A client of Google's models, at its API for developers or at Google Cloud.

    At Google Cloud, credentials and a project that are not given are looked for, in a worker thread, when the first
    request is sent; that raises a `UsageError` if there are none.

    The options are those of `GeminiClientConfiguration`, and any other field of the SDK's ``GenerateContentConfig``::

        client = GeminiChatCompletionClient(model="gemini-3.8-flash", thinking_config={"thinking_level": "low"})

    Raises:
        MissingExtraError: The SDK is not installed.
        InvalidArgumentError: An option is unknown, or no model is named.
        UsageError: There is no API key.
        ValueError: `model_info` lacks a field.
    """

    def __init__(self, **options: Unpack[GeminiClientConfiguration]) -> None:
        given = ClientOptions.read(self, options, sdk="google.genai", extra="gemini", names=_option_names)
        import httpx2  # noqa: PLC0415 - heavy

        model = given.model
        profile, info = CATALOG.describe(model, stacklevel=2, **given.behaviour)
        http = http_client(context := httpx2.create_ssl_context())
        base_url = given.connection.get("base_url")
        transport = GeminiTransport(_connect(model, given.connection, http, context), http, model)
        address = public_address(transport.address if base_url is None else base_url)
        cloud = (_google_cloud.PROVIDER, _google_cloud.CREDENTIALS, _google_cloud.LOGIN)
        provider, key, login = cloud if transport.is_vertex else ("gcp.gemini", KEY, None)
        sent = dict(given.arguments)
        json_output = usual_form(sent.pop("response_format", None))
        writer = MessageWriter(model=model, vision=info["vision"], signed_calls=profile.signed_calls)
        super().__init__(
            service=Service.at(
                address, title="Google", host=_google_cloud.HOST, provider=provider, key=key, login=login
            ),
            model=model,
            model_info=info,
            context=profile.context,
            price=CATALOG.price(model),
            wire=GenerateContentFormat(writer, sent, profile, json_output),
            transport=transport,
            arguments=given.arguments,
        )


def _option_names() -> OptionNames:
    from google.genai.types import GenerateContentConfig  # noqa: PLC0415 - takes a second

    return OptionNames(
        connection=CONNECTION,
        behaviour=BEHAVIOUR,
        arguments=ARGUMENTS,
        later_arguments=frozenset(GenerateContentConfig.model_fields) - BY_CALL,
    )


def _is_cloud(connection: Mapping[str, object]) -> bool:
    """Whether Google Cloud is asked: as the option says, or else the SDK's environment variables."""
    if (chosen := connection.get("vertexai")) is not None:
        return bool(chosen)
    return any(os.environ.get(name, "").lower() in {"true", "1"} for name in CLOUD_SWITCHES)


def _connect(
    model: str, connection: Mapping[str, Any], http: httpx2.AsyncClient, context: ssl.SSLContext
) -> genai.Client:
    """Make the SDK's client, with a key where one is needed.

    Raises:
        UsageError: There is none.
        InvalidArgumentError: The SDK refuses the options.
    """
    from google.genai import Client  # noqa: PLC0415 - takes a second

    is_cloud = _is_cloud(connection)
    key = connection.get("api_key")
    if not is_cloud and not (key := key or os.environ.get(KEY) or os.environ.get(OTHER_KEY)):
        raise missing_key(model, KEY, more="For Google Cloud give vertexai=True and project=.")
    check_key(model, key, KEY)
    cloud = {name: connection[name] for name in ("project", "location", "credentials") if name in connection}
    if is_cloud and not any((key, cloud.get("project"), *map(os.environ.get, (KEY, OTHER_KEY, _google_cloud.PROJECT)))):
        cloud["project"] = UNKNOWN_PROJECT
    # The SDK reads certificates for each of three more clients, which takes 20 ms a client, where it is not given them.
    # With Google Cloud it may have to find one of the machine's own.
    sharing = {"client_args": {"verify": context}, "async_client_args": {"verify": context, "ssl": context}}
    shared = {} if is_cloud else sharing
    try:
        return Client(
            vertexai=is_cloud,
            api_key=key,
            http_options=cast("Any", {"httpx_async_client": http, **shared, **_http_options(connection)}),
            **cloud,
        )
    except ValueError as error:
        raise InvalidArgumentError(
            f"Google's SDK refuses the options of the client of model {model!r}: {error}"
        ) from error


def _http_options(connection: Mapping[str, Any]) -> dict[str, Any]:
    """The options of every request, as the SDK calls them; those that the program gives in these words come first."""
    further: Mapping[str, Any] = connection.get("http_options", {})
    timeout = connection.get("timeout", LONGEST)
    retries = {"attempts": 1 + connection.get("max_retries", RETRIES), **further.get("retry_options", {})}
    return {
        "base_url": connection.get("base_url"),
        "headers": connection.get("default_headers"),
        "timeout": None if timeout is None else round(timeout * MILLISECONDS),
        **further,
        "retry_options": retries,
    }
