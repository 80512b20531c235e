"""The tools of a server one by one, for agents that take tools and no workbench."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Generic, Self, TypeAlias, TypeVar, cast
from weakref import WeakValueDictionary

from pydantic import BaseModel, ConfigDict
from pydantic_core import SchemaError

from symposia._lazy import lazy_module
from symposia.core import CancellationToken, cancelled_by
from symposia.core.exceptions import InvalidArgumentError, ToolServiceError
from symposia.core.tools import BaseTool, ToolSchema, ToolTraits
from symposia.core.utils import schema_to_pydantic_model
from symposia.ext.tools.mcp._connection import Connection
from symposia.ext.tools.mcp._listing import tool_parameters, tool_traits
from symposia.ext.tools.mcp._opening import import_sdk, require_sdk
from symposia.ext.tools.mcp._params import (
    McpServerParams,
    SseServerParams,
    StdioServerParams,
    StreamableHttpServerParams,
)
from symposia.ext.tools.mcp._requests import send_request
from symposia.ext.tools.mcp._results import as_tool_result, head_and_tail
from symposia.ext.tools.mcp._server_schemas import without_patterns
from symposia.ext.tools.mcp._session import Setting

if TYPE_CHECKING:
    import mcp
    from mcp import types as mcp_types

    from symposia.ext.tools.mcp import _sdk as sdk
else:
    mcp = lazy_module("mcp")
    sdk = lazy_module("symposia.ext.tools.mcp._sdk")
    mcp_types = lazy_module("mcp.types")

_IDLE_SECONDS: Final = 60.0
"""Seconds without a call after which the server of adapters stops: nothing else says when they are no longer used."""

_NO_MODEL: Final = (
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    NotImplementedError,
    RecursionError,
    SchemaError,
)
"""What making a model of a schema that has none raises, or of one that is not valid."""

ParamsT = TypeVar("ParamsT", StdioServerParams, SseServerParams, StreamableHttpServerParams)

_connections: Final[WeakValueDictionary[str, Connection]] = WeakValueDictionary()
"""The connections of all adapters, by their server: the tools of one server have one session."""


class _AnyArguments(BaseModel, defer_build=True):
    """The arguments of a tool whose schema has no model; the server checks them."""

    model_config = ConfigDict(extra="allow")


class McpToolAdapter(BaseTool[BaseModel, Any], Generic[ParamsT]):
    """A tool of a server.

    Without a `session`, all adapters of the same server share one, which opens with the first call, is replaced when
    the server dies, and closes a minute after the last call.

    Args:
        server_params: The server.
        tool: The SDK's description of the tool.
        session: A session of `create_mcp_server_session`, for as long as that is open.

    Raises:
        MissingExtraError: The extra ``mcp`` is not installed.
    """

    def __init__(self, server_params: ParamsT, tool: mcp_types.Tool, session: mcp.ClientSession | None = None) -> None:
        require_sdk(type(self).__name__)
        self._described = sdk.wire(tool)
        self._server_params: ParamsT = server_params
        self._session = session
        self._connection = _connection(server_params)
        self._parameters = tool_parameters(self._described)
        name = str(self._described["name"])
        super().__init__(_arguments_type(self._described), object, name, str(self._described.get("description") or ""))
        self.traits: ToolTraits = tool_traits(self._described)

    @property
    def schema(self) -> ToolSchema:
        """The description of the tool for a model, with the server's own schema of the arguments."""
        return ToolSchema(name=self.name, description=self.description, parameters=self._parameters, strict=False)

    async def run(self, args: BaseModel, cancellation_token: CancellationToken) -> Any:
        """Call the tool.

        Returns:
            The content of the result, as the SDK's objects.

        Raises:
            ToolServiceError: The server failed, or the tool did.
            asyncio.CancelledError: The token was cancelled. The server is told.
        """
        arguments = args.model_dump(mode="json", by_alias=True, exclude_unset=True)
        with cancelled_by(cancellation_token):
            result = await self._call(arguments)
        shown = as_tool_result(self.name, sdk.wire(result))
        if shown.is_error:
            raise ToolServiceError(shown.to_text(replace_image="<image>") or f"The tool '{self.name}' failed.")
        return result.content

    async def _call(self, arguments: Mapping[str, object]) -> Any:
        if self._session is not None:
            return await sdk.call_tool(self._session, self.name, arguments)

        return await self._connection.request(
            f"the tool '{self.name}'",
            lambda session, on_progress: sdk.call_tool(session, self.name, arguments, on_progress),
            repeatable=self.traits.idempotency != "unknown",
        )

    @classmethod
    async def from_server_params(cls, server_params: ParamsT, tool_name: str) -> Self:
        """The tool `tool_name` of a server, which is asked for its description.

        Raises:
            InvalidArgumentError: The server has no such tool.
            ToolServiceError: The server failed.
        """
        require_sdk(cls.__name__)
        found = (await send_request(_connection(server_params), "list_tools")).tools
        for tool in found:
            if tool.name == tool_name:
                return cls(server_params, tool)
        names = ", ".join(tool.name for tool in found) or "none"
        raise InvalidArgumentError(f"Tool '{tool_name}' not found. The tools of the server are: {names}.")

    def return_value_as_string(self, value: object) -> str:
        """The content of a result as JSON, which is what AutoGen shows a model."""
        return head_and_tail(json.dumps([_without_data(sdk.wire(each)) for each in cast("Sequence[object]", value)]))

    def _to_config(self) -> BaseModel:
        schema: Any = self.component_config_schema
        return schema(server_params=self._server_params, tool=self._described)

    @classmethod
    def _from_config(cls, config: Any) -> Self:
        require_sdk(cls.__name__)
        return cls(config.server_params, sdk.from_wire("Tool", config.tool))


