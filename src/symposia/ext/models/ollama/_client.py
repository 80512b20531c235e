"""The client of models that an Ollama server runs."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, Unpack, cast

from pydantic import BaseModel

from symposia._lazy import lazy_module
from symposia.core.exceptions import InvalidArgumentError
from symposia.core.models import ChatCompletionClient, LLMMessage
from symposia.ext.models._client import VendorClient
from symposia.ext.models._conversions import ItemConversions
from symposia.ext.models._encoded_json import EncodedItems
from symposia.ext.models._options import ClientOptions, OptionNames, check_key
from symposia.ext.models._profiles import ModelProfile, shipped_catalog
from symposia.ext.models._service import Service, public_address
from symposia.ext.models._wire_format import Body, ChatRequest, JsonOutput
from symposia.ext.models.ollama._answer import ChatAssembly, parse_chat, read_chat
from symposia.ext.models.ollama._options import ARGUMENTS, BEHAVIOUR, BY_CALL, CONNECTION, BaseOllamaClientConfiguration
from symposia.ext.models.ollama._request import (
    MessageWriter,
    adapt_arguments,
    add_arguments,
    add_response_format,
    add_tools,
)
from symposia.ext.models.ollama._transport import OllamaTransport

if TYPE_CHECKING:
    import ollama
else:
    ollama = lazy_module("ollama")

KEY: Final = "OLLAMA_API_KEY"
CATALOG: Final = shipped_catalog("ollama", "Ollama", ModelProfile)


class ChatFormat:
    """Ollama's chat, for one model; see `WireFormat`.

    Args:
        writer: Writes messages.
        arguments: What goes with every request, ``model`` among it.
        json_output: The form of answers, where a request does not ask for one.
    """

    def __init__(self, writer: MessageWriter, arguments: Body, json_output: JsonOutput) -> None:
        self._arguments = arguments
        self._json_output = json_output
        self._written: ItemConversions[LLMMessage, bytes] = ItemConversions(writer.write)

    def write(self, request: ChatRequest, *, stream: bool) -> Body:
        """See `WireFormat.write`."""
        messages = EncodedItems(self._written.each(request.messages))
        body: Body = {**self._arguments, "messages": messages}
        add_tools(body, request.tools, request.tool_choice)
        add_response_format(body, request.form(self._json_output))
        add_arguments(body, request.extra_create_args)
        if stream:
            body["stream"] = True
        return body

    parse = staticmethod(parse_chat)
    read = staticmethod(read_chat)
    assembly = ChatAssembly


class OllamaChatCompletionClient(VendorClient):
    """A client of the models that an Ollama server runs, on this machine by default.

    The options are those of `BaseOllamaClientConfiguration`, and any other argument of Ollama's chat::

        client = OllamaChatCompletionClient(model="llama3.2", options={"num_ctx": 16_384})

    Raises:
        MissingExtraError: The SDK is not installed.
        InvalidArgumentError: An option is unknown, or no model is named.
        ValueError: `model_info` lacks a field.
    """

    def __init__(self, **options: Unpack[BaseOllamaClientConfiguration]) -> None:
        given = ClientOptions.read(self, options, sdk="ollama", names=_option_names)
        transport = OllamaTransport(_connect(model := given.model, given.connection))
        profile, info = CATALOG.describe(model, stacklevel=2, **given.behaviour)
        sent = dict(given.arguments)
        if isinstance(own := sent.get("options"), BaseModel):  # the SDK's `Options`
            sent["options"] = own.model_dump(exclude_none=True)
        arguments_given = dict(sent)
        json_output = _usual_form(sent)
        arguments = adapt_arguments(model, sent)
        window = cast("Mapping[str, object]", arguments.get("options", {})).get("num_ctx")
        address = public_address(transport.address)
        super().__init__(
            service=Service.at(address, title="Ollama", host="ollama.com", provider="ollama", key=KEY),
            model=model,
            model_info=info,
            context=window if isinstance(window, int) else profile.context,
            wire=ChatFormat(MessageWriter(model=model, vision=info["vision"]), arguments, json_output),
            transport=transport,
            arguments=arguments_given,
        )
        self._given = arguments_given

    def get_create_args(self) -> Mapping[str, object]:
        """The arguments that go with every request."""
        return self._given

    @classmethod
    def create_from_config(cls, config: Mapping[str, object]) -> ChatCompletionClient:
        """A client with these options: AutoGen's other name of the constructor."""
        return OllamaChatCompletionClient(**config)  # pyright: ignore[reportArgumentType] - the caller's options


def _usual_form(arguments: dict[str, object]) -> JsonOutput:
    """The form of answers that the arguments ask for: in words of ours, or put under ``format`` in the vendor's."""
    wanted = arguments.pop("response_format", None)
    if not isinstance(wanted, Mapping):
        return cast("type[BaseModel] | None", wanted)
    form = cast("Mapping[str, Any]", wanted)
    if form.get("type") == "json_object":
        return True
    if form.get("type") != "text":
        arguments["format"] = form.get("json_schema", {}).get("schema", form)  # as OpenAI wraps it
    return None


def _option_names() -> OptionNames:
    import ollama  # noqa: PLC0415 - heavy

    chat = cast("Callable[..., object]", getattr(ollama.AsyncClient, "chat"))  # noqa: B009 - its types are incomplete
    return OptionNames(
        connection=CONNECTION,
        behaviour=BEHAVIOUR,
        arguments=ARGUMENTS,
        later_arguments=frozenset(ollama.Options.model_fields) | inspect.signature(chat).parameters.keys() - BY_CALL,
    )


def _connect(model: str, connection: dict[str, Any]) -> ollama.AsyncClient:
    from ollama import AsyncClient  # noqa: PLC0415 - heavy

    key = connection.pop("api_key", None) or os.environ.get(KEY)
    check_key(model, key, KEY)
    headers: dict[str, str] = dict(connection.pop("headers", {}))
    if key and "authorization" not in map(str.lower, headers):
        headers["authorization"] = f"Bearer {key}"
    try:
        return AsyncClient(connection.pop("host", None), headers=headers, **connection)
    except UnicodeEncodeError as error:
        raise InvalidArgumentError(
            f"A header of the client of model {model!r} has a character that HTTP does not allow: leave it out."
        ) from error
