"""The options of `AnthropicChatCompletionClient`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Literal, Required

from pydantic import BaseModel
from typing_extensions import TypedDict

from symposia.core.models import ModelCapabilities, ModelInfo


class CreateArguments(TypedDict, total=False):
    """Arguments of every request; see Anthropic's reference of Messages. Its other arguments are taken as well.

    Attributes:
        max_tokens: Most tokens of an answer, thinking included. By default 16,384, or as many as the model gives.
        temperature: For models before Claude 4.7, as are `top_p` and `top_k`; left out with a warning for others.
        response_format: The form of answers where `create` is given none: ``{"type": "json_object"}``, or a model
            class for its schema.
        thinking: Whether and how the model thinks before it answers.
        parallel_tool_calls: Whether an answer may have several tool calls.
        tools: Tools in Anthropic's own format, such as those that run on its servers.
        tool_choice: Which tools are called, where `create` leaves it to the model: ``any`` for at least one, or
            Anthropic's JSON for a certain one.
    """

    max_tokens: int
    temperature: float
    top_p: float
    top_k: int
    stop_sequences: Sequence[str]
    response_format: Mapping[str, str] | type[BaseModel]
    metadata: Mapping[str, str]
    thinking: Mapping[str, object]
    parallel_tool_calls: bool
    tools: Sequence[Mapping[str, object]]
    tool_choice: Literal["auto", "any", "none"] | Mapping[str, object]
    output_config: Mapping[str, object]
    service_tier: str


class BaseAnthropicClientConfiguration(CreateArguments, total=False):
    """The options of all of Anthropic's clients.

    Attributes:
        model: The model's name. A name that this version of symposia does not know works, with a warning.
        api_key: By default, that of the environment variable ``ANTHROPIC_API_KEY``.
        base_url: Where the models are served, if not at Anthropic.
        timeout: Seconds that a request may take.
        max_retries: How often the SDK tries again after a failure that may pass; it honours Retry-After.
        model_info: The abilities of the model, in place of those that its name implies.
        model_capabilities: The former name of `model_info`.
        default_headers: Sent with every request.
        prompt_caching: Whether requests mark what the vendor may keep in its prompt cache: the tools, the system prompt
            and the conversation. By default they do. Reading from the cache costs less than a plain token and writing
            into it more, so switch it off for a program whose requests never begin alike.
    """

    model: Required[str]
    api_key: str
    base_url: str
    timeout: float | None
    max_retries: int
    model_info: ModelInfo
    model_capabilities: ModelCapabilities
    default_headers: Mapping[str, str] | None
    prompt_caching: bool


class AnthropicClientConfiguration(BaseAnthropicClientConfiguration, total=False):
    """The options of `AnthropicChatCompletionClient`."""


class BedrockInfo(TypedDict, total=False):
    """Where Bedrock is, and what requests to it are signed with. Nothing of it is saved with a client.

    Attributes:
        aws_access_key: The id of an access key.
        aws_secret_key: Its secret.
        aws_session_token: The token of temporary credentials.
        aws_region: The region; by default that of ``AWS_REGION``, or of the profile.
        aws_profile: A profile of ``~/.aws``, in place of the keys; by default that of ``AWS_PROFILE``.
    """

    aws_access_key: str
    aws_secret_key: str
    aws_session_token: str | None
    aws_region: str
    aws_profile: str


class AnthropicBedrockClientConfiguration(AnthropicClientConfiguration, total=False):
    """The options of `AnthropicBedrockChatCompletionClient`.

    Attributes:
        api_key: An API key of Bedrock's; by default that of ``AWS_BEARER_TOKEN_BEDROCK``. Requests with one are not
            signed.
        bedrock_info: The region, and the credentials that requests are signed with.
    """

    bedrock_info: BedrockInfo


class AnthropicVertexClientConfiguration(AnthropicClientConfiguration, total=False):
    """The options of `AnthropicVertexChatCompletionClient`, which has no `api_key`.

    Attributes:
        region: The region, or ``global``; by default that of ``CLOUD_ML_REGION``.
        project_id: The project; by default that of ``ANTHROPIC_VERTEX_PROJECT_ID`` or ``GOOGLE_CLOUD_PROJECT``, or else
            the one that the credentials name.
        access_token: A token, which is not renewed.
        credentials: Credentials of ``google.auth``.
    """

    region: str
    project_id: str
    access_token: str
    credentials: object


ARGUMENTS: Final = frozenset(CreateArguments.__annotations__) | {"model", "extra_body", "extra_headers", "extra_query"}
CONNECTION: Final = frozenset({"api_key", "base_url", "timeout", "max_retries", "default_headers"})
VERTEX_CONNECTION: Final = CONNECTION - {"api_key"} | {"region", "project_id", "access_token", "credentials"}
BEHAVIOUR: Final = frozenset({"model_info", "model_capabilities", "prompt_caching"})
BY_CALL: Final = frozenset({"messages", "system", "stream"})  # arguments of the API that a call decides
