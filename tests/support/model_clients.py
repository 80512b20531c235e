"""Clients of each kind, over a scripted server, for the tests that hold for all of them.

The SDKs are loaded first, since a client loads its own when it is made, and tests fail where an event loop is blocked.
"""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from importlib import import_module
from typing import Any, ClassVar, Protocol

from symposia.core import FunctionCall
from symposia.core.models import ChatCompletionClient, CreateResult, ModelInfo, RequestUsage
from symposia.core.tools import ToolSchema
from symposia.ext.models.anthropic import AnthropicChatCompletionClient
from symposia.ext.models.openai import OpenAIChatCompletionClient
from symposia.ext.models.replay import ReplayChatCompletionClient
from symposia.testing.model_server import MockModelServer, Raw, Reply


def load_sdks() -> None:
    for module in ("anthropic.types.message_create_params", "httpcore2", "openai.types.chat"):
        import_module(module)


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


@dataclass(frozen=True)
class OpenAI:
    """OpenAI's client; options are the client's own."""

    name: ClassVar[str] = "OpenAI"
    key: ClassVar[str] = "OPENAI_API_KEY"
    model: ClassVar[str] = "gpt-4o"
    extra: ClassVar[str] = "openai"
    client_class: ClassVar[type[ChatCompletionClient]] = OpenAIChatCompletionClient

    def address(self, server: MockModelServer) -> str:
        return server.openai_url

    def client(self, server: MockModelServer, *replies: Answer, **options: Any) -> ChatCompletionClient:
        server.script(*replies)
        given: Any = {"model": self.model, "api_key": "key", "base_url": server.openai_url, "max_retries": 0}
        return OpenAIChatCompletionClient(**{**given, **options})


@dataclass(frozen=True)
class Anthropic:
    """Anthropic's client; options are the client's own."""

    name: ClassVar[str] = "Anthropic"
    key: ClassVar[str] = "ANTHROPIC_API_KEY"
    model: ClassVar[str] = "claude-sonnet-4-6"
    extra: ClassVar[str] = "anthropic"
    client_class: ClassVar[type[ChatCompletionClient]] = AnthropicChatCompletionClient

    def address(self, server: MockModelServer) -> str:
        return server.anthropic_url

    def client(self, server: MockModelServer, *replies: Answer, **options: Any) -> ChatCompletionClient:
        server.script(*replies)
        given: Any = {"model": self.model, "api_key": "key", "base_url": server.anthropic_url, "max_retries": 0}
        return AnthropicChatCompletionClient(**{**given, **options})


class Replay:
    """The replay client, which asks no server."""

    def client(self, server: MockModelServer, *replies: Reply) -> ChatCompletionClient:
        return ReplayChatCompletionClient([_answer(reply) for reply in replies], model_info=ABLE)


Vendor = OpenAI | Anthropic
VENDORS: tuple[Vendor, ...] = (OpenAI(), Anthropic())
KINDS: tuple[Kind, ...] = (*VENDORS, Replay())


def kind_name(kind: Kind) -> str:
    return type(kind).__name__.lower()


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
