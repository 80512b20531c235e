"""Keys are in no error that a model reads and in no `repr` that a log keeps."""

from collections.abc import Mapping
from typing import Any

import pytest
from pydantic import BaseModel
from tests.support.scripted_site import Answer, ScriptedSite

from symposia.core import CancellationToken
from symposia.core.exceptions import ToolServiceError
from symposia.core.tools import BaseTool
from symposia.ext.memory.chromadb import HttpChromaDBVectorMemoryConfig
from symposia.ext.memory.redis import RedisMemoryConfig
from symposia.ext.tools.http import HttpTool
from symposia.ext.tools.mcp import McpWorkbench, SseServerParams, StdioServerParams, StreamableHttpServerParams
from symposia.ext.tools.openapi import OpenApiTool
from symposia.ext.tools.web import BraveSearchEngine, WebFetchTool, WebSearchTool

KEY = "TOPSECRET"
NOTHING: dict[str, Any] = {"type": "object", "properties": {}}


async def failure(tool: BaseTool[Any, Any], **arguments: Any) -> str:
    with pytest.raises(ToolServiceError) as failed:
        await tool.run_json(arguments, CancellationToken())
    return str(failed.value)


def operation(site: ScriptedSite, scheme: Mapping[str, str], key: str = KEY) -> OpenApiTool:
    document: dict[str, Any] = {
        "openapi": "3.1.0",
        "servers": [{"url": site.url}],
        "security": [{"k": []}],
        "components": {"securitySchemes": {"k": scheme}},
        "paths": {"/a": {"get": {"operationId": "a"}}},
    }
    return OpenApiTool(document, "a", credentials={"k": key}, max_bytes=100, timeout=20)


@pytest.mark.parametrize(
    "answer",
    [
        Answer("gone", 410),
        Answer("", 302, headers={"Location": f"/b?api_key={KEY}"}),
        Answer("x" * 200),
        Answer("x" * 200, headers={"Content-Encoding": "br"}),
        Answer(b"a\0b"),
        Answer("x", declared=9),
    ],
)
async def test_errors_quote_addresses_without_the_query(site: ScriptedSite, answer: Answer) -> None:
    site.pages["/a"] = answer
    said = await failure(operation(site, {"type": "apiKey", "in": "query", "name": "api_key"}))
    assert site.sent[0].target == f"/a?api_key={KEY}"
    assert said.removeprefix("The answer of ").startswith(f"{site.url}/… ")
    assert KEY not in said


async def test_errors_quote_the_addresses_of_a_program_without_their_paths(site: ScriptedSite) -> None:
    site.pages[f"/{KEY}/a"] = Answer("", 301, headers={"Location": f"https://127.0.0.1:1/{KEY}/a"})
    document: dict[str, Any] = {
        "openapi": "3.1.0",
        "servers": [{"url": f"{site.url}/{KEY}"}],
        "paths": {"/a": {"get": {"operationId": "a"}}},
    }
    moved = f"{site.url}/… answered with HTTP 301, a redirect to https://127.0.0.1:1/…, which is not followed."
    assert await failure(HttpTool("h", "127.0.0.1", site.port, NOTHING, path=f"/{KEY}/a", method="GET")) == moved
    assert await failure(OpenApiTool(document, "a")) == moved
    assert KEY not in await failure(WebSearchTool(BraveSearchEngine("k", base_url=f"{site.url}/{KEY}")), query="x")
    for kind in (SseServerParams, StreamableHttpServerParams):
        with pytest.raises(ToolServiceError) as failed:
            await McpWorkbench(kind(url=f"http://me:{KEY}@127.0.0.1:{site.port}/{KEY}?key={KEY}")).start()
        assert f"'{site.url}/…' did not start. " in str(failed.value)
        assert "The HTTP status is 404." in str(failed.value)
        assert KEY not in str(failed.value)


async def test_errors_quote_addresses_without_the_user_name(site: ScriptedSite) -> None:
    site.pages["/a"] = Answer("", 302, headers={"Location": f"http://u:{KEY}@127.0.0.1:{site.port}/b"})
    said = await failure(WebFetchTool(private=True), url=f"{site.url}/a")
    assert said.startswith(f"{site.url}/b answered with HTTP 404")


@pytest.mark.parametrize("end", ["\n", "\r\nX: y", "\0", " ", "\x7f", "é"])
async def test_a_header_that_cannot_be_sent_is_not_quoted(site: ScriptedSite, end: str) -> None:
    engine = BraveSearchEngine(KEY + end, base_url=site.url)
    for said in (
        await failure(operation(site, {"type": "http", "scheme": "bearer"}, KEY + end)),
        await failure(HttpTool("h", "127.0.0.1", site.port, NOTHING, {"Authorization": KEY + end})),
        await failure(WebSearchTool(engine), query="x"),
    ):
        assert said.startswith("The header ")
        assert KEY not in said
    assert site.sent == []


@pytest.mark.parametrize(
    "config",
    [
        RedisMemoryConfig(redis_url=f"redis://:{KEY}@h"),
        HttpChromaDBVectorMemoryConfig(headers={"Authorization": KEY}),
        SseServerParams(url="http://h", headers={"Authorization": KEY}),
        StreamableHttpServerParams(url="http://h", headers={"Authorization": KEY}),
        StdioServerParams(command="c", env={"API_KEY": KEY}),
        HttpTool("h", "h", 80, NOTHING, {"Authorization": KEY}).server_params,
    ],
    ids=lambda config: type(config).__name__,
)
def test_configurations_show_no_keys(config: BaseModel) -> None:
    assert KEY not in f"{config!r}{config}"
