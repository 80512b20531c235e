"""Requests of `generateContent`: contents, tools, the form of the answer, and the arguments that go with them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, cast

from pydantic import BaseModel
from typing_extensions import override

from symposia.core import FunctionCall, Image
from symposia.core.exceptions import InvalidArgumentError
from symposia.core.models import (
    FunctionExecutionResult,
)
from symposia.core.tools import Tool, ToolSchema
from symposia.ext.models._prompts import JSON_INSTRUCTION
from symposia.ext.models._tool_calls import arguments_object
from symposia.ext.models._tool_descriptions import check_tool_name, tool_schema
from symposia.ext.models._turns import ReceivedCall, TurnWriter
from symposia.ext.models._wire_format import Body, JsonObject, JsonOutput, ToolChoice, without_none
from symposia.ext.models.gemini._answer import VENDOR, Part, join_texts

UNSIGNED: Final = "skip_thought_signature_validator"
"""The signature of a call that the model did not make itself, such as one of another model (Google's page on thought
signatures)."""

TOP_LEVEL: Final = frozenset(
    {"safety_settings", "cached_content", "labels", "service_tier", "store", "tools", "tool_config"}
)
"""Arguments beside the ``generationConfig``, where all others are."""
REQUEST_OPTIONS: Final = frozenset({"model", "extra_body", "extra_headers", "extra_query", "timeout"})
_OTHER_NAMES: Final = {"max_tokens": "max_output_tokens", "stop": "stop_sequences"}
_AS_IT_IS: Final = frozenset({"response_schema", "response_json_schema", "labels"})
"""Arguments whose own keys are the program's, and no names of fields."""

_TOOL_NAME: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_.:-]{0,127}")
_MODES: Final[Mapping[str, str]] = {"auto": "AUTO", "required": "ANY", "none": "NONE"}


@dataclass(frozen=True, kw_only=True, slots=True)
class MessageWriter(TurnWriter):
    """Writes messages in Google's format.

    Attributes:
        signed_calls: Whether the model refuses calls without a signature.
    """

    VENDOR = VENDOR
    PARTS = "parts"
    MODEL = "model"

    signed_calls: bool

    @override
    def text_part(self, text: str, /) -> JsonObject:
        return {"text": text}

    @override
    def image_part(self, image: Image, /) -> JsonObject:
        return {"inlineData": {"mimeType": image.media_type, "data": image.to_base64()}}

    @override
    def call_parts(self, calls: Sequence[FunctionCall], /) -> list[JsonObject]:
        parts: list[JsonObject] = [
            {"functionCall": {"id": call.id, "name": call.name, "args": arguments_object(call.arguments)}}
            for call in calls
        ]
        if self.signed_calls and parts:  # the first call of an answer is the one that is checked
            parts[0]["thoughtSignature"] = UNSIGNED
        return parts

    @override
    def result_part(self, result: FunctionExecutionResult, /) -> JsonObject:
        response = {"error" if result.is_error else "output": result.content}
        return {"functionResponse": {"id": result.call_id, "name": result.name, "response": response}}

    @override
    def content_of(self, parts: list[JsonObject], /) -> str | list[ReceivedCall]:
        calls = (part["functionCall"] for part in parts if "functionCall" in part)
        return [(call.get("id"), call["name"], call.get("args") or {}) for call in calls] or join_texts(
            cast("list[Part]", parts), thought=False
        )


# Arguments -----------------------------------------------------------------------------------------------------------


def add_arguments(body: Body, arguments: Mapping[str, object]) -> None:
    """Put arguments into a request, each in its place and in the spelling of the wire.

    Programs give them as the SDK's `GenerateContentConfig` has them: ``thinking_config={"thinking_budget": 100}``.
    """
    config = dict(cast("JsonObject", body.get("generationConfig", {})))
    for given, argument in without_none(arguments).items():
        name = _OTHER_NAMES.get(given, given)
        if name in REQUEST_OPTIONS:
            body[name] = argument
            continue
        place = body if name in TOP_LEVEL else config
        place[_camel(name)] = argument if name in _AS_IT_IS else _spelled(argument)
    if config:
        body["generationConfig"] = config


