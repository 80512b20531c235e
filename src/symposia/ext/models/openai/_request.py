"""A request of Chat Completions, from what the client was made with and what it is asked."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, cast

from pydantic import BaseModel

from symposia.core.exceptions import InvalidArgumentError
from symposia.core.tools import Tool, ToolSchema
from symposia.ext.models._client import Body, JsonOutput, Question, ToolChoice, tool_schema
from symposia.ext.models._sdk import without_none
from symposia.ext.models.openai._facts import OpenAIFacts

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


def adapt_arguments(model: str, arguments: Mapping[str, Any], facts: OpenAIFacts) -> Body:
    """The arguments that every request carries, without what this model refuses.

    A reasoning model has another name for ``max_tokens``, and no sampling parameters while it reasons; those are left
    out with a warning, so that a program written for another model runs.
    """
    body: Body = {"model": model, **without_none(arguments)}
    if facts.effort is None:
        return body
    if "max_tokens" in body:
        body.setdefault("max_completion_tokens", body.pop("max_tokens"))
    if body.get("reasoning_effort", facts.effort) != "none" and (
        refused := [name for name in SAMPLING if name in body]
    ):
        warnings.warn(
            f"Model {model!r} takes no {', '.join(refused)} while it reasons: left out of its requests.", stacklevel=4
        )
        body = {name: value for name, value in body.items() if name not in refused}
    return body


def write_request(arguments: Body, messages: Sequence[object], question: Question, tools_effort: str | None) -> Body:
    """The whole request."""
    body: Body = {**arguments, "messages": messages}
    if question.tools:
        body["tools"] = [write_tool(tool) for tool in question.tools]
        body["tool_choice"] = write_tool_choice(question.tool_choice)
        if tools_effort is not None:
            body.setdefault("reasoning_effort", tools_effort)
    else:
        body.pop("parallel_tool_calls", None)
    if (response_format := write_response_format(question.json_output)) is not None:
        body["response_format"] = response_format
    body.update(question.extra)
    if isinstance(schema := body.get("response_format"), type):
        body["response_format"] = write_response_format(cast("type[BaseModel]", schema))
    return body


def write_tool(tool: Tool | ToolSchema) -> dict[str, object]:
    """A tool as the model is told of it.

    Raises:
        InvalidArgumentError: OpenAI does not allow its name.
    """
    schema = tool_schema(tool)
    if not _TOOL_NAME.fullmatch(schema["name"]):
        raise InvalidArgumentError(
            f"Tool name {schema['name']!r}: OpenAI allows 1 to 64 letters, digits, underscores and hyphens."
        )
    return {
        "type": "function",
        "function": {
            "name": schema["name"],
            "description": schema.get("description", ""),
            "parameters": schema.get("parameters", {"type": "object", "properties": {}}),
            "strict": schema.get("strict", False),
        },
    }


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
            return _schema_format(schema)


@lru_cache(maxsize=256)
def _schema_format(model: type[BaseModel]) -> dict[str, object]:
    from openai import pydantic_function_tool  # noqa: PLC0415 - the SDK is heavy and optional

    strict = pydantic_function_tool(model)["function"].get("parameters", {})
    return {"type": "json_schema", "json_schema": {"name": model.__name__[:64], "schema": strict, "strict": True}}
