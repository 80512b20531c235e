"""Opening sessions: importing the SDK, and passing messages through a process, a sandbox or an address."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from symposia._lazy import lazy_module
from symposia.core.exceptions import MissingExtraError
from symposia.ext.tools.mcp._lines import ServerOutput
from symposia.ext.tools.mcp._params import McpServerParams, StdioServerParams
from symposia.ext.tools.mcp._stdio import stdio_streams

if TYPE_CHECKING:
    import mcp

    from symposia.ext.tools.mcp import _sandboxed as sandboxed
    from symposia.ext.tools.mcp import _sdk as sdk
    from symposia.ext.tools.mcp import _sdk_http as sdk_http
else:
    mcp = lazy_module("mcp")
    sandboxed = lazy_module("symposia.ext.tools.mcp._sandboxed")
    sdk = lazy_module("symposia.ext.tools.mcp._sdk")
    sdk_http = lazy_module("symposia.ext.tools.mcp._sdk_http")


def require_sdk(feature: str) -> None:
    """Check that the SDK is installed, without importing it.

    Raises:
        MissingExtraError: It is not.
    """
    if find_spec("mcp") is None:
        raise MissingExtraError(feature, "mcp")


async def import_sdk(params: McpServerParams | None = None) -> None:
    """Import the SDK in a worker thread: that takes most of a second, and would stop the event loop.

    Args:
        params: A server, if what its address or its sandbox needs is to be imported, too.
    """
    names = ["_sdk"]
    if isinstance(params, StdioServerParams):
        names += ["_sandboxed"] if params.sandbox is not None else []
    elif params is not None:
        names += ["_sdk_http"]
    for name in names:
        await asyncio.to_thread(import_module, f"symposia.ext.tools.mcp.{name}")


def open_streams(
    params: McpServerParams, auth: object, output: ServerOutput
) -> AbstractAsyncContextManager[tuple[Any, Any]]:
    """The messages to and from a server, to be entered."""
    if isinstance(params, StdioServerParams):
        if params.sandbox is None:
            return stdio_streams(params, output)
        return sandboxed.sandboxed_streams(params, params.sandbox, output)
    return sdk_http.http_streams(params, auth, output.note_fault, output.closed)


@asynccontextmanager
async def create_mcp_server_session(
    server_params: McpServerParams, sampling_callback: object = None
) -> AsyncGenerator[mcp.ClientSession]:
    """Start a server and open a session, which is closed at the end of the block.

    Args:
        server_params: The server.
        sampling_callback: Answers the server's requests for answers of a model; a function of the SDK's type.

    Yields:
        The SDK's session. Call its `initialize` first.

    Raises:
        MissingExtraError: The extra ``mcp`` is not installed.
        ToolServiceError: The program of the server cannot be started.
    """
    require_sdk("An MCP session")
    await import_sdk(server_params)
    output = ServerOutput(lambda: None)
    async with (
        open_streams(server_params, None, output) as (read, write),
        sdk.client_session(read, write, sampling_callback=sampling_callback) as session,
    ):
        yield session
