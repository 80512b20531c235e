from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NotRequired

from typing_extensions import TypedDict

from symposia.core.effects import Idempotency


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


@dataclass(frozen=True, kw_only=True, slots=True)
class ToolTraits:
    """What effect handlers are told of a tool.

    Attributes:
        idempotency: Whether calling it again with the same arguments does harm.
        transparent: Whether its calls are made of effects themselves, as those of a tool that runs a team are. Then its
            call is no effect: the tool is entered again, and what it does inside are the effects.
    """

    idempotency: Idempotency = "unknown"
    transparent: bool = False
