"""Requests of Converse: turns, tools, the form of the answer, and the arguments that go with them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
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
from symposia.core.tools import Tool, ToolSchema, parameters_schema
from symposia.ext.models._encoded_json import EncodedObject
from symposia.ext.models._prompts import (
    CONTINUE,
    EMPTY,
    START,
    join_neighbours,
    quoted_system,
    write_turn,
)
from symposia.ext.models._strict_schemas import schema_name
from symposia.ext.models._transport import without_none
from symposia.ext.models._wire_format import (
    Body,
    ChatRequest,
    JsonObject,
    ToolChoice,
    arguments_object,
    check_tool_name,
    takes_no_images,
    tool_schema,
)
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
class MessageWriter:
    """Writes messages in Converse's format.

    Attributes:
        model: The model.
        vision: Whether it takes images.
        tool_status: Whether it takes the status of a tool's result.
        quotes_calls: Whether calls of tools and their results are written as text: Bedrock refuses them in a request
            that offers no tools. Rejected: to offer tools all the same, of which the model may call one.
    """

    model: str
    vision: bool
    tool_status: bool
    quotes_calls: bool = False

    def write(self, message: LLMMessage) -> EncodedObject:
        """One message of the conversation.

        Raises:
            ArgumentTypeError: It is no message.
            InvalidArgumentError: It has an image, and the model takes none.
        """
        match message:
            case UserMessage():
                return write_turn("user", PARTS, self._user_blocks(message.content))
            case AssistantMessage():
                return write_turn("assistant", PARTS, self._assistant_blocks(message))
            case SystemMessage():
                return _user_turn(quoted_system(message))
            case FunctionExecutionResultMessage():
                return write_turn("user", PARTS, [*map(self._result_block, message.content)] or [_text_block("")])
            case _:
                raise not_a_message(message)

    def _user_blocks(self, content: str | list[str | Image]) -> list[JsonObject]:
        parts = [content] if isinstance(content, str) else content or [""]
        return [_text_block(part) if isinstance(part, str) else self._image_block(part) for part in parts]

    def _image_block(self, image: Image) -> JsonObject:
        if not self.vision:
            raise takes_no_images(self.model)
        image_format = image.media_type.removeprefix("image/")
        return {"image": {"format": image_format, "source": {"bytes": image.to_base64()}}}

    def _assistant_blocks(self, message: AssistantMessage) -> list[JsonObject]:
        """An answer of the model; one of Bedrock's is unchanged, since signed reasoning must be returned as it was."""
        if isinstance(message.content, list) and self.quotes_calls:
            return [*_thought_blocks(message), *map(_quoted_call, message.content)] or [_text_block("")]
        received = cast("list[JsonObject]", (message.vendor_blocks or {}).get(VENDOR, []))
        if received and _says_the_same(received, message.content):
            return received
        if isinstance(message.content, str):
            return [_text_block(message.content)]
        return [*_thought_blocks(message), *map(_call_block, message.content)] or [_text_block("")]

    def _result_block(self, result: FunctionExecutionResult) -> JsonObject:
        if self.quotes_calls:
            return {"text": f'<tool_result name="{result.name}">\n{result.content}\n</tool_result>'}
        block: JsonObject = {"toolUseId": _call_id(result.call_id), "content": [_text_block(result.content)]}
        if result.is_error and self.tool_status:
            block["status"] = "error"
        return {"toolResult": block}


def _text_block(text: str) -> JsonObject:
    return {"text": text if text.strip() else EMPTY}


def _thought_blocks(message: AssistantMessage) -> list[JsonObject]:
    return [_text_block(message.thought)] if message.thought and message.thought.strip() else []


def _call_block(call: FunctionCall) -> JsonObject:
    use = {"toolUseId": _call_id(call.id), "name": call.name, "input": arguments_object(call.arguments)}
    return {"toolUse": use}


def _quoted_call(call: FunctionCall) -> JsonObject:
    return {"text": f'<tool_call name="{call.name}">\n{call.arguments}\n</tool_call>'}


def _call_id(given: str) -> str:
    """An id as the API takes it: that of another vendor's call may be longer, or have other characters."""
    if _CALL_ID.fullmatch(given):
        return given
    return f"call_{sha256(given.encode('utf-8', 'surrogatepass')).hexdigest()[:32]}"


def _says_the_same(received: list[JsonObject], content: str | list[FunctionCall]) -> bool:
    """Whether the message still has the content that the blocks were received with: a program may have changed it.

    An answer that came as a call of `ANSWER_TOOL` does not: no result follows that call, which the API would demand.
    """
    blocks = cast("list[Block]", received)
    uses = tool_uses(blocks)
    if isinstance(content, str):
        return not uses and join_text(blocks) == content
    called = [(use["toolUseId"], use["name"], use["input"]) for use in uses]
    return called == [(call.id, call.name, arguments_object(call.arguments)) for call in content]


def _user_turn(text: str) -> EncodedObject:
    return write_turn("user", PARTS, [{"text": text}])


def write_turns(turns: Sequence[EncodedObject]) -> list[EncodedObject]:
    """The conversation as turns of user and assistant in alternation, beginning and ending with the user."""
    joined = join_neighbours(turns, PARTS)
    if not joined or joined[0]["role"] == "assistant":
        joined.insert(0, _user_turn(START))
    if joined[-1]["role"] == "assistant":
        joined.append(_user_turn(CONTINUE))
    return joined


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
