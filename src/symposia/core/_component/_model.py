from __future__ import annotations

from typing import Any, Literal, TypeAlias

from pydantic import BaseModel

ComponentType: TypeAlias = (
    Literal["model", "agent", "tool", "termination", "token_provider", "workbench"] | str  # noqa: PYI051 - AutoGen's
)
"""What a component is for: these are the usual kinds, and any other word will do."""


class ComponentModel(BaseModel, defer_build=True):
    """A component written down: all that is needed to make it again.

    Attributes:
        provider: The class, as ``package.module.Class``.
        component_type: What it is for.
        version: Of this way of writing it down; equal to `component_version`.
        component_version: Of its configuration. Where the class is at a later one, the class brings it up to date.
        description: For people.
        label: Its name, for people.
        config: The arguments of its constructor, as JSON.
    """

    provider: str
    component_type: ComponentType | None = None
    version: int | None = None
    component_version: int | None = None
    description: str | None = None
    label: str | None = None
    config: dict[str, Any]
