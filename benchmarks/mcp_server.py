"""An MCP server of the standard library alone, with one tool that answers at once: what is timed is its client."""

import json
import sys
from typing import Any

TOOL = {"name": "echo", "inputSchema": {"type": "object", "properties": {"text": {"type": "string"}}}}


def _result(message: dict[str, Any]) -> dict[str, object]:
    method = message["method"]
    if method == "initialize":
        server = {"name": "echo", "version": "1"}
        return {
            "protocolVersion": message["params"]["protocolVersion"],
            "capabilities": {"tools": {}},
            "serverInfo": server,
        }
    if method == "tools/list":
        return {"tools": [TOOL]}
    return {"content": [{"type": "text", "text": "hello"}]}


for line in sys.stdin:
    message = json.loads(line)
    if "id" in message:
        answer = {"jsonrpc": "2.0", "id": message["id"], "result": _result(message)}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()
