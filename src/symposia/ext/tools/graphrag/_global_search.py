"""Global searches: questions about all documents, from the reports of all communities."""

from __future__ import annotations

from collections.abc import Coroutine
from importlib import import_module
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, Field
from typing_extensions import override

from symposia.core import CancellationToken
from symposia.ext.tools._text_limit import MAX_CHARS
from symposia.ext.tools.graphrag._config import DataConfig, GlobalContextConfig, GlobalDataConfig, MapReduceConfig
from symposia.ext.tools.graphrag._library import (
    LibraryObject,
    ReadyGlobalContext,
    WatchedModel,
    call_options,
    check_tables,
    prompt_of,
    read_settings,
    read_table,
    require_graphrag,
)
from symposia.ext.tools.graphrag._search import TIMEOUT, IndexSearchTool


class GlobalSearchToolArgs(BaseModel, defer_build=True):
    """The argument of `GlobalSearchTool`."""

    query: str = Field(description="A question about the documents as a whole")


class GlobalSearchToolReturn(BaseModel, defer_build=True):
    """The result of `GlobalSearchTool`.

    Attributes:
        answer: The answer.
    """

    answer: str


class GlobalSearchTool(IndexSearchTool[GlobalSearchToolArgs, GlobalSearchToolReturn]):
    """A tool that answers questions about all documents of an index of GraphRAG, such as its main themes.

    It asks the model about each part of the reports of all communities, and makes one answer of the results: a search
    costs as many requests as the reports have multiples of `GlobalContextConfig.max_data_tokens`. If one of them fails,
    the search does. The index is read with the first search, and kept. The tool cannot be saved as JSON, since a model
    of GraphRAG cannot be.

    Args:
        token_encoder: What counts tokens: an encoding of ``tiktoken``, or a tokenizer of GraphRAG.
        model: A model of ``graphrag_llm``, such as ``create_completion(ModelConfig(…))``.
        data_config: The tables.
        context_config: The reports that the model is given.
        mapreduce_config: The requests.
        map_prompt: A system prompt for the first requests, in the place of GraphRAG's.
        reduce_prompt: The same for the last one.
        timeout: Seconds of a search.
        max_chars: Characters of the answer that the model reads.

    Raises:
        InvalidArgumentError: A table is missing, or a limit allows nothing.
        MissingExtraError: GraphRAG is not installed.
    """

    def __init__(
        self,
        token_encoder: LibraryObject,
        model: LibraryObject,
        data_config: DataConfig,
        context_config: GlobalContextConfig | None = None,
        mapreduce_config: MapReduceConfig | None = None,
        *,
        map_prompt: str | None = None,
        reduce_prompt: str | None = None,
        timeout: float = TIMEOUT,
        max_chars: int = MAX_CHARS,
    ) -> None:
        super().__init__(
            GlobalSearchToolArgs,
            GlobalSearchToolReturn,
            "global_search_tool",
            "Answer a question about all documents of the index, such as their themes and how they are related.",
            token_encoder,
            model,
            timeout,
            max_chars,
        )
        self._data = data_config
        self._context_config = context_config or GlobalContextConfig()
        self._requests = mapreduce_config or MapReduceConfig()
        self._prompts = {"map_system_prompt": map_prompt, "reduce_system_prompt": reduce_prompt}
        tables = [data_config.entity_table, data_config.community_table, data_config.community_report_table]
        check_tables("the GlobalSearchTool", data_config, tables)

    @classmethod
    def from_settings(cls, root_dir: str | Path, config_filepath: str | Path | None = None) -> Self:
        """Make the tool from a project of GraphRAG: its models, its output, its prompts and limits.

        Args:
            root_dir: The folder of the project, to which the paths in its settings are relative.
            config_filepath: The file of the settings, if it is not ``settings.yaml`` there.

        Raises:
            InvalidArgumentError: The settings cannot be used, or a table is missing.
            MissingExtraError: GraphRAG is not installed.
        """
        require_graphrag(cls.__name__)
        settings = read_settings(root_dir, config_filepath)
        search = settings.global_search
        model_settings = settings.get_completion_model_config(search.completion_model_id)
        model = import_module("graphrag_llm.completion").create_completion(model_settings)
        options = call_options(model_settings)
        return cls(
            model.tokenizer,
            model,
            GlobalDataConfig(input_dir=settings.output_storage.base_dir),
            GlobalContextConfig(max_data_tokens=search.max_context_tokens),
            MapReduceConfig.model_validate(
                {f"{step}_{name}": value for step in ("map", "reduce") for name, value in options.items()}
            ),
            map_prompt=prompt_of(search.map_prompt),
            reduce_prompt=prompt_of(search.reduce_prompt),
        )

    @override
    async def run(self, args: GlobalSearchToolArgs, cancellation_token: CancellationToken) -> GlobalSearchToolReturn:
        """Search.

        Raises:
            ToolServiceError: The index cannot be read, or the model fails.
            asyncio.CancelledError: The token was cancelled.
        """
        return GlobalSearchToolReturn(answer=await self._answer(args.query, cancellation_token))

    @override
    def _read_index(self) -> LibraryObject:
        adapters = import_module("graphrag.query.indexer_adapters")
        module = import_module("graphrag.query.structured_search.global_search.community_context")
        config = self._data
        entities = read_table(config, config.entity_table)
        communities = read_table(config, config.community_table)
        reports = read_table(config, config.community_report_table)
        return module.GlobalCommunityContext(
            community_reports=adapters.read_indexer_reports(reports, communities, config.community_level),
            communities=adapters.read_indexer_communities(communities, reports),
            entities=adapters.read_indexer_entities(entities, communities, config.community_level),
            tokenizer=self._tokenizer,
        )

    @override
    def _context(self, builder: LibraryObject, query: str, vector: LibraryObject) -> LibraryObject:
        options = self._context_config.model_dump(exclude={"max_data_tokens"})
        limit = self._context_config.max_data_tokens
        return _result(builder.build_context(query=query, max_context_tokens=limit, context_name="Reports", **options))

    @override
    def _engine(self, context: LibraryObject, model: WatchedModel) -> LibraryObject:
        config = self._requests
        return import_module("graphrag.query.structured_search.global_search.search").GlobalSearch(
            model=model,
            context_builder=ReadyGlobalContext(context),
            tokenizer=self._tokenizer,
            response_type=config.response_type,
            allow_general_knowledge=config.allow_general_knowledge,
            json_mode=False,  # if it is true, GraphRAG 3 asks for JSON twice, and each request is a TypeError
            max_data_tokens=self._context_config.max_data_tokens,
            map_llm_params={"max_completion_tokens": config.map_max_tokens, "temperature": config.map_temperature},
            reduce_llm_params={
                "max_completion_tokens": config.reduce_max_tokens,
                "temperature": config.reduce_temperature,
            },
            **self._prompts,
        )


def _result(coroutine: Coroutine[Any, Any, LibraryObject]) -> LibraryObject:  # Any: what a coroutine is sent and yields
    """The result of a coroutine that awaits nothing: the builder is asynchronous for what this tool does not use.

    Not by `asyncio.run`, which GraphRAG replaces in the whole process by one that leaves its event loop open.
    """
    try:
        coroutine.send(None)
    except StopIteration as end:
        return end.value
    raise RuntimeError("GraphRAG's builder of contexts waits for something.")
