"""The tools of MCP servers: as a workbench with one session for many calls, and one by one."""

from typing import TYPE_CHECKING

from symposia._lazy import lazy_names

if TYPE_CHECKING:
    from symposia.ext.tools.mcp._actor import McpSessionActor
    from symposia.ext.tools.mcp._adapters import (
        SseMcpToolAdapter,
        StdioMcpToolAdapter,
        StreamableHttpMcpToolAdapter,
        mcp_server_tools,
    )
    from symposia.ext.tools.mcp._opening import create_mcp_server_session
    from symposia.ext.tools.mcp._params import (
        McpServerParams,
        ServerSandbox,
        SseServerParams,
        StdioServerParams,
        StreamableHttpServerParams,
    )
    from symposia.ext.tools.mcp._server_requests import ElicitationQuestion
    from symposia.ext.tools.mcp._serving import serve_mcp_tools
    from symposia.ext.tools.mcp._workbench import McpProgress, McpWorkbench
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "_actor": ["McpSessionActor"],
            "_adapters": [
                "SseMcpToolAdapter",
                "StdioMcpToolAdapter",
                "StreamableHttpMcpToolAdapter",
                "mcp_server_tools",
            ],
            "_opening": ["create_mcp_server_session"],
            "_params": [
                "McpServerParams",
                "ServerSandbox",
                "SseServerParams",
                "StdioServerParams",
                "StreamableHttpServerParams",
            ],
            "_server_requests": ["ElicitationQuestion"],
            "_serving": ["serve_mcp_tools"],
            "_workbench": ["McpProgress", "McpWorkbench"],
        },
    )

__all__ = [
    "ElicitationQuestion",
    "McpProgress",
    "McpServerParams",
    "McpSessionActor",
    "McpWorkbench",
    "ServerSandbox",
    "SseMcpToolAdapter",
    "SseServerParams",
    "StdioMcpToolAdapter",
    "StdioServerParams",
    "StreamableHttpMcpToolAdapter",
    "StreamableHttpServerParams",
    "create_mcp_server_session",
    "mcp_server_tools",
    "serve_mcp_tools",
]
