"""A server that wants a token, from an authorization server of the SDK: the whole flow, on loopback."""

import asyncio
import importlib
import sys
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from symposia.core.exceptions import ToolServiceError
from symposia.ext.tools.mcp import McpWorkbench, StreamableHttpServerParams
from symposia.ext.tools.mcp._sdk import IS_FIRST

SERVER = Path(__file__).parents[3] / "support" / "mcp_oauth_server.py"
shared: Any = importlib.import_module("mcp.shared.auth")  # Any: the two versions of the SDK
client: Any = importlib.import_module("mcp.client.auth")


class Storage:
    """Keeps the tokens of a client, in memory."""

    def __init__(self) -> None:
        self.tokens: Any = None
        self.client: Any = None

    async def get_tokens(self) -> Any:
        return self.tokens

    async def set_tokens(self, tokens: Any) -> None:
        self.tokens = tokens

    async def get_client_info(self) -> Any:
        return self.client

    async def set_client_info(self, client_info: Any) -> None:
        self.client = client_info


class Browser:
    """A person who agrees: opens the address, and keeps where it leads."""

    def __init__(self) -> None:
        self.opened = 0
        self._query: dict[str, list[str]] = {}

    async def open(self, address: str) -> None:
        self.opened += 1
        async with httpx.AsyncClient(trust_env=False) as http:
            answer = await http.get(address, follow_redirects=False)
        self._query = parse_qs(urlsplit(answer.headers["location"]).query)

    async def result(self) -> Any:
        code, state = self._query["code"][0], self._query["state"][0]
        return (code, state) if IS_FIRST else shared.AuthorizationCodeResult(code=code, state=state)


def oauth(url: str, storage: Storage, browser: Browser) -> Any:
    metadata = shared.OAuthClientMetadata(
        client_name="tests", redirect_uris=["http://127.0.0.1:1/callback"], scope="tools"
    )
    return client.OAuthClientProvider(
        server_url=url,
        client_metadata=metadata,
        storage=storage,
        redirect_handler=browser.open,
        callback_handler=browser.result,
    )


async def test_a_person_agrees_once_and_tokens_are_renewed_without(unused_tcp_port: int) -> None:
    url = f"http://127.0.0.1:{unused_tcp_port}/mcp"
    params = StreamableHttpServerParams(url=url)
    process = await asyncio.create_subprocess_exec(
        sys.executable, SERVER, str(unused_tcp_port), stderr=asyncio.subprocess.DEVNULL
    )
    try:
        await listening(unused_tcp_port)
        storage, browser = Storage(), Browser()
        workbench = McpWorkbench(params, auth=oauth(url, storage, browser))
        async with workbench:
            results = await asyncio.gather(*(workbench.call_tool("clients") for _ in range(10)))
            assert [result.to_text() for result in results] == ["1"] * 10
            first = storage.tokens.access_token
            await workbench.call_tool("forget")
            assert (await workbench.call_tool("clients")).to_text() == "1"
            assert storage.tokens.access_token != first
        asked = browser.opened
        async with McpWorkbench(params, auth=oauth(url, storage, browser)) as again:
            assert (await again.call_tool("clients")).to_text() == "1"
        assert browser.opened == asked  # the stored token does
        with pytest.raises(ToolServiceError, match="HTTP status is 401: give headers= with a key, or auth="):
            await McpWorkbench(params).start()
        login = importlib.import_module("httpx" if IS_FIRST else "httpx2").BasicAuth("name", "password")
        with pytest.raises(ToolServiceError, match="HTTP status is 401: what auth= gives is not accepted"):
            await McpWorkbench(params, auth=login).start()
        assert storage.tokens.access_token not in str(workbench.effect_identity())
    finally:
        process.kill()
        await process.wait()


async def test_a_person_who_does_not_agree_is_one_clear_error(unused_tcp_port: int) -> None:
    class Refusing(Browser):
        async def result(self) -> Any:
            raise PermissionError("the page was closed")

    url = f"http://127.0.0.1:{unused_tcp_port}/mcp"
    process = await asyncio.create_subprocess_exec(
        sys.executable, SERVER, str(unused_tcp_port), stderr=asyncio.subprocess.DEVNULL
    )
    try:
        await listening(unused_tcp_port)
        browser = Refusing()
        workbench = McpWorkbench(StreamableHttpServerParams(url=url), auth=oauth(url, Storage(), browser))
        with pytest.raises(ToolServiceError, match=r"did not start\. PermissionError: the page was closed\."):
            await workbench.start()
        assert browser.opened == 1
        await workbench.stop()
    finally:
        process.kill()
        await process.wait()


async def listening(port: int) -> None:
    """Wait until a server takes connections."""
    async with asyncio.timeout(60):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return
