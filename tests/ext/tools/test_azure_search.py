"""The tool of Azure AI Search: Azure's own SDK against a scripted server."""

import asyncio
import json
from typing import Any

import pytest
from azure.core.credentials import AzureKeyCredential
from tests.support.scripted_site import Answer, ScriptedSite

from symposia.core import CancellationToken
from symposia.core.exceptions import ComponentError, InvalidArgumentError, ToolServiceError
from symposia.core.tools import BaseTool
from symposia.ext.tools.azure import AzureAISearchTool, SearchResults, VectorizableTextQuery

FOUND = {
    "value": [{"@search.score": 1.5, "id": "1", "text": "A hotel"}, {"@search.score": 0.25, "id": "2", "text": "B"}]
}
PATH = "/indexes('hotels')/docs/search.post.search"


def answering(site: ScriptedSite, answer: Answer | None = None) -> None:
    site.pages[PATH] = answer or Answer(json.dumps(FOUND), media_type="application/json")


def place(site: ScriptedSite) -> dict[str, Any]:
    key = AzureKeyCredential("secret")
    return {"name": "find", "endpoint": site.url, "index_name": "hotels", "credential": key}


async def search(tool: AzureAISearchTool, query: str = "sea") -> SearchResults:
    found = await tool.run_json({"query": query}, CancellationToken())
    assert isinstance(found, SearchResults)
    return found


async def test_a_text_is_searched_for(site: ScriptedSite) -> None:
    answering(site)
    tool = AzureAISearchTool.create_full_text_search(
        **place(site), search_fields=["text"], select_fields=["id", "text"], filter="stars gt 3", query_type="fulltext"
    )
    found = await search(tool)
    assert [each.content for each in found.results] == [{"id": "1", "text": "A hotel"}, {"id": "2", "text": "B"}]
    assert tool.return_value_as_string(found) == (
        "Result 1 (Score: 1.50): id: 1, text: A hotel\nResult 2 (Score: 0.25): id: 2, text: B"
    )
    (sent,) = site.sent
    asked = {"search": "sea", "queryType": "full", "searchFields": "text", "filter": "stars gt 3", "top": 5}
    assert asked.items() <= sent.json.items()
    assert "api-version=2023-10-01-preview" in sent.target
    assert sent.headers["api-key"] == "secret"


async def test_the_index_makes_the_vector_of_a_query(site: ScriptedSite) -> None:
    answering(site)
    await search(AzureAISearchTool.create_vector_search(**place(site), vector_fields=["v", "w"], top=2))
    (sent,) = site.sent
    assert sent.json.get("search") is None
    assert sent.json["vectorQueries"] == [
        {"kind": "text", "text": "sea", "fields": field, "k": 2} for field in ("v", "w")
    ]
    assert VectorizableTextQuery(text="x", fields="v").text == "x"


async def test_openai_makes_the_vector_of_a_hybrid_query(site: ScriptedSite) -> None:
    answering(site)
    data = {"object": "list", "data": [{"object": "embedding", "index": 0, "embedding": [0.5, 1.0]}], "model": "m",
            "usage": {"prompt_tokens": 1, "total_tokens": 1}}  # fmt: skip
    site.pages["/v1/embeddings"] = Answer(json.dumps(data), media_type="application/json")
    tool = AzureAISearchTool.create_hybrid_search(
        **place(site), vector_fields=["v"], search_fields=["text"], query_type="semantic", semantic_config_name="c",
        embedding_provider="openai", embedding_model="m", openai_api_key="k", openai_endpoint=f"{site.url}/v1",
    )  # fmt: skip
    await search(tool)
    asked = site.sent[-1].json
    assert asked["vectorQueries"] == [{"kind": "vector", "vector": [0.5, 1.0], "fields": "v", "k": 5}]
    assert (asked["search"], asked["queryType"], asked["semanticConfiguration"]) == ("sea", "semantic", "c")


async def test_results_are_kept_if_that_is_wanted(site: ScriptedSite) -> None:
    answering(site)
    tool = AzureAISearchTool.create_full_text_search(**place(site), enable_caching=True)
    assert await search(tool) == await search(tool)
    assert len(site.sent) == 1
    await search(tool, "other")
    await tool.close()
    await search(tool)
    assert len(site.sent) == 3


async def test_a_refusal_is_one_clear_error(site: ScriptedSite) -> None:
    said = {"error": {"code": "", "message": "The index 'hotels' was not found."}}
    answering(site, Answer(json.dumps(said), 404, media_type="application/json"))
    tool = AzureAISearchTool.create_full_text_search(**place(site))
    with pytest.raises(ToolServiceError, match=r"The search in 'hotels' failed: .*was not found"):
        await search(tool)
    with pytest.raises(ToolServiceError, match="The query is empty"):
        await search(tool, " ")


async def test_a_cancelled_search_closes_its_connection(site: ScriptedSite) -> None:
    answering(site, Answer("{", declared=100, stay=True))
    token = CancellationToken()
    tool = AzureAISearchTool.create_full_text_search(**place(site))
    running = asyncio.create_task(tool.run_json({"query": "x"}, token))
    await asyncio.wait_for(site.reached.wait(), 10)
    token.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await asyncio.wait_for(site.left.wait(), 10)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"endpoint": "h"}, "must be a valid URL"),
        ({"top": 0}, "positive integer"),
        ({"query_type": "vector"}, "vector_fields must be"),
        ({"query_type": "semantic"}, "semantic_config_name must be"),
        ({"query_type": "none"}, "query_type"),
        ({"embedding_provider": "x"}, "embedding_provider must be"),
        ({"embedding_provider": "openai"}, "embedding_model must be"),
        ({"embedding_provider": "azure_openai", "embedding_model": "m"}, "openai_endpoint must be"),
        ({"credential": {}}, "without a key"),
        ({"max_chars": 0}, "max_chars"),
    ],
)
def test_arguments_that_cannot_work_fail_at_construction(options: dict[str, Any], said: str) -> None:
    given: dict[str, Any] = {"name": "n", "endpoint": "http://h", "index_name": "i", "credential": {"api_key": "k"}}
    with pytest.raises(InvalidArgumentError) as caught:
        AzureAISearchTool(**given | options)
    assert said in str(caught.value)


def test_a_tool_is_saved_without_its_keys_and_loaded_with_them() -> None:
    tool = AzureAISearchTool("n", "http://h", "i", {"api_key": "secret"}, top=3)
    saved = tool.dump_component().model_dump()
    assert "secret" not in json.dumps(saved)
    with pytest.raises(ComponentError, match="write them in place of"):
        BaseTool[Any, Any].load_component(saved)
    saved["config"]["credential"] = {"api_key": "other"}
    saved["provider"] = "autogen_ext.tools.azure.AzureAISearchTool"
    again = BaseTool[Any, Any].load_component(saved)
    assert isinstance(again, AzureAISearchTool)
    assert again.search_config.top == 3
    with pytest.raises(ComponentError, match="cannot be saved"):
        AzureAISearchTool("n", "http://h", "i", object()).dump_component()
