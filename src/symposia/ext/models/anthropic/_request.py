"""A request of the Messages API, from what the client was made with and what it is asked."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, cast

from pydantic import BaseModel

from symposia.core.exceptions import InvalidArgumentError
from symposia.core.tools import Tool, ToolSchema
from symposia.ext.models._client import Body, JsonOutput, ToolChoice, tool_schema
from symposia.ext.models._sdk import without_none
from symposia.ext.models.anthropic._facts import AnthropicFacts
from symposia.ext.models.anthropic._messages import Turn, merge_turns

SAMPLING: Final = ("temperature", "top_p", "top_k")
USUAL_MAX_TOKENS: Final = 16_384
JSON_INSTRUCTION: Final = "Answer with one JSON object and nothing else: no prose around it and no code fence."
START: Final = "Begin."
CONTINUE: Final = "Continue."
_TOOL_NAME: Final = re.compile(r"[a-zA-Z0-9_-]{1,128}")
_TOOL_CHOICES: Final[Mapping[str, str]] = {"auto": "auto", "required": "any", "none": "none"}


def adapt_arguments(model: str, arguments: Mapping[str, Any], facts: AnthropicFacts) -> Body:
    """The arguments that every request carries, without what this model refuses.

    Sampling parameters are left out with a warning where the model has none, so that a program written for another
    model runs.
    """
    usual = {"max_tokens": min(facts.max_output, USUAL_MAX_TOKENS)}
    body: Body = {"model": model, **usual, **without_none(arguments)}
    refused = [name for name in SAMPLING if name in body and not facts.sampling]
    if refused:
        warnings.warn(f"Model {model!r} takes no {', '.join(refused)}: left out of its requests.", stacklevel=4)
    return {name: value for name, value in body.items() if name not in refused}


def write_turns(turns: Sequence[Turn], *, prefill: bool) -> list[Turn]:
    """The conversation as turns of user and assistant, beginning and ending as the API demands."""
    merged = merge_turns(turns)
    if not merged or merged[0]["role"] == "assistant":
        merged.insert(0, _user_turn(START))
    if merged[-1]["role"] == "assistant" and not prefill:
        merged.append(_user_turn(CONTINUE))
    return merged


def add_tools(body: Body, tools: Sequence[Tool | ToolSchema], choice: ToolChoice) -> None:
    """Put the tools and the choice among them into a request."""
    parallel = body.pop("parallel_tool_calls", True)
    own = cast("Sequence[object]", body.pop("tools", ()))
    if not tools and not own:
        return
    body["tools"] = [*own, *map(write_tool, tools)]
    body["tool_choice"] = write_tool_choice(choice)
    if not parallel and choice != "none":
        body["tool_choice"] = {**write_tool_choice(choice), "disable_parallel_tool_use": True}


def add_response_format(body: Body, wanted: JsonOutput) -> None:
    """Put the form of the answer into a request; JSON of any shape can only be asked for in words."""
    if wanted is True:
        system = body.get("system")
        body["system"] = f"{system}\n{JSON_INSTRUCTION}" if system else JSON_INSTRUCTION
    elif isinstance(wanted, type):
        config = cast("Mapping[str, object]", body.get("output_config", {}))
        body["output_config"] = {**config, "format": {"type": "json_schema", "schema": _strict_schema(wanted)}}


def write_tool(tool: Tool | ToolSchema) -> dict[str, object]:
    """A tool as the model is told of it.

    Raises:
        InvalidArgumentError: Anthropic does not allow its name.
    """
    schema = tool_schema(tool)
    if not _TOOL_NAME.fullmatch(schema["name"]):
        raise InvalidArgumentError(
            f"Tool name {schema['name']!r}: Anthropic allows 1 to 128 letters, digits, underscores and hyphens."
        )
    written: dict[str, object] = {
        "name": schema["name"],
        "description": schema.get("description", ""),
        "input_schema": schema.get("parameters", {"type": "object", "properties": {}}),
    }
    return {**written, "strict": True} if schema.get("strict") else written


def write_tool_choice(choice: ToolChoice) -> dict[str, object]:
    """Whether the model may, must or must not call a tool."""
    return {"type": "tool", "name": choice.name} if isinstance(choice, Tool) else {"type": _TOOL_CHOICES[choice]}


def _user_turn(text: str) -> Turn:
    return {"role": "user", "content": [{"type": "text", "text": text}]}


@lru_cache(maxsize=256)
def _strict_schema(model: type[BaseModel]) -> dict[str, Any]:
    from anthropic import transform_schema  # noqa: PLC0415 - the SDK is heavy and optional

    return transform_schema(model)
