"""The requests of a program to a server, each an effect: a journal answers them again, and a replay needs no server.

Calls of tools by agents are effects already, by `symposia.core.tools.call_tool`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias, TypeGuard

from pydantic import BaseModel, JsonValue

from symposia._lazy import lazy_module
from symposia.core.effects import EffectKind, EffectRequest
from symposia.core.json_values import as_json
from symposia.ext.tools.mcp._connection import Connection
from symposia.ext.tools.mcp._opening import import_sdk
from symposia.ext.tools.mcp._params import digest, where
from symposia.ext.tools.mcp._session import OnProgress

if TYPE_CHECKING:
    import mcp

    from symposia.ext.tools.mcp import _sdk as sdk
else:
    mcp = lazy_module("mcp")
    sdk = lazy_module("symposia.ext.tools.mcp._sdk")

RequestName: TypeAlias = Literal[
    "call_tool",
    "get_prompt",
    "list_prompts",
    "list_resource_templates",
    "list_resources",
    "list_tools",
    "read_resource",
]

_IN_ERRORS: Final[Mapping[RequestName, str]] = {
    "call_tool": "the tool '{}'",
    "get_prompt": "the prompt '{}'",
    "list_prompts": "the list of its prompts",
    "list_resource_templates": "the list of its resource templates",
    "list_resources": "the list of its resources",
    "list_tools": "the list of its tools",
    "read_resource": "the resource '{}'",
}


def is_request_name(name: str) -> TypeGuard[RequestName]:
    """Whether there is such a request."""
    return name in _IN_ERRORS


class McpRequest(EffectRequest):
    """A request to an MCP server.

    Attributes:
        server: Its command or address, and a digest of the rest.
        request: What is asked for: ``read_resource``, ``get_prompt``, ``list_prompts``, …
        name: The tool, the prompt, or the address of the resource; empty for a list.
        arguments: Those of a tool or a prompt.
    """

    kind: Literal["mcp"] = "mcp"
    server: dict[str, JsonValue]
    request: RequestName
    name: str
    arguments: dict[str, JsonValue]


class _Recorded(BaseModel, defer_build=True):
    """A result in a form for JSON: the name of its class in the SDK, and the protocol's JSON."""

    result_class: str
    result: dict[str, JsonValue]


class _SdkCodec:
    """Writes results of the SDK, whose classes are known once it is imported."""

    def encode(self, result: object) -> JsonValue:
        return {"result_class": type(result).__name__, "result": sdk.wire(result)}

    def decode(self, value: JsonValue) -> object:
        recorded = _Recorded.model_validate(value)
        return sdk.from_wire(recorded.result_class, recorded.result)


MCP_EFFECT: Final[EffectKind[McpRequest, Any]] = EffectKind("mcp", McpRequest, codec=_SdkCodec())


async def send_request(
    connection: Connection, request: RequestName, name: str = "", arguments: Mapping[str, object] | None = None
) -> Any:
    """Send a request, as an effect. Returns the SDK's result; a list has the items of all pages.

    Raises:
        ToolServiceError: The server did not start, failed, or gave no valid answer.
    """
    await import_sdk()  # before a handler decodes a result
    what = _IN_ERRORS[request].format(name)
    is_call = request == "call_tool"

    def send(session: mcp.ClientSession, on_progress: OnProgress) -> Awaitable[Any]:
        if request == "call_tool":
            return sdk.call_tool(session, name, arguments or {}, on_progress)
        if request == "get_prompt":
            return sdk.get_prompt(session, name, arguments)
        if request == "read_resource":
            return sdk.read_resource(session, name)
        return sdk.list_all(session, request.removeprefix("list_"))

    return await MCP_EFFECT.perform(
        lambda: McpRequest(
            server={"server": where(connection.params), "digest": digest(connection.params)},
            request=request,
            name=name,
            arguments=as_json(arguments or {}, f"the arguments of {what}"),
        ),
        lambda: connection.request(what, send, repeatable=not is_call),
        idempotency="unknown" if is_call else "idempotent",
    )
