"""The model client of a configuration: which vendor an ``api_type`` names, and what its options are called there."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

from symposia.core.exceptions import InvalidArgumentError, MissingExtraError
from symposia.core.models import ChatCompletionClient, ModelFamily, ModelInfo
from symposia.v02._azure_credentials import token_provider
from symposia.v02.oai._settings import Config, connection_of

if TYPE_CHECKING:
    import openai

CAPABLE: Final = ModelInfo(
    vision=True,
    function_calling=True,
    json_output=True,
    structured_output=True,
    family=ModelFamily.UNKNOWN,
    multiple_system_messages=True,
)
"""As in AutoGen 0.2, the server decides what its model can do."""

MANUAL_CALLS: Final = ("manual_tool_call_instruction", "manual_tool_call_step1", "manual_tool_call_step2")
GOOGLE_CLOUD: Final = "https://www.googleapis.com/auth/cloud-platform"


@dataclass(frozen=True)
class Vendor:
    """How the models of a vendor are asked.

    Attributes:
        make: Makes a client of the connection and of what goes with every request, ``model`` among it.
        is_openai: Whether requests are in OpenAI's format, so that messages go as the program wrote them.
    """

    make: Callable[[Config, Config], ChatCompletionClient]
    is_openai: bool = False


def vendor_of(config: Config) -> Vendor:
    """The vendor that the ``api_type`` of a configuration begins with: by default a server with OpenAI's format."""
    api_type = str(config.get("api_type") or "").lower()
    return next((vendor for name, vendor in VENDORS.items() if api_type.startswith(name)), OPENAI)


def make_client(config: Config, arguments: Mapping[str, Any]) -> ChatCompletionClient:  # Any: JSON
    """The client of a configuration.

    Args:
        config: The configuration.
        arguments: What goes with every request.

    Raises:
        MissingExtraError: The vendor's SDK is not installed.
        UsageError: The vendor's client does not take the configuration; also `openai.OpenAIError`.
    """
    return vendor_of(config).make(connection_of(config), {"model_info": CAPABLE, **arguments})


def make_client_by_name(config: Config, arguments: Mapping[str, Any]) -> ChatCompletionClient:  # Any: JSON
    """As `make_client`, but the name of the model says what it can do, and the client can be saved where it can.

    Args:
        config: The configuration.
        arguments: What goes with every request; ``model_info`` says what a model can do whose name is not known.

    Raises:
        MissingExtraError: As `make_client`.
        UsageError: As `make_client`.
    """
    connection, vendor = connection_of(config), vendor_of(config)
    if vendor is not OPENAI or "http_client" in connection:
        return vendor.make(connection, dict(arguments))
    from symposia.ext.models.openai import OpenAIChatCompletionClient  # noqa: PLC0415 - each vendor by itself

    return OpenAIChatCompletionClient(**connection, **arguments)


def _openai(connection: Config, arguments: Config) -> ChatCompletionClient:
    from symposia.ext.models.openai import BaseOpenAIChatCompletionClient  # noqa: PLC0415 - each vendor by itself

    client = _sdk_client(connection)
    model_info = arguments.pop("model_info", None)
    return BaseOpenAIChatCompletionClient(client, create_args=arguments, model_info=model_info)


def _sdk_client(connection: Config) -> openai.AsyncOpenAI:
    try:
        from openai import AsyncOpenAI  # noqa: PLC0415 - takes a second
    except ImportError as error:
        raise MissingExtraError("A model of OpenAI, or of a server with its format,", "openai") from error
    http_client = connection.get("http_client")
    if http_client is not None and not hasattr(http_client, "aclose"):
        raise InvalidArgumentError(
            f"http_client is a {type(http_client).__qualname__}, and requests are asynchronous here: give an "
            "httpx.AsyncClient with the same options. An agent copies its configuration, so let a subclass of it have "
            "a __deepcopy__ that returns self."
        )
    return AsyncOpenAI(**connection)


def _compatible(base_url: str, key: str) -> Callable[[Config, Config], ChatCompletionClient]:
    def make(connection: Config, arguments: Config) -> ChatCompletionClient:
        return _openai({"base_url": base_url, "api_key": os.environ.get(key), **connection}, arguments)

    return make


def _azure(connection: Config, arguments: Config) -> ChatCompletionClient:
    from symposia.ext.models.openai import AzureOpenAIChatCompletionClient  # noqa: PLC0415 - each vendor by itself

    options = {**connection, **arguments}
    if "base_url" in options:
        options["azure_endpoint"] = options.pop("base_url")
    options["model"] = options.get("model") or options.get("azure_deployment")
    deployment = str(options.get("azure_deployment") or options["model"] or "")
    options["azure_deployment"] = deployment.replace(".", "")  # Azure allows no dots in its names
    if options.get("azure_ad_token_provider") is not None:
        options["azure_ad_token_provider"] = token_provider(options["azure_ad_token_provider"])
    return AzureOpenAIChatCompletionClient(**options)


def _anthropic(connection: Config, arguments: Config) -> ChatCompletionClient:
    from symposia.ext.models import anthropic  # noqa: PLC0415 - each vendor by itself

    arguments = _renamed(arguments, {"stop": "stop_sequences"})
    aws = {
        name: connection.pop(f"aws_{name}", None) for name in ("access_key", "secret_key", "session_token", "region")
    }
    aws["profile"] = connection.pop("aws_profile_name", None)
    project, region = connection.pop("gcp_project_id", None), connection.pop("gcp_region", None)
    token = connection.pop("gcp_access_token", None) or connection.pop("gcp_auth_token", None)
    given: Config
    if given := {f"aws_{name}": value for name, value in aws.items() if value is not None}:
        return anthropic.AnthropicBedrockChatCompletionClient(
            **connection, **arguments, bedrock_info=cast("Any", given)
        )  # Any: its keys are checked there
    if project is not None or region is not None:
        vertex = {"project_id": project, "region": region, "access_token": token}
        given = {name: value for name, value in vertex.items() if value is not None}
        return anthropic.AnthropicVertexChatCompletionClient(**connection, **arguments, **given)
    return anthropic.AnthropicChatCompletionClient(**connection, **arguments)


