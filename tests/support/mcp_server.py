"""A server of the MCP SDK, as a program: ``python mcp_server.py stdio``, or ``sse PORT``, ``http PORT``.

Its tools do what a server can do: report progress, notice that they are cancelled, ask the client, end the process.
"""

import asyncio
import base64
import importlib
import os
import sys
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, Field

try:
    mcpserver: Any = importlib.import_module("mcp.server.mcpserver")
    server: Any = mcpserver.MCPServer("demo", instructions="Add before you multiply.")
    server_1 = False
except ModuleNotFoundError:  # version 1 of the SDK
    mcpserver = importlib.import_module("mcp.server.fastmcp")
    server = mcpserver.FastMCP("demo", instructions="Add before you multiply.")
    server_1 = True
types: Any = importlib.import_module("mcp.types")
Context = mcpserver.Context

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
READ_ONLY = types.ToolAnnotations.model_validate({"readOnlyHint": True})


@server.tool()
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


@server.tool(annotations=READ_ONLY)
def process() -> str:
    """The number of this process."""
    return str(os.getpid())


@server.tool()
def die() -> str:
    """End the process at once."""
    sys.stderr.write("out of memory\n")
    sys.stderr.flush()
    os._exit(3)


@server.tool(annotations=READ_ONLY)
def die_once(marker: str) -> str:
    """End the process the first time."""
    if Path(marker).exists():
        return "alive"
    Path(marker).touch()
    os._exit(3)


@server.tool()
async def hang() -> str:
    """Never answer."""
    await asyncio.Event().wait()
    return ""


@server.tool()
async def wait(started: str, ended: str) -> str:
    """Wait for ever, and leave files when that begins and ends."""
    Path(started).touch()  # noqa: ASYNC240 - of this server
    try:
        await asyncio.Event().wait()
    finally:
        Path(ended).touch()  # noqa: ASYNC240 - likewise
    return ""


@server.tool()
async def count(context: Context) -> str:
    """Report progress."""
    for step in range(1, 4):
        await context.report_progress(step, 3, f"step {step}")
    return "counted"


@server.tool()
def picture() -> Any:
    """A text, an image, and resources."""
    resource = {"uri": "note://one", "mimeType": "text/plain", "text": "a note"}
    blob = {"uri": "note://two", "mimeType": "application/zip", "blob": base64.b64encode(b"123456").decode()}
    return [
        types.TextContent(type="text", text="a pixel"),
        types.ImageContent.model_validate({"type": "image", "data": PIXEL, "mimeType": "image/png"}),
        types.EmbeddedResource.model_validate({"type": "resource", "resource": resource}),
        types.EmbeddedResource.model_validate({"type": "resource", "resource": blob}),
    ]


@server.tool()
def long_text(size: int) -> str:
    """A text of this many characters."""
    return "x" * size


@server.tool()
async def ask_model(question: str, context: Context) -> str:
    """Ask the model of the client."""
    content = types.TextContent(type="text", text=question)
    result = await context.session.create_message(
        messages=[types.SamplingMessage(role="user", content=content)], max_tokens=20
    )
    return f"The model says: {result.content.text}"


class Booking(BaseModel):
    """What a person is asked for."""

    name: str
    seats: Annotated[int, Field(ge=1, le=4)]
    window: bool = False


@server.tool()
async def book(context: Context) -> str:
    """Ask a person."""
    answer = await context.elicit("Who travels?", Booking)
    if answer.action != "accept":
        return answer.action
    return f"{answer.data.name}: {answer.data.seats}, window: {answer.data.window}"


@server.tool()
async def roots(context: Context) -> str:
    """The folders that the client names."""
    result = await context.session.list_roots()
    return " ".join(str(root.uri) for root in result.roots)


@server.resource("note://hello")
def hello() -> str:
    """A resource."""
    return "hello"


@server.resource("note://of/{name}")
def note_of(name: str) -> str:
    """A template."""
    return f"the note of {name}"


@server.prompt()
def greet(name: str) -> str:
    """A prompt."""
    return f"Greet {name}."


def serve() -> None:
    """Serve on what the arguments name."""
    kind = sys.argv[1]
    if kind == "stdio":
        server.run("stdio")
        return
    transport, port = {"sse": "sse", "http": "streamable-http"}[kind], int(sys.argv[2])
    if server_1:
        server.settings.port = port
        server.run(transport)
    else:
        server.run(transport, port=port)


if __name__ == "__main__":
    serve()
