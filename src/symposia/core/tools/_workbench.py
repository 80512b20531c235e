from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from pydantic import JsonValue

from symposia.core._cancellation_token import CancellationToken
from symposia.core._component import ComponentBase
from symposia.core.effects import class_identity
from symposia.core.tools._result import ToolResult
from symposia.core.tools._schema import ToolSchema, ToolTraits


class Workbench(ComponentBase, ABC):
    """Tools that share a life: what is on offer may change from one call to the next.

    Use it as an async context manager, or call `start` and `stop`.
    """

    component_type = "workbench"

    @abstractmethod
    async def list_tools(self) -> list[ToolSchema]:
        """What is on offer now. The schemas are not to be changed."""

    @abstractmethod
    async def call_tool(
        self,
        name: str,
        arguments: Mapping[str, Any] | None = None,
        cancellation_token: CancellationToken | None = None,
        call_id: str | None = None,
    ) -> ToolResult:
        """Call a tool. A tool that fails, or is not there, gives a result that says so: it does not raise.

        Args:
            name: As `list_tools` names it.
            arguments: As the model gave them, parsed from JSON.
            cancellation_token: Cancelling it ends the call.
            call_id: The `id` of the model's call.

        Raises:
            asyncio.CancelledError: The token was cancelled.
        """

    def effect_identity(self) -> dict[str, JsonValue]:
        """What of this workbench decides a tool's result, as JSON without secrets: by default, its class."""
        return class_identity(self)

    def tool_traits(self, name: str) -> ToolTraits:  # noqa: ARG002 - for workbenches that know their tools
        """What effect handlers are told of the tool `name`: by default, that nothing is known."""
        return ToolTraits()

    @abstractmethod
    async def start(self) -> None:
        """Get ready. Starting twice is harmless."""

    @abstractmethod
    async def stop(self) -> None:
        """Give back what was taken. Stopping twice is harmless."""

    @abstractmethod
    async def reset(self) -> None:
        """Go back to the state after `start`."""

    @abstractmethod
    async def save_state(self) -> Mapping[str, Any]:
        """The state, as JSON can hold it."""

    @abstractmethod
    async def load_state(self, state: Mapping[str, Any]) -> None:
        """Take back what `save_state` gave."""

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.stop()
