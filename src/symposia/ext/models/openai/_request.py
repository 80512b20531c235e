"""Requests of Chat Completions: messages, tools, the form of the answer, and the arguments that go with them."""

from __future__ import annotations

import hashlib
import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias, cast

from pydantic import BaseModel
from typing_extensions import override

from symposia._program_line import level_outside
from symposia.core import Image
from symposia.core.models import (
    AssistantMessage,
    FunctionExecutionResult,
    LLMMessage,
    SystemMessage,
    UserMessage,
)
from symposia.core.tools import Tool, ToolSchema
from symposia.ext.models._encoded_json import EncodedObject
from symposia.ext.models._message_writers import BaseMessageWriter
from symposia.ext.models._strict_schemas import strict_format, strict_parameters
from symposia.ext.models._tool_calls import write_call
from symposia.ext.models._tool_descriptions import check_tool_name, function_description, tool_schema
from symposia.ext.models._wire_format import Body, ChatRequest, JsonOutput, ToolChoice, without_none
from symposia.ext.models.openai._answer import with_opaque_fields
from symposia.ext.models.openai._profiles import OpenAIProfile

Wire: TypeAlias = dict[str, object]

NAME_LIMIT: Final = 64
REASONING: Final = "reasoning_content"
REASONING_HOSTS: Final = ("deepseek.com", "moonshot.ai", "moonshot.cn")
"""The services that refuse a conversation in which an answer of the model lacks its reasoning."""
_NOT_IN_NAMES: Final = re.compile(r"[\s<|\\/>]")
SAMPLING: Final = (
    "temperature",
    "top_p",
    "presence_penalty",
    "frequency_penalty",
    "logprobs",
    "top_logprobs",
    "logit_bias",
)
_TOOL_NAME: Final = re.compile(r"[a-zA-Z0-9_-]{1,64}")


@dataclass(frozen=True, kw_only=True, slots=True)
class MessageWriter(BaseMessageWriter[tuple[EncodedObject, ...]]):
    """Writes messages in OpenAI's format, in which each result of a tool is a message of its own.

    Attributes:
        add_name_prefixes: Whether a user message begins with the name of its source.
        include_name_in_message: Whether a user message has the name of its source in its ``name`` field.
        blocks: The key of the `VendorBlocks` of answers that may go back, as `blocks_key` gives it.
    """

    add_name_prefixes: bool
    include_name_in_message: bool
    blocks: str

    @override
    def system(self, message: SystemMessage, /) -> tuple[EncodedObject, ...]:
        return (EncodedObject(role="system", content=message.content),)

    @override
    def user(self, message: UserMessage, /) -> tuple[EncodedObject, ...]:
        wire = EncodedObject(role="user", content=self.user_content(message, named=self.add_name_prefixes))
        if self.include_name_in_message and (name := _NOT_IN_NAMES.sub("_", message.source)[:NAME_LIMIT]):
            wire["name"] = name
        return (wire,)

    @override
    def assistant(self, message: AssistantMessage, /) -> tuple[EncodedObject, ...]:
        if isinstance(message.content, str):
            return (EncodedObject(role="assistant", content=message.content),)
        if not message.content:  # an empty list is refused
            return (EncodedObject(role="assistant", content=message.thought or ""),)
        calls = [write_call(call.id, call.name, call.arguments) for call in message.content]
        written: Wire = {"role": "assistant", "content": message.thought}
        return (EncodedObject(with_opaque_fields(written, calls, message, self.blocks)),)

    @override
    def results(self, results: Sequence[FunctionExecutionResult], /) -> tuple[EncodedObject, ...]:
        return tuple(EncodedObject(role="tool", tool_call_id=one.call_id, content=one.content) for one in results)

    def user_content(self, message: UserMessage, *, named: bool) -> str | list[Wire]:
        """What a message to the model says.

        Args:
            message: The message.
            named: Whether it begins with the name of its source.
        """
        prefix = f"{message.source} said:\n" if named else ""
        content = message.content or ""  # an empty list is refused
        if isinstance(content, str):
            return prefix + content
        return [self.part(part) for part in ([prefix, *content] if prefix else content)]

    def part(self, part: str | Image) -> Wire:
        """A text or an image."""
        if isinstance(part, str):
            return {"type": "text", "text": part}
        self.check_vision()
        return part.to_openai_format()


