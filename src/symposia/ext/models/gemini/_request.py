"""Requests of `generateContent`: contents, tools, the form of the answer, and the arguments that go with them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, cast

from pydantic import BaseModel

from symposia.core import FunctionCall, Image
from symposia.core.argument_checks import not_a_message
from symposia.core.exceptions import InvalidArgumentError
from symposia.core.models import (
    AssistantMessage,
    FunctionExecutionResult,
    FunctionExecutionResultMessage,
    LLMMessage,
    SystemMessage,
    UserMessage,
)
from symposia.core.tools import Tool, ToolSchema
from symposia.ext.models._encoded_json import EncodedObject
from symposia.ext.models._prompts import (
    CONTINUE,
    EMPTY,
    JSON_INSTRUCTION,
    START,
    join_neighbours,
    quoted_system,
    write_turn,
)
from symposia.ext.models._transport import without_none
from symposia.ext.models._wire_format import (
    Body,
    JsonObject,
    JsonOutput,
    ToolChoice,
    arguments_object,
    check_tool_name,
    takes_no_images,
    tool_schema,
)
from symposia.ext.models.gemini._answer import VENDOR, Part, join_texts

UNSIGNED: Final = "skip_thought_signature_validator"
"""The signature of a call that the model did not make itself, such as one of another model (Google's page on thought
signatures)."""

TOP_LEVEL: Final = frozenset(
    {"safety_settings", "cached_content", "labels", "service_tier", "store", "tools", "tool_config"}
)
"""Arguments beside the ``generationConfig``, where all others are."""
REQUEST_OPTIONS: Final = frozenset({"model", "extra_body", "extra_headers", "extra_query", "timeout"})
PARTS: Final = "parts"
"""The field of a content with its parts."""
_OTHER_NAMES: Final = {"max_tokens": "max_output_tokens", "stop": "stop_sequences"}
_AS_IT_IS: Final = frozenset({"response_schema", "response_json_schema", "labels"})
"""Arguments whose own keys are the program's, and no names of fields."""

_TOOL_NAME: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_.:-]{0,127}")
_MODES: Final[Mapping[str, str]] = {"auto": "AUTO", "required": "ANY", "none": "NONE"}


@dataclass(frozen=True, kw_only=True, slots=True)
class MessageWriter:
    """Writes messages in Google's format.

    Attributes:
        model: The model.
        vision: Whether it takes images.
        signed_calls: Whether it refuses calls without a signature.
    """

    model: str
    vision: bool
    signed_calls: bool

    def write(self, message: LLMMessage) -> EncodedObject:
        """One message of the conversation.

        Raises:
            ArgumentTypeError: It is no message.
            InvalidArgumentError: It has an image, and the model takes none.
        """
        match message:
            case UserMessage():
                return write_turn("user", PARTS, self._user_parts(message.content))
            case AssistantMessage():
                return write_turn("model", PARTS, self._model_parts(message))
            case SystemMessage():
                return _user_text(quoted_system(message))
            case FunctionExecutionResultMessage():
                return write_turn("user", PARTS, [*map(_result_part, message.content)] or [_text_part("")])
            case _:
                raise not_a_message(message)

    def _user_parts(self, content: str | list[str | Image]) -> list[JsonObject]:
        parts = [content] if isinstance(content, str) else content or [""]
        return [_text_part(part) if isinstance(part, str) else self._image_part(part) for part in parts]

    def _image_part(self, image: Image) -> JsonObject:
        if not self.vision:
            raise takes_no_images(self.model)
        return {"inlineData": {"mimeType": image.media_type, "data": image.to_base64()}}

    def _model_parts(self, message: AssistantMessage) -> list[JsonObject]:
        """An answer of the model; one of Google's is unchanged, since signed parts must be returned as they were."""
        received = cast("list[JsonObject]", (message.vendor_blocks or {}).get(VENDOR, []))
        if received and _says_the_same(received, message.content):
            return received
        if isinstance(message.content, str):
            return [_text_part(message.content)]
        said = [_text_part(message.thought)] if message.thought and message.thought.strip() else []
        calls = [_call_part(call) for call in message.content]
        if self.signed_calls and calls:  # the first call of an answer is the one that is checked
            calls[0]["thoughtSignature"] = UNSIGNED
        return [*said, *calls] or [_text_part("")]


def _says_the_same(received: list[JsonObject], content: str | list[FunctionCall]) -> bool:
    """Whether the message still has the content that the parts were received with: a program may have changed it."""
    parts = cast("list[Part]", received)
    if isinstance(content, str):
        return join_texts(parts, thought=False) == content
    called = [
        (call.get("id"), call["name"], call.get("args") or {}) for part in parts if (call := part.get("functionCall"))
    ]
    return called == [(call.id, call.name, arguments_object(call.arguments)) for call in content]


def _text_part(text: str) -> JsonObject:
    return {"text": text if text.strip() else EMPTY}


def _user_text(text: str) -> EncodedObject:
    return write_turn("user", PARTS, [{"text": text}])


def _call_part(call: FunctionCall) -> JsonObject:
    return {"functionCall": {"id": call.id, "name": call.name, "args": arguments_object(call.arguments)}}


def _result_part(result: FunctionExecutionResult) -> JsonObject:
    response = {"error" if result.is_error else "output": result.content}
    return {"functionResponse": {"id": result.call_id, "name": result.name, "response": response}}


def join_contents(contents: Sequence[EncodedObject]) -> list[EncodedObject]:
    """The conversation as turns of user and model, beginning and ending with the user.

    The results of a call have to be one content, directly behind it, and a call directly behind a content of the user.
    """
    joined = join_neighbours(contents, PARTS)
    if not joined or joined[0]["role"] == "model":
        joined.insert(0, _user_text(START))
    if joined[-1]["role"] == "model":
        joined.append(_user_text(CONTINUE))
    return joined


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
