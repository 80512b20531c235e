"""The client of Mistral's models, in Mistral's own format."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Final, Unpack

from symposia.core.models import LLMMessage
from symposia.ext.models._client import VendorClient
from symposia.ext.models._conversions import ItemConversions
from symposia.ext.models._encoded_json import EncodedObject
from symposia.ext.models._options import ClientOptions, OptionNames, check_key, missing_key
from symposia.ext.models._profiles import ModelProfile, shipped_catalog
from symposia.ext.models._prompts import leading_system_messages
from symposia.ext.models._service import Service, public_address
from symposia.ext.models._wire_format import Body, ChatRequest
from symposia.ext.models.mistral._answer import CompletionAssembly, parse_completion, read_completion
from symposia.ext.models.mistral._options import ARGUMENTS, BEHAVIOUR, BY_CALL, CONNECTION, MistralClientConfiguration
from symposia.ext.models.mistral._request import MessageWriter, add_arguments, order_messages, write_request
from symposia.ext.models.mistral._transport import MistralTransport

KEY: Final = "MISTRAL_API_KEY"
ADDRESS: Final = "MISTRAL_BASE_URL"
LONGEST: Final = 300
"""Seconds that a request may take by default, as with the SDK."""
RETRIES: Final = 2
"""As often as OpenAI's and Anthropic's SDKs; Mistral's does not by default."""
CATALOG: Final = shipped_catalog("mistral", "Mistral", ModelProfile)


class MistralFormat:
    """Mistral's chat, for one model; see `WireFormat`.

    Args:
        writer: Writes messages.
        arguments: What goes with every request, ``model`` among it.
    """

    def __init__(self, writer: MessageWriter, arguments: Mapping[str, object]) -> None:
        self._arguments: Body = {}
        add_arguments(self._arguments, arguments)
        self._written: ItemConversions[LLMMessage, EncodedObject] = ItemConversions(writer.write)

    def write(self, request: ChatRequest, *, stream: bool) -> Body:
        """See `WireFormat.write`."""
        systems = leading_system_messages(request.messages)
        rest = self._written.each(request.messages[len(systems) :])
        return write_request(self._arguments, order_messages(systems, rest), request, stream=stream)

    parse = staticmethod(parse_completion)
    read = staticmethod(read_completion)
    assembly = CompletionAssembly


class MistralChatCompletionClient(VendorClient):
    """A client of Mistral's models.

    The options are those of `MistralClientConfiguration`, and any other argument of Mistral's chat::

        client = MistralChatCompletionClient(model="mistral-medium-3-5", reasoning_effort="high")

    Raises:
        MissingExtraError: The SDK is not installed.
        InvalidArgumentError: An option is unknown, or no model is named.
        UsageError: There is no API key.
        ValueError: `model_info` lacks a field.
    """

    def __init__(self, **options: Unpack[MistralClientConfiguration]) -> None:
        given = ClientOptions.read(self, options, sdk="mistralai.client", extra="mistral", names=_option_names)
        model = given.model
        profile, info = CATALOG.describe(model, stacklevel=2, **given.behaviour)
        transport, address = _connect(model, given.connection)
        super().__init__(
            service=Service.at(address, title="Mistral", host="mistral.ai", provider="mistral_ai", key=KEY),
            model=model,
            model_info=info,
            context=profile.context,
            price=CATALOG.price(model),
            wire=MistralFormat(MessageWriter(model=model, vision=info["vision"]), given.arguments),
            transport=transport,
            arguments=given.arguments,
        )


def _option_names() -> OptionNames:
    from mistralai.client.models import ChatCompletionRequest  # noqa: PLC0415 - takes a second

    return OptionNames(
        connection=CONNECTION,
        behaviour=BEHAVIOUR,
        arguments=ARGUMENTS,
        later_arguments=frozenset(ChatCompletionRequest.model_fields) - BY_CALL,
    )


def _connect(model: str, connection: Mapping[str, Any]) -> tuple[MistralTransport, str]:
    """The way to the models, and their address.

    Raises:
        UsageError: There is no API key.
    """
    import httpx2  # noqa: PLC0415 - heavy
    from mistralai.client import Mistral  # noqa: PLC0415 - takes a second

    key = connection.get("api_key") or os.environ.get(KEY)
    if not key:
        raise missing_key(model, KEY)
    check_key(model, key, KEY)
    given: str | None = connection.get("base_url", os.environ.get(ADDRESS) or None)
    # The SDK reads certificates for each of the two clients that it makes itself, which takes 20 ms a client.
    context = httpx2.create_ssl_context()
    http = httpx2.AsyncClient(
        verify=context,
        follow_redirects=True,
        timeout=connection.get("timeout", LONGEST),
        headers=connection.get("default_headers"),
    )
    with httpx2.Client(verify=context) as unused:
        client = Mistral(api_key=key, server_url=given, client=unused, async_client=http)
    server, _ = client.sdk_configuration.get_server_details()
    address = (server if given is None else given).rstrip("/")
    transport = MistralTransport(client, http, address, connection.get("max_retries", RETRIES))
    return transport, public_address(address)