class StdioMcpToolAdapterConfig(BaseModel, defer_build=True):
    """A saved `StdioMcpToolAdapter`."""

    server_params: StdioServerParams
    tool: dict[str, Any]  # Any: JSON


class SseMcpToolAdapterConfig(BaseModel, defer_build=True):
    """A saved `SseMcpToolAdapter`."""

    server_params: SseServerParams
    tool: dict[str, Any]  # Any: JSON


class StreamableHttpMcpToolAdapterConfig(BaseModel, defer_build=True):
    """A saved `StreamableHttpMcpToolAdapter`."""

    server_params: StreamableHttpServerParams
    tool: dict[str, Any]  # Any: JSON


class StdioMcpToolAdapter(McpToolAdapter[StdioServerParams]):
    """A tool of a server that is a program on this machine."""

    component_config_schema = StdioMcpToolAdapterConfig


class SseMcpToolAdapter(McpToolAdapter[SseServerParams]):
    """A tool of a server at an address that sends server-sent events."""

    component_config_schema = SseMcpToolAdapterConfig


class StreamableHttpMcpToolAdapter(McpToolAdapter[StreamableHttpServerParams]):
    """A tool of a server at an address that speaks streamable HTTP."""

    component_config_schema = StreamableHttpMcpToolAdapterConfig


AnyAdapter: TypeAlias = StdioMcpToolAdapter | SseMcpToolAdapter | StreamableHttpMcpToolAdapter


async def mcp_server_tools(
    server_params: McpServerParams, session: mcp.ClientSession | None = None
) -> list[AnyAdapter]:
    """The tools of a server.

    Args:
        server_params: The server.
        session: A session of `create_mcp_server_session` for all calls, for as long as that is open. By default, the
            tools share one that is opened when it is needed.

    Raises:
        MissingExtraError: The extra ``mcp`` is not installed.
        ToolServiceError: The server failed.
    """
    require_sdk("mcp_server_tools")
    await import_sdk()
    if session is not None:
        found = (await sdk.list_all(session, "tools")).tools
    else:
        connection = _connection(server_params)  # kept until the adapters have it
        found = (await send_request(connection, "list_tools")).tools
    if isinstance(server_params, StdioServerParams):
        return [StdioMcpToolAdapter(server_params, tool, session) for tool in found]
    if isinstance(server_params, SseServerParams):
        return [SseMcpToolAdapter(server_params, tool, session) for tool in found]
    return [StreamableHttpMcpToolAdapter(server_params, tool, session) for tool in found]


def _connection(params: McpServerParams) -> Connection:
    key = params.model_dump_json()
    found = _connections.get(key)
    if found is None:
        found = _connections[key] = Connection(Setting(params=params), _IDLE_SECONDS)
    return found


def _arguments_type(tool: dict[str, Any]) -> type[BaseModel]:
    try:
        # Without patterns, one of which may take for ever.
        schema = cast("dict[str, Any]", without_patterns(tool.get("inputSchema") or {}))
        return schema_to_pydantic_model(schema, f"{tool['name']}Arguments")
    except _NO_MODEL:  # the server checks the arguments
        return _AnyArguments


def _without_data(block: dict[str, Any]) -> dict[str, Any]:
    """A piece of content as AutoGen writes it, without the bytes of an image, which a model cannot read as text."""
    block = {**block, "annotations": block.get("annotations")}
    if "data" in block:
        return {**block, "data": f"<{len(str(block['data'])):,} characters>"}
    return block
