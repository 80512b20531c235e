"""Workbenches of a fixed list of tools."""

from __future__ import annotations

import logging
import warnings
from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from contextlib import aclosing
from types import FunctionType
from typing import Any, Final, Literal, cast

from pydantic import BaseModel

from symposia.core._cancellation_token import CancellationToken
from symposia.core.argument_checks import check_list
from symposia.core.exceptions import ArgumentTypeError, HumanInputError, InvalidArgumentError
from symposia.core.tools._base_tool import BaseTool, prepare_tools
from symposia.core.tools._tool import StreamTool, Tool, ToolSchema, ToolTraits
from symposia.core.tools._workbench import StreamWorkbench, TextResultContent, ToolResult, Workbench, failed_result

_log: Final = logging.getLogger(__name__)


class ToolOverride(BaseModel, defer_build=True):
    """Another name or description for a tool; None keeps its own."""

    name: str | None = None
    description: str | None = None


class StaticWorkbenchState(BaseModel, defer_build=True):
    """The states of the tools, by the tools' own names."""

    type: Literal["StaticWorkbenchState"] = "StaticWorkbenchState"
    tools: dict[str, Mapping[str, object]] = {}


class StaticWorkbench(Workbench):
    """A workbench of a fixed list of tools.

    Args:
        tools: The tools.
        tool_overrides: Other names and descriptions, by the tool's own name.

    Raises:
        ArgumentTypeError: `tools` is something else than a list of tools, or `tool_overrides` than a mapping.
        InvalidArgumentError: Two tools have one name.
    """

    is_static = True

    def __init__(
        self, tools: Sequence[BaseTool[Any, Any]], tool_overrides: Mapping[str, ToolOverride] | None = None
    ) -> None:
        self._tools: dict[str, BaseTool[Any, Any]] = {}
        check_list("The tools of StaticWorkbench", tools)
        if tool_overrides is not None:
            _check_overrides(tool_overrides)
        for tool in tools:
            _check_tool(tool)
            if tool.name in self._tools:
                raise InvalidArgumentError(f"Two tools are named '{tool.name}': a model could not distinguish them.")
            self._tools[tool.name] = tool
        self._overrides = dict(tool_overrides or {})
        self._original_names = _original_names(self._overrides, self._tools)

    @property
    def tools(self) -> Sequence[BaseTool[Any, Any]]:
        """The tools, as given."""
        return tuple(self._tools.values())

    async def list_tools(self) -> list[ToolSchema]:
        """The tools, under their overriding names. Do not change the schemas."""
        await prepare_tools(self._tools.values())
        return self._schemas()

    def known_tools(self) -> Sequence[ToolSchema] | None:
        """The tools, as `list_tools`; None while a sandbox would have to be asked for the parameters of one."""
        return self._schemas() if all(tool.is_prepared for tool in self._tools.values()) else None

    def _schemas(self) -> list[ToolSchema]:
        return [
            _overridden(tool.schema, self._overrides[name]) if name in self._overrides else tool.schema
            for name, tool in self._tools.items()
        ]

    async def call_tool(
        self,
        name: str,
        arguments: Mapping[str, object] | None = None,
        cancellation_token: CancellationToken | None = None,
        call_id: str | None = None,
    ) -> ToolResult:
        """Call a tool by its own or its overriding name. See `Workbench.call_tool`.

        Raises:
            HumanInputError: The tool asked a person, who could not be asked.
        """
        tool = self._find(name)
        if tool is None:
            return _not_found(name)
        try:
            value = await tool.run_json(arguments or {}, cancellation_token or CancellationToken(), call_id=call_id)
            return _succeeded(name, tool, value)
        except HumanInputError:  # no failure of the tool: see the class
            raise
        except Exception as error:  # noqa: BLE001 - any error of a tool becomes a result for the model
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
        """Do nothing: there is nothing to release."""

    async def reset(self) -> None:
        """Do nothing: the tools keep their own state."""

    async def save_state(self) -> Mapping[str, Any]:
        """The states of the tools."""
        states = {name: await tool.save_state_json() for name, tool in self._tools.items()}
        return StaticWorkbenchState(tools=states).model_dump()

    async def load_state(self, state: Mapping[str, object]) -> None:
        """Restore what `save_state` returned. States of tools that are no longer here are ignored."""
        states = StaticWorkbenchState.model_validate(state).tools
        for name, tool in self._tools.items():
            if name in states:
                await tool.load_state_json(states[name])


