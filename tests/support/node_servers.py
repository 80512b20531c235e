"""Where `scripts/test --apart mcp-servers` installs the reference servers of MCP."""

from pathlib import Path

NODE_SERVERS = Path(__file__).parents[2] / ".node-servers" / "node_modules" / "@modelcontextprotocol"
