from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from typing import Any, Protocol, runtime_checkable

from pydantic import BaseModel

from symposia.core._cancellation_token import CancellationToken
from symposia.core.tools._schema import ToolSchema


@runtime_checkable
class Tool(Protocol):
    """Something that a model can call."""

    @property
    def name(self) -> str:
        """What the model calls it by."""
        ...

    @property
    def description(self) -> str:
        """What the model is told of it."""
        ...

    @property
    def schema(self) -> ToolSchema:
        """All that a model is told of it."""
        ...

    def args_type(self) -> type[BaseModel]:
        """What its arguments are validated as."""
        ...

    def return_type(self) -> type[Any]:
        """What it returns."""
        ...

    def state_type(self) -> type[BaseModel] | None:
        """What its state is, if it has one."""
        ...

    def return_value_as_string(self, value: Any) -> str:
        """What the model is shown of a result."""
        ...

    async def run_json(
        self, args: Mapping[str, Any], cancellation_token: CancellationToken, call_id: str | None = None
    ) -> Any:
        """Run it on arguments as a model gives them.

        Args:
            args: The arguments, parsed from JSON.
            cancellation_token: Cancelling it ends the call.
            call_id: The `id` of the model's call.
        """
        ...

    async def save_state_json(self) -> Mapping[str, Any]:
        """Its state, as JSON can hold it."""
        ...

    async def load_state_json(self, state: Mapping[str, Any]) -> None:
        """Take back what `save_state_json` gave."""
        ...


@runtime_checkable
class StreamTool(Tool, Protocol):
    """A tool that shows what it does while it runs."""

    def run_json_stream(
        self, args: Mapping[str, Any], cancellation_token: CancellationToken, call_id: str | None = None
    ) -> AsyncGenerator[Any, None]:
        """Run it like `run_json`; the last item is the result."""
        ...
