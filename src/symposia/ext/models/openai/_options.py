"""The options of OpenAI's clients."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final, Literal, Required

from pydantic import BaseModel
from typing_extensions import TypedDict

from symposia.core.models import ModelCapabilities, ModelInfo
from symposia.ext.auth.azure import AzureTokenProvider
from symposia.ext.models._options import OptionNames
from symposia.ext.models.openai._profiles import Api, Effort


class CreateArguments(TypedDict, total=False):
    """Arguments of every request; see OpenAI's reference of Chat Completions. Its other arguments are taken as well.

    Attributes:
        max_tokens: Most tokens of an answer. Reasoning models are sent ``max_completion_tokens`` instead.
        response_format: The form of answers where `create` is given none: a model class stands for its schema.
        reasoning_effort: How much a reasoning model thinks.
        parallel_tool_calls: Whether an answer may have several tool calls. Sent along with tools only.
    """

    frequency_penalty: float | None
    logit_bias: Mapping[str, int]
    max_tokens: int | None
    n: Literal[1] | None
    presence_penalty: float | None
    response_format: Mapping[str, object] | type[BaseModel]
    seed: int | None
    stop: str | Sequence[str] | None
    temperature: float | None
    top_p: float | None
    user: str
    stream_options: Mapping[str, bool]
    parallel_tool_calls: bool
    reasoning_effort: Effort
    max_completion_tokens: int
    verbosity: Literal["low", "medium", "high"]
    metadata: Mapping[str, str]
    service_tier: str
    logprobs: bool
    top_logprobs: int


class ResponseArguments(TypedDict, total=False):
    """Arguments of every request; see OpenAI's reference of Responses. Its other arguments are taken as well.

    Arguments of Chat Completions that have another name here, such as `max_tokens`, are translated.

    Attributes:
        max_output_tokens: Most tokens of an answer, reasoning included.
        max_tokens: The same, as Chat Completions call it.
        reasoning: How much a reasoning model thinks, and whether summaries of it are wanted:
            ``{"effort": "high", "summary": "auto"}``. OpenAI gives summaries of some models to verified accounts only.
        reasoning_effort: The effort alone.
        response_format: The form of answers where `create` is given none: a model class stands for its schema.
        text: The same as OpenAI's JSON, and the verbosity.
        tools: Tools that run at the vendor, as OpenAI's JSON: web and file search, code interpreter, image generation,
            remote MCP servers.
        max_tool_calls: Most calls of those in one answer.
        store: Whether OpenAI stores the responses; False by default.
        include: More data that the answers are to hold.
        truncation: Whether OpenAI leaves out the beginning of a conversation that is too long.
    """

    max_output_tokens: int | None
    max_tokens: int | None
    reasoning: Mapping[str, object]
    reasoning_effort: Effort
    response_format: Mapping[str, object] | type[BaseModel]
    text: Mapping[str, object]
    verbosity: Literal["low", "medium", "high"]
    tools: Sequence[Mapping[str, object]]
    max_tool_calls: int | None
    parallel_tool_calls: bool
    store: bool
    include: Sequence[str]
    truncation: Literal["auto", "disabled"]
    temperature: float | None
    top_p: float | None
    logprobs: bool
    top_logprobs: int
    metadata: Mapping[str, str]
    service_tier: str
    user: str
    stream_options: Mapping[str, bool]


class ConnectionOptions(TypedDict, total=False):
    """Options of all of OpenAI's clients.

    Attributes:
        model: The model's name. A name that this version of symposia does not know works, with a warning.
        api_key: By default, that of the environment variable ``OPENAI_API_KEY``; at Azure, ``AZURE_OPENAI_API_KEY``.
        base_url: Where the models are served, if not at OpenAI.
        organization: The organization to be billed.
        timeout: Seconds that a request may take.
        max_retries: How often the SDK tries again after a failure that may pass; it honours Retry-After.
        model_info: The abilities of the model, in place of those that its name implies.
        model_capabilities: The former name of `model_info`.
        add_name_prefixes: Whether each user message begins with the name of its source.
        include_name_in_message: Whether each user message has the name of its source in its ``name`` field. The
            Responses API has no such field: there, messages of other sources than ``user`` begin with the name.
        default_headers: Sent with every request.
        use_previous_response_id: Whether a request names the stored response that it goes on from, in place of the
            conversation up to there; for the Responses API. Responses are then stored.
    """

    model: Required[str]
    api_key: str | Callable[[], Awaitable[str]]
    base_url: str
    organization: str
    timeout: float | None
    max_retries: int
    model_info: ModelInfo
    model_capabilities: ModelCapabilities
    add_name_prefixes: bool
    include_name_in_message: bool
    default_headers: Mapping[str, str] | None
    use_previous_response_id: bool


class BaseOpenAIClientConfiguration(CreateArguments, ConnectionOptions, total=False):
    """The options of the clients that take the arguments of Chat Completions.

    Attributes:
        api: ``chat`` for Chat Completions, ``responses`` for the Responses API; by default the one in which the model
            does all that it can.
    """

    api: Api | None


class OpenAIClientConfiguration(BaseOpenAIClientConfiguration, total=False):
    """The options of `OpenAIChatCompletionClient`."""


class OpenAIResponsesConfiguration(ResponseArguments, ConnectionOptions, total=False):
    """The options of `OpenAIResponsesClient`."""


class AzureOpenAIClientConfiguration(BaseOpenAIClientConfiguration, total=False):
    """The options of `AzureOpenAIChatCompletionClient`.

    At most one of `api_key`, `azure_ad_token` and `azure_ad_token_provider` is given, and one of `azure_endpoint` and
    `base_url`.

    Attributes:
        azure_endpoint: The address of the resource, such as ``https://name.openai.azure.com``; by default that of the
            environment variable ``AZURE_OPENAI_ENDPOINT``.
        azure_deployment: The name of the deployment; by default that of the model.
        api_version: The version of Azure's API, such as ``2024-10-21``; by default that of ``OPENAI_API_VERSION``.
        azure_ad_token: A token of Microsoft Entra ID.
        azure_ad_token_provider: Gives such a token for each request. One that is no coroutine function runs in a worker
            thread, since Azure's own ask the network.
    """

    azure_endpoint: str
    azure_deployment: str
    api_version: str
    azure_ad_token: str
    azure_ad_token_provider: AzureTokenProvider | Callable[[], str | Awaitable[str]]


BEHAVIOUR: Final = frozenset({
    "model_info", "model_capabilities", "add_name_prefixes", "include_name_in_message", "use_previous_response_id",
})  # fmt: skip
CONNECTION: Final = frozenset({"api_key", "base_url", "organization", "timeout", "max_retries", "default_headers"})
AZURE_CONNECTION: Final = CONNECTION | {
    "azure_endpoint", "azure_deployment", "api_version", "azure_ad_token", "azure_ad_token_provider",
}  # fmt: skip
_OF_THE_SDK: Final = frozenset({"model", "extra_body", "extra_headers", "extra_query"})
_BY_CALL: Final = frozenset({"messages", "input", "tool_choice", "stream", "background"})
"""Arguments that a call decides, and one whose answers have to be fetched later."""


def chat_option_names(connection: frozenset[str] = CONNECTION) -> OptionNames:
    """The options of the clients that take the arguments of Chat Completions."""
    from openai.types.chat.completion_create_params import CompletionCreateParamsBase  # noqa: PLC0415 - takes a second

    return OptionNames(
        connection=connection,
        behaviour=BEHAVIOUR | {"api"},
        arguments=frozenset(CreateArguments.__annotations__) | _OF_THE_SDK,
        later_arguments=frozenset(CompletionCreateParamsBase.__annotations__) - _BY_CALL - {"tools"},
    )


def response_option_names() -> OptionNames:
    """The options of the clients that take the arguments of the Responses API."""
    from openai.types.responses.response_create_params import (  # noqa: PLC0415 - takes a second
        ResponseCreateParamsBase,
    )

    return OptionNames(
        connection=CONNECTION,
        behaviour=BEHAVIOUR,
        arguments=frozenset(ResponseArguments.__annotations__) | _OF_THE_SDK,
        later_arguments=frozenset(ResponseCreateParamsBase.__annotations__) - _BY_CALL,
    )