def with_reasoning(messages: Sequence[EncodedObject], *, always: bool) -> Sequence[EncodedObject]:
    """The messages, where all of the assistant have a field for its reasoning if one has it.

    DeepSeek answers with status 400 if a call comes back without the reasoning before it, and Moonshot's Kimi likewise.
    Both take an empty text for an answer that had none: one of a model that did not think this time, or of another
    vendor (https://api-docs.deepseek.com/guides/thinking_mode). Other servers may refuse a field that they do not know,
    so one that is not known to want it is sent it only in a conversation that has it from there.

    Args:
        messages: The messages of a request.
        always: Whether the service is known to want it.
    """
    # A list, since a generator would take a step of the interpreter for each message.
    if not always and True not in [REASONING in message for message in messages]:
        return messages
    return [
        EncodedObject(message, **{REASONING: ""})
        if message["role"] == "assistant" and REASONING not in message
        else message
        for message in messages
    ]


def adapt_arguments(model: str, arguments: Mapping[str, object], profile: OpenAIProfile) -> Body:
    """The arguments that every request carries, without what this model refuses.

    A reasoning model has another name for ``max_tokens``, and no sampling parameters while it reasons; those are left
    out with a warning, so that a program written for another model runs.
    """
    body: Body = {"model": model, **without_none(arguments)}
    if profile.effort is None:
        return body
    if "max_tokens" in body:
        body.setdefault("max_completion_tokens", body.pop("max_tokens"))
    if body.get("reasoning_effort", profile.effort) != "none" and (
        refused := [name for name in SAMPLING if name in body]
    ):
        warnings.warn(
            f"Model {model!r} takes no {', '.join(refused)} while it reasons: left out of its requests.",
            stacklevel=level_outside(1),
        )
        body = {name: value for name, value in body.items() if name not in refused}
    return body


def cache_key(messages: Sequence[LLMMessage]) -> str:
    """The same key for all requests of one conversation, 32 hexadecimal digits.

    OpenAI sends requests of one key to the machine that has their beginning in its cache. The key stands for the first
    system messages and the first text behind them. A key for the instructions alone was rejected: all conversations of
    a popular agent would be sent to one machine, which passes the requests on above some fifteen a minute.
    """
    first = next((place for place, message in enumerate(messages) if not isinstance(message, SystemMessage)), 0)
    texts = (message.content for message in messages[: first + 1] if isinstance(message.content, str))
    return hashlib.sha256("\0".join(texts).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def write_request(
    arguments: Body, messages: Sequence[object], request: ChatRequest, *, tools_effort: str | None, stream: bool
) -> Body:
    """The whole request."""
    body: Body = {**arguments, "messages": messages}
    if stream:
        body.setdefault("stream_options", {"include_usage": True})  # a streamed answer has no usage otherwise
        body["stream"] = True
    else:
        body.pop("stream_options", None)  # refused where nothing is streamed
    if request.tools:
        body["tools"] = [write_tool(tool) for tool in request.tools]
        body["tool_choice"] = write_tool_choice(request.tool_choice)
        if tools_effort is not None:
            body.setdefault("reasoning_effort", tools_effort)
    else:
        body.pop("parallel_tool_calls", None)  # refused where there are no tools
    if (response_format := write_response_format(request.json_output)) is not None:
        body["response_format"] = response_format
    # The caller's own arguments come last, so that they win over all that was derived. A model class among them is
    # still to be turned into a schema.
    body.update(request.extra_create_args)
    if isinstance(schema := body.get("response_format"), type):
        body["response_format"] = write_response_format(cast("type[BaseModel]", schema))
    return body


def write_tool(tool: Tool | ToolSchema) -> dict[str, object]:
    """The description of a tool for the model.

    Raises:
        InvalidArgumentError: OpenAI does not allow its name.
    """
    schema = tool_schema(tool)
    check_tool_name(schema, _TOOL_NAME, "OpenAI allows 1 to 64 letters, digits, underscores and hyphens")
    function = {**function_description(schema), "strict": schema.get("strict", False)}
    if function["strict"]:
        function["parameters"] = strict_parameters(cast("Mapping[str, object]", function["parameters"]))
    return {"type": "function", "function": function}


def write_tool_choice(choice: ToolChoice) -> object:
    """Whether the model may, must or must not call a tool."""
    return {"type": "function", "function": {"name": choice.name}} if isinstance(choice, Tool) else choice


def write_response_format(wanted: JsonOutput) -> object | None:
    """The form of the answer; None leaves it to the vendor."""
    match wanted:
        case None:
            return None
        case True:
            return {"type": "json_object"}
        case False:
            return {"type": "text"}
        case schema:
            return strict_format(schema)
