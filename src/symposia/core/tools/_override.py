from __future__ import annotations

import warnings
from collections.abc import Collection, Mapping

from pydantic import BaseModel

from symposia.core.exceptions import InvalidArgumentError
from symposia.core.tools._schema import ToolSchema


class ToolOverride(BaseModel, defer_build=True):
    """What a model is told of a tool instead of what the tool says of itself; None leaves it as it is."""

    name: str | None = None
    description: str | None = None


def override(schema: ToolSchema, with_: ToolOverride) -> ToolSchema:
    """The schema under its other name and description."""
    overridden = schema.copy()
    if with_.name is not None:
        overridden["name"] = with_.name
    if with_.description is not None:
        overridden["description"] = with_.description
    return overridden


def original_names(overrides: Mapping[str, ToolOverride], tools: Collection[str]) -> dict[str, str]:
    """Which tool each overriding name stands for.

    Raises:
        InvalidArgumentError: Two tools would have one name.
    """
    names: dict[str, str] = {}
    for original, shown in overrides.items():
        if original not in tools:
            warnings.warn(f"The override for '{original}' fits no tool; there are: {', '.join(tools)}.", stacklevel=3)
        if shown.name is None or shown.name == original:
            continue
        if shown.name in tools:
            raise InvalidArgumentError(
                f"Tool override name '{shown.name}' conflicts with existing tool name."
                " Override names must not conflict with any tool names."
            )
        if shown.name in names:
            raise InvalidArgumentError(
                f"Tool override name '{shown.name}' is used by multiple tools: '{names[shown.name]}' and '{original}'."
                " Override names must be unique."
            )
        names[shown.name] = original
    return names
