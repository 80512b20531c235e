"""Tools, agents and teams as the tools of an MCP server."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, redirect_stdout
from importlib import import_module
from typing import TYPE_CHECKING, Any, TextIO, cast

from symposia._lazy import lazy_module
from symposia.agentchat.base import ChatAgent, Team
from symposia.agentchat.tools import AgentTool, TeamTool
from symposia.core.effects import handle_effects
from symposia.core.exceptions import ArgumentTypeError
from symposia.core.tools import (
    BaseTool,
    FunctionTool,
    ImageResultContent,
    StaticWorkbench,
    TextResultContent,
    ToolSchema,
    ToolTraits,
    Workbench,
    call_tool,
)
from symposia.ext.tools.mcp._opening import import_sdk, require_sdk
from symposia.ext.tools.mcp._served_questions import ClientQuestions, Elicit

if TYPE_CHECKING:
    import anyio

    from symposia.ext.tools.mcp import _sdk as sdk
else:
    anyio = lazy_module("anyio")
    sdk = lazy_module("symposia.ext.tools.mcp._sdk")

Served = Workbench | ChatAgent | Team | BaseTool[Any, Any] | Callable[..., object]


async def serve_mcp_tools(served: Served | Sequence[Served], name: str = "symposia") -> None:
    """Serve tools on standard input and output, until the input ends.

    An agent or a team is one tool, whose argument is a task. What tools print goes to the standard error, since the
    standard output is for messages. A tool that calls ``sys.exit`` has failed, and the server goes on. What an agent
    would ask a person on the terminal is asked of the client, by an elicitation. The idempotency of a tool becomes the
    protocol's hint.

    Args:
        served: A workbench, an agent, a team, a tool, a function, or a list of the last four.
        name: The name of the server, and of the tool of a team.

    Raises:
        ArgumentTypeError: `served` is something else.
        MissingExtraError: The extra ``mcp`` is not installed.
    """
    require_sdk("An MCP server")
    workbench = as_workbench(served, name)
    await import_sdk()
    server = _server_of(workbench, name)
    stdio_server: Any = import_module("mcp.server.stdio").stdio_server
    # The workbench starts before the input is read: a thread that reads cannot be ended.
    with _claimed_streams() as (stdin, stdout):
        async with workbench, stdio_server(anyio.wrap_file(stdin), anyio.wrap_file(stdout)) as (read, write):
            await server.run(read, write, server.create_initialization_options())


@contextmanager
def _claimed_streams() -> Generator[tuple[TextIO, TextIO]]:
    """The standard input and output for messages alone.

    Meanwhile, what tools and their processes print goes to the standard error, and they read an empty input. The SDK
    does the same since version 2.
    """
    sys.stdout.flush()
    kept = [os.dup(0), os.dup(1)]
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    os.close(nothing)
    try:
        with redirect_stdout(sys.stderr):
            # Not closed: closing waits for a thread that reads.
            stdin = open(kept[0], encoding="utf-8", errors="replace", closefd=False)  # noqa: SIM115
            yield stdin, open(kept[1], "w", encoding="utf-8", newline="\n", closefd=False)  # noqa: SIM115
    finally:
        for number, descriptor in enumerate(kept):
            os.dup2(descriptor, number)
            os.close(descriptor)


def as_workbench(served: object, name: str) -> Workbench:
    """What is served, as a workbench.

    Raises:
        ArgumentTypeError: It is no such object.
    """
    if isinstance(served, Workbench):
        return served
    several = list(cast("Sequence[object]", served)) if isinstance(served, (list, tuple)) else [served]
    return StaticWorkbench([_as_tool(each, name) for each in several])


def _as_tool(given: object, name: str) -> BaseTool[Any, Any]:
    if isinstance(given, BaseTool):
        return cast("BaseTool[Any, Any]", given)
    if isinstance(given, ChatAgent):
        return AgentTool(given, return_value_as_last_message=True)
    if isinstance(given, Team):
        return TeamTool(given, name, given.description, return_value_as_last_message=True)
    if callable(given) and not isinstance(given, type):
        return FunctionTool(given, given.__doc__ or "")
    if isinstance(given, Workbench):
        raise ArgumentTypeError("A workbench in a list cannot be served: give the workbench alone.")
    raise ArgumentTypeError(f"{given!r} cannot be served: give a workbench, an agent, a team, a tool, or a function.")


def _server_of(workbench: Workbench, name: str) -> Any:  # Any: of the SDK
    async def list_tools() -> list[dict[str, Any]]:
        return [_as_wire(each, workbench.tool_traits(each["name"])) for each in await workbench.list_tools()]

    async def call(tool: str, arguments: dict[str, Any], elicit: Elicit | None) -> dict[str, Any]:
        try:
            with handle_effects(ClientQuestions(elicit)):
                result = await call_tool(workbench, tool, arguments)
        except SystemExit as error:  # of a function that is written for a command line
            told = f"The tool {tool} has called sys.exit({error.code!r})."
            return {"content": [{"type": "text", "text": told}], "isError": True}
        return {"content": [_content(piece) for piece in result.result], "isError": result.is_error}

    return sdk.tool_server(name, list_tools, call)


def _as_wire(schema: ToolSchema, traits: ToolTraits) -> dict[str, Any]:
    wire: dict[str, Any] = {
        "name": schema["name"],
        "description": schema.get("description", ""),
        "inputSchema": schema.get("parameters") or {"type": "object", "properties": {}},
    }
    match traits.idempotency:
        case "pure":
            return {**wire, "annotations": {"readOnlyHint": True}}
        case "idempotent":
            return {**wire, "annotations": {"idempotentHint": True}}
        case "unknown":
            return wire


def _content(piece: TextResultContent | ImageResultContent) -> dict[str, str]:
    if isinstance(piece, TextResultContent):
        return {"type": "text", "text": piece.content}
    return {"type": "image", "data": piece.content.to_base64(), "mimeType": piece.content.media_type}
