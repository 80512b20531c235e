"""Local searches: questions about single entities, from what the index has near them."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Final, Self

from pydantic import BaseModel, Field
from typing_extensions import override

from symposia.core import CancellationToken
from symposia.core.exceptions import InvalidArgumentError
from symposia.ext.tools._text_limit import MAX_CHARS
from symposia.ext.tools.graphrag._config import LocalContextConfig, LocalDataConfig, SearchConfig
from symposia.ext.tools.graphrag._library import (
    LibraryObject,
    ReadyContext,
    ReadyEmbedder,
    WatchedModel,
    call_options,
    check_tables,
    prompt_of,
    read_settings,
    read_table,
    require_graphrag,
)
from symposia.ext.tools.graphrag._search import TIMEOUT, IndexSearchTool

_STORE: Final = "lancedb"
_VECTORS: Final = "entity_description"
_ENTITIES: Final = 10
_RELATIONSHIPS: Final = 10


class LocalSearchToolArgs(BaseModel, defer_build=True):
    """The argument of `LocalSearchTool`."""

    query: str = Field(description="A question about persons, places or other things in the documents")


class LocalSearchToolReturn(BaseModel, defer_build=True):
    """The result of `LocalSearchTool`.

    Attributes:
        answer: The answer.
    """

    answer: str = Field(description="The answer")


class LocalSearchTool(IndexSearchTool[LocalSearchToolArgs, LocalSearchToolReturn]):
    """A tool that answers questions about single entities in an index of GraphRAG.

    It finds the entities whose descriptions are nearest to the question, and asks the model with what is known of them:
    their relationships, the reports of their communities, and pieces of the documents. That is one request of the
    embedder and one of the model. The index is read with the first search, and kept. The tool cannot be saved as JSON,
    since a model of GraphRAG cannot be.

    Args:
        token_encoder: What counts tokens: an encoding of ``tiktoken``, or a tokenizer of GraphRAG.
        model: A model of ``graphrag_llm``, such as ``create_completion(ModelConfig(…))``.
        embedder: The embedder by which the index was made, of ``graphrag_llm``.
        data_config: The tables.
        context_config: The data that the model is given.
        search_config: The request.
        vector_store: A store of ``graphrag_vectors`` with the vectors of the entities, which is connected with the
            first search; by default, the folder ``lancedb`` beside the tables.
        system_prompt: A system prompt in the place of GraphRAG's.
        timeout: Seconds of a search.
        max_chars: Characters of the answer that the model reads.

    Raises:
        InvalidArgumentError: A table is missing, or options cannot work together.
        MissingExtraError: GraphRAG is not installed.
    """

    def __init__(
        self,
        token_encoder: LibraryObject,
        model: LibraryObject,
        embedder: LibraryObject,
        data_config: LocalDataConfig,
        context_config: LocalContextConfig | None = None,
        search_config: SearchConfig | None = None,
        *,
        vector_store: LibraryObject = None,
        system_prompt: str | None = None,
        timeout: float = TIMEOUT,
        max_chars: int = MAX_CHARS,
    ) -> None:
        super().__init__(
            LocalSearchToolArgs,
            LocalSearchToolReturn,
            "local_search_tool",
            "Answer a question about persons, places or other things in the documents of the index.",
            token_encoder,
            model,
            timeout,
            max_chars,
        )
        self._embedder = embedder
        self._data = data_config
        self._context_config = context_config or LocalContextConfig()
        self._request = search_config or SearchConfig()
        self._store = vector_store
        self._prompt = system_prompt
        parts = self._context_config.text_unit_prop + self._context_config.community_prop
        if parts > 1:
            raise InvalidArgumentError(
                f"context_config of the LocalSearchTool gives {parts:g} of the tokens to text units and communities: "
                "text_unit_prop and community_prop are at most 1 together."
            )
        tables = [data_config.entity_table, data_config.community_table, data_config.relationship_table]
        check_tables("the LocalSearchTool", data_config, [*tables, data_config.text_unit_table])
        if vector_store is None and not Path(data_config.input_dir, _STORE, f"{_VECTORS}.lance").is_dir():
            raise InvalidArgumentError(
                f"The LocalSearchTool has no vectors of the entities in {data_config.input_dir}/{_STORE}: run "
                "`graphrag index`, or give vector_store."
            )

    @classmethod
    def from_settings(cls, root_dir: str | Path, config_filepath: str | Path | None = None) -> Self:
        """Make the tool from a project of GraphRAG: its models, its output, its vector store, prompt and limits.

        Args:
            root_dir: The folder of the project, to which the paths in its settings are relative.
            config_filepath: The file of the settings, if it is not ``settings.yaml`` there.

        Raises:
            InvalidArgumentError: The settings cannot be used, or a table is missing.
            MissingExtraError: GraphRAG is not installed.
        """
        require_graphrag(cls.__name__)
        settings = read_settings(root_dir, config_filepath)
        search = settings.local_search
        model_settings = settings.get_completion_model_config(search.completion_model_id)
        model = import_module("graphrag_llm.completion").create_completion(model_settings)
        embedder_settings = settings.get_embedding_model_config(search.embedding_model_id)
        stored = settings.vector_store
        return cls(
            model.tokenizer,
            model,
            import_module("graphrag_llm.embedding").create_embedding(embedder_settings),
            LocalDataConfig(input_dir=settings.output_storage.base_dir),
            LocalContextConfig(
                max_data_tokens=search.max_context_tokens,
                text_unit_prop=search.text_unit_prop,
                community_prop=search.community_prop,
            ),
            SearchConfig.model_validate(call_options(model_settings)),
            vector_store=import_module("graphrag_vectors").create_vector_store(stored, stored.index_schema[_VECTORS]),
            system_prompt=prompt_of(search.prompt),
        )

    @override
    async def run(self, args: LocalSearchToolArgs, cancellation_token: CancellationToken) -> LocalSearchToolReturn:
        """Search.

        Raises:
            ToolServiceError: The index cannot be read, or the model or the embedder fails.
            asyncio.CancelledError: The token was cancelled.
        """
        return LocalSearchToolReturn(answer=await self._answer(args.query, cancellation_token))

    @override
    async def _vector(self, query: str) -> LibraryObject:
        return await self._embedder.embedding_async(input=[query])

    @override
    def _read_index(self) -> LibraryObject:
        adapters = import_module("graphrag.query.indexer_adapters")
        module = import_module("graphrag.query.structured_search.local_search.mixed_context")
        config = self._data
        communities = read_table(config, config.community_table)
        reports = read_table(config, config.community_report_table)  # AutoGen's indexes may be without
        return module.LocalSearchMixedContext(
            entities=adapters.read_indexer_entities(
                read_table(config, config.entity_table), communities, config.community_level
            ),
            entity_text_embeddings=self._connected_store(),
            text_embedder=None,  # see `_context`
            text_units=adapters.read_indexer_text_units(read_table(config, config.text_unit_table)),
            community_reports=(
                None if reports is None else adapters.read_indexer_reports(reports, communities, config.community_level)
            ),
            relationships=adapters.read_indexer_relationships(read_table(config, config.relationship_table)),
            tokenizer=self._tokenizer,
        )

    def _connected_store(self) -> LibraryObject:
        store = self._store
        if store is None:
            lancedb = import_module("graphrag_vectors.lancedb")
            store = lancedb.LanceDBVectorStore(db_uri=str(Path(self._data.input_dir, _STORE)), index_name=_VECTORS)
        store.connect()
        return store

    @override
    def _context(self, builder: LibraryObject, query: str, vector: LibraryObject) -> LibraryObject:
        builder.text_embedder = ReadyEmbedder(vector)  # this method is called by one thread at a time
        options = self._context_config.model_dump(exclude={"max_data_tokens"})
        return builder.build_context(
            query=query,
            max_context_tokens=self._context_config.max_data_tokens,
            top_k_mapped_entities=_ENTITIES,
            top_k_relationships=_RELATIONSHIPS,
            **options,
        )

    @override
    def _engine(self, context: LibraryObject, model: WatchedModel) -> LibraryObject:
        config = self._request
        return import_module("graphrag.query.structured_search.local_search.search").LocalSearch(
            model=model,
            context_builder=ReadyContext(context),
            tokenizer=self._tokenizer,
            system_prompt=self._prompt,
            response_type=config.response_type,
            model_params={"max_completion_tokens": config.max_tokens, "temperature": config.temperature},
        )
