"""The client of models that llama.cpp runs in this process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import PurePath
from typing import Any, Final, Unpack, cast

from pydantic import BaseModel
from typing_extensions import override

from symposia.core.exceptions import InvalidArgumentError
from symposia.core.models import LLMMessage, ModelFamily, ModelInfo, validate_model_info
from symposia.core.tools import Tool, ToolSchema
from symposia.ext.models._client import VendorClient
from symposia.ext.models._options import ClientOptions
from symposia.ext.models._service import SDK_SCHEME, Service
from symposia.ext.models._wire_format import Body, ChatRequest, JsonOutput, without_none
from symposia.ext.models.llama_cpp._options import LlamaCppParams, calls_tools, option_names
from symposia.ext.models.llama_cpp._worker import DOWNLOADED, ModelThread, ModelTransport
from symposia.ext.models.openai import ChatCompletionsFormat, MessageWriter, OpenAIProfile

CONTEXT: Final = 4_096
_PROFILE: Final = OpenAIProfile(family=ModelFamily.UNKNOWN, context=CONTEXT, max_output=CONTEXT)


class LlamaFormat(ChatCompletionsFormat):
    """OpenAI's Chat Completions, as llama.cpp has them: a schema stands beside the type of JSON."""

    def __init__(self, writer: MessageWriter, arguments: Body, json_output: object) -> None:
        super().__init__(writer, arguments, _PROFILE)
        self._json_output = json_output

    @override
    def write(self, request: ChatRequest, *, stream: bool) -> Body:
        """See `WireFormat.write`."""
        extra = dict(request.extra_create_args)
        wanted = extra.pop("response_format", self._json_output if request.json_output is None else request.json_output)
        plain = ChatRequest(
            messages=request.messages,
            tools=() if request.tool_choice == "none" else request.tools,
            tool_choice=request.tool_choice,
            extra_create_args=extra,
        )
        body = super().write(plain, stream=stream)
        body.pop("stream_options", None)
        if wanted:
            body["response_format"] = _response_format(cast("JsonOutput", wanted))
        return without_none(body)


def _response_format(wanted: JsonOutput | Mapping[str, Any]) -> object:
    if isinstance(wanted, Mapping):
        schema = wanted.get("json_schema", {}).get("schema")  # as OpenAI wraps it
        return wanted if schema is None else {"type": "json_object", "schema": schema}
    if isinstance(wanted, type):
        return {"type": "json_object", "schema": _schema_of(wanted)}
    return {"type": "json_object"}


@lru_cache(maxsize=256)
def _schema_of(model: type[BaseModel]) -> dict[str, Any]:
    return model.model_json_schema()  # a tenth of a millisecond and more, for each request


class LlamaCppChatCompletionClient(VendorClient):
    """A client of a model that llama.cpp runs in this process, on the CPU or a GPU, without a server.

    The options are those of `LlamaCppParams`::

        client = LlamaCppChatCompletionClient(model_path="qwen3-4b-q4_k_m.gguf", n_ctx=16_384)

    The model is loaded with the first request, in a thread. It answers one request at a time; further ones wait.

    Raises:
        MissingExtraError: ``llama-cpp-python`` is not installed.
        InvalidArgumentError: An option is unknown, or neither a file nor a repository is given. That there is no such
            file is found with the first request.
        ValueError: `model_info` lacks a field.
    """

    def __init__(self, *, model_info: ModelInfo | None = None, **options: Unpack[LlamaCppParams]) -> None:
        named = {"model": _name(options), **options}
        given = ClientOptions.read(self, named, sdk="llama_cpp", extra="llama-cpp", names=option_names)
        info = model_info or _abilities(given.connection)
        validate_model_info(info)
        arguments = dict(given.arguments)
        json_output = arguments.pop("response_format", None)
        context = given.connection.setdefault("n_ctx", CONTEXT)
        self._thread = ModelThread(given.model, {"verbose": False, **given.connection})
        writer = MessageWriter(
            model=given.model,
            vision=info["vision"],
            add_name_prefixes=False,
            include_name_in_message=False,
            blocks="llama_cpp",
        )
        super().__init__(
            service=Service(name="llama.cpp", provider="llama_cpp", key=None, address=f"{SDK_SCHEME}:llama.cpp"),
            model=given.model,
            model_info=info,
            context=context or CONTEXT,
            wire=LlamaFormat(writer, without_none(arguments), json_output),
            transport=ModelTransport(self._thread),
            arguments=given.arguments,
        )

    @override
    def count_tokens(
        self, messages: Sequence[LLMMessage], *, tools: Sequence[Tool | ToolSchema] = (), **_: object
    ) -> int:
        """See `ChatCompletionClient.count_tokens`. Tokens are estimated."""
        return super().count_tokens(messages, tools=tools)

    @override
    def remaining_tokens(
        self, messages: Sequence[LLMMessage], *, tools: Sequence[Tool | ToolSchema] = (), **_: object
    ) -> int:
        """See `ChatCompletionClient.remaining_tokens`."""
        return super().remaining_tokens(messages, tools=tools)


def _name(options: Mapping[str, Any]) -> str:
    """The name of the model: that of its file.

    Raises:
        InvalidArgumentError: There is neither a file nor a repository.
    """
    if named := options.get("model"):
        return str(named)
    if path := options.get("model_path"):
        return PurePath(str(path)).name
    if options.keys() >= DOWNLOADED:
        return f"{options['repo_id']}/{options['filename']}"
    raise InvalidArgumentError(
        "LlamaCppChatCompletionClient needs model_path=, the file of a model in the GGUF format, or repo_id= and "
        "filename= of one at Hugging Face."
    )


def _abilities(options: Mapping[str, Any]) -> ModelInfo:
    return ModelInfo(
        vision=options.get("chat_handler") is not None,
        function_calling=calls_tools(options),
        json_output=True,  # by a grammar, which constrains every token
        structured_output=True,
        family=ModelFamily.UNKNOWN,
        multiple_system_messages=True,
    )
