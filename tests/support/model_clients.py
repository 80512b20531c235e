"""Clients of each kind, over a scripted server, for the tests that hold for all of them.

The SDKs are loaded first, since a client loads its own when it is made, and tests fail where an event loop is blocked.
"""

import json
import platform
from base64 import b64decode
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Protocol

from symposia.core import FunctionCall
from symposia.core.models import ChatCompletionClient, CreateResult, ModelInfo, RequestUsage
from symposia.core.tools import ToolSchema
from symposia.ext._litellm import load as load_litellm
from symposia.ext.models.anthropic import (
    AnthropicBedrockChatCompletionClient,
    AnthropicChatCompletionClient,
    AnthropicVertexChatCompletionClient,
)
from symposia.ext.models.azure import AzureAIChatCompletionClient
from symposia.ext.models.bedrock import BedrockChatCompletionClient
from symposia.ext.models.bedrock._client import converse_arguments
from symposia.ext.models.cache import ChatCompletionCache
from symposia.ext.models.concurrency import ConcurrencyLimitedClient
from symposia.ext.models.fallback import FallbackClient
from symposia.ext.models.gemini import GeminiChatCompletionClient
from symposia.ext.models.litellm import LiteLLMChatCompletionClient
from symposia.ext.models.litellm._profiles import known_models
from symposia.ext.models.mistral import MistralChatCompletionClient
from symposia.ext.models.ollama import OllamaChatCompletionClient
from symposia.ext.models.openai import (
    AzureOpenAIChatCompletionClient,
    OpenAIChatCompletionClient,
    OpenAIResponsesClient,
)
from symposia.ext.models.rate_limit import RateLimitedClient
from symposia.ext.models.replay import ReplayChatCompletionClient
from symposia.ext.models.retry import RetryingClient
from symposia.ext.models.routing import RoutingClient
from symposia.testing.model_server import (
    MockModelServer,
    Raw,
    Reply,
    _anthropic,
    _anthropic_bedrock,
    _anthropic_vertex,
    _bedrock,
    _gemini,
    _mistral,
    _ollama,
    _openai,
    _openai_responses,
)
from symposia.testing.model_server._event_frames import event_type_of, exception, frame, payload_of
from symposia.testing.model_server._wire_format import WireFormat


def load_sdks() -> None:
    for module in (
        "anthropic.types.message_create_params",
        "aiohttp",
        "azure.ai.inference.aio",
        "boto3",
        "botocore.auth",
        "botocore.session",
        "google.auth.exceptions",
        "httpcore2",
        "openai.types.chat",
        "openai.types.responses.response_create_params",
        "google.genai.types",
        "mistralai.client.models",
        "ollama",
        "tenacity",
    ):
        import_module(module)
    if find_spec("litellm") is not None:  # apart
        load_litellm()
        known_models()
    converse_arguments()
    platform.platform()  # runs a program once in a process: Azure's SDK tells the machine in a header


load_sdks()

Answer = Reply | Raw