def _spelled(value: object) -> object:
    """A value with its keys in the spelling of the wire."""
    match value:
        case BaseModel():  # of the SDK
            return value.model_dump(mode="json", by_alias=True, exclude_none=True)
        case Mapping():
            fields = cast("Mapping[str, object]", value)
            return {
                _camel(name): one if name in _SCHEMAS or _camel(name) in _SCHEMAS else _spelled(one)
                for name, one in fields.items()
            }
        case list() | tuple():
            return [_spelled(one) for one in cast("Sequence[object]", value)]
        case _:
            return value


_SCHEMAS: Final = frozenset({"parameters", "parametersJsonSchema", "response", "responseJsonSchema"})


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(map(str.capitalize, others))


def add_tools(body: Body, tools: Sequence[Tool | ToolSchema], choice: ToolChoice) -> None:
    """Put the tools and the choice among them into a request."""
    own = cast("Sequence[object]", body.get("tools", ()))
    if not tools:
        return
    body["tools"] = [*own, {"functionDeclarations": [write_tool(tool) for tool in tools]}]
    usual = cast("JsonObject", body.get("toolConfig", {}))
    if choice != "auto" or "functionCallingConfig" not in usual:
        body["toolConfig"] = {**usual, "functionCallingConfig": write_tool_choice(choice)}


def write_tool(tool: Tool | ToolSchema) -> JsonObject:
    """The description of a tool for the model.

    Raises:
        InvalidArgumentError: Google does not allow its name.
    """
    schema = tool_schema(tool)
    check_tool_name(
        schema,
        _TOOL_NAME,
        "Google allows a letter or an underscore, and then up to 127 letters, digits, underscores, dots, colons and "
        "hyphens",
    )
    written: JsonObject = {"name": schema["name"], "description": schema.get("description", "")}
    parameters = schema.get("parameters")
    # A function without parameters has no schema: one of an object without properties has been refused.
    return {**written, "parametersJsonSchema": parameters} if parameters and parameters.get("properties") else written


def write_tool_choice(choice: ToolChoice) -> JsonObject:
    """Whether the model may, must or must not call a tool."""
    if isinstance(choice, Tool):
        return {"mode": "ANY", "allowedFunctionNames": [choice.name]}
    return {"mode": _MODES[choice]}


def add_response_format(body: Body, wanted: JsonOutput, *, model: str, schema_with_tools: bool) -> None:
    """Put the form of the answer into a request.

    Raises:
        InvalidArgumentError: The model cannot keep to a schema while it has tools.
    """
    if not wanted:
        return
    has_tools = bool(body.get("tools"))
    if has_tools and not schema_with_tools:
        if isinstance(wanted, type):
            raise InvalidArgumentError(
                f"Model {model!r} cannot keep to the schema of {wanted.__name__} in a request that has tools. Use a "
                "model from Gemini 3 on, or ask without the tools."
            )
        add_instruction(body, JSON_INSTRUCTION)  # it refuses the type of the answer beside tools, too
        return
    config: JsonObject = {
        **cast("JsonObject", body.get("generationConfig", {})),
        "responseMimeType": "application/json",
    }
    if isinstance(wanted, type):
        config["responseJsonSchema"] = _schema(wanted)
    body["generationConfig"] = config


def add_instruction(body: Body, text: str) -> None:
    """Add a text to the end of the system prompt."""
    parts = cast("JsonObject", body.get("systemInstruction", {})).get("parts", [])
    body["systemInstruction"] = {"parts": [*parts, {"text": text}]}


@lru_cache(maxsize=256)
def _schema(model: type[BaseModel]) -> JsonObject:
    return model.model_json_schema()
