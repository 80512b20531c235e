from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final, Unpack

from symposia.core.exceptions import MissingExtraError, UsageError
from symposia.core.models import CreateResult, LLMMessage, ModelCapabilities, ModelInfo
from symposia.core.tools import Tool, ToolSchema
from symposia.ext.models._client import Body, EventStream, JsonOutput, Question, ToolChoice, VendorClient
from symposia.ext.models._conversions import Conversions
from symposia.ext.models._errors import Vendor
from symposia.ext.models._facts import resolve_model_info
from symposia.ext.models._options import OptionNames, check_model, sort_options
from symposia.ext.models._sdk import split_options
from symposia.ext.models.openai._facts import CATALOG
from symposia.ext.models.openai._messages import MessageWriter
from symposia.ext.models.openai._options import ARGUMENTS, BEHAVIOUR, CONNECTION, OpenAIClientConfiguration
from symposia.ext.models.openai._request import adapt_arguments, write_request
from symposia.ext.models.openai._result import read_completion
from symposia.ext.models.openai._stream import CompletionAssembly

INSTALLED: Final = find_spec("openai") is not None

if TYPE_CHECKING or INSTALLED:  # not at construction: an event loop must not wait for an import
    import httpx2
    import openai
    from openai import AsyncOpenAI
    from openai.types.chat.completion_create_params import CompletionCreateParamsBase

    import_module("httpcore2")  # httpx2 imports it only when a client is made

if TYPE_CHECKING:
    from symposia.core import CancellationToken


class BaseOpenAIChatCompletionClient(VendorClient):
    """Asks models by OpenAI's Chat Completions, over any client of OpenAI's SDK.

    Args:
        client: The SDK's client.
        create_args: What goes with every request, ``model`` among it.
        model_capabilities: AutoGen's name of old for `model_info`.
        model_info: What the model can do, where its name does not tell it right.
        add_name_prefixes: Whether each user message begins with who said it.
        include_name_in_message: Whether each user message carries who said it in its ``name`` field.

    Raises:
        InvalidArgumentError: No model is named.
        ValueError: `model_info` lacks a field.
    """

    def __init__(
        self,
        client: AsyncOpenAI,
        *,
        create_args: Mapping[str, Any],
        model_capabilities: ModelCapabilities | None = None,
        model_info: ModelInfo | None = None,
        add_name_prefixes: bool = False,
        include_name_in_message: bool = True,
    ) -> None:
        model = check_model(type(self).__name__, create_args.get("model"))
        facts = CATALOG.find(model)
        if model_info is None and model_capabilities is None:
            CATALOG.warn_if_unknown(model, stacklevel=3)
        super().__init__(
            vendor=Vendor(
                name="OpenAI", provider="openai", key="OPENAI_API_KEY", errors=(openai.OpenAIError, httpx2.HTTPError)
            ),
            server=str(client.base_url),
            model=model,
            model_info=resolve_model_info(facts, model_info, model_capabilities),
            context=facts.context,
        )
        writer = MessageWriter(
            model=model,
            vision=self._model_info["vision"],
            add_name_prefixes=add_name_prefixes,
            include_name_in_message=include_name_in_message,
        )
        self._client = client
        self._stream_type = openai.AsyncStream[object]
        self._tools_effort = facts.tools_effort
        self._arguments = adapt_arguments(model, create_args, facts)
        self._written = Conversions(writer.write)

    async def create_stream(
        self,
        messages: Sequence[LLMMessage],
        *,
        tools: Sequence[Tool | ToolSchema] = (),
        tool_choice: ToolChoice = "auto",
        json_output: JsonOutput = None,
        extra_create_args: Mapping[str, Any] = {},
        cancellation_token: CancellationToken | None = None,
        max_consecutive_empty_chunk_tolerance: int = 0,  # noqa: ARG002 - AutoGen's; an empty chunk does no harm here
        include_usage: bool | None = None,
    ) -> AsyncGenerator[str | CreateResult, None]:
        """See `ChatCompletionClient.create_stream`.

        With `include_usage` False no tokens are counted, for servers that do not know ``stream_options``.
        """
        if include_usage is not None:
            stream_options = {"include_usage": True} if include_usage else None
            extra_create_args = {"stream_options": stream_options, **extra_create_args}
        stream = super().create_stream(
            messages,
            tools=tools,
            tool_choice=tool_choice,
            json_output=json_output,
            extra_create_args=extra_create_args,
            cancellation_token=cancellation_token,
        )
        async with aclosing(stream):
            async for item in stream:
                yield item

    async def close(self) -> None:
        """See `ChatCompletionClient.close`."""
        await self._client.close()

    def _body(self, question: Question) -> Body:
        written = [wire for message in question.messages for wire in self._written(message)]
        return write_request(self._arguments, written, question, self._tools_effort)

    async def _send(self, body: Body) -> object:
        request, options = split_options(body)
        request.pop("stream_options", None)
        return await self._client.post("/chat/completions", cast_to=object, body=request, options=options)

    async def _open(self, body: Body) -> EventStream:
        request, options = split_options({"stream_options": {"include_usage": True}, **body, "stream": True})
        return await self._client.post(
            "/chat/completions",
            cast_to=object,
            body=request,
            options=options,
            stream=True,
            stream_cls=self._stream_type,
        )

    def _assembly(self) -> CompletionAssembly:
        return CompletionAssembly()

    def _result(self, whole: object) -> CreateResult:
        return read_completion(whole, self._model)


class OpenAIChatCompletionClient(BaseOpenAIChatCompletionClient):
    """Asks OpenAI's models, and those of vendors that speak the same format.

    The options are those of `OpenAIClientConfiguration`, and any other argument of Chat Completions::

        client = OpenAIChatCompletionClient(model="gpt-5.4", temperature=0)

    Models of Google, Anthropic and Meta are asked where those vendors serve OpenAI's format, with the API key of
    ``GEMINI_API_KEY``, ``ANTHROPIC_API_KEY`` or ``LLAMA_API_KEY``, unless `base_url` says otherwise.

    Raises:
        MissingExtraError: The SDK is not installed.
        InvalidArgumentError: An option is unknown, or no model is named.
        UsageError: There is no API key.
    """

    def __init__(self, **options: Unpack[OpenAIClientConfiguration]) -> None:
        if not INSTALLED:
            raise MissingExtraError(type(self).__name__, "openai")
        connection, behaviour, arguments = sort_options(type(self).__name__, options, _option_names())
        super().__init__(_connect(options.get("model"), connection), create_args=arguments, **behaviour)


def _option_names() -> OptionNames:
    return OptionNames(
        connection=CONNECTION,
        behaviour=BEHAVIOUR,
        arguments=ARGUMENTS,
        later_arguments=frozenset(CompletionCreateParamsBase.__annotations__)
        - {"messages", "tools", "tool_choice", "stream"},
    )


def _connect(model: object, connection: dict[str, Any]) -> AsyncOpenAI:
    endpoint = CATALOG.find(model).endpoint if isinstance(model, str) else None
    key = "OPENAI_API_KEY"
    if endpoint is not None and "base_url" not in connection:
        key = endpoint.key
        connection = {"base_url": endpoint.base_url, "api_key": os.environ.get(key), **connection}
    if not connection.get("api_key") and not os.environ.get(key):
        raise UsageError(
            f"There is no API key for model {model!r}: set the environment variable {key}, or give api_key=. "
            "A server that needs no key takes any, such as api_key='none'."
        )
    return openai.AsyncOpenAI(**connection)
