"""Clients of models over OpenAI's Chat Completions."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Final, Unpack
from urllib.parse import urlsplit

from typing_extensions import TypedDict

from symposia._lazy import lazy_module
from symposia.core import CancellationToken
from symposia.core.exceptions import InvalidArgumentError
from symposia.core.models import ChatCompletionClient, CreateResult, LLMMessage, ModelCapabilities, ModelInfo
from symposia.core.tools import Tool, ToolSchema
from symposia.ext.models._client import VendorClient
from symposia.ext.models._conversions import ItemConversions
from symposia.ext.models._credentials import TokenError
from symposia.ext.models._options import ClientOptions, check_key, check_model, missing_key
from symposia.ext.models._profiles import ADVICE, ModelCatalog
from symposia.ext.models._sdk_transport import SdkTransport
from symposia.ext.models._service import Service, is_at, public_address
from symposia.ext.models._transport import Transport
from symposia.ext.models._wire_format import Body, ChatRequest, JsonOutput, ToolChoice, WireFormat
from symposia.ext.models.openai._answer import VENDOR, CompletionWire, parse_completion, read_completion
from symposia.ext.models.openai._compatible import CompatibleVendor, vendor_at, vendor_of_model
from symposia.ext.models.openai._options import (
    OpenAIClientConfiguration,
    OpenAIResponsesConfiguration,
    chat_option_names,
    response_option_names,
)
from symposia.ext.models.openai._profiles import CATALOG, Api, OpenAIProfile
from symposia.ext.models.openai._request import (
    REASONING_HOSTS,
    MessageWriter,
    adapt_arguments,
    cache_key,
    with_reasoning,
    write_request,
)
from symposia.ext.models.openai._responses import VENDOR as RESPONSES_VENDOR
from symposia.ext.models.openai._responses import (
    ContinuingTransport,
    ItemWriter,
    ResponsesFormat,
    adapt_response_arguments,
)
from symposia.ext.models.openai._stream import CompletionAssembly
from symposia.ext.models.openai._tokens import OpenAITokenCounter

if TYPE_CHECKING:
    import openai
else:
    openai = lazy_module("openai")

KEY: Final = "OPENAI_API_KEY"
HOST: Final = "openai.com"
PATHS: Final[Mapping[Api, str]] = {"chat": "/chat/completions", "responses": "/responses"}


class ChatCompletionsFormat:
    """OpenAI's Chat Completions, for one model; see `WireFormat`.

    Args:
        writer: Writes messages.
        arguments: What goes with every request, ``model`` among it.
        profile: The model's profile.
        cache_keys: Whether requests tell which of them begin alike. OpenAI's own service takes that; others may refuse
            a field that they do not know.
    """

    def __init__(
        self, writer: MessageWriter, arguments: Body, profile: OpenAIProfile, *, cache_keys: bool = False
    ) -> None:
        self._arguments = arguments
        self._cache_keys = cache_keys
        self._tools_effort = profile.tools_effort
        self._blocks = writer.blocks
        host = writer.blocks.partition("@")[2]
        self._wants_reasoning = any(is_at(host, wanting) for wanting in REASONING_HOSTS)
        self._written = ItemConversions(writer.write)

    def write(self, request: ChatRequest, *, stream: bool) -> Body:
        """See `WireFormat.write`."""
        messages = with_reasoning(self._written.each(request.messages), always=self._wants_reasoning)
        arguments = self._arguments
        if self._cache_keys:
            arguments = {"prompt_cache_key": cache_key(request.messages), **arguments}
        return write_request(arguments, messages, request, tools_effort=self._tools_effort, stream=stream)

    parse = staticmethod(parse_completion)
    assembly = CompletionAssembly

    def read(self, whole: CompletionWire) -> CreateResult:
        """See `WireFormat.read`."""
        return read_completion(whole, blocks=self._blocks)


class BaseOpenAIChatCompletionClient(VendorClient):
    """A model client that uses OpenAI's APIs, over any client of OpenAI's SDK.

    Args:
        client: The SDK's client.
        create_args: What goes with every request, ``model`` among it.
        model_capabilities: The former name of `model_info`.
        model_info: The abilities of the model, in place of those that its name implies.
        add_name_prefixes: Whether each user message begins with the name of its source.
        include_name_in_message: Whether each user message carries its source in its ``name`` field.
        api: Chat Completions or the Responses API; by default as `choose_api` says.
        use_previous_response_id: Whether a request names the stored response that it goes on from, in place of the
            conversation up to there. It is for the Responses API, and has responses stored.
        deployment: The model's name in requests of the Responses API, where it has another.

    Raises:
        InvalidArgumentError: No model is named, or the options contradict each other.
        ValueError: `model_info` lacks a field.
    """

    _unknown_advice: ClassVar[str] = ADVICE
    """What to do about the assumptions for an unknown model."""

    def __init__(
        self,
        client: openai.AsyncOpenAI,
        *,
        create_args: Mapping[str, object],
        model_capabilities: ModelCapabilities | None = None,
        model_info: ModelInfo | None = None,
        add_name_prefixes: bool = False,
        include_name_in_message: bool = True,
        api: Api | None = None,
        use_previous_response_id: bool = False,
        deployment: str | None = None,
    ) -> None:
        import openai  # noqa: PLC0415 - takes a second; importing this module does not

        model = check_model(type(self).__name__, create_args.get("model"))
        address = str(client.base_url)
        vendor = _vendor_at(address)
        service = _service(client, vendor)
        server = None if vendor is not None or is_at(address, HOST) else service.name
        catalog = _catalog(model, vendor)
        profile, info = catalog.describe(
            model, model_info, model_capabilities, server=server, advice=self._unknown_advice, stacklevel=3
        )
        chosen = choose_api(profile, address, "responses" if use_previous_response_id and api is None else api)
        writing = _Writing(
            model=model,
            vision=info["vision"],
            add_name_prefixes=add_name_prefixes,
            include_name_in_message=include_name_in_message,
            blocks=blocks_key(VENDOR if chosen == "chat" else RESPONSES_VENDOR, address),
        )
        if use_previous_response_id:
            create_args = _with_stored_responses(chosen, create_args)
        wire, identity = _wire_format(
            chosen,
            writing,
            create_args,
            profile,
            cache_keys=is_at(address, HOST),
            deployment=deployment,
            keep=use_previous_response_id,
        )
        transport: Transport = SdkTransport(
            client, path=PATHS[chosen], stream_type=openai.AsyncStream[object], errors=(openai.OpenAIError, TokenError)
        )
        super().__init__(
            service=service,
            model=model,
            model_info=info,
            context=profile.context,
            price=catalog.price(model),
            counter=OpenAITokenCounter(MessageWriter(**writing), model, is_chat=chosen == "chat"),
            wire=wire,
            transport=ContinuingTransport(transport) if use_previous_response_id else transport,
            arguments=identity,
        )

    @classmethod
    def create_from_config(cls, config: Mapping[str, object]) -> ChatCompletionClient:
        """A client of OpenAI's models with these options: AutoGen's other name of the constructor."""
        return OpenAIChatCompletionClient(**config)  # pyright: ignore[reportArgumentType] - the caller's options

    def create_stream(
        self,
        messages: Sequence[LLMMessage],
        *,
        tools: Sequence[Tool | ToolSchema] = (),
        tool_choice: ToolChoice = "auto",
        json_output: JsonOutput = None,
        extra_create_args: Mapping[str, object] = {},
        cancellation_token: CancellationToken | None = None,
        max_consecutive_empty_chunk_tolerance: int = 0,
        include_usage: bool | None = None,
    ) -> AsyncGenerator[str | CreateResult, None]:
        """See `ChatCompletionClient.create_stream`.

        With `include_usage` False the tokens are estimated, for servers that do not know ``stream_options``.
        """
        if include_usage is not None:
            stream_options = {"include_usage": True} if include_usage else None
            extra_create_args = {"stream_options": stream_options, **extra_create_args}
        return super().create_stream(
            messages,
            tools=tools,
            tool_choice=tool_choice,
            json_output=json_output,
            extra_create_args=extra_create_args,
            cancellation_token=cancellation_token,
            max_consecutive_empty_chunk_tolerance=max_consecutive_empty_chunk_tolerance,
        )


class OpenAIChatCompletionClient(BaseOpenAIChatCompletionClient):
    """A client of OpenAI's models, and of models whose services use the same format.

    The options are those of `OpenAIClientConfiguration`, and any other argument of Chat Completions::

        client = OpenAIChatCompletionClient(model="gpt-5.4", temperature=0)

    Models that take tools while they reason only in the Responses API are asked there, with the same options and
    results; `api` says otherwise.

    Requests for a model of a vendor whose service uses OpenAI's format (see `symposia.ext.models.vendors`) go to that
    service, with the vendor's API key, unless `base_url` is given. Of vendors that are not built in, this holds for
    those that the program registers; for one that a distribution offers, use `find_vendor` or its `base_url`.

    Raises:
        MissingExtraError: The SDK is not installed.
        InvalidArgumentError: An option is unknown, or no model is named.
        UsageError: There is no API key.
    """

    def __init__(self, **options: Unpack[OpenAIClientConfiguration]) -> None:
        given = ClientOptions.read(self, options, sdk="openai", names=chat_option_names)
        super().__init__(_connect(given.model, given.connection), create_args=given.arguments, **given.behaviour)


class OpenAIResponsesClient(BaseOpenAIChatCompletionClient):
    """A client of OpenAI's models over the Responses API.

    The options are those of `OpenAIResponsesConfiguration`, and any other argument of that API. Tools that run at the
    vendor are given as their JSON::

        client = OpenAIResponsesClient(
            model="gpt-5.5", reasoning={"effort": "high", "summary": "auto"}, tools=[{"type": "web_search"}]
        )

    Summaries of the reasoning are the `thought` of a result. The reasoning itself comes encrypted and goes back to the
    vendor untouched, so that nothing needs to be stored there.

    Raises:
        MissingExtraError: The SDK is not installed.
        InvalidArgumentError: An option is unknown, or no model is named.
        UsageError: There is no API key.
    """

    def __init__(self, **options: Unpack[OpenAIResponsesConfiguration]) -> None:
        given = ClientOptions.read(self, options, sdk="openai", names=response_option_names)
        super().__init__(
            _connect(given.model, given.connection), create_args=given.arguments, api="responses", **given.behaviour
        )


class _Writing(TypedDict):
    """The arguments of `MessageWriter` and `ItemWriter`."""

    model: str
    vision: bool
    add_name_prefixes: bool
    include_name_in_message: bool
    blocks: str


def _wire_format(
    api: Api,
    writing: _Writing,
    create_args: Mapping[str, object],
    profile: OpenAIProfile,
    *,
    cache_keys: bool,
    deployment: str | None,
    keep: bool,
) -> tuple[WireFormat[Any], Mapping[str, object]]:  # Any: only the format itself looks into its answers
    """The format of an API, and the arguments that tell one client's effects from another's."""
    if api == "chat":
        chat = adapt_arguments(writing["model"], create_args, profile)
        return ChatCompletionsFormat(MessageWriter(**writing), chat, profile, cache_keys=cache_keys), chat
    arguments = adapt_response_arguments(writing["model"], create_args, profile, deployment=deployment)
    wire = ResponsesFormat(ItemWriter(**writing), arguments, cache_keys=cache_keys, keep=keep)
    return wire, {"api": api, **create_args}


def choose_api(profile: OpenAIProfile, address: str, asked: Api | None) -> Api:
    """The API to ask a model by.

    The Responses API is chosen for models that Chat Completions do not serve or serve without tools, wherever they are
    served; and at OpenAI itself for those that do not reason there while they have tools. Other servers that use the
    format may have Chat Completions alone, which do for the latter.

    Raises:
        InvalidArgumentError: There is no such API.
    """
    if asked is None:
        return "responses" if profile.tools_effort is not None and is_at(address, HOST) else profile.api
    if asked not in PATHS:
        raise InvalidArgumentError(f"api is {asked!r}: give 'chat' or 'responses', or leave it out.")
    return asked


def blocks_key(vendor: str, address: str) -> str:
    """The key of the `VendorBlocks` of a service: the vendor's at OpenAI, and elsewhere with the host behind it.

    What a service adds to an answer is refused by others: reasoning is encrypted by OpenAI or by one resource of Azure,
    and servers of the same format have fields of their own. A conversation may go from one to another, as with
    `FallbackClient`. It then goes without these parts, as it does between vendors.
    """
    return vendor if is_at(address, HOST) else f"{vendor}@{urlsplit(address).hostname}"


def _with_stored_responses(api: Api, arguments: Mapping[str, object]) -> Mapping[str, object]:
    if api == "chat":
        raise InvalidArgumentError("use_previous_response_id is for the Responses API: leave api='chat' out.")
    if arguments.get("store") is False:
        raise InvalidArgumentError("use_previous_response_id needs responses that are stored: leave store=False out.")
    return {**arguments, "store": True}


def _connect(model: str, connection: dict[str, Any]) -> openai.AsyncOpenAI:
    from openai import AsyncOpenAI  # noqa: PLC0415 - takes a second

    if not connection.get("api_key"):  # an empty one is none; the SDK would look no further
        connection = {name: value for name, value in connection.items() if name != "api_key"}
    vendor = _vendor(model, connection.get("base_url"))
    key = KEY if vendor is None else vendor.key
    if vendor is not None:
        connection = {"base_url": vendor.address, "api_key": os.environ.get(key) if key else "none", **connection}
    if key is not None and not connection.get("api_key") and not os.environ.get(key):
        raise missing_key(model, key, more="A server that needs no key takes any, such as api_key='none'.")
    if key is not None:
        check_key(model, connection.get("api_key") or os.environ.get(key), key)
    return AsyncOpenAI(**connection)


def _vendor_at(address: str) -> CompatibleVendor | None:
    # Most programs need no other vendor, and are spared the search; nor can an offered one take OpenAI's own address.
    return None if is_at(address, HOST) else vendor_at(address)


def _vendor(model: object, base_url: object) -> CompatibleVendor | None:
    if base_url is not None:
        return _vendor_at(str(base_url))
    return None if not isinstance(model, str) or CATALOG.knows(model) else vendor_of_model(model)


def _catalog(model: str, vendor: CompatibleVendor | None) -> ModelCatalog[OpenAIProfile]:
    """The catalog that has a model: another server may serve the models of any vendor under their names."""
    vendor = vendor or (None if CATALOG.knows(model) else vendor_of_model(model))
    return CATALOG if vendor is None else vendor.catalog


def _service(client: openai.AsyncOpenAI, vendor: CompatibleVendor | None) -> Service:
    import openai  # noqa: PLC0415 - it was imported to make the client

    address = public_address(str(client.base_url))
    if vendor is not None:
        return Service(name=vendor.title, provider=vendor.provider, key=vendor.key, address=address)
    if isinstance(client, openai.AsyncAzureOpenAI):
        return Service.at(
            address, title="Azure OpenAI", host="azure.com", provider="azure.ai.openai", key="AZURE_OPENAI_API_KEY"
        )
    return Service.at(address, title="OpenAI", host=HOST, provider="openai", key=KEY)
