"""Tool calls as effects, and the tool lists of remote workbenches."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Literal, cast

from pydantic import JsonValue

from symposia.core._cancellation_token import CancellationToken
from symposia.core.effects import EffectKind, EffectRequest, effects_are_handled, enter_scope, iterate_in_scope
from symposia.core.exceptions import HumanInputError
from symposia.core.json_values import as_json
from symposia.core.tools._tool import ToolSchema
from symposia.core.tools._workbench import StreamWorkbench, ToolResult, Workbench, failed_result


class ToolRequest(EffectRequest):
    """A tool is called.

    Attributes:
        workbench: The value of `Workbench.effect_identity`, or another name of the tool's owner.
        name: The tool.
        arguments: The arguments, parsed from JSON.
    """

    kind: Literal["tool"] = "tool"
    workbench: dict[str, JsonValue]
    name: str
    arguments: dict[str, JsonValue]


class ToolListRequest(EffectRequest):
    """A request for the list of a workbench's tools.

    Attributes:
        workbench: The value of `Workbench.effect_identity`.
    """

    kind: Literal["tool_list"] = "tool_list"
    workbench: dict[str, JsonValue]


TOOL_EFFECT = EffectKind("tool", ToolRequest, ToolResult)
TOOL_LIST_EFFECT = EffectKind("tool_list", ToolListRequest, list[dict[str, JsonValue]])


async def list_tools(workbench: Workbench) -> list[ToolSchema]:
    """List the tools of a workbench; unless the list is static, as an effect.

    The list of a server decides what the model is asked, so that a replay without the server needs it, and a replay
    with a server that has changed must not ask the model another question.
    """
    if workbench.is_static or not effects_are_handled():
        return await workbench.list_tools()

    async def call() -> list[dict[str, JsonValue]]:
        return cast("list[dict[str, JsonValue]]", await workbench.list_tools())

    schemas = await TOOL_LIST_EFFECT.perform(
        lambda: ToolListRequest(workbench=workbench.effect_identity()), call, idempotency="idempotent"
    )
    return cast("list[ToolSchema]", schemas)


async def call_tool(
    workbench: Workbench,
    name: str,
    arguments: Mapping[str, object] | None = None,
    cancellation_token: CancellationToken | None = None,
    call_id: str | None = None,
    *,
    place: int = 0,
) -> ToolResult:
    """Call a tool of a workbench, as an effect in a scope of its own.

    What the workbench raises, such as a lost connection to a server, becomes a result that says so, like the failure of
    a tool. It does so inside the effect: what an effect handler raises is not the tool's failure, and is raised.

    A person who cannot be asked is no failure of the tool. The error ends the run, since a model that read it would
    only repeat the call.

    A transparent tool is called in its scope without being an effect: what it does inside are the effects.

    Args:
        workbench: The workbench.
        name: The tool, as `Workbench.list_tools` names it.
        arguments: The arguments as the model gave them, parsed from JSON.
        cancellation_token: Cancelling it ends the call.
        call_id: The `id` of the model's call.
        place: Which of the calls of one answer this is, from 0: it keeps calls apart that run at the same time.

    Raises:
        HumanInputError: A person could not be asked.
        asyncio.CancelledError: The token was cancelled.
    """

    async def call() -> ToolResult:
        try:
            return await workbench.call_tool(name, arguments, cancellation_token, call_id)
        except HumanInputError:
            raise
        except Exception as error:  # noqa: BLE001 - becomes a result for the model
            return failed_result(name, error)

    # Without a handler nothing reads the scope, so none is entered.
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
    workbench: StreamWorkbench,
    name: str,
    arguments: Mapping[str, object] | None = None,
    cancellation_token: CancellationToken | None = None,
    call_id: str | None = None,
    *,
    place: int = 0,
) -> AsyncGenerator[object, None]:
    """Call a tool of a workbench like `call_tool`, and yield its items as they come; the `ToolResult` comes last."""

    async def call() -> AsyncGenerator[object, None]:
        try:
            items = workbench.call_tool_stream(name, arguments, cancellation_token, call_id)
            async with aclosing(items):
                async for item in items:
                    yield item
        except HumanInputError:
            raise
        except Exception as error:  # noqa: BLE001 - becomes a result for the model
            yield failed_result(name, error)

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


def _request(workbench: Workbench, name: str, arguments: Mapping[str, object] | None) -> ToolRequest:
    plain = as_json(arguments or {}, f"the arguments of the tool {name!r}")
    return ToolRequest(workbench=workbench.effect_identity(), name=name, arguments=plain)
