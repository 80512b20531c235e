"""The options of `GeminiChatCompletionClient`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Required

from pydantic import BaseModel
from typing_extensions import TypedDict

from symposia.core.models import ModelCapabilities, ModelInfo
from symposia.ext.models.gemini._request import REQUEST_OPTIONS, TOP_LEVEL


class CreateArguments(TypedDict, total=False):
    """Arguments of every request: the fields of the SDK's ``GenerateContentConfig``, of which the others are taken too.

    Attributes:
        max_tokens: Most tokens of an answer, thinking included: another name of ``max_output_tokens``.
        stop: Another name of ``stop_sequences``.
        response_format: The form of answers where `create` is given none: ``{"type": "json_object"}``, or a model
            class for its schema.
        thinking_config: How much the model thinks, and whether its thoughts are told:
            ``{"thinking_level": "low", "include_thoughts": True}``.
        safety_settings: What is blocked.
        tools: Tools in Google's own format, such as ``{"google_search": {}}``, which run on its servers.
    """

    temperature: float
    top_p: float
    top_k: float
    max_tokens: int
    max_output_tokens: int
    stop: Sequence[str]
    stop_sequences: Sequence[str]
    seed: int
    presence_penalty: float
    frequency_penalty: float
    response_format: Mapping[str, str] | type[BaseModel]
    thinking_config: Mapping[str, object]
    safety_settings: Sequence[Mapping[str, object]]
    tools: Sequence[Mapping[str, object]]
    tool_config: Mapping[str, object]
    cached_content: str
    labels: Mapping[str, str]


class GeminiClientConfiguration(CreateArguments, total=False):
    """The options of `GeminiChatCompletionClient`.

    Attributes:
        model: The model's name. A name that this version of symposia does not know works, with a warning.
        api_key: By default, that of the environment variable ``GEMINI_API_KEY``, or of ``GOOGLE_API_KEY``.
        base_url: Where the models are served, if not at Google.
        timeout: Seconds that a request may take; by default 600.
        max_retries: How often the SDK tries again after a failure that may pass; by default 2. It ignores Retry-After.
        model_info: The abilities of the model, in place of those that its name implies.
        model_capabilities: The former name of `model_info`.
        default_headers: Sent with every request.
        vertexai: Whether the models of Google Cloud are asked. The SDK reads its environment variables, such as
            ``GOOGLE_CLOUD_PROJECT``. Credentials and a project that are not given are looked for, and tokens renewed,
            in a thread, by the first request.
        project: The project at Google Cloud.
        location: The region there.
        credentials: Credentials of Google Cloud, in place of those of the machine. They are not saved in JSON.
        http_options: Further options of the SDK, such as ``{"api_version": "v1"}``.
    """

    model: Required[str]
    api_key: str
    base_url: str
    timeout: float | None
    max_retries: int
    model_info: ModelInfo
    model_capabilities: ModelCapabilities
    default_headers: Mapping[str, str] | None
    vertexai: bool
    project: str
    location: str
    credentials: object  # `google.auth.credentials.Credentials`, which takes long to import
    http_options: Mapping[str, Any]  # Any: each is of its own type


BEHAVIOUR: Final = frozenset({"model_info", "model_capabilities"})
CONNECTION: Final = (
    frozenset(GeminiClientConfiguration.__annotations__)
    - frozenset(CreateArguments.__annotations__)
    - BEHAVIOUR
    - {"model"}
)
ARGUMENTS: Final = frozenset(CreateArguments.__annotations__) | TOP_LEVEL | (REQUEST_OPTIONS - CONNECTION)
BY_CALL: Final = frozenset({"system_instruction", "http_options", "automatic_function_calling", "response_schema"})
"""Fields of the SDK's configuration that a call or this client decides."""
