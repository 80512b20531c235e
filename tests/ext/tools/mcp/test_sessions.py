"""Tools one by one, AutoGen's actor, sessions of the SDK, and servers at an address."""

import asyncio
import sys
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
import pytest_asyncio

from symposia.core import CancellationToken
from symposia.core.exceptions import InvalidArgumentError, ToolArgumentsError, ToolServiceError, UsageError
from symposia.core.tools import BaseTool
from symposia.ext.tools.mcp import (
    McpServerParams,
    McpSessionActor,
    McpWorkbench,
    SseServerParams,
    StdioMcpToolAdapter,
    StdioServerParams,
    StreamableHttpMcpToolAdapter,
    StreamableHttpServerParams,
    create_mcp_server_session,
    mcp_server_tools,
)

SUPPORT = Path(__file__).parents[3] / "support"
pytestmark = pytest.mark.asyncio(loop_scope="module")


def stdio() -> StdioServerParams:
    args = [str(SUPPORT / "mcp_server.py"), "stdio"]
    return StdioServerParams(command=sys.executable, args=args, read_timeout_seconds=60)


async def test_adapters_of_one_server_share_a_process() -> None:
    tools = {tool.name: tool for tool in await mcp_server_tools(stdio())}
    process = tools["process"]
    assert isinstance(process, StdioMcpToolAdapter)
    token = CancellationToken()
    first = process.return_value_as_string(await process.run_json({}, token))
    again = await StdioMcpToolAdapter.from_server_params(stdio(), "process")
    assert again.return_value_as_string(await again.run_json({}, token)) == first
    result = await tools["add"].run_json({"a": 1, "b": 2}, token)
    assert tools["add"].return_value_as_string(result) == '[{"type": "text", "text": "3", "annotations": null}]'
    with pytest.raises(ToolArgumentsError, match="valid integer"):
        await tools["add"].run_json({"a": "x", "b": 2}, token)
    with pytest.raises(InvalidArgumentError, match=r"Tool 'subtract' not found\. The tools of the server are: add, "):
        await StdioMcpToolAdapter.from_server_params(stdio(), "subtract")
    saved = tools["add"].dump_component()
    assert saved.config["tool"]["inputSchema"]["required"] == ["a", "b"]
    assert BaseTool.load_component(saved).schema == tools["add"].schema
    with pytest.raises(ToolServiceError, match="ended during the tool 'die'"):
        await tools["die"].run_json({}, token)


async def test_a_session_of_the_sdk_serves_adapters_and_ends_with_its_block() -> None:
    async with create_mcp_server_session(stdio()) as session:
        await session.initialize()
        tools = {tool.name: tool for tool in await mcp_server_tools(stdio(), session)}
        processes = [await tools["process"].run_json({}, CancellationToken()) for _ in range(2)]
        assert processes[0] == processes[1]


async def test_the_actor_answers_requests_by_name() -> None:
    actor = McpSessionActor(stdio())
    with pytest.raises(UsageError, match=r"call initialize\(\) first"):
        await actor.call("list_tools")
    await actor.initialize()
    assert actor.initialize_result.instructions == "Add before you multiply."
    added = await (await actor.call("call_tool", {"name": "add", "kargs": {"a": 1, "b": 2}}))
    assert added.content[0].text == "3"
    read = await (await actor.call("read_resource", {"name": None, "kargs": {"uri": "note://hello"}}))
    assert read.contents[0].text == "hello"
    prompt = await (await actor.call("get_prompt", {"name": "greet", "kargs": {"arguments": {"name": "Ada"}}}))
    assert prompt.messages[0].content.text == "Greet Ada."
    with pytest.raises(ValueError, match="uri"):
        await actor.call("read_resource", {"name": None, "kargs": {}})
    with pytest.raises(InvalidArgumentError, match="no request 'guess'"):
        await actor.call("guess")
    await actor.close()
    assert McpSessionActor.load_component(actor.dump_component()).server_params == stdio()


async def serve(kind: str, port: int) -> asyncio.subprocess.Process:
    """Start a server at an address, and wait until it takes connections."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, SUPPORT / "mcp_server.py", kind, str(port), stderr=asyncio.subprocess.DEVNULL
    )
    async with asyncio.timeout(60):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return process


@pytest_asyncio.fixture(loop_scope="module", params=["http", "sse"])
async def address(
    request: pytest.FixtureRequest, unused_tcp_port: int
) -> AsyncGenerator[tuple[McpServerParams, asyncio.subprocess.Process, int]]:
    process = await serve(request.param, unused_tcp_port)
    where = f"http://127.0.0.1:{unused_tcp_port}"
    params = (
        SseServerParams(url=f"{where}/sse")
        if request.param == "sse"
        else StreamableHttpServerParams(url=f"{where}/mcp")
    )
    yield params, process, unused_tcp_port
    if process.returncode is None:
        process.kill()
    await process.wait()


async def test_a_server_at_an_address_is_called_cancelled_and_replaced(
    address: tuple[McpServerParams, asyncio.subprocess.Process, int], tmp_path: Path
) -> None:
    params, process, port = address
    async with McpWorkbench(params, elicit=lambda _question: "") as workbench:
        sums = await asyncio.gather(*(workbench.call_tool("add", {"a": number, "b": 1}) for number in range(20)))
        assert [each.to_text() for each in sums] == [str(number + 1) for number in range(20)]
        *reports, result = [item async for item in workbench.call_tool_stream("count")]
        assert len(reports) == 3, result
        assert (await workbench.call_tool("book")).to_text() == "decline"
        if isinstance(params, StreamableHttpServerParams):
            add = await StreamableHttpMcpToolAdapter.from_server_params(params, "add")
            assert (await add.run_json({"a": 1, "b": 2}, CancellationToken()))[0].text == "3"

        started, ended = tmp_path / "started", tmp_path / "ended"
        call = asyncio.create_task(workbench.call_tool("wait", {"started": str(started), "ended": str(ended)}))
        await wait_for(started)
        call.cancel()
        await wait_for(ended)
        with pytest.raises(asyncio.CancelledError):
            await call

        process.kill()
        await process.wait()
        gone = await workbench.call_tool("add", {"a": 1, "b": 1})
        assert gone.is_error
        new = await serve("sse" if isinstance(params, SseServerParams) else "http", port)
        assert (await workbench.call_tool("add", {"a": 1, "b": 1})).to_text() == "2"
        new.kill()
        await new.wait()


async def test_a_session_that_the_server_no_longer_knows_is_replaced(unused_tcp_port: int) -> None:
    process = await serve("http", unused_tcp_port)
    async with McpWorkbench(StreamableHttpServerParams(url=f"http://127.0.0.1:{unused_tcp_port}/mcp")) as workbench:
        await workbench.start()
        process.kill()
        await process.wait()
        process = await serve("http", unused_tcp_port)
        sums = await asyncio.gather(*(workbench.call_tool("add", {"a": number, "b": 1}) for number in range(20)))
        assert [each.to_text() for each in sums] == [str(number + 1) for number in range(20)]
        read = await workbench.read_resource("note://hello")
        assert read.contents[0].model_dump()["text"] == "hello"
    process.kill()
    await process.wait()


async def wait_for(path: Path) -> None:
    async with asyncio.timeout(60):
        while not path.exists():  # noqa: ASYNC110, ASYNC240 - another process makes it
            await asyncio.sleep(0.01)
