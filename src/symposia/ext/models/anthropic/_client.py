"""Clients of models over Anthropic's Messages API."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Unpack, cast

from symposia._lazy import lazy_module
from symposia.core.argument_checks import check_flag
from symposia.core.models import ModelCapabilities, ModelInfo
from symposia.ext.models._client import VendorClient
from symposia.ext.models._conversions import ConversionCache
from symposia.ext.models._options import ClientOptions, OptionNames, check_key, check_model, missing_key, usual_form
from symposia.ext.models._prompts import leading_system_messages, write_system
from symposia.ext.models._service import Service, is_at, public_address
from symposia.ext.models._wire_format import Body, ChatRequest, JsonOutput
from symposia.ext.models.anthropic._answer import parse_message, read_message
from symposia.ext.models.anthropic._cache_marks import add_cache_marks
from symposia.ext.models.anthropic._options import (
    ARGUMENTS,
    BEHAVIOUR,
    BY_CALL,
    CONNECTION,
    AnthropicClientConfiguration,
)
from symposia.ext.models.anthropic._platforms import KEY, Platform, platform_of, transport_of
from symposia.ext.models.anthropic._profiles import AnthropicProfile
from symposia.ext.models.anthropic._request import (
    SAMPLING,
    MessageWriter,
    adapt_arguments,
    add_response_format,
    add_tools,
)
from symposia.ext.models.anthropic._stream import MessageAssembly

if TYPE_CHECKING:
    import anthropic
    from anthropic.lib import bedrock, vertex
else:
    anthropic = lazy_module("anthropic")
    bedrock, vertex = lazy_module("anthropic.lib.bedrock"), lazy_module("anthropic.lib.vertex")

TOKEN: Final = "ANTHROPIC_AUTH_TOKEN"  # noqa: S105 - the variable's name
HOSTS: Final = ("anthropic.com", "amazonaws.com", "googleapis.com", "azure.com")
"""Hosts of Anthropic's own models. Other servers of the format give calls ids of their own, and want these back."""

LONGEST_UNSTREAMED: Final = 21_333
"""Tokens that take ten minutes at the 128,000 an hour that Anthropic's SDK reckons with, and refuses to wait longer."""


class MessagesFormat:
    """Anthropic's Messages API, for one model; see `WireFormat`.

    Args:
        writer: Writes messages.
        arguments: What goes with every request, ``model`` among it.
        profile: The model's profile.
        json_output: The form of answers, where a request does not ask for one.
        platform: The service that reads it.
        prompt_caching: Whether requests have cache marks.
    """

    def __init__(
        self,
        writer: MessageWriter,
        arguments: Body,
        profile: AnthropicProfile,
        json_output: JsonOutput,
        *,
        platform: Platform,
        prompt_caching: bool,
    ) -> None:
        self._platform = platform
        self._arguments = arguments
        self._prefill = profile.prefill
        self._json_output = json_output
        self._prompt_caching = prompt_caching
        self._writer = writer
        self._written = ConversionCache(writer.write)

    def write(self, request: ChatRequest, *, stream: bool) -> Body:
        """See `WireFormat.write`. A long answer is always streamed: the vendor refuses to hold a connection so long."""
        instructions = leading_system_messages(request.messages)
        turns = self._written.each(request.messages[len(instructions) :])
        body: Body = {**self._arguments, "messages": self._writer.alternate(turns, prefill=self._prefill)}
        if system := write_system(instructions):
            body["system"] = system
        add_tools(body, request.tools, request.tool_choice)
        add_response_format(body, request.form(self._json_output))
        body.update(request.extra_create_args)
        if self._prompt_caching:
            add_cache_marks(body)
        if any(body.get(name) is not None for name in SAMPLING):
            self._platform.ask_for_sampling(body)
        if stream or cast("int", body["max_tokens"]) > LONGEST_UNSTREAMED:
            body["stream"] = True
        return body

    parse = staticmethod(parse_message)
    read = staticmethod(read_message)
    assembly = MessageAssembly


