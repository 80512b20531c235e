import asyncio
import sys
from pathlib import Path

import pytest

from symposia.core import CancellationToken
from symposia.core.exceptions import ToolServiceError
from symposia.ext.tools.mcp import McpWorkbench, StdioServerParams, StreamableHttpServerParams, mcp_server_tools

SERVER = Path(__file__).parents[3] / "support" / "mcp_broken_server.py"


def broken_server(how: str, seconds: float = 60) -> StdioServerParams:
    return StdioServerParams(command=sys.executable, args=[str(SERVER), how], read_timeout_seconds=seconds)


def broken(how: str, seconds: float = 60) -> McpWorkbench:
    return McpWorkbench(broken_server(how, seconds))


async def told_at_start(workbench: McpWorkbench) -> str:
    with pytest.raises(ToolServiceError) as raised:
        await workbench.start()
    called = await workbench.call_tool("weigh")
    assert called.is_error
    await workbench.stop()
    return str(raised.value)


async def test_a_server_that_exits_says_why() -> None:
    told = await told_at_start(broken("exits"))
    assert "did not start. Its process ended with exit status 7." in told
    assert "no API key is set" in told


async def test_the_log_of_a_server_is_told_without_its_frames() -> None:
    told = await told_at_start(broken("exits-in-a-box"))
    assert told.endswith("It wrote on its standard error: Traceback\nno API key\nis set")


async def test_a_program_that_is_no_server_is_named() -> None:
    assert "It wrote what is no MCP message: Welcome to the server!" in await told_at_start(broken("chatters"))


async def test_a_command_that_is_not_there_is_named() -> None:
    workbench = McpWorkbench(StdioServerParams(command="no-such-program"))
    assert "the command 'no-such-program' was not found. Install it" in await told_at_start(workbench)


async def test_a_folder_that_is_not_there_is_named() -> None:
    workbench = McpWorkbench(StdioServerParams(command=sys.executable, cwd="/no/such/folder"))
    assert "its folder '/no/such/folder' does not exist" in await told_at_start(workbench)


async def test_an_address_without_a_server_is_named(unused_tcp_port: int) -> None:
    url = f"http://127.0.0.1:{unused_tcp_port}/mcp?key=secret"
    told = await told_at_start(McpWorkbench(StreamableHttpServerParams(url=url)))
    assert f"'http://127.0.0.1:{unused_tcp_port}/…' did not start" in told
    assert "secret" not in told


async def test_a_server_of_another_protocol_version_is_refused() -> None:
    assert "1999-01-01" in await told_at_start(broken("other-version"))


async def test_a_server_that_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("symposia.ext.tools.mcp._params.START_SECONDS", 0.5)
    workbench = broken("silent", seconds=0.5)
    with pytest.raises(ToolServiceError, match=r"did not start within 0\.5 seconds") as raised:
        await workbench.start()
    assert "signal" not in str(raised.value)  # by which this program has ended it


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ("other-schema", "Invalid structured content returned by tool weigh"),
        ("no-result", "gave no valid answer to the tool 'weigh'"),
        ("many-items", "gave no valid answer to the tool 'weigh': the answer has more than 10,000 items"),
        ("huge", "gave no valid answer to the tool 'weigh': the server sent more than 16 MiB in one message"),
        ("huge-id-last", "sent more than 16 MiB in one message"),
        ("huge-no-id", "sent more than 16 MiB in one message"),
    ],
)
async def test_an_answer_that_is_none_is_one_clear_error(how: str, told: str) -> None:
    async with broken(how) as workbench:
        result = await workbench.call_tool("weigh")
        assert result.is_error
        assert told in result.to_text()
        assert len(result.to_text()) < 1_500
        assert len(await workbench.list_tools()) == 1  # the server, or another one, goes on


async def test_the_patterns_of_a_server_are_not_matched() -> None:
    hard = "a" * 40 + "b"  # Python's search for ^(a+)+$ in it would take a day
    async with broken("pattern") as workbench:
        assert hard in (await workbench.call_tool("weigh", {"text": hard})).to_text()
    (adapter,) = await mcp_server_tools(broken_server("pattern"))
    assert await adapter.run_json({"text": hard}, CancellationToken()) == []


async def test_a_call_that_takes_too_long_is_cancelled_and_the_session_goes_on() -> None:
    params = broken_server("slow", seconds=1)
    async with McpWorkbench(params) as workbench:
        result = await workbench.call_tool("weigh")
        assert result.is_error
        assert "did not answer within 1 seconds: the tool 'weigh' was cancelled" in result.to_text()
        params.read_timeout_seconds = 60
        assert (await workbench.call_tool("weigh")).to_text() == '{"grams": 5}'  # of the same process: it counts


async def test_the_tools_of_a_server_that_was_started_again_are_listed_anew() -> None:
    async with broken("other-tools") as workbench:
        [before] = await workbench.list_tools()
        assert await workbench.list_tools() == [before]
        died = await workbench.call_tool(before["name"], {"code": "os._exit(3)"})
        assert died.is_error
        [after] = await workbench.list_tools()
        assert after["name"] != before["name"]


async def test_a_server_that_hangs_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("symposia.ext.tools.mcp._session._PING_SECONDS", 0.5)
    params = broken_server("deaf", seconds=1)
    async with McpWorkbench(params) as workbench:
        assert "did not answer within 1 seconds" in (await workbench.call_tool("weigh")).to_text()
        params.read_timeout_seconds = 60
        assert len(await workbench.list_tools()) == 1


async def test_a_caller_that_gives_up_leaves_the_start_to_the_others() -> None:
    async with broken("fine") as workbench:
        await workbench.stop()
        first = asyncio.create_task(workbench.list_tools())
        second = asyncio.create_task(workbench.list_tools())
        await asyncio.sleep(0)
        first.cancel()
        assert len(await second) == 1
