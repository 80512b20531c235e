"""The options of `OpenAIChatCompletionClient`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final, Literal, Required

from pydantic import BaseModel
from typing_extensions import TypedDict

from symposia.core.models import ModelCapabilities, ModelInfo
from symposia.ext.models.openai._profiles import Effort


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


class OpenAIClientConfiguration(CreateArguments, total=False):
    """The options of `OpenAIChatCompletionClient`.

    Attributes:
        model: The model's name. A name that this version of symposia does not know works, with a warning.
        api_key: By default, that of the environment variable ``OPENAI_API_KEY``.
        base_url: Where the models are served, if not at OpenAI.
        organization: The organization to be billed.
        timeout: Seconds that a request may take.
        max_retries: How often the SDK tries again after a failure that may pass; it honours Retry-After.
        model_info: The abilities of the model, in place of those that its name implies.
        model_capabilities: The former name of `model_info`.
        add_name_prefixes: Whether each user message begins with the name of its source.
        include_name_in_message: Whether each user message has the name of its source in its ``name`` field.
        default_headers: Sent with every request.
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


ARGUMENTS: Final = frozenset(CreateArguments.__annotations__) | {"model", "extra_body", "extra_headers", "extra_query"}
CONNECTION: Final = frozenset({"api_key", "base_url", "organization", "timeout", "max_retries", "default_headers"})
BEHAVIOUR: Final = frozenset({"model_info", "model_capabilities", "add_name_prefixes", "include_name_in_message"})
BY_CALL: Final = frozenset({"messages", "tools", "tool_choice", "stream"})  # arguments of the API that a call decides
