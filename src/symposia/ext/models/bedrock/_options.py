"""The options of `BedrockChatCompletionClient`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Required

from pydantic import BaseModel
from typing_extensions import TypedDict

from symposia.core.models import ModelCapabilities, ModelInfo


class CreateArguments(TypedDict, total=False):
    """Arguments of every request; see AWS's reference of Converse. Its other arguments are taken as well.

    Attributes:
        model: The id of a model, of an inference profile, or an ARN. A name that this version of symposia does not know
            works, with a warning.
        max_tokens: Most tokens of an answer, thinking included; by default as many as the model gives.
        response_format: The form of answers where `create` is given none: ``{"type": "json_object"}``, or a model
            class for its schema.
        additionalModelRequestFields: Arguments of the model's own, such as ``{"thinking": {"type": "adaptive"}}``.
        guardrailConfig: The guardrail to apply: ``{"guardrailIdentifier": "…", "guardrailVersion": "1"}``. An answer
            that it stops has the finish reason ``content_filter``.
        toolConfig: Tools in Converse's own format, such as ``{"tools": [{"systemTool": {"name": "…"}}]}``.
    """

    model: Required[str]
    max_tokens: int
    temperature: float
    top_p: float
    stop_sequences: Sequence[str]
    response_format: Mapping[str, str] | type[BaseModel]
    additionalModelRequestFields: Mapping[str, object]
    guardrailConfig: Mapping[str, str]
    outputConfig: Mapping[str, object]
    performanceConfig: Mapping[str, str]
    requestMetadata: Mapping[str, str]
    serviceTier: Mapping[str, str]
    toolConfig: Mapping[str, object]


class BedrockClientConfiguration(CreateArguments, total=False):
    """The options of `BedrockChatCompletionClient`. Names with ``aws``, ``region`` and ``profile`` are those of boto3.

    Attributes:
        api_key: An API key of Bedrock's; by default that of ``AWS_BEARER_TOKEN_BEDROCK``. Requests with one are not
            signed.
        region_name: The region; by default that of ``AWS_REGION``, or of the profile.
        profile_name: A profile of ``~/.aws``, in place of keys; by default that of ``AWS_PROFILE``.
        aws_access_key_id: The id of an access key. Keys are not saved with a client.
        aws_secret_access_key: Its secret.
        aws_session_token: The token of temporary credentials.
        base_url: Where the models are served; by default at ``AWS_ENDPOINT_URL_BEDROCK_RUNTIME``, or in the region.
        timeout: Seconds that a request may take without a byte; by default 600.
        max_retries: How often to try again after a failure that may pass; by default 2. Retry-After is honoured.
        model_info: The abilities of the model, in place of those that its name implies.
        model_capabilities: The former name of `model_info`.
        default_headers: Sent with every request.
        prompt_caching: Whether requests have cache points, behind the tools, the system prompt and the conversation, if
            the model takes them. By default they do. Reading from the cache costs less than a plain token, and writing
            into it more with some models, so switch it off for a program whose requests never begin alike.
    """

    api_key: str
    region_name: str
    profile_name: str
    aws_access_key_id: str
    aws_secret_access_key: str
    aws_session_token: str
    base_url: str
    timeout: float | None
    max_retries: int
    model_info: ModelInfo
    model_capabilities: ModelCapabilities
    default_headers: Mapping[str, str] | None
    prompt_caching: bool


SECRETS: Final = frozenset({"api_key", "aws_access_key_id", "aws_secret_access_key", "aws_session_token"})
BEHAVIOUR: Final = frozenset({"model_info", "model_capabilities", "prompt_caching"})
CONNECTION: Final = (
    frozenset(BedrockClientConfiguration.__annotations__) - frozenset(CreateArguments.__annotations__) - BEHAVIOUR
)
ARGUMENTS: Final = frozenset(CreateArguments.__annotations__) | {
    "inferenceConfig",
    "extra_body",
    "extra_headers",
    "extra_query",
}
BY_CALL: Final = frozenset({"messages", "modelId", "system"})
"""Fields of a request that a call decides."""
