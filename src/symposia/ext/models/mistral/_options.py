"""The options of `MistralChatCompletionClient`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Literal, Required

from pydantic import BaseModel
from typing_extensions import TypedDict

from symposia.core.models import ModelCapabilities, ModelInfo


class CreateArguments(TypedDict, total=False):
    """Arguments of every request; see Mistral's reference of its API. Its other arguments are taken as well.

    Attributes:
        model: The model's name. A name that this version of symposia does not know works, with a warning.
        max_tokens: Most tokens of an answer, thinking included.
        seed: Another name of ``random_seed``.
        response_format: The form of answers where `create` is given none: a model class for its schema, or
            ``{"type": "json_object"}``.
        reasoning_effort: How much a model thinks that can be told.
        prompt_mode: Whether the vendor's system prompt for reasoning is used.
        prompt_cache_key: The same for all requests that begin alike.
    """

    model: Required[str]
    max_tokens: int
    temperature: float
    top_p: float
    stop: str | Sequence[str]
    seed: int
    random_seed: int
    presence_penalty: float
    frequency_penalty: float
    response_format: Mapping[str, object] | type[BaseModel]
    parallel_tool_calls: bool
    reasoning_effort: Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]
    prompt_mode: Literal["reasoning"] | None
    prompt_cache_key: str
    metadata: Mapping[str, object]


class MistralClientConfiguration(CreateArguments, total=False):
    """The options of `MistralChatCompletionClient`.

    Attributes:
        api_key: By default, that of the environment variable ``MISTRAL_API_KEY``.
        base_url: Where the models are served, without ``/v1``, if not at Mistral's global address; by default that of
            the environment variable ``MISTRAL_BASE_URL``.
        timeout: Seconds that a request may take; by default 300, as with Mistral's SDK.
        max_retries: How often the SDK tries again after a failure that may pass; by default 2.
        model_info: The abilities of the model, in place of those that its name implies.
        model_capabilities: The former name of `model_info`.
        default_headers: Sent with every request.
    """

    api_key: str
    base_url: str
    timeout: float | None
    max_retries: int
    model_info: ModelInfo
    model_capabilities: ModelCapabilities
    default_headers: Mapping[str, str] | None


CONNECTION: Final = frozenset({"api_key", "base_url", "timeout", "max_retries", "default_headers"})
BEHAVIOUR: Final = frozenset({"model_info", "model_capabilities"})
ARGUMENTS: Final = frozenset(CreateArguments.__annotations__) | {"extra_body", "extra_headers", "extra_query"}
BY_CALL: Final = frozenset({"messages", "stream", "tool_choice"})
"""Fields of a request that a call decides."""
