"""The options of `LiteLLMChatCompletionClient`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Literal, Required

from pydantic import BaseModel
from typing_extensions import TypedDict

from symposia.core.models import ModelCapabilities, ModelInfo
from symposia.ext.models._options import OptionNames


class CreateArguments(TypedDict, total=False):
    """Arguments of every request: those of ``litellm.acompletion``. Those of single vendors are taken as well.

    Attributes:
        model: The model's name as LiteLLM has it, with its vendor before it: ``groq/openai/gpt-oss-120b``.
        custom_llm_provider: The vendor, where the name does not begin with it.
        response_format: The form of answers where `create` is given none: a model class stands for its schema.
        thinking: How much an Anthropic model thinks.
        drop_params: Whether arguments are left out that the vendor does not take; otherwise they are an error.
        num_retries: How often LiteLLM tries again after a failure that may pass.
        fallbacks: Models to ask if this one fails.
    """

    model: Required[str]
    custom_llm_provider: str
    max_tokens: int
    max_completion_tokens: int
    temperature: float
    top_p: float
    stop: str | Sequence[str]
    seed: int
    n: Literal[1]
    presence_penalty: float
    frequency_penalty: float
    logit_bias: Mapping[str, int]
    logprobs: bool
    top_logprobs: int
    user: str
    response_format: Mapping[str, object] | type[BaseModel]
    parallel_tool_calls: bool
    reasoning_effort: str
    thinking: Mapping[str, object]
    drop_params: bool
    num_retries: int
    fallbacks: Sequence[str | Mapping[str, object]]
    api_version: str


class LiteLLMClientConfiguration(CreateArguments, total=False):
    """The options of `LiteLLMChatCompletionClient`.

    Attributes:
        api_key: By default, that of the environment variable in which LiteLLM looks for it, such as ``GROQ_API_KEY``.
        base_url: Where the models are served, if not at the vendor's own address.
        api_base: The same, in LiteLLM's words.
        timeout: Seconds that a request may take; by default as LiteLLM has it.
        max_retries: How often the vendor's SDK tries again.
        model_info: The abilities of the model, in place of those that LiteLLM knows.
        model_capabilities: The former name of `model_info`.
        default_headers: Sent with every request.
        add_name_prefixes: Whether each user message begins with the name of its source.
        include_name_in_message: Whether each user message carries its source in its ``name`` field, which not every
            vendor takes; by default it does not.
    """

    api_key: str
    base_url: str
    api_base: str
    timeout: float
    max_retries: int
    model_info: ModelInfo
    model_capabilities: ModelCapabilities
    default_headers: Mapping[str, str] | None
    add_name_prefixes: bool
    include_name_in_message: bool


CONNECTION: Final = frozenset({"api_key", "base_url", "api_base", "timeout", "max_retries", "default_headers"})
BEHAVIOUR: Final = frozenset({
    "model_info", "model_capabilities", "add_name_prefixes", "include_name_in_message",
})  # fmt: skip
ARGUMENTS: Final = frozenset(CreateArguments.__annotations__) | {
    "additional_drop_params", "allowed_openai_params", "context_window_fallback_dict", "cooldown_time", "extra_body",
    "extra_headers", "guardrails", "metadata", "mock_response", "modalities", "prediction", "prompt_id", "provider",
    "safety_identifier", "service_tier", "stream_options", "tags", "top_k", "transforms", "verbosity",
    "web_search_options",
}  # fmt: skip
OF_VENDORS: Final = ("aws_", "azure_", "vertex_", "gcs_", "watsonx_", "hf_", "litellm_", "input_cost_", "output_cost_")
"""The beginnings of arguments that LiteLLM reads for single vendors, and for its own bookkeeping."""


def option_names(given: Iterable[str]) -> OptionNames:
    """The names of the options, those included of single vendors that are given.

    LiteLLM's own signature is not read: importing it takes seconds, and here an event loop may wait. It ends with any
    keyword, so that a wrong one would be sent to the vendor.
    """
    return OptionNames(
        connection=CONNECTION,
        behaviour=BEHAVIOUR,
        arguments=ARGUMENTS,
        later_arguments=frozenset(name for name in given if name.startswith(OF_VENDORS)),
    )


def sent_options(connection: Mapping[str, Any]) -> dict[str, object]:
    """The options of the connection, as LiteLLM calls them."""
    renamed = {"base_url": "api_base", "default_headers": "extra_headers"}
    return {renamed.get(name, name): value for name, value in connection.items()}
