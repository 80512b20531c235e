from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import Any, Final, Literal, cast

from pydantic import BaseModel

from symposia.core._cancellation_token import CancellationToken
from symposia.core.exceptions import InvalidArgumentError
from symposia.core.tools._base import BaseTool
from symposia.core.tools._override import ToolOverride, original_names, override
from symposia.core.tools._protocol import StreamTool, Tool
from symposia.core.tools._result import TextResultContent, ToolResult
from symposia.core.tools._schema import ToolSchema, ToolTraits
from symposia.core.tools._workbench import Workbench

_log: Final = logging.getLogger(__name__)


class StaticWorkbenchState(BaseModel, defer_build=True):
    """The states of the tools, by their own names."""

    type: Literal["StaticWorkbenchState"] = "StaticWorkbenchState"
    tools: dict[str, Mapping[str, Any]] = {}


class StaticWorkbench(Workbench):
    """A workbench of tools that stay the same.

    Args:
        tools: What is on offer.
        tool_overrides: What the model is told of a tool instead of what it says of itself, by the tool's own name.

    Raises:
        InvalidArgumentError: Two tools have one name.
    """

    def __init__(
        self, tools: Sequence[BaseTool[Any, Any]], tool_overrides: Mapping[str, ToolOverride] | None = None
    ) -> None:
        self._tools: dict[str, BaseTool[Any, Any]] = {}
        for tool in tools:
            if tool.name in self._tools:
                raise InvalidArgumentError(f"Two tools are named '{tool.name}': a model could not tell them apart.")
            self._tools[tool.name] = tool
        self._overrides = dict(tool_overrides or {})
        self._original_names = original_names(self._overrides, self._tools)

    async def list_tools(self) -> list[ToolSchema]:
        """What is on offer, under the overriding names. The schemas are not to be changed."""
        return [
            override(tool.schema, self._overrides[name]) if name in self._overrides else tool.schema
            for name, tool in self._tools.items()
        ]

    async def call_tool(
        self,
        name: str,
        arguments: Mapping[str, Any] | None = None,
        cancellation_token: CancellationToken | None = None,
        call_id: str | None = None,
    ) -> ToolResult:
        """Call a tool by its own or its overriding name; see `Workbench.call_tool`."""
        tool = self._find(name)
        if tool is None:
            return _not_found(name)
        try:
            value = await tool.run_json(arguments or {}, cancellation_token or CancellationToken(), call_id=call_id)
            return _succeeded(name, tool, value)
        except Exception as error:  # noqa: BLE001 - whatever a tool raises is the model's to read
            return _failed(name, error)

    def tool_traits(self, name: str) -> ToolTraits:
        """The traits of the tool `name`."""
        tool = self._find(name)
        return ToolTraits() if tool is None else tool.traits

    def _find(self, name: str) -> BaseTool[Any, Any] | None:
        return self._tools.get(self._original_names.get(name, name))

    async def start(self) -> None:
        """Do nothing: the tools are ready."""

    async def stop(self) -> None:
        """Do nothing: nothing was taken."""

    async def reset(self) -> None:
        """Do nothing: the tools keep their own state."""

    async def save_state(self) -> Mapping[str, Any]:
        """The states of the tools."""
        states = {name: await tool.save_state_json() for name, tool in self._tools.items()}
        return StaticWorkbenchState(tools=states).model_dump()

    async def load_state(self, state: Mapping[str, Any]) -> None:
        """Take back what `save_state` gave. States of tools that are not here any more are left out."""
        states = StaticWorkbenchState.model_validate(state).tools
        for name, tool in self._tools.items():
            if name in states:
                await tool.load_state_json(states[name])


class StaticStreamWorkbench(StaticWorkbench):
    """A workbench of tools that stay the same, of which some show what they do while they run."""

    async def call_tool_stream(
        self,
        name: str,
        arguments: Mapping[str, Any] | None = None,
        cancellation_token: CancellationToken | None = None,
        call_id: str | None = None,
    ) -> AsyncGenerator[Any | ToolResult, None]:
        """Call a tool like `call_tool`, and yield what it shows on the way; last comes the `ToolResult`."""
        tool = self._find(name)
        if not isinstance(tool, StreamTool):
            yield await self.call_tool(name, arguments, cancellation_token, call_id)
            return
        items = tool.run_json_stream(arguments or {}, cancellation_token or CancellationToken(), call_id=call_id)
        try:
            async with aclosing(items), aclosing(_mark_last(items, tool.return_type())) as marked:
                async for is_last, item in marked:
                    yield _succeeded(name, tool, item) if is_last else item
        except Exception as error:  # noqa: BLE001 - whatever a tool raises is the model's to read
            yield _failed(name, error)


async def _mark_last(items: AsyncGenerator[Any, None], return_type: object) -> AsyncGenerator[tuple[bool, Any], None]:
    """Say of each item whether it is the last: the result.

    Only an item that may be the result is held back until the next one comes; all others are passed on at once.
    """
    held: list[Any] = []
    async for item in items:
        for earlier in held:
            yield False, earlier
        held = [item]
        if isinstance(return_type, type) and not isinstance(item, return_type):
            yield False, held.pop()
    for item in held:
        yield True, item


def _succeeded(name: str, tool: Tool, value: Any) -> ToolResult:
    return ToolResult(name=name, result=[TextResultContent(content=tool.return_value_as_string(value))])


def _not_found(name: str) -> ToolResult:
    return ToolResult(name=name, result=[TextResultContent(content=f"Tool {name} not found.")], is_error=True)


def _failed(name: str, error: Exception) -> ToolResult:
    _log.debug("The tool %s failed", name, exc_info=error)
    return ToolResult(name=name, result=[TextResultContent(content=_describe(error))], is_error=True)


def _describe(error: Exception) -> str:
    """What a model is told of an error: its text, each part of a group on a line, its class where it has no text."""
    if isinstance(error, ExceptionGroup):
        parts = cast("ExceptionGroup[Exception]", error).exceptions
        return "\n".join(map(_describe, parts))
    return str(error) or type(error).__name__