ABLE = ModelInfo(vision=True, function_calling=True, json_output=True, family="unknown", structured_output=True)
ADD = ToolSchema(
    name="add",
    description="Add two numbers.",
    parameters={"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}}},
)


class Kind(Protocol):
    """A kind of client."""

    def client(self, server: MockModelServer, *replies: Reply) -> ChatCompletionClient:
        """One that gives these answers."""
        ...


class Vendor:
    """A vendor's client, and what tests have to know of its wire format.

    Attributes:
        name: As errors and tests name the wire format.
        provider: As traces name the vendor.
        wire: The server's end of the format.
        like: A model that is not known, and the family that it is taken to be of.
        messages: The field of a request with its messages.
        limit: The field with the most tokens of an answer.
        parameters: The field with the schema of a tool's arguments.
        own_argument: An argument of the vendor's that has no name in the client's options.
        end_marker: What an answer's stream has to hold, and how errors call it.
        end_mark: The bytes of the end marker in a stream.
        refused_name: The name of a tool that the vendor refuses; None if it takes any.
        module: The package of the client, and its SDK.
        needs_key: Whether a client needs an API key.
        refusals: What errors say by status, and advise, where requests have other credentials than a key.
        secret: The option with the key.
        has_key: Whether the environment may hold the key itself.
        retries: Whether the SDK tries again.
        filters: Whether the vendor says that a filter stopped an answer.
        names_answers: Whether answers have an id.
        names_models: Whether answers name the model.
        counts_parts: Whether the vendor says how many tokens came from a cache, and were reasoning.
        headers: The option with the headers of every request.
        png: How a request with an image says that it is a PNG.
        line_breaks: Whether the events of a stream end with line breaks.
    """

    name: str
    client_class: type[ChatCompletionClient]
    provider: str
    key: str
    model: str
    extra: str
    module: tuple[str, str]
    wire: WireFormat
    like: tuple[str, str]
    messages: str
    limit: str
    parameters: str
    own_argument: str
    end_marker: str
    end_mark: bytes
    refused_name: str | None = "add.two"
    needs_key = True
    secret = "api_key"
    has_key = True
    retries = True
    filters = True
    names_answers = True
    names_models = True
    counts_parts = True
    headers = "default_headers"
    png = "image/png"
    line_breaks = True
    refusals: Mapping[int, tuple[str, str]] = {}

    def sent_tool(self, body: Any) -> Any:
        """The first tool of a request, with its name and description."""
        sent = body["tools"][0]
        return sent.get("function", sent)

    def sent_limit(self, body: Any) -> Any:
        """The most tokens of an answer that a request allows."""
        return body[self.limit]

    def frame(self, event: bytes) -> bytes:
        """An event as it stands in a stream."""
        return b"event: message\ndata: " + event + b"\n\n"

    def unframe(self, event: bytes) -> bytes:
        """The data of an event of a stream."""
        return event.strip().rpartition(b"data: ")[2]

    def address(self, server: MockModelServer) -> str:
        """Where requests go."""
        return server.openai_url

    def at(self, address: str) -> dict[str, Any]:
        """The options of a client for the server at an address."""
        return {"base_url": address}

    def client(self, server: MockModelServer, *replies: Answer, **options: Any) -> ChatCompletionClient:
        """One that gives these answers; options are the client's own."""
        server.script(*replies)
        given: Any = {"model": self.model, **self.usual_options, **self.at(self.address(server))}
        return self.client_class(**{**given, **options})

    @property
    def usual_options(self) -> dict[str, Any]:
        """The options of every client here."""
        return {"api_key": "key", "max_retries": 0}


class OpenAI(Vendor):
    """OpenAI over Chat Completions."""

    name = "OpenAI"
    client_class = OpenAIChatCompletionClient
    provider = "openai"
    key = "OPENAI_API_KEY"
    model = "gpt-4o"
    extra = "openai"
    module = ("openai", "openai")
    wire = _openai
    like = ("gpt-4.19", "gpt-41")
    messages = "messages"
    limit = "max_tokens"
    parameters = "parameters"
    own_argument = "store"
    end_marker = "finish_reason"
    end_mark = b'"finish_reason": "tool_calls"'


class OpenAIResponses(OpenAI):
    """OpenAI over the Responses API."""

    name = "OpenAIResponses"
    client_class = OpenAIResponsesClient
    wire = _openai_responses
    messages = "input"
    limit = "max_output_tokens"
    own_argument = "safety_identifier"
    end_marker = "response.completed"
    end_mark = b"response.completed"


class AzureOpenAI(OpenAI):
    """OpenAI's models at Azure, where an address names the deployment."""

    name = "AzureOpenAI"
    client_class = AzureOpenAIChatCompletionClient
    provider = "azure.ai.openai"
    key = "AZURE_OPENAI_API_KEY"

    def address(self, server: MockModelServer) -> str:
        return f"{server.url}/openai/deployments/mine"

    def at(self, address: str) -> dict[str, Any]:
        return {"base_url": address, "api_version": "2024-10-21"}


class Anthropic(Vendor):
    """Anthropic over the Messages API."""

    name = "Anthropic"
    client_class = AnthropicChatCompletionClient
    provider = "anthropic"
    key = "ANTHROPIC_API_KEY"
    model = "claude-sonnet-4-6"
    extra = "anthropic"
    module = ("anthropic", "anthropic")
    wire = _anthropic
    like = ("claude-opus-4-99", "claude-4-opus")
    messages = "messages"
    limit = "max_tokens"
    parameters = "input_schema"
    own_argument = "inference_geo"
    end_marker = "message_stop"
    end_mark = b"message_stop"

    def address(self, server: MockModelServer) -> str:
        return server.anthropic_url


class AzureAI(OpenAI):
    """Models at Azure AI, in OpenAI's format and through Azure's SDK."""

    name = "AzureAI"
    client_class = AzureAIChatCompletionClient
    provider = "azure.ai.inference"
    key = "AZURE_INFERENCE_CREDENTIAL"
    extra = "azure-ai"
    module = ("azure", "azure.ai.inference")
    own_argument = "logprobs"
    secret = "credential"

    def at(self, address: str) -> dict[str, Any]:
        return {"endpoint": address}

    @property
    def usual_options(self) -> dict[str, Any]:
        return {"credential": "key", "max_retries": 0}


AWS_REFUSALS = {
    401: ("refused the credentials", "{key}, keys in AWS_ACCESS_KEY_ID, the profile"),
    403: ("refused access", "Renew them, as by `aws sso login`."),
}


class AnthropicBedrock(Anthropic):
    """Anthropic's models at Amazon Bedrock, over binary events, with an API key of Bedrock's."""

    name = "AnthropicBedrock"
    client_class = AnthropicBedrockChatCompletionClient
    provider = "aws.bedrock"
    key = "AWS_BEARER_TOKEN_BEDROCK"
    model = "us.anthropic.claude-sonnet-4-6-v1:0"
    extra = "anthropic-bedrock"
    wire = _anthropic_bedrock
    like = ("anthropic.claude-opus-4-99-v1:0", "claude-4-opus")
    end_mark = _anthropic_bedrock.chunk(b'{"type": "message_stop"}')
    needs_key = False  # AWS credentials of the machine will do
    refusals = AWS_REFUSALS

    def frame(self, event: bytes) -> bytes:
        return _anthropic_bedrock.chunk(event)

    def unframe(self, event: bytes) -> bytes:
        return b64decode(json.loads(payload_of(event))["bytes"])

    @property
    def usual_options(self) -> dict[str, Any]:
        return {**super().usual_options, "bedrock_info": {"aws_region": "us-west-2"}}


class AnthropicVertex(Anthropic):
    """Anthropic's models at Vertex AI, with a token."""

    name = "AnthropicVertex"
    client_class = AnthropicVertexChatCompletionClient
    provider = "gcp.vertex_ai"
    key = "GOOGLE_APPLICATION_CREDENTIALS"
    model = "claude-sonnet-4-6@20260217"
    extra = "anthropic-vertex"
    wire = _anthropic_vertex
    like = ("claude-opus-4-99@20270101", "claude-4-opus")
    needs_key = False
    secret = "access_token"
    has_key = False
    refusals: Mapping[int, tuple[str, str]] = {
        401: ("refused the credentials", "file in the environment variable {key}, of gcloud, or of the machine."),
        403: ("refused access", "Log in with `gcloud auth application-default login`"),
    }

    def address(self, server: MockModelServer) -> str:
        return f"{server.url}/v1"

    @property
    def usual_options(self) -> dict[str, Any]:
        return {"access_token": "token", "region": "global", "project_id": "acme", "max_retries": 0}


class Bedrock(Vendor):
    """Models at Amazon Bedrock over Converse, with an API key of Bedrock's."""

    name = "Bedrock"
    client_class = BedrockChatCompletionClient
    provider = "aws.bedrock"
    key = "AWS_BEARER_TOKEN_BEDROCK"
    model = "us.anthropic.claude-sonnet-4-6-v1:0"
    extra = "bedrock"
    module = ("bedrock", "botocore")
    wire = _bedrock
    like = ("amazon.nova-9-ultra-v1:0", "nova")
    messages = "messages"
    limit = "maxTokens"
    parameters = "inputSchema"
    own_argument = "promptVariables"
    end_marker = "messageStop"
    end_mark = b"messageStop"
    needs_key = False  # AWS credentials of the machine will do
    refusals = AWS_REFUSALS
    names_answers = False
    names_models = False
    counts_parts = False
    png = '"png"'
    line_breaks = False

    def address(self, server: MockModelServer) -> str:
        return server.url

    @property
    def usual_options(self) -> dict[str, Any]:
        return {**super().usual_options, "region_name": "us-west-2"}

    def sent_tool(self, body: Any) -> Any:
        spec = body["toolConfig"]["tools"][0]["toolSpec"]
        return {**spec, "inputSchema": spec["inputSchema"]["json"]}

    def sent_limit(self, body: Any) -> Any:
        return body["inferenceConfig"][self.limit]

    def frame(self, event: bytes) -> bytes:
        try:
            [(kind, data)] = json.loads(event).items()
        except (ValueError, AttributeError, RecursionError):  # a broken event, or an error with two fields
            if b'"error"' in event:
                return exception("overloaded_error", json.loads(event)["error"]["message"])
            return frame(event, "contentBlockDelta")
        return frame(json.dumps(data).encode(), kind)

    def unframe(self, event: bytes) -> bytes:
        return b'{"%b": %b}' % (event_type_of(event).encode(), payload_of(event))


class Gemini(Vendor):
    """Google over `generateContent`."""

    name = "Gemini"
    client_class = GeminiChatCompletionClient
    provider = "gcp.gemini"
    key = "GEMINI_API_KEY"
    model = "gemini-3.8-flash"
    extra = "gemini"
    module = ("gemini", "google.genai")
    wire = _gemini
    like = ("gemini-2.5-flashy", "gemini-2.5-flash")
    messages = "contents"
    limit = "maxOutputTokens"
    parameters = "parametersJsonSchema"
    own_argument = "store"
    end_marker = "finishReason"
    end_mark = b"finishReason"
    refused_name = "add two"

    def address(self, server: MockModelServer) -> str:
        return server.url

    @property
    def usual_options(self) -> dict[str, Any]:
        return {**super().usual_options, "http_options": {"retry_options": {"initial_delay": 0.001, "jitter": 0}}}

    def sent_tool(self, body: Any) -> Any:
        return body["tools"][0]["functionDeclarations"][0]

    def sent_limit(self, body: Any) -> Any:
        return body["generationConfig"][self.limit]


class Ollama(Vendor):
    """An Ollama server."""

    name = "Ollama"
    client_class = OllamaChatCompletionClient
    provider = "ollama"
    key = "OLLAMA_API_KEY"
    model = "mistral-small3.1"
    extra = "ollama"
    module = ("ollama", "ollama")
    wire = _ollama
    like = ("qwen3.9", "unknown")
    messages = "messages"
    limit = "num_predict"
    parameters = "parameters"
    own_argument = "logprobs"
    end_marker = '"done": true'
    end_mark = b'"done": true'
    refused_name = None
    needs_key = False
    retries = False
    filters = False
    names_answers = False
    counts_parts = False
    headers = "headers"
    png = ""

    def address(self, server: MockModelServer) -> str:
        return server.url

    def at(self, address: str) -> dict[str, Any]:
        return {"host": address}

    @property
    def usual_options(self) -> dict[str, Any]:
        return {"api_key": "key"}

    def sent_limit(self, body: Any) -> Any:
        return body["options"][self.limit]

    def frame(self, event: bytes) -> bytes:
        return event + b"\n"

    def unframe(self, event: bytes) -> bytes:
        return event.strip()


class Mistral(Vendor):
    """Mistral over its chat."""

    name = "Mistral"
    client_class = MistralChatCompletionClient
    provider = "mistral_ai"
    key = "MISTRAL_API_KEY"
    model = "mistral-medium-3-5"
    extra = "mistral"
    module = ("mistral", "mistralai")
    wire = _mistral
    like = ("magistral-9b", "magistral")
    messages = "messages"
    limit = "max_tokens"
    parameters = "parameters"
    own_argument = "safe_prompt"
    end_marker = "finish_reason"
    end_mark = b'"finish_reason": "tool_calls"'
    filters = False
    counts_parts = False

    def address(self, server: MockModelServer) -> str:
        return server.mistral_url


class LiteLLM(Vendor):
    """OpenAI through LiteLLM, which is installed in an environment of its own."""

    name = "LiteLLM"
    client_class = LiteLLMChatCompletionClient
    provider = "openai"
    key = "OPENAI_API_KEY"
    model = "gpt-4o"
    extra = "litellm"
    module = ("litellm", "litellm")
    wire = _openai
    like = ("gpt-4.19", "gpt-41")
    messages = "messages"
    limit = "max_tokens"
    parameters = "parameters"
    own_argument = "store"
    end_marker = "finish_reason"
    end_mark = b'"finish_reason": "tool_calls"'
    needs_key = False

    @property
    def usual_options(self) -> dict[str, Any]:
        return {**super().usual_options, "custom_llm_provider": "openai"}


class Replay:
    """The replay client, which asks no server."""

    def client(self, server: MockModelServer, *replies: Reply) -> ChatCompletionClient:
        return ReplayChatCompletionClient([_answer(reply) for reply in replies], model_info=ABLE)


@dataclass(frozen=True)
class Wrapped:
    """Wrappers around OpenAI's client."""

    name: str
    wrap: Callable[[ChatCompletionClient], ChatCompletionClient]

    def client(self, server: MockModelServer, *replies: Reply) -> ChatCompletionClient:
        return self.wrap(OPENAI.client(server, *replies))


def _retrying(client: ChatCompletionClient) -> RetryingClient:
    return RetryingClient(client, max_seconds=0)


def _limited(client: ChatCompletionClient) -> RateLimitedClient:
    return RateLimitedClient(client, requests_per_minute=600_000, tokens_per_minute=1e9)


def _concurrent(client: ChatCompletionClient) -> ConcurrencyLimitedClient:
    return ConcurrencyLimitedClient(client, 5)


def _with_fallback(client: ChatCompletionClient) -> FallbackClient:
    return FallbackClient([client, ReplayChatCompletionClient([], model_info=client.model_info)])


def _routed(client: ChatCompletionClient) -> RoutingClient:
    return RoutingClient({"one": client}, lambda call: "one")


WRAPPERS: tuple[Wrapped, ...] = (
    Wrapped("cache", ChatCompletionCache),
    Wrapped("concurrency", _concurrent),
    Wrapped("fallback", _with_fallback),
    Wrapped("rate_limit", _limited),
    Wrapped("retry", _retrying),
    Wrapped("routing", _routed),
)
STACK = Wrapped("all_but_cache", lambda client: FallbackClient([_retrying(_limited(_concurrent(_routed(client))))]))
"""A cache asks once where the contract of vendors counts two requests."""

OPENAI: Vendor = OpenAI()
BEDROCK: Vendor = AnthropicBedrock()
AZURE_AI: Vendor = AzureAI()
ANTHROPIC: Vendor = Anthropic()
GEMINI: Vendor = Gemini()
OLLAMA: Vendor = Ollama()
MISTRAL: Vendor = Mistral()
CONVERSE: Vendor = Bedrock()
FORMATS: tuple[Vendor, ...] = (OPENAI, OpenAIResponses(), ANTHROPIC, GEMINI, OLLAMA, MISTRAL, CONVERSE)
"""One client of each wire format, for tests of answers."""
SDKS: tuple[Vendor, ...] = (OPENAI, ANTHROPIC, GEMINI, OLLAMA, MISTRAL, AZURE_AI, CONVERSE)
"""One client of each SDK, for tests of what is beneath the wire formats."""
VENDORS: tuple[Vendor, ...] = (*FORMATS, AzureOpenAI(), AZURE_AI, BEDROCK, AnthropicVertex())
LITELLM: Vendor = LiteLLM()
APART: tuple[Vendor, ...] = tuple(vendor for vendor in (LITELLM,) if find_spec(vendor.extra) is not None)
"""Those whose extras are not in ``all``, as far as they are installed."""
KINDS: tuple[Kind, ...] = (*VENDORS, *APART, Replay(), *WRAPPERS)


def kind_name(kind: Kind) -> str:
    return (kind.name if isinstance(kind, Vendor | Wrapped) else type(kind).__name__).lower()


async def read(stream: AsyncGenerator[str | CreateResult, None]) -> tuple[list[str], CreateResult]:
    """The pieces of a streamed answer, and the whole that comes last."""
    items = [item async for item in stream]
    *pieces, whole = items
    assert isinstance(whole, CreateResult)
    assert all(isinstance(piece, str) for piece in pieces)
    return [str(piece) for piece in pieces], whole


def _answer(reply: Reply) -> str | CreateResult:
    if not reply.tool_calls:
        return reply.text
    return CreateResult(
        finish_reason="function_calls",
        content=[FunctionCall(id=call.id, name=call.name, arguments=call.arguments) for call in reply.tool_calls],
        usage=RequestUsage(prompt_tokens=reply.usage[0], completion_tokens=reply.usage[1]),
        cached=False,
    )
