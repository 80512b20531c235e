"""The tools of a server as a model is shown them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple, cast

from symposia.core.exceptions import InvalidArgumentError
from symposia.core.tools import ParametersSchema, ToolOverride, ToolSchema, ToolTraits
from symposia.ext.tools._tool_names import UnusedNames, portable_name
from symposia.ext.tools.mcp._results import head_and_tail

_MOST_INSTRUCTIONS: Final = 8_000
"""The most characters of a server's instructions and of each description that a model is shown."""

Object = dict[str, Any]  # Any: JSON


class Listing(NamedTuple):
    """The tools of a server.

    Attributes:
        schemas: As a model is shown them.
        names: The server's own names, by those that a model is shown.
        traits: What the server says about repeating calls, by its own names.
    """

    schemas: list[ToolSchema]
    names: Mapping[str, str]
    traits: Mapping[str, ToolTraits]


def make_listing(tools: Sequence[Object], overrides: Mapping[str, ToolOverride], instructions: str | None) -> Listing:
    """The tools by their names for a model.

    Args:
        tools: The server's descriptions.
        overrides: Other names and descriptions, by the tools' own names.
        instructions: What is added to the description of the first one.
    """
    schemas: list[ToolSchema] = []
    names: dict[str, str] = {}
    traits: dict[str, ToolTraits] = {}
    unused = UnusedNames(override.name for override in overrides.values() if override.name)
    for tool in tools:
        own = str(tool["name"])
        if own in traits:  # listed twice; a call could reach the first one only
            continue
        override = overrides.get(own, ToolOverride())
        name = override.name or unused.take(portable_name(own))
        names[name] = own
        traits[own] = tool_traits(tool)
        description = override.description if override.description is not None else tool.get("description") or ""
        if instructions and not schemas:
            description = f"{description}\n\nAbout this tool and the others of its server: {instructions}".strip()
        schemas.append(
            ToolSchema(
                name=name, description=head_and_tail(description, _MOST_INSTRUCTIONS), parameters=tool_parameters(tool)
            )
        )
    return Listing(schemas, names, traits)


def tool_parameters(tool: Object) -> ParametersSchema:
    """The schema of the arguments of a tool, for a model."""
    schema: Object = tool.get("inputSchema") or {}
    parameters: Object = {
        "type": "object",
        "properties": schema.get("properties", {}),
        "required": schema.get("required", []),
        "additionalProperties": schema.get("additionalProperties", False),
    }
    for definitions in ("$defs", "definitions"):
        if definitions in schema:
            parameters[definitions] = schema[definitions]
    return cast("ParametersSchema", parameters)


def tool_traits(tool: Object) -> ToolTraits:
    """What a server says about repeating the calls of a tool. A false hint harms nobody but the server."""
    hints: Object = tool.get("annotations") or {}
    repeatable = hints.get("readOnlyHint") or hints.get("idempotentHint")
    return ToolTraits(idempotency="idempotent" if repeatable else "unknown")


def override_names(overrides: Mapping[str, ToolOverride]) -> dict[str, str]:
    """The tools' own names, by those that they are given.

    Raises:
        InvalidArgumentError: Two tools are given one name.
    """
    names: dict[str, str] = {}
    for own, override in overrides.items():
        if override.name is None:
            continue
        if override.name in names:
            raise InvalidArgumentError(
                f"Tool override name '{override.name}' is used by multiple tools: '{names[override.name]}' and '{own}'."
                " Override names must be unique."
            )
        names[override.name] = own
    return names