class BaseAnthropicChatCompletionClient(VendorClient):
    """A model client that uses Anthropic's Messages API, over any client of Anthropic's SDK.

    Args:
        client: The SDK's client.
        create_args: What goes with every request, ``model`` among it.
        model_info: The abilities of the model, in place of those that its name implies.
        model_capabilities: The former name of `model_info`.
        prompt_caching: Whether requests have cache marks; see `AnthropicClientConfiguration`.

    Raises:
        InvalidArgumentError: No model is named.
        ArgumentTypeError: `prompt_caching` is no bool.
        ValueError: `model_info` lacks a field.
    """

    def __init__(
        self,
        client: anthropic.AsyncAnthropic | bedrock.AsyncAnthropicBedrock | vertex.AsyncAnthropicVertex,
        *,
        create_args: Mapping[str, object],
        model_info: ModelInfo | None = None,
        model_capabilities: ModelCapabilities | None = None,
        prompt_caching: bool = True,
    ) -> None:
        check_flag("prompt_caching", type(self).__name__, prompt_caching)
        given = dict(create_args)
        model = check_model(type(self).__name__, given.get("model"))
        platform = platform_of(client)
        address = public_address(str(client.base_url))
        service = Service.at(
            address,
            title=platform.title,
            host=platform.host,
            provider=platform.provider,
            key=platform.key,
            login=platform.login,
        )
        server = None if is_at(address, platform.host) else service.name
        profile, info = platform.catalog.describe(model, model_info, model_capabilities, server=server, stacklevel=3)
        json_output = usual_form(given.pop("response_format", None))
        arguments = adapt_arguments(model, given, profile)
        writer = MessageWriter(
            model=model, vision=info["vision"], strict_ids=any(is_at(address, host) for host in HOSTS)
        )
        super().__init__(
            service=service,
            model=model,
            model_info=info,
            context=profile.context,
            price=platform.catalog.price(model),
            wire=MessagesFormat(
                writer, arguments, profile, json_output, platform=platform, prompt_caching=prompt_caching
            ),
            transport=transport_of(client),
            arguments=create_args,
        )


class AnthropicChatCompletionClient(BaseAnthropicChatCompletionClient):
    """A client of Anthropic's models.

    The options are those of `AnthropicClientConfiguration`, and any other argument of the Messages API::

        client = AnthropicChatCompletionClient(model="claude-sonnet-5-5", thinking={"type": "adaptive"})

    Raises:
        MissingExtraError: The SDK is not installed.
        InvalidArgumentError: An option is unknown, or no model is named.
        UsageError: There is no API key.
    """

    def __init__(self, **options: Unpack[AnthropicClientConfiguration]) -> None:
        given = ClientOptions.read(self, options, sdk="anthropic", names=partial(option_names, CONNECTION))
        super().__init__(_connect(given.model, given.connection), create_args=given.arguments, **given.behaviour)


def option_names(connection: frozenset[str]) -> OptionNames:
    """The options of a client, of which those of the connection are given."""
    from anthropic.types.message_create_params import MessageCreateParamsBase  # noqa: PLC0415 - takes a second

    return OptionNames(
        connection=connection,
        behaviour=BEHAVIOUR,
        arguments=ARGUMENTS,
        later_arguments=frozenset(MessageCreateParamsBase.__annotations__) - BY_CALL,
    )


def _connect(model: str, connection: dict[str, Any]) -> anthropic.AsyncAnthropic:
    """Make the SDK's client with a key that is there, so that it does not go looking for others on the disk."""
    from anthropic import AsyncAnthropic  # noqa: PLC0415 - takes a second

    key = connection.pop("api_key", None) or os.environ.get(KEY)
    token = None if key else os.environ.get(TOKEN)
    if not key and not token:
        more = "For other credentials, give BaseAnthropicChatCompletionClient a client of Anthropic's SDK."
        raise missing_key(model, KEY, more=more)
    check_key(model, key or token, KEY if key else TOKEN)
    return AsyncAnthropic(api_key=key, auth_token=token, **connection)
