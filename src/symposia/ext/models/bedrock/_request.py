"""Requests of Converse: turns, tools, the form of the answer, and the arguments that go with them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, cast

from pydantic import BaseModel
from typing_extensions import override

from symposia.core import FunctionCall, Image
from symposia.core.exceptions import InvalidArgumentError
from symposia.core.models import (
    AssistantMessage,
    FunctionExecutionResult,
)
from symposia.core.tools import Tool, ToolSchema, parameters_schema
from symposia.ext.models._prompts import EMPTY
from symposia.ext.models._strict_schemas import schema_name
from symposia.ext.models._tool_calls import allowed_call_id, arguments_object
from symposia.ext.models._tool_descriptions import check_tool_name, tool_schema
from symposia.ext.models._turns import ReceivedCall, TurnWriter
from symposia.ext.models._wire_format import Body, ChatRequest, JsonObject, ToolChoice, without_none
from symposia.ext.models.bedrock._answer import ANSWER_TOOL, VENDOR, Block, join_text, tool_uses
from symposia.ext.models.bedrock._cache_points import PARTS
from symposia.ext.models.bedrock._profiles import BedrockProfile

INFERENCE: Final[Mapping[str, str]] = {
    "max_tokens": "maxTokens",
    "temperature": "temperature",
    "top_p": "topP",
    "stop_sequences": "stopSequences",
}
"""Arguments that are the same for all models, and what they are called in ``inferenceConfig``."""
_CALL_ID: Final = re.compile(r"[a-zA-Z0-9_.:-]{1,64}")
_TOOL_NAME: Final = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_ANSWER_DESCRIPTION: Final = "Gives the final answer to the user. Call it once, when the answer is complete."
_ANSWER_INSTRUCTION: Final = f"Give the final answer by a call of the tool {ANSWER_TOOL}, and not as text."


@dataclass(frozen=True, kw_only=True, slots=True)
class MessageWriter(TurnWriter):
    """Writes messages in Converse's format.

    Attributes:
        tool_status: Whether the model takes the status of a tool's result.
    """

    VENDOR = VENDOR
    PARTS = PARTS

    tool_status: bool

    @override
    def text_part(self, text: str, /) -> JsonObject:
        return {"text": text}

    @override
    def image_part(self, image: Image, /) -> JsonObject:
        image_format = image.media_type.removeprefix("image/")
        return {"image": {"format": image_format, "source": {"bytes": image.to_base64()}}}

    @override
    def call_parts(self, calls: Sequence[FunctionCall], /) -> list[JsonObject]:
        return [
            {
                "toolUse": {
                    "toolUseId": allowed_call_id(call.id, _CALL_ID),
                    "name": call.name,
                    "input": arguments_object(call.arguments),
                }
            }
            for call in calls
        ]

    @override
    def result_part(self, result: FunctionExecutionResult, /) -> JsonObject:
        content = [self.text_part(result.content if result.content.strip() else EMPTY)]
        block: JsonObject = {"toolUseId": allowed_call_id(result.call_id, _CALL_ID), "content": content}
        if result.is_error and self.tool_status:
            block["status"] = "error"
        return {"toolResult": block}

    @override
    def content_of(self, parts: list[JsonObject], /) -> str | list[ReceivedCall]:
        """See `TurnWriter.content_of`. A call of `ANSWER_TOOL` is a call: no result follows it, as the API demands."""
        blocks = cast("list[Block]", parts)
        return [(use["toolUseId"], use["name"], use["input"]) for use in tool_uses(blocks)] or join_text(blocks)


class QuotingWriter(MessageWriter):
    """Writes calls of tools and their results as text: Bedrock refuses them in a request that offers no tools.

    Rejected: to offer tools all the same, of which the model may call one.
    """

    @override
    def call_parts(self, calls: Sequence[FunctionCall], /) -> list[JsonObject]:
        return [self.text_part(f'<tool_call name="{call.name}">\n{call.arguments}\n</tool_call>') for call in calls]

    @override
    def result_part(self, result: FunctionExecutionResult, /) -> JsonObject:
        return self.text_part(f'<tool_result name="{result.name}">\n{result.content}\n</tool_result>')

    @override
    def received_parts(self, message: AssistantMessage) -> list[JsonObject]:
        return super().received_parts(message) if isinstance(message.content, str) else []


# Arguments -----------------------------------------------------------------------------------------------------------


def add_arguments(body: Body, arguments: Mapping[str, object]) -> None:
    """Put arguments into a request, each in its place."""
    given = without_none(arguments)
    own = cast("Mapping[str, object]", given.pop("inferenceConfig", {}))
    inference = {INFERENCE[name]: given.pop(name) for name in INFERENCE if name in given}
    if own or inference:
        body["inferenceConfig"] = {**cast("JsonObject", body.get("inferenceConfig", {})), **own, **inference}
    body.update(given)


def offers_tools(request: ChatRequest) -> bool:
    """Whether the model may call one of the request's tools: Converse cannot offer tools and forbid to call them."""
    return bool(request.tools) and request.tool_choice != "none"


