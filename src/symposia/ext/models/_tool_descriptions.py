"""Tools as requests describe them to a model."""

from __future__ import annotations

import re
from collections.abc import Mapping

from symposia.core.exceptions import ArgumentTypeError, InvalidArgumentError
from symposia.core.tools import Tool, ToolSchema


def tool_schema(tool: Tool | ToolSchema) -> ToolSchema:
    """The description of a tool for the model.

    Raises:
        ArgumentTypeError: It is neither a tool nor a schema.
    """
    if isinstance(tool, Tool):
        return tool.schema
    if not isinstance(tool, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance] - unchecked programs
        raise ArgumentTypeError(f"A tool of a model is a Tool, such as FunctionTool(function, '…'), not {tool!r}.")
    return tool


def tool_name(tool: Tool | ToolSchema) -> str:
    """The name by which the model calls a tool."""
    return tool.name if isinstance(tool, Tool) else tool["name"]


def check_tool_name(schema: ToolSchema, allowed: re.Pattern[str], rule: str) -> None:
    """Check the name of a tool before it is sent: a vendor's error names neither the tool nor the rule.

    Args:
        schema: The tool's description.
        allowed: What the whole name has to match.
        rule: The same in words, as in ``OpenAI allows 1 to 64 letters``.

    Raises:
        InvalidArgumentError: The vendor refuses it.
    """
    if not allowed.fullmatch(schema["name"]):
        raise InvalidArgumentError(f"Tool name {schema['name']!r}: {rule}.")


def function_description(schema: ToolSchema) -> dict[str, object]:
    """A function's description in OpenAI's format, and in those that follow it."""
    return {
        "name": schema["name"],
        "description": schema.get("description", ""),
        "parameters": schema.get("parameters", {"type": "object", "properties": {}}),
    }
