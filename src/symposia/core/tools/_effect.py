"""Tool calls as effects."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Mapping
from typing import Any, Literal

from pydantic import JsonValue
from pydantic_core import to_jsonable_python

from symposia.core._cancellation_token import CancellationToken
from symposia.core.effects import EffectKind, EffectRequest, effects_are_handled, enter_scope, iterate_in_scope
from symposia.core.tools._static_workbench import StaticStreamWorkbench
from symposia.core.tools._workbench import ToolResult, Workbench


class ToolRequest(EffectRequest):
    """A tool is called.

    Attributes:
        workbench: What `Workbench.effect_identity` says of the workbench, or what names the tool's owner otherwise.
        name: The tool.
        arguments: What it is called with, parsed from JSON.
    """

    kind: Literal["tool"] = "tool"
    workbench: dict[str, JsonValue]
    name: str
    arguments: dict[str, JsonValue]


TOOL_EFFECT = EffectKind("tool", ToolRequest, ToolResult)


async def call_tool(
    workbench: Workbench,
    name: str,
    arguments: Mapping[str, Any] | None = None,  # Any: JSON values, by the tool's own schema
    cancellation_token: CancellationToken | None = None,
    call_id: str | None = None,
    *,
    place: int = 0,
) -> ToolResult:
    """Call a tool of a workbench, as an effect in a scope of its own.

    A transparent tool is called in that scope without being an effect: what it does inside are the effects.

    Args:
        workbench: The workbench.
        name: The tool, as `Workbench.list_tools` names it.
        arguments: As the model gave them, parsed from JSON.
        cancellation_token: Cancelling it ends the call.
        call_id: The `id` of the model's call.
        place: Which of the calls of one answer this is, from 0: it keeps calls apart that run at the same time.

    Raises:
        asyncio.CancelledError: The token was cancelled.
    """

    def call() -> Awaitable[ToolResult]:
        return workbench.call_tool(name, arguments, cancellation_token, call_id)

    if not effects_are_handled():
        return await call()
    with enter_scope(f"tool:{name}.{place}"):
        traits = workbench.tool_traits(name)
        if traits.transparent:
            return await call()
        return await TOOL_EFFECT.perform(
            lambda: _request(workbench, name, arguments), call, idempotency=traits.idempotency
        )


def stream_tool(
    workbench: StaticStreamWorkbench,
    name: str,
    arguments: Mapping[str, Any] | None = None,  # Any: as in `call_tool`
    cancellation_token: CancellationToken | None = None,
    call_id: str | None = None,
    *,
    place: int = 0,
) -> AsyncGenerator[Any | ToolResult, None]:  # Any: a tool may show what it likes
    """Call a tool of a workbench like `call_tool`, and yield what it shows on the way; last comes the `ToolResult`."""

    def call() -> AsyncGenerator[Any | ToolResult, None]:
        return workbench.call_tool_stream(name, arguments, cancellation_token, call_id)

    if not effects_are_handled():
        return call()
    traits = workbench.tool_traits(name)
    items = (
        call()
        if traits.transparent
        else TOOL_EFFECT.stream(
            lambda: _request(workbench, name, arguments), call, result_type=ToolResult, idempotency=traits.idempotency
        )
    )
    return iterate_in_scope(f"tool:{name}.{place}", items)


def _request(workbench: Workbench, name: str, arguments: Mapping[str, Any] | None) -> ToolRequest:
    plain = to_jsonable_python(arguments or {}, fallback=lambda other: f"<{type(other).__qualname__}>")
    return ToolRequest(workbench=workbench.effect_identity(), name=name, arguments=plain)
