"""Requests of the Messages API: turns, tools, the form of the answer, and the arguments that go with them."""

from __future__ import annotations

import hashlib
import re
import warnings
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
from symposia.ext.models.anthropic._answer import VENDOR
from symposia.ext.models.anthropic._profiles import AnthropicProfile

SAMPLING: Final = ("temperature", "top_p", "top_k")
USUAL_MAX_TOKENS: Final = 16_384
PARTS: Final = "content"
"""The field of a turn with its blocks."""
_CALL_ID: Final = re.compile(r"[a-zA-Z0-9_-]+")
_TOOL_NAME: Final = re.compile(r"[a-zA-Z0-9_-]{1,128}")
_TOOL_CHOICES: Final[Mapping[str, str]] = {"auto": "auto", "required": "any", "none": "none"}


@dataclass(frozen=True, kw_only=True, slots=True)
class MessageWriter:
    """Writes messages in Anthropic's format.

    Attributes:
        model: The model.
        vision: Whether it takes images.
        strict_ids: Whether ids of calls are refused that have other characters than letters, digits, ``_`` and ``-``.
    """

    model: str
    vision: bool
    strict_ids: bool = False

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
        source = {"type": "base64", "media_type": image.media_type, "data": image.to_base64()}
        return {"type": "image", "source": source}

    def _assistant_blocks(self, message: AssistantMessage) -> list[JsonObject]:
        """An answer of the model; one of Anthropic's is unchanged, since signed thinking must be returned as it was."""
        received = cast("list[JsonObject]", (message.vendor_blocks or {}).get(VENDOR, []))
        # A program may change a message, or make one of an answer by another vendor, or keep the text alone. The blocks
        # no longer stand for such a message, and signed thinking beside other content is refused.
        if received and _says_the_same(received, message.content):
            return received
        if isinstance(message.content, str):
            return [_text_block(message.content)]
        said = [_text_block(message.thought)] if message.thought and message.thought.strip() else []
        return [*said, *map(self._call_block, message.content)] or [_text_block("")]

    def _call_block(self, call: FunctionCall) -> JsonObject:
        arguments = arguments_object(call.arguments)
        return {"type": "tool_use", "id": self._call_id(call.id), "name": call.name, "input": arguments}

    def _result_block(self, result: FunctionExecutionResult) -> JsonObject:
        identity = self._call_id(result.call_id)
        block: JsonObject = {"type": "tool_result", "tool_use_id": identity, "content": result.content}
        return {**block, "is_error": True} if result.is_error else block

    def _call_id(self, given: str) -> str:
        """An id as the API takes it: those that other vendors gave to calls may have dots and colons."""
        if not self.strict_ids or _CALL_ID.fullmatch(given):
            return given
        return f"call_{hashlib.sha256(given.encode('utf-8', 'surrogatepass')).hexdigest()[:32]}"


def _text_block(text: str) -> JsonObject:
    return {"type": "text", "text": text if text.strip() else EMPTY}


def _says_the_same(received: list[JsonObject], content: str | list[FunctionCall]) -> bool:
    """Whether the message still has the content that the blocks were received with."""
    if isinstance(content, str):
        return "".join(block["text"] for block in received if block["type"] == "text") == content
    called = [(block["id"], block["name"], block["input"]) for block in received if block["type"] == "tool_use"]
    return called == [(call.id, call.name, arguments_object(call.arguments)) for call in content]


def adapt_arguments(model: str, arguments: Mapping[str, object], profile: AnthropicProfile) -> Body:
    """The arguments that every request carries, without what this model refuses.

    Sampling parameters are left out with a warning where the model has none, so that a program written for another
    model runs.
    """
    usual = {"max_tokens": min(profile.max_output, USUAL_MAX_TOKENS)}
    body: Body = {"model": model, **usual, **without_none(arguments)}
    refused = [name for name in SAMPLING if name in body and not profile.sampling]
    if refused:
        warnings.warn(f"Model {model!r} takes no {', '.join(refused)}: left out of its requests.", stacklevel=4)
    return {name: value for name, value in body.items() if name not in refused}


def write_turns(turns: Sequence[EncodedObject], *, prefill: bool) -> list[EncodedObject]:
    """The conversation as turns of user and assistant, beginning and ending as the API demands."""
    joined = join_neighbours(turns, PARTS)
    # A conversation has to begin with the user, and one that ends with the assistant is refused by models that take no
    # prefill. Agents hand over both: one that opens a debate, and one that is asked again after its own answer.
    if not joined or joined[0]["role"] == "assistant":
        joined.insert(0, _user_turn(START))
    if joined[-1]["role"] == "assistant" and not prefill:
        joined.append(_user_turn(CONTINUE))
    return joined


def add_tools(body: Body, tools: Sequence[Tool | ToolSchema], choice: ToolChoice) -> None:
    """Put the tools and the choice among them into a request."""
    usual = cast("str | Mapping[str, object] | None", body.pop("tool_choice", None))
    parallel = body.pop("parallel_tool_calls", True)
    own = cast("Sequence[object]", body.pop("tools", ()))
    if not tools and not own:
        return
    body["tools"] = [*own, *map(write_tool, tools)]
    chosen: dict[str, object] = write_tool_choice(choice)
    if choice == "auto" and usual is not None:
        chosen = {"type": usual} if isinstance(usual, str) else dict(usual)
    if not parallel and chosen["type"] != "none":  # beside "none" the field is refused
        chosen["disable_parallel_tool_use"] = True
    body["tool_choice"] = chosen


def add_response_format(body: Body, wanted: JsonOutput) -> None:
    """Put the form of the answer into a request; JSON of any shape can only be asked for in words."""
    if wanted is True:
        system = body.get("system")
        body["system"] = f"{system}\n{JSON_INSTRUCTION}" if system else JSON_INSTRUCTION
    elif isinstance(wanted, type):
        config = cast("Mapping[str, object]", body.get("output_config", {}))
        body["output_config"] = {**config, "format": {"type": "json_schema", "schema": _strict_schema(wanted)}}


def write_tool(tool: Tool | ToolSchema) -> dict[str, object]:
    """The description of a tool for the model.

    Raises:
        InvalidArgumentError: Anthropic does not allow its name.
    """
    schema = tool_schema(tool)
    check_tool_name(schema, _TOOL_NAME, "Anthropic allows 1 to 128 letters, digits, underscores and hyphens")
    written: dict[str, object] = {
        "name": schema["name"],
        "description": schema.get("description", ""),
        "input_schema": schema.get("parameters", {"type": "object", "properties": {}}),
    }
    return {**written, "strict": True} if schema.get("strict") else written


def write_tool_choice(choice: ToolChoice) -> dict[str, object]:
    """Whether the model may, must or must not call a tool."""
    return {"type": "tool", "name": choice.name} if isinstance(choice, Tool) else {"type": _TOOL_CHOICES[choice]}


def _user_turn(text: str) -> EncodedObject:
    return write_turn("user", PARTS, [{"type": "text", "text": text}])


@lru_cache(maxsize=256)
def _strict_schema(model: type[BaseModel]) -> dict[str, object]:
    from anthropic import transform_schema  # noqa: PLC0415 - the SDK is heavy and optional

    try:
        return transform_schema(model)
    except ValueError as error:
        raise InvalidArgumentError(
            f"Anthropic's models cannot keep to the schema of {model.__name__}: {error} Give each field a type: one "
            "of any type has none."
        ) from error