def _google(connection: Config, arguments: Config) -> ChatCompletionClient:
    from symposia.ext.models.gemini import GeminiChatCompletionClient  # noqa: PLC0415 - each vendor by itself

    connection = _renamed(connection, {"project_id": "project"})
    if (path := connection.pop("google_application_credentials", None)) is not None:
        connection["credentials"] = _service_account(path)
    if connection.keys() & {"project", "location", "credentials"}:
        connection["vertexai"] = True
    elif (key := os.environ.get("GOOGLE_GEMINI_API_KEY")) is not None:  # the name of 0.2
        connection = {"api_key": key, **connection}
    arguments = _renamed(
        arguments, {"max_tokens": "max_output_tokens", "stop": "stop_sequences", "n": "candidate_count"}
    )
    arguments.pop("response_validation", None)  # an answer that is blocked is always an error
    return GeminiChatCompletionClient(**connection, **arguments)


def _service_account(path: str) -> object:
    try:
        from google.oauth2.service_account import Credentials  # noqa: PLC0415 - only such configurations need it
    except ImportError as error:
        raise MissingExtraError("google_application_credentials", "gemini") from error
    make = cast("Callable[..., object]", Credentials.from_service_account_file)  # pyright: ignore[reportUnknownMemberType] - untyped
    return make(path, scopes=[GOOGLE_CLOUD])


def _mistral(connection: Config, arguments: Config) -> ChatCompletionClient:
    from symposia.ext.models.mistral import MistralChatCompletionClient  # noqa: PLC0415 - each vendor by itself

    return MistralChatCompletionClient(**connection, **arguments)


def _ollama(connection: Config, arguments: Config) -> ChatCompletionClient:
    from symposia.ext.models.ollama import OllamaChatCompletionClient  # noqa: PLC0415 - each vendor by itself

    connection = _renamed(connection, {"client_host": "host", "base_url": "host"})
    arguments = _renamed(arguments, {"num_predict": "max_tokens"})
    _refuse("Ollama", arguments, MANUAL_CALLS, "its models are told of tools natively")
    if arguments.pop("native_tool_calls", True) is not True:
        raise InvalidArgumentError("native_tool_calls is False: Ollama's models are told of tools natively here.")
    return OllamaChatCompletionClient(**connection, **arguments)


def _bedrock(connection: Config, arguments: Config) -> ChatCompletionClient:
    from symposia.ext.models.bedrock import BedrockChatCompletionClient  # noqa: PLC0415 - each vendor by itself

    names = {
        "aws_region": "region_name",
        "aws_access_key": "aws_access_key_id",
        "aws_secret_key": "aws_secret_access_key",
        "aws_profile_name": "profile_name",
    }
    connection, arguments = _renamed(connection, names), _renamed(arguments, {"stop": "stop_sequences"})
    if arguments.pop("supports_system_prompts", True) is not True:
        raise InvalidArgumentError(
            "supports_system_prompts is False: instructions are sent as a system prompt. For a model without it, give "
            "the agent an empty system_message, and the instructions in the first message."
        )
    own = {name: arguments.pop(name) for name in ("k", "top_k", "seed") if name in arguments}
    if own:
        arguments["additionalModelRequestFields"] = {**arguments.get("additionalModelRequestFields", {}), **own}
    return BedrockChatCompletionClient(**connection, **arguments)


_cohere_compatible = _compatible("https://api.cohere.ai/compatibility/v1", "COHERE_API_KEY")


def _cohere(connection: Config, arguments: Config) -> ChatCompletionClient:
    _refuse("Cohere", arguments, ("k", "preamble"), "OpenAI's format has neither; a preamble is a system_message")
    if (name := arguments.pop("client_name", None)) is not None:
        given = cast("Mapping[str, str]", connection.get("default_headers") or {})
        connection = {**connection, "default_headers": {"X-Client-Name": name, **given}}
    return _cohere_compatible(connection, _renamed(arguments, {"p": "top_p"}))


def _refuse(vendor: str, arguments: Config, names: Sequence[str], reason: str) -> None:
    if given := [name for name in names if name in arguments]:
        raise InvalidArgumentError(f"{vendor} takes no {' and no '.join(given)} here: {reason}. Leave it out.")


def _renamed(options: Config, names: Mapping[str, str]) -> Config:
    return {names.get(name, name): value for name, value in options.items()}


OPENAI: Final = Vendor(_openai, is_openai=True)
VENDORS: Final[Mapping[str, Vendor]] = {
    "azure": Vendor(_azure, is_openai=True),
    "anthropic": Vendor(_anthropic),
    "google": Vendor(_google),
    "mistral": Vendor(_mistral),
    "ollama": Vendor(_ollama),
    "bedrock": Vendor(_bedrock),
    "cerebras": Vendor(_compatible("https://api.cerebras.ai/v1", "CEREBRAS_API_KEY"), is_openai=True),
    "cohere": Vendor(_cohere, is_openai=True),
    "groq": Vendor(_compatible("https://api.groq.com/openai/v1", "GROQ_API_KEY"), is_openai=True),
    "together": Vendor(_compatible("https://api.together.xyz/v1", "TOGETHER_API_KEY"), is_openai=True),
}
"""By what an ``api_type`` begins with."""
