"""Model calls as effects."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Sequence
from typing import Literal, Unpack

from pydantic import Field, JsonValue

from symposia.core._function_call import FunctionCall
from symposia.core.effects import EffectKind, EffectRequest
from symposia.core.json_values import JsonObject, as_json
from symposia.core.models._client import ChatCompletionClient, CreateOptions
from symposia.core.models._messages import AssistantMessage, FunctionExecutionResultMessage, LLMMessage
from symposia.core.models._results import CreateResult
from symposia.core.tools import Tool, ToolSchema


class ModelRequest(EffectRequest):
    """A model call.

    Attributes:
        client: The value of `ChatCompletionClient.effect_identity`.
        messages: The conversation. The ids of tool calls are replaced by ``call-1``, ``call-2``, … in order, since a
            vendor draws new ones each time.
        tools: The schemas of what the model may call.
        tool_choice: ``auto``, ``required``, ``none``, or the name of the tool that it must call.
        json_output: The JSON schema of the answer; True for any JSON, False for text, None for the vendor's default.
        arguments: Arguments that are passed on to the vendor.
    """

    kind: Literal["model"] = "model"
    client: dict[str, JsonValue]
    messages: list[LLMMessage]
    tools: list[dict[str, JsonValue]] = Field(default_factory=list[dict[str, JsonValue]])
    tool_choice: str = "auto"
    json_output: dict[str, JsonValue] | bool | None = None
    arguments: dict[str, JsonValue] = Field(default_factory=dict[str, JsonValue])


MODEL_EFFECT = EffectKind("model", ModelRequest, CreateResult)


def call_model(
    client: ChatCompletionClient, messages: Sequence[LLMMessage], **options: Unpack[CreateOptions]
) -> Awaitable[CreateResult]:
    """Ask a model, as an effect.

    Args:
        client: The client.
        messages: The conversation so far.
        options: The keyword arguments of `ChatCompletionClient.create`. Only those given are passed on, so clients that
            do not know all of them work.

    Raises:
        InvalidArgumentError: `extra_create_args` cannot be written as JSON.
        Exception: See `ChatCompletionClient.create`.
    """
    _check_extra_arguments(options)
    return MODEL_EFFECT.perform(
        lambda: _request(client, messages, options),
        lambda: client.create(messages, **options),
        idempotency="idempotent",  # it costs money again, but does no harm
    )


def stream_model(
    client: ChatCompletionClient, messages: Sequence[LLMMessage], **options: Unpack[CreateOptions]
) -> AsyncGenerator[str | CreateResult, None]:
    """Ask a model, as an effect, for an answer in pieces: text as it comes, and last the whole answer.

    Arguments and errors are those of `call_model`.
    """
    _check_extra_arguments(options)
    return MODEL_EFFECT.stream(
        lambda: _request(client, messages, options),
        lambda: client.create_stream(messages, **options),
        result_type=CreateResult,
        idempotency="idempotent",
    )


def _request(client: ChatCompletionClient, messages: Sequence[LLMMessage], options: CreateOptions) -> ModelRequest:
    choice = options.get("tool_choice", "auto")
    json_output = options.get("json_output")
    return ModelRequest(
        client=client.effect_identity(),
        messages=_with_numbered_calls(messages),
        tools=[_schema_of_tool(tool) for tool in options.get("tools", ())],
        tool_choice=choice if isinstance(choice, str) else choice.name,
        json_output=json_output.model_json_schema() if isinstance(json_output, type) else json_output,
        arguments=as_json(options.get("extra_create_args", {}), "extra_create_args"),
    )


def _check_extra_arguments(options: CreateOptions) -> None:
    """Refuse extra arguments that no request can hold, whether or not a handler is installed.

    A program would otherwise work until a journal is added to it.
    """
    if extra := options.get("extra_create_args"):
        as_json(extra, "extra_create_args")


def _schema_of_tool(tool: Tool | ToolSchema) -> JsonObject:
    schema = tool.schema if isinstance(tool, Tool) else tool
    return as_json(schema, f"the schema of the tool {schema['name']!r}")


def _with_numbered_calls(messages: Sequence[LLMMessage]) -> list[LLMMessage]:
    """The messages with ids of tool calls that depend on their order alone."""
    numbers: dict[str, str] = {}

    def numbered(call_id: str) -> str:
        return numbers.setdefault(call_id, f"call-{len(numbers) + 1}")

    def rewritten(message: LLMMessage) -> LLMMessage:
        if isinstance(message, AssistantMessage) and not isinstance(message.content, str):
            calls = [FunctionCall(numbered(call.id), call.arguments, call.name) for call in message.content]
            return message.model_copy(update={"content": calls})
        if isinstance(message, FunctionExecutionResultMessage):
            results = [result.model_copy(update={"call_id": numbered(result.call_id)}) for result in message.content]
            return message.model_copy(update={"content": results})
        return message

    return [rewritten(message) for message in messages]
