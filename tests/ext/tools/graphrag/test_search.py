"""Searches by GraphRAG in a small index, with LiteLLM against a scripted server."""

import asyncio
import json
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

import pytest
from tests.support.scripted_site import Answer, ScriptedSite, Sent

from symposia.core import CancellationToken
from symposia.core.exceptions import ComponentError, InvalidArgumentError, ToolServiceError
from symposia.core.tools import BaseTool
from symposia.ext._litellm import load
from symposia.ext.tools.graphrag import (
    GlobalContextConfig,
    GlobalDataConfig,
    GlobalSearchTool,
    LocalContextConfig,
    LocalDataConfig,
    LocalSearchTool,
    MapReduceConfig,
    SearchConfig,
)

T = TypeVar("T")
load()
# Any: of a library that is in an environment of its own
pd: Any = import_module("pandas")
completion: Any = import_module("graphrag_llm.completion")
config: Any = import_module("graphrag_llm.config")
embedding: Any = import_module("graphrag_llm.embedding")
vectors: Any = import_module("graphrag_vectors")
lancedb: Any = import_module("graphrag_vectors.lancedb")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of what GraphRAG uses of other libraries
PEOPLE = {"ADA": [1.0, 0.0], "BOB": [0.0, 1.0]}
POINTS = json.dumps({"points": [{"description": "Ada writes programs", "score": 90}]})


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The output of an indexing of a document in which Ada writes programs for Bob."""
    folder = tmp_path_factory.mktemp("output")
    names = list(PEOPLE)
    write: dict[str, dict[str, Any]] = {
        "entities": {
            "id": names, "human_readable_id": [0, 1], "title": names, "type": ["PERSON"] * 2, "degree": [1, 1],
            "description": ["Ada writes <|endoftext|> programs", "Bob runs them"], "text_unit_ids": [["t"], ["t"]],
        },
        "relationships": {
            "id": ["r"], "human_readable_id": [0], "source": ["ADA"], "target": ["BOB"], "weight": [1.0],
            "description": ["Ada writes programs for Bob"], "combined_degree": [2], "text_unit_ids": [["t"]],
        },
        "communities": {
            "id": ["c"], "human_readable_id": [0], "community": [0], "level": [0], "parent": [-1], "children": [[]],
            "title": ["Programs"], "entity_ids": [names], "relationship_ids": [["r"]], "text_unit_ids": [["t"]],
        },
        "community_reports": {
            "id": ["cr"], "human_readable_id": [0], "community": [0], "level": [0], "title": ["Programs"],
            "summary": ["On programs"], "full_content": ["A REPORT ON PROGRAMS"], "rank": [5.0],
        },
        "text_units": {
            "id": ["t"], "human_readable_id": [0], "text": ["THE FIRST PAGE"], "n_tokens": [3], "document_id": ["d"],
            "entity_ids": [names], "relationship_ids": [["r"]],
        },
    }  # fmt: skip
    for name, columns in write.items():
        pd.DataFrame(columns).to_parquet(folder / f"{name}.parquet")
    store = lancedb.LanceDBVectorStore(db_uri=str(folder / "lancedb"), index_name="entity_description", vector_size=2)
    store.connect()
    store.create_index()
    store.load_documents([vectors.VectorStoreDocument(id=name, vector=vector) for name, vector in PEOPLE.items()])
    return folder


def chat(text: str) -> Callable[[Sent], Answer]:
    """Answers that are streamed if that is asked for. To a request for points, the answer has some."""

    def answer(sent: Sent) -> Answer:
        head = {"id": "c", "created": 1, "model": "gpt-4"}
        if sent.json.get("stream"):
            piece: dict[str, Any] = {"index": 0, "delta": {"role": "assistant", "content": text}, "finish_reason": None}
            end: dict[str, Any] = {"index": 0, "delta": {}, "finish_reason": "stop"}
            chunks = [{**head, "object": "chat.completion.chunk", "choices": [each]} for each in (piece, end)]
            lines = "".join(f"data: {json.dumps(each)}\n\n" for each in chunks)
            return Answer(f"{lines}data: [DONE]\n\n", media_type="text/event-stream")
        message = {"index": 0, "message": {"role": "assistant", "content": POINTS}, "finish_reason": "stop"}
        usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
        body = {**head, "object": "chat.completion", "choices": [message], "usage": usage}
        return Answer(json.dumps(body), media_type="application/json")

    return answer


def vector(sent: Sent) -> Answer:
    near = [0.1, 0.9] if "Bob" in json.dumps(sent.json["input"]) else [0.9, 0.1]
    data = [{"object": "embedding", "index": 0, "embedding": near}]
    body = {"object": "list", "model": "e", "data": data, "usage": {"prompt_tokens": 1, "total_tokens": 1}}
    return Answer(json.dumps(body), media_type="application/json")


@pytest.fixture
def service(site: ScriptedSite) -> ScriptedSite:
    site.pages |= {"/chat/completions": chat("Ada does."), "/embeddings": vector}
    return site


def settings_of(site: ScriptedSite, model: str) -> Any:
    return config.ModelConfig(model_provider="openai", model=model, api_base=site.url, api_key="k")


def local_tool(index: Path, site: ScriptedSite, **options: Any) -> LocalSearchTool:
    model = completion.create_completion(settings_of(site, "gpt-4"))
    embedder = embedding.create_embedding(settings_of(site, "text-embedding-3-small"))
    return LocalSearchTool(model.tokenizer, model, embedder, LocalDataConfig(input_dir=str(index)), **options)


def global_tool(index: Path, site: ScriptedSite, **options: Any) -> GlobalSearchTool:
    model = completion.create_completion(settings_of(site, "gpt-4"))
    return GlobalSearchTool(model.tokenizer, model, GlobalDataConfig(input_dir=str(index)), **options)


async def built(make: Callable[..., T], *args: Any, **options: Any) -> T:
    """A tool that is made in a thread, since that reads files."""
    return await asyncio.to_thread(make, *args, **options)


async def ask(tool: BaseTool[Any, Any], query: str = "What does Ada do?") -> str:
    return tool.return_value_as_string(await tool.run_json({"query": query}, CancellationToken()))


def requests(site: ScriptedSite) -> list[Any]:
    return [sent.json for sent in site.sent if sent.target == "/chat/completions"]


async def test_a_local_search_asks_with_what_is_near_the_query(index: Path, service: ScriptedSite) -> None:
    request = SearchConfig(max_tokens=77, temperature=0.5, response_type="ONE WORD")
    tool = await built(local_tool, index, service, search_config=request)
    assert await ask(tool) == "Ada does."
    (sent,) = requests(service)
    said = sent["messages"][0]["content"]
    for part in ("Ada writes programs for Bob", "A REPORT ON PROGRAMS", "THE FIRST PAGE", "ONE WORD"):
        assert part in said
    assert (sent["max_completion_tokens"] if "max_completion_tokens" in sent else sent["max_tokens"]) == 77
    assert sent["temperature"] == 0.5
    assert said.index("Ada writes <|endoftext|> programs") < said.index("Bob runs them")
    await ask(tool, "What does Bob do?")
    said = requests(service)[1]["messages"][0]["content"]
    assert said.index("Bob runs them") < said.index("Ada writes <|endoftext|> programs")


async def test_a_global_search_asks_about_the_reports_and_joins_the_points(index: Path, service: ScriptedSite) -> None:
    tool = await built(
        global_tool, index, service, mapreduce_config=MapReduceConfig(map_max_tokens=55, response_type="ONE WORD")
    )
    assert await ask(tool) == "Ada does."
    first, last = requests(service)
    assert "A REPORT ON PROGRAMS" in first["messages"][0]["content"]
    assert "Ada writes programs" in last["messages"][0]["content"]
    assert "ONE WORD" in last["messages"][0]["content"]


async def test_many_searches_at_once_read_the_index_once(index: Path, service: ScriptedSite, monkeypatch: Any) -> None:
    read: list[Path] = []
    read_parquet = pd.read_parquet

    def count(file: Path) -> object:
        read.append(file)
        return read_parquet(file)

    monkeypatch.setattr(pd, "read_parquet", count)
    tools = [await built(make, index, service) for make in (local_tool, global_tool)]
    answers = await asyncio.gather(*(ask(tool) for tool in tools for _ in range(10)))
    assert set(answers) == {"Ada does."}
    assert len(read) == 5 + 3


async def test_a_project_has_its_models_its_prompts_and_its_limits(
    index: Path, service: ScriptedSite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "prompts").mkdir()
    for name in ("local", "map", "reduce"):
        (tmp_path / f"prompts/{name}.txt").write_text(f"MY {name} PROMPT")
    (tmp_path / "output").symlink_to(index)
    model = {"model_provider": "openai", "api_base": service.url, "api_key": "${KEY_OF_TEST}"}
    settings = {
        "completion_models": {"default_completion_model": {**model, "model": "gpt-4", "call_args": {"max_tokens": 9}}},
        "embedding_models": {"default_embedding_model": {**model, "model": "text-embedding-3-small"}},
        "vector_store": {"vector_size": 2},
        "local_search": {"prompt": "prompts/local.txt"},
        "global_search": {"map_prompt": "prompts/map.txt", "reduce_prompt": "prompts/reduce.txt"},
    }
    (tmp_path / "settings.json").write_text(json.dumps(settings))
    monkeypatch.setenv("KEY_OF_TEST", "secret")
    here = Path.cwd()
    for tool_class in (LocalSearchTool, GlobalSearchTool):
        tool = await built(tool_class.from_settings, tmp_path)
        assert await ask(tool) == "Ada does."
    said = [request["messages"][0]["content"] for request in requests(service)]
    assert said == ["MY local PROMPT", "MY map PROMPT", "MY reduce PROMPT"]
    assert {sent.headers["authorization"] for sent in service.sent} == {"Bearer secret"}
    assert Path.cwd() == here
    monkeypatch.delenv("KEY_OF_TEST")
    with pytest.raises(InvalidArgumentError, match="KEY_OF_TEST"):
        await built(LocalSearchTool.from_settings, tmp_path)
    with pytest.raises(InvalidArgumentError, match=r"settings of GraphRAG at .*none"):
        await built(GlobalSearchTool.from_settings, tmp_path / "none")


@pytest.mark.parametrize("make", [local_tool, global_tool])
async def test_a_model_that_fails_is_one_clear_error(index: Path, service: ScriptedSite, make: Any) -> None:
    service.pages["/chat/completions"] = Answer('{"error": {"message": "no money"}}', 402)
    with pytest.raises(ToolServiceError, match="no money"):
        await ask(await built(make, index, service))


async def test_one_part_of_the_reports_that_fails_fails_the_search(index: Path, service: ScriptedSite) -> None:
    """GraphRAG would answer from the other parts, or say that the data has no answer."""
    succeed = chat("Ada does.")

    def answer(sent: Sent) -> Answer:
        return succeed(sent) if sent.json.get("stream") else Answer('{"error": {"message": "no money"}}', 402)

    service.pages["/chat/completions"] = answer
    with pytest.raises(ToolServiceError, match="no money"):
        await ask(
            await built(global_tool, index, service, mapreduce_config=MapReduceConfig(allow_general_knowledge=True))
        )


async def test_an_embedder_that_fails_an_empty_query_and_a_broken_table_are_one_clear_error(
    index: Path, service: ScriptedSite, tmp_path: Path
) -> None:
    service.pages["/embeddings"] = Answer('{"error": {"message": "no such model"}}', 404)
    with pytest.raises(ToolServiceError, match="no such model"):
        await ask(await built(local_tool, index, service))
    with pytest.raises(ToolServiceError, match="query is empty"):
        await ask(await built(local_tool, index, service), " ")
    for table in ("entities", "communities", "community_reports"):
        (tmp_path / f"{table}.parquet").write_bytes(b"none")
    with pytest.raises(ToolServiceError, match=r"The search failed: .*[Pp]arquet"):
        await ask(await built(global_tool, tmp_path, service))


@pytest.mark.parametrize("make", [local_tool, global_tool])
async def test_a_search_ends_when_it_is_cancelled_or_too_slow(index: Path, service: ScriptedSite, make: Any) -> None:
    service.pages["/chat/completions"] = Answer("", declared=100, stay=True)
    token = CancellationToken()
    tool = await built(make, index, service)
    running = asyncio.create_task(tool.run_json({"query": "What does Ada do?"}, token))
    async with asyncio.timeout(60):
        while not requests(service):
            await service.reached.wait()
            service.reached.clear()
    service.left.clear()
    token.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await asyncio.wait_for(service.left.wait(), 20)
    with pytest.raises(ToolServiceError, match=r"took longer than 0\.5 seconds"):
        await ask(await built(make, index, service, timeout=0.5))


def test_what_cannot_work_fails_at_construction(index: Path, service: ScriptedSite, tmp_path: Path) -> None:
    for make, said in (
        (local_tool, "entities, communities, relationships, text_units is missing"),
        (global_tool, "missing"),
    ):
        with pytest.raises(InvalidArgumentError, match=said):
            make(tmp_path, service)
    for name in ("entities", "communities", "relationships", "text_units"):
        (tmp_path / f"{name}.parquet").touch()
    with pytest.raises(InvalidArgumentError, match="has no vectors of the entities"):
        local_tool(tmp_path, service)
    with pytest.raises(InvalidArgumentError, match=r"gives 1\.4 of the tokens"):
        local_tool(index, service, context_config=LocalContextConfig(text_unit_prop=0.7, community_prop=0.7))
    for options in ({"timeout": 0}, {"max_chars": 0}):
        with pytest.raises(InvalidArgumentError, match="GlobalSearchTool"):
            global_tool(index, service, **options)
    tool = global_tool(index, service, context_config=GlobalContextConfig(max_data_tokens=10))
    assert (tool.name, tool.traits.idempotency) == ("global_search_tool", "idempotent")
    with pytest.raises(ComponentError):
        tool.dump_component()
