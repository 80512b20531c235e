"""A server of the standard library alone, which does what a server should not: ``python mcp_broken_server.py HOW``.

What it is answered to its own requests goes into a file, if one is given after that.
"""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

HOW = sys.argv[1]
TOOL: dict[str, Any] = {
    "name": "weigh",
    "inputSchema": {"type": "object", "properties": {}},
    "outputSchema": {"type": "object", "properties": {"grams": {"type": "integer"}}, "required": ["grams"]},
}
BOX = ("╭─── Traceback ───╮", f"│ {'no API key': <17} │", "", f"│ {'is set': <17} │", "╰───╯")
LAST_WORDS = {
    "exits": "no API key is set\n",
    "exits-in-a-box": "\n".join(f"{'': <29}{line}" for line in BOX),  # as the SDK's servers write tracebacks
}
HUNG = {"type": "string", "pattern": "^(a+)+$"}


def send(**message: Any) -> None:
    """Write a message."""
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
    sys.stdout.flush()


def result_of_call(number: object, calls: int, arguments: dict[str, Any]) -> None:
    """Answer a call of the tool."""
    if "code" in arguments:
        text = repr(eval(arguments["code"]))
        send(id=number, result={"content": [{"type": "text", "text": text}], "structuredContent": {"grams": 5}})
        return
    if HOW == "slow" and calls == 1:
        return
    if HOW == "other-schema":
        content = [{"type": "text", "text": "heavy"}]
        send(id=number, result={"content": content, "structuredContent": {"grams": "heavy"}})
    elif HOW == "pattern":
        hard = "a" * 40 + "b"
        send(id=number, result={"content": [], "structuredContent": {"text": hard, hard: 1}})
    elif HOW == "many-items":
        send(id=number, result={"content": [1] * 1_000_000})
    elif HOW == "no-result":
        send(id=number, result={"content": "heavy"})
    elif HOW in {"huge", "huge-id-last", "huge-no-id"}:
        head, tail = {
            "huge": (f'{{"jsonrpc":"2.0","id":{number},"result":{{"content":[{{"type":"text","text":"', '"}]}}'),
            "huge-id-last": (
                '{"result":{"content":[{"type":"text","text":"',
                f'"}}]}},"jsonrpc":"2.0","id":{number}}}',
            ),
            "huge-no-id": ("", ""),
        }[HOW]
        sys.stdout.write(head)
        for _ in range(100):
            sys.stdout.write("x" * 1_000_000)
        sys.stdout.write(tail + "\n")
        sys.stdout.flush()
    elif HOW == "deaf":
        time.sleep(600)
    else:
        send(id=number, result={"content": [], "structuredContent": {"grams": 5}})


def listed_tool() -> dict[str, Any]:
    """The tool as it is listed."""
    if HOW == "pattern":
        text = {"type": "object", "properties": {"text": HUNG}}
        return {**TOOL, "inputSchema": text, "outputSchema": {**text, "patternProperties": {"^(a+)+$": {}}}}
    return {**TOOL, "name": f"weigh_{os.getpid()}"} if HOW == "other-tools" else TOOL


def main() -> None:
    """Answer until the input ends."""
    if HOW in LAST_WORDS:
        sys.stderr.buffer.write(LAST_WORDS[HOW].encode())
        sys.exit(7)
    if HOW == "chatters":
        sys.stdout.write("Welcome to the server!\n")
        sys.exit(0)
    calls = 0
    for line in sys.stdin:
        message = json.loads(line)
        number, method = message.get("id"), message.get("method")  # an answer has none
        if HOW == "silent":
            continue
        if method == "initialize":
            version = message["params"]["protocolVersion"] if HOW != "other-version" else "1999-01-01"
            info = {"name": "broken", "version": "1"}
            able = {"tools": {"listChanged": True} if HOW == "other-tools" else {}}
            send(id=number, result={"protocolVersion": version, "capabilities": able, "serverInfo": info})
        elif method == "tools/list":
            send(id=number, result={"tools": [listed_tool()]})
        elif method == "tools/call":
            calls += 1
            globals()["token"] = message["params"].get("_meta", {}).get("progressToken")  # for the code of a call
            result_of_call(number, calls, message["params"].get("arguments") or {})
        elif method is None and len(sys.argv) > 2:  # an answer to a request of this server
            Path(sys.argv[2]).write_text(line)
        elif method == "ping":
            send(id=number, result={})


if __name__ == "__main__":
    main()
