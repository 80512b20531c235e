"""Requests of the Messages API: turns, tools, the form of the answer, and the arguments that go with them."""

from __future__ import annotations

import re
import warnings
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
from symposia.ext.models._tool_calls import allowed_call_id, arguments_object
from symposia.ext.models._tool_descriptions import check_tool_name, tool_schema
from symposia.ext.models._turns import ReceivedCall, TurnWriter
from symposia.ext.models._wire_format import Body, JsonObject, JsonOutput, ToolChoice, without_none
from symposia.ext.models.anthropic._answer import VENDOR, Block, join_blocks
from symposia.ext.models.anthropic._profiles import AnthropicProfile

SAMPLING: Final = ("temperature", "top_p", "top_k")
USUAL_MAX_TOKENS: Final = 16_384
PARTS: Final = "content"
"""The field of a turn with its blocks."""
_CALL_ID: Final = re.compile(r"[a-zA-Z0-9_-]+")
_TOOL_NAME: Final = re.compile(r"[a-zA-Z0-9_-]{1,128}")
_TOOL_CHOICES: Final[Mapping[str, str]] = {"auto": "auto", "required": "any", "none": "none"}


@dataclass(frozen=True, kw_only=True, slots=True)
class MessageWriter(TurnWriter):
    """Writes messages in Anthropic's format.

    Attributes:
        strict_ids: Whether ids of calls are refused that have other characters than letters, digits, ``_`` and ``-``.
    """

    VENDOR = VENDOR
    PARTS = PARTS

    strict_ids: bool = False

    @override
    def text_part(self, text: str, /) -> JsonObject:
        return {"type": "text", "text": text}

    @override
    def image_part(self, image: Image, /) -> JsonObject:
        source = {"type": "base64", "media_type": image.media_type, "data": image.to_base64()}
        return {"type": "image", "source": source}

    @override
    def call_parts(self, calls: Sequence[FunctionCall], /) -> list[JsonObject]:
        return [
            {
                "type": "tool_use",
                "id": self._call_id(call.id),
                "name": call.name,
                "input": arguments_object(call.arguments),
            }
            for call in calls
        ]

    @override
    def result_part(self, result: FunctionExecutionResult, /) -> JsonObject:
        identity = self._call_id(result.call_id)
        block: JsonObject = {"type": "tool_result", "tool_use_id": identity, "content": result.content}
        return {**block, "is_error": True} if result.is_error else block

    @override
    def content_of(self, parts: list[JsonObject], /) -> str | list[ReceivedCall]:
        calls = [(block["id"], block["name"], block["input"]) for block in parts if block["type"] == "tool_use"]
        return calls or join_blocks(cast("list[Block]", parts), "text")

    def _call_id(self, given: str) -> str:
        return allowed_call_id(given, _CALL_ID) if self.strict_ids else given


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
