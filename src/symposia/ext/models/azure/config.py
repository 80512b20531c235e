"""The options of `AzureAIChatCompletionClient`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Literal, Required

from pydantic import BaseModel
from typing_extensions import TypedDict

from symposia._lazy import explained_names
from symposia.core.models import ModelCapabilities, ModelInfo

if not TYPE_CHECKING:
    __getattr__ = explained_names(__name__)

__all__ = [
    "GITHUB_MODELS_ENDPOINT",
    "AzureAIChatCompletionClientConfig",
    "AzureAIClientArguments",
    "AzureAICreateArguments",
    "JsonSchemaFormat",
]

GITHUB_MODELS_ENDPOINT: Final = "https://models.github.ai/inference"
"""The address of GitHub's models."""
UNNAMED_MODEL: Final = "of the endpoint"
"""What errors call the model of an endpoint that has one alone. It is not sent."""


class JsonSchemaFormat(TypedDict, total=False):
    """The form of answers that are JSON of a schema.

    Attributes:
        name: A name for the schema.
        schema: The JSON schema.
        description: What the answers are for.
        strict: Whether the model has to keep to it.
    """

    name: Required[str]
    schema: Required[dict[str, Any]]  # Any: JSON
    description: str | None
    strict: bool | None


class AzureAIClientArguments(TypedDict, total=False):
    """Options of the connection.

    Attributes:
        endpoint: The address of the models, such as ``https://name.services.ai.azure.com/models``; by default that of
            the environment variable ``AZURE_INFERENCE_ENDPOINT``.
        credential: An ``AzureKeyCredential``, a credential of ``azure.identity`` or ``azure.identity.aio``, or the key
            itself; by default the key in ``AZURE_INFERENCE_CREDENTIAL``. A credential that is not asynchronous runs in
            a worker thread.
        credential_scopes: What a token is asked for: ``["https://ml.azure.com/.default"]`` by default, and
            ``["https://cognitiveservices.azure.com/.default"]`` for resources of Azure AI services.
        api_version: The version of the API; by default the SDK's.
        model_info: The abilities of the model, in place of those that its name implies.
        model_capabilities: The former name of `model_info`.
        timeout: Seconds to wait for the server, for each piece of an answer; 600 by default.
        max_retries: How often the SDK tries again after a failure that may pass; it honours Retry-After.
        default_headers: Sent with every request.
    """

    endpoint: str
    credential: object
    credential_scopes: Sequence[str]
    api_version: str
    model_info: ModelInfo
    model_capabilities: ModelCapabilities
    timeout: float | None
    max_retries: int
    default_headers: Mapping[str, str] | None


class AzureAICreateArguments(TypedDict, total=False):
    """Arguments of every request.

    Attributes:
        model: The model's name. An endpoint that has one model alone needs none.
        response_format: The form of answers where `create` is given none: also a model class for its schema.
        tools: Further tools, as JSON or as the SDK's objects.
        tool_choice: Which tools are called, where `create` leaves it to the model.
        model_extras: Arguments of the model that are not of the API. They are passed on to it.
    """

    model: str | None
    frequency_penalty: float | None
    presence_penalty: float | None
    temperature: float | None
    top_p: float | None
    max_tokens: int | None
    response_format: Literal["text", "json_object"] | JsonSchemaFormat | type[BaseModel] | None
    stop: Sequence[str] | None
    tools: Sequence[object] | None
    tool_choice: object
    seed: int | None
    model_extras: Mapping[str, Any] | None  # Any: JSON


class AzureAIChatCompletionClientConfig(AzureAIClientArguments, AzureAICreateArguments, total=False):
    """The options of `AzureAIChatCompletionClient`."""