class StaticStreamWorkbench(StaticWorkbench, StreamWorkbench):
    """A workbench of a fixed list of tools, some of which yield items while they run."""

    async def call_tool_stream(
        self,
        name: str,
        arguments: Mapping[str, object] | None = None,
        cancellation_token: CancellationToken | None = None,
        call_id: str | None = None,
    ) -> AsyncGenerator[object, None]:
        """Call a tool like `call_tool`, and yield the items of the tool; the `ToolResult` comes last."""
        tool = self._find(name)
        # By its method: up to Python 3.11, `isinstance` with a protocol reads the schema, which may block or fail.
        if tool is None or not hasattr(tool, "run_json_stream") or not isinstance(tool, StreamTool):
            yield await self.call_tool(name, arguments, cancellation_token, call_id)
            return
        items = tool.run_json_stream(arguments or {}, cancellation_token or CancellationToken(), call_id=call_id)
        try:
            async with aclosing(items), aclosing(_mark_last(items, tool.return_type())) as marked:
                async for is_last, item in marked:
                    yield _succeeded(name, tool, item) if is_last else item
        except HumanInputError:  # no failure of the tool: see the class
            raise
        except Exception as error:  # noqa: BLE001 - any error of a tool becomes a result for the model
            yield _failed(name, error)


def _check_tool(given: object) -> None:
    if isinstance(given, type) or not hasattr(given, "run_json"):
        hint = f", such as FunctionTool({given.__name__}, 'what it does')" if isinstance(given, FunctionType) else ""
        raise ArgumentTypeError(f"The tools of StaticWorkbench have to be tools{hint}, not {given!r}")


def _check_overrides(given: object) -> None:
    if not isinstance(given, Mapping):
        raise ArgumentTypeError(f"The tool_overrides of StaticWorkbench are a mapping by tool name, not {given!r}")
    for override in cast("Mapping[object, object]", given).values():
        if not isinstance(override, ToolOverride):
            raise ArgumentTypeError(
                f"A tool override is a ToolOverride, such as ToolOverride(name='…'), not {override!r}"
            )


def _overridden(schema: ToolSchema, override: ToolOverride) -> ToolSchema:
    overridden = schema.copy()
    if override.name is not None:
        overridden["name"] = override.name
    if override.description is not None:
        overridden["description"] = override.description
    return overridden


def _original_names(overrides: Mapping[str, ToolOverride], tools: Collection[str]) -> dict[str, str]:
    """The own names of the tools that have another name, by that name.

    Raises:
        InvalidArgumentError: Two tools would have one name.
    """
    names: dict[str, str] = {}
    for original, shown in overrides.items():
        if original not in tools:
            warnings.warn(
                f"The override for '{original}' fits no tool. The tools are: {', '.join(tools)}.", stacklevel=3
            )
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


async def _mark_last(
    items: AsyncGenerator[object, None], return_type: object
) -> AsyncGenerator[tuple[bool, object], None]:
    """Pair each item with whether it is the last one, which is the result.

    Only an item that may be the result is held back until the next one comes. All others are passed on at once.
    """
    # A generator does not say which item is its last; it is known when no other comes. An item that is not of the type
    # of the result cannot be it, so that a stream of text pieces before a typed result is shown without any delay.
    held: list[object] = []
    async for item in items:
        for earlier in held:
            yield False, earlier
        held = [item]
        if isinstance(return_type, type) and not isinstance(item, return_type):
            yield False, held.pop()
    for item in held:
        yield True, item


def _succeeded(name: str, tool: Tool, value: object) -> ToolResult:
    return ToolResult(name=name, result=[TextResultContent(content=tool.return_value_as_string(value))])


def _not_found(name: str) -> ToolResult:
    return ToolResult(name=name, result=[TextResultContent(content=f"Tool {name} not found.")], is_error=True)


def _failed(name: str, error: Exception) -> ToolResult:
    _log.debug("The tool %s failed", name, exc_info=error)
    return failed_result(name, error)
