from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NotRequired

from typing_extensions import TypedDict


class ParametersSchema(TypedDict):
    """The JSON schema of a tool's arguments, an object."""

    type: str
    properties: dict[str, Any]
    required: NotRequired[Sequence[str]]
    additionalProperties: NotRequired[bool]


class ToolSchema(TypedDict):
    """What a model is told of a tool.

    Attributes:
        name: What the model calls it by.
        description: When and what for.
        parameters: Its arguments.
        strict: Whether the vendor must hold the model to the schema; every argument is then required.
    """

    parameters: NotRequired[ParametersSchema]
    name: str
    description: NotRequired[str]
    strict: NotRequired[bool]