def add_tools(body: Body, tools: Sequence[Tool | ToolSchema], choice: ToolChoice, profile: BedrockProfile) -> None:
    """Put the tools and the choice among them into a request.

    Raises:
        InvalidArgumentError: The model cannot be told to call a tool, or Bedrock does not allow a tool's name.
    """
    config = cast("JsonObject", body.get("toolConfig", {}))
    body["toolConfig"] = config = {
        **config,
        "tools": [*config.get("tools", ()), *(write_tool(tool, strict=profile.schema_output) for tool in tools)],
    }
    if choice == "auto":
        return
    if profile.tool_choice == "auto" or (isinstance(choice, Tool) and profile.tool_choice != "tool"):
        what = f"the tool {choice.name!r}" if isinstance(choice, Tool) else "a tool"
        raise InvalidArgumentError(
            f"Model {body['model']!r} cannot be told to call {what}. Leave the choice to it: tool_choice='auto'."
        )
    config["toolChoice"] = {"tool": {"name": choice.name}} if isinstance(choice, Tool) else {"any": {}}


def write_tool(tool: Tool | ToolSchema, *, strict: bool) -> JsonObject:
    """The description of a tool for the model.

    Raises:
        InvalidArgumentError: Bedrock does not allow its name.
    """
    schema = tool_schema(tool)
    name, description = schema["name"], schema.get("description", "")
    check_tool_name(schema, _TOOL_NAME, "Bedrock allows 1 to 64 letters, digits, underscores and hyphens")
    if name == ANSWER_TOOL:
        raise InvalidArgumentError(f"Tool name {name!r}: the client has a tool of this name. Choose another one.")
    spec: JsonObject = {"name": name, "description": description} if description.strip() else {"name": name}
    spec["inputSchema"] = {"json": schema.get("parameters", {"type": "object", "properties": {}})}
    if strict and schema.get("strict"):
        spec["strict"] = True
    return {"toolSpec": spec}


# The form of the answer ----------------------------------------------------------------------------------------------


def add_schema(body: Body, wanted: type[BaseModel], choice: ToolChoice, profile: BedrockProfile) -> None:
    """Ask for an answer that keeps to a schema.

    A model without ``outputConfig`` is offered a tool whose arguments have the schema. It is made to call that one, or
    one of the tools; where it cannot be made to, it is told to.
    """
    schema = parameters_schema(wanted, strict=True)
    if profile.schema_output:
        structure = {"jsonSchema": {"name": schema_name(wanted), "schema": json.dumps(schema)}}
        config = cast("JsonObject", body.get("outputConfig", {}))
        body["outputConfig"] = {**config, "textFormat": {"type": "json_schema", "structure": structure}}
        return
    if isinstance(choice, Tool):
        return  # the answer is a call of that tool
    spec = {"name": ANSWER_TOOL, "description": _ANSWER_DESCRIPTION, "inputSchema": {"json": schema}}
    config = cast("JsonObject", body.get("toolConfig", {}))
    others = cast("list[JsonObject]", config.get("tools", []))
    body["toolConfig"] = config = {**config, "tools": [*others, {"toolSpec": spec}]}
    if profile.tool_choice == "auto" or _thinks(body):
        config.pop("toolChoice", None)
        add_instruction(body, _ANSWER_INSTRUCTION)
    elif others or profile.tool_choice == "any":
        config["toolChoice"] = {"any": {}}
    else:
        config["toolChoice"] = {"tool": {"name": ANSWER_TOOL}}


def _thinks(body: Body) -> bool:
    """Whether the request has Claude think, which then refuses to be made to call a tool."""
    fields = cast("Mapping[str, object]", body.get("additionalModelRequestFields") or {})
    thinking = fields.get("thinking") or fields.get("reasoning_config")
    return isinstance(thinking, Mapping) and cast("Mapping[str, object]", thinking).get("type") != "disabled"


def add_instruction(body: Body, text: str) -> None:
    """Add a text to the end of the system prompt."""
    body["system"] = [*cast("list[JsonObject]", body.get("system", [])), {"text": text}]
