"""The contract of tools, and their descriptions for models and effect handlers."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any, Final, NamedTuple, NotRequired, Protocol, runtime_checkable

from pydantic import BaseModel
from typing_extensions import TypedDict

from symposia.core._cancellation_token import CancellationToken
from symposia.core.effects import Idempotency

_PORTABLE_NAME: Final = re.compile(r"[a-zA-Z0-9_-]{1,64}")


def is_portable_tool_name(name: str) -> bool:
    """Whether every vendor takes the name of a tool: 1 to 64 letters from A to Z, digits, underscores and hyphens.

    Source: https://platform.openai.com/docs/api-reference/chat/create, whose rule is the strictest.
    """
    return _PORTABLE_NAME.fullmatch(name) is not None


class ParametersSchema(TypedDict):
    """The JSON schema of a tool's arguments, an object."""

    type: str
    properties: dict[str, Any]
    required: NotRequired[Sequence[str]]
    additionalProperties: NotRequired[bool]


class ToolSchema(TypedDict):
    """The description of a tool for a model.

    Attributes:
        name: The name by which the model calls it.
        description: Its purpose, and when to use it.
        parameters: The schema of its arguments.
        strict: Whether the vendor must hold the model to the schema; every argument is then required.
    """

    parameters: NotRequired[ParametersSchema]
    name: str
    description: NotRequired[str]
    strict: NotRequired[bool]


class ToolTraits(NamedTuple):
    """The description of a tool for effect handlers.

    Attributes:
        idempotency: Whether calling it again with the same arguments does harm.
        transparent: Whether its calls are made of effects themselves, as those of a tool that runs a team are. Then its
            call is no effect: the tool is entered again, and what it does inside are the effects.
    """

    idempotency: Idempotency = "unknown"
    transparent: bool = False


@runtime_checkable
class Tool(Protocol):
    """A function that a model can call."""

    @property
    def name(self) -> str:
        """The name by which the model calls it."""
        ...

    @property
    def description(self) -> str:
        """The description of the tool for the model."""
        ...

    @property
    def schema(self) -> ToolSchema:
        """The name, the description and the parameters of the tool for the model."""
        ...

    def args_type(self) -> type[BaseModel]:
        """The model that validates its arguments."""
        ...

    def return_type(self) -> type[Any]:
        """The type of its result."""
        ...

    def state_type(self) -> type[BaseModel] | None:
        """The type of its state; None if it has no state."""
        ...

    def return_value_as_string(self, value: object) -> str:
        """The text of a result, for the model."""
        ...

    async def run_json(
        self, args: Mapping[str, object], cancellation_token: CancellationToken, call_id: str | None = None
    ) -> Any:
        """Run it on arguments as a model gives them.

        Args:
            args: The arguments, parsed from JSON.
            cancellation_token: Cancelling it ends the call.
            call_id: The `id` of the model's call.
        """
        ...

    async def save_state_json(self) -> Mapping[str, Any]:
        """Its state, as JSON values."""
        ...

    async def load_state_json(self, state: Mapping[str, object]) -> None:
        """Restore what `save_state_json` returned."""
        ...


@runtime_checkable
class StreamTool(Tool, Protocol):
    """A tool that yields items while it runs."""

    def run_json_stream(
        self, args: Mapping[str, object], cancellation_token: CancellationToken, call_id: str | None = None
    ) -> AsyncGenerator[Any, None]:
        """Run it like `run_json`; the last item is the result."""
        ...
