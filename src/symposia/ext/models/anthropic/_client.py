from __future__ import annotations

import os
from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final, Unpack, cast

from pydantic import BaseModel

from symposia.core.exceptions import MissingExtraError, UsageError
from symposia.core.models import CreateResult, ModelCapabilities, ModelInfo, SystemMessage
from symposia.ext.models._client import Body, EventStream, JsonOutput, Question, VendorClient
from symposia.ext.models._conversions import Conversions
from symposia.ext.models._errors import Vendor
from symposia.ext.models._facts import resolve_model_info
from symposia.ext.models._options import OptionNames, check_model, sort_options
from symposia.ext.models._sdk import split_options
from symposia.ext.models.anthropic._facts import CATALOG
from symposia.ext.models.anthropic._messages import MessageWriter, write_system
from symposia.ext.models.anthropic._options import ARGUMENTS, BEHAVIOUR, CONNECTION, AnthropicClientConfiguration
from symposia.ext.models.anthropic._request import (
    SAMPLING,
    adapt_arguments,
    add_response_format,
    add_tools,
    write_turns,
)
from symposia.ext.models.anthropic._result import read_message
from symposia.ext.models.anthropic._stream import MessageAssembly

INSTALLED: Final = find_spec("anthropic") is not None

if TYPE_CHECKING or INSTALLED:  # not at construction: an event loop must not wait for an import
    import anthropic
    import httpx2
    from anthropic import AsyncAnthropic
    from anthropic.types.message_create_params import MessageCreateParamsBase

    import_module("httpcore2")  # httpx2 imports it only when a client is made

SAMPLING_VERSION: Final = "2023-06-01"
"""The last version of the API that has sampling parameters."""

LONGEST_UNSTREAMED: Final = 21_333
"""Tokens that take ten minutes at the 128,000 an hour that Anthropic's SDK reckons with, and refuses to wait longer."""


class BaseAnthropicChatCompletionClient(VendorClient):
    """Asks models by Anthropic's Messages API, over any client of Anthropic's SDK.

    Args:
        client: The SDK's client.
        create_args: What goes with every request, ``model`` among it.
        model_info: What the model can do, where its name does not tell it right.
        model_capabilities: AutoGen's name of old for `model_info`.

    Raises:
        InvalidArgumentError: No model is named.
        ValueError: `model_info` lacks a field.
    """

    def __init__(
        self,
        client: AsyncAnthropic,
        *,
        create_args: Mapping[str, Any],
        model_info: ModelInfo | None = None,
        model_capabilities: ModelCapabilities | None = None,
    ) -> None:
        arguments = dict(create_args)
        model = check_model(type(self).__name__, arguments.get("model"))
        facts = CATALOG.find(model)
        if model_info is None and model_capabilities is None:
            CATALOG.warn_if_unknown(model, stacklevel=3)
        super().__init__(
            vendor=Vendor(
                name="Anthropic",
                provider="anthropic",
                key="ANTHROPIC_API_KEY",
                errors=(anthropic.AnthropicError, httpx2.HTTPError),
            ),
            server=str(client.base_url),
            model=model,
            model_info=resolve_model_info(facts, model_info, model_capabilities),
            context=facts.context,
        )
        self._client = client
        self._stream_type = anthropic.AsyncStream[object]
        self._prefill = facts.prefill
        self._json_output = _usual_json_output(arguments.pop("response_format", None))
        self._arguments = adapt_arguments(model, arguments, facts)
        self._written = Conversions(MessageWriter(model=model, vision=self._model_info["vision"]).write)

    async def close(self) -> None:
        """See `ChatCompletionClient.close`."""
        await self._client.close()

    def _body(self, question: Question) -> Body:
        turns = [self._written(message) for message in question.messages if not isinstance(message, SystemMessage)]
        body: Body = {**self._arguments, "messages": write_turns(turns, prefill=self._prefill)}
        if system := write_system(message for message in question.messages if isinstance(message, SystemMessage)):
            body["system"] = system
        add_tools(body, question.tools, question.tool_choice)
        add_response_format(body, self._json_output if question.json_output is None else question.json_output)
        return {**body, **question.extra}

    async def _send(self, body: Body) -> object:
        if cast("int", body["max_tokens"]) > LONGEST_UNSTREAMED:
            return await self._send_streamed(body)
        request, options = _split(body)
        return await self._client.post("/v1/messages", cast_to=object, body=request, options=options)

    async def _send_streamed(self, body: Body) -> object:
        assembly = MessageAssembly()
        stream = await self._open(body)
        try:
            async for event in stream:
                assembly.feed(event)
        finally:
            await stream.close()
        return assembly.whole()

    async def _open(self, body: Body) -> EventStream:
        request, options = _split({**body, "stream": True})
        return await self._client.post(
            "/v1/messages", cast_to=object, body=request, options=options, stream=True, stream_cls=self._stream_type
        )

    def _assembly(self) -> MessageAssembly:
        return MessageAssembly()

    def _result(self, whole: object) -> CreateResult:
        return read_message(whole, self._model)


class AnthropicChatCompletionClient(BaseAnthropicChatCompletionClient):
    """Asks Anthropic's models.

    The options are those of `AnthropicClientConfiguration`, and any other argument of the Messages API::

        client = AnthropicChatCompletionClient(model="claude-sonnet-5-5", thinking={"type": "adaptive"})

    Raises:
        MissingExtraError: The SDK is not installed.
        InvalidArgumentError: An option is unknown, or no model is named.
        UsageError: There is no API key.
    """

    def __init__(self, **options: Unpack[AnthropicClientConfiguration]) -> None:
        if not INSTALLED:
            raise MissingExtraError(type(self).__name__, "anthropic")
        connection, behaviour, arguments = sort_options(type(self).__name__, options, _option_names())
        super().__init__(_connect(options.get("model"), connection), create_args=arguments, **behaviour)


def _usual_json_output(response_format: Mapping[str, str] | type[BaseModel] | None) -> JsonOutput:
    if response_format is None or isinstance(response_format, type):
        return response_format
    return response_format.get("type") == "json_object"


def _split(body: Body) -> tuple[Body, Any]:
    request, options = split_options(body)
    if any(name in request for name in SAMPLING):
        options["headers"] = {"anthropic-version": SAMPLING_VERSION, **options.get("headers", {})}
    return request, options


def _option_names() -> OptionNames:
    return OptionNames(
        connection=CONNECTION,
        behaviour=BEHAVIOUR,
        arguments=ARGUMENTS,
        later_arguments=frozenset(MessageCreateParamsBase.__annotations__)
        - {"messages", "system", "tool_choice", "stream"},
    )


def _connect(model: object, connection: dict[str, Any]) -> AsyncAnthropic:
    """Make the SDK's client with a key that is there, so that it does not go looking for others on the disk."""
    key = connection.pop("api_key", None) or os.environ.get("ANTHROPIC_API_KEY")
    token = None if key else os.environ.get("ANTHROPIC_AUTH_TOKEN")
    if not key and not token:
        raise UsageError(
            f"There is no API key for model {model!r}: set the environment variable ANTHROPIC_API_KEY, or give "
            "api_key=. For other credentials, give BaseAnthropicChatCompletionClient a client of Anthropic's SDK."
        )
    return AsyncAnthropic(api_key=key, auth_token=token, **connection)
