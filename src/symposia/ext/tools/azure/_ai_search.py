"""The tool: a query becomes a request of Azure's SDK."""

from __future__ import annotations

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from importlib import import_module
from typing import Any, Final, Self, cast

from pydantic import BaseModel, Field
from pydantic_core import to_jsonable_python
from typing_extensions import override

from symposia.core import CancellationToken, cancelled_by
from symposia.core.argument_checks import checked_model
from symposia.core.exceptions import ComponentError, MissingExtraError, ToolServiceError
from symposia.core.tools import BaseTool, ToolTraits
from symposia.ext.tools._text_limit import MAX_CHARS, check_max_chars, shorten
from symposia.ext.tools.azure._config import API_VERSION, AzureAISearchConfig
from symposia.ext.tools.azure._sdk import SDKObject, sdk_clients, sdk_credential, sdk_models

_MASK: Final = "**********"
_TOP_OF_VECTORS: Final = 5
_TIMEOUT: Final = 30.0
_MOST_CACHED: Final = 256


class SearchQuery(BaseModel, defer_build=True):
    """The argument of the tool."""

    query: str = Field(description="Search query text")


class SearchResult(BaseModel, defer_build=True):
    """A document that was found.

    Attributes:
        score: How well it fits.
        content: Its fields.
        metadata: What the service says about it, such as captions; the names begin with ``@search.``.
    """

    score: float
    content: dict[str, Any]
    metadata: dict[str, Any]


class SearchResults(BaseModel, defer_build=True):
    """The result of the tool.

    Attributes:
        results: The documents, the best first.
    """

    results: list[SearchResult]


class BaseAzureAISearchTool(BaseTool[SearchQuery, SearchResults], ABC):
    """The base of tools that search an index: implement `_get_embedding`. See `AzureAISearchTool`."""

    component_config_schema = AzureAISearchConfig
    traits = ToolTraits("idempotent")

    def __init__(
        self,
        name: str,
        endpoint: str,
        index_name: str,
        credential: SDKObject,
        description: str | None = None,
        api_version: str = API_VERSION,
        query_type: str = "simple",
        search_fields: list[str] | None = None,
        select_fields: list[str] | None = None,
        vector_fields: list[str] | None = None,
        top: int | None = None,
        filter: str | None = None,  # noqa: A002 - AutoGen's name
        semantic_config_name: str | None = None,
        enable_caching: bool = False,
        cache_ttl_seconds: int = 300,
        embedding_provider: str | None = None,
        embedding_model: str | None = None,
        openai_api_key: str | None = None,
        openai_api_version: str | None = None,
        openai_endpoint: str | None = None,
        *,
        max_chars: int = MAX_CHARS,
    ) -> None:
        given = {key: value for key, value in locals().items() if key in AzureAISearchConfig.model_fields}
        sdk_models()  # a missing extra is reported here
        check_max_chars(f"{type(self).__name__} {name!r}", max_chars)
        given["description"] = description or f"Search the index {index_name} of Azure AI Search."
        self.search_config = checked_model(f"{type(self).__name__} {name!r}", AzureAISearchConfig, given)
        self._credential = sdk_credential(credential)
        self._max_chars = max_chars
        self._cache: dict[str, tuple[float, SearchResults]] = {}
        super().__init__(SearchQuery, SearchResults, name, given["description"], strict=True)

    @abstractmethod
    async def _get_embedding(self, query: str) -> list[float]:
        """The vector of a query. Called where the configuration has an `embedding_provider`."""

    @override
    async def run(
        self, args: str | Mapping[str, Any] | SearchQuery, cancellation_token: CancellationToken | None = None
    ) -> SearchResults:
        """Search.

        Raises:
            ToolServiceError: The service refuses, or cannot be reached; the text says why.
            asyncio.CancelledError: The token was cancelled.
        """
        query = _query(args)
        config = self.search_config
        kept = self._cache.get(query) if config.enable_caching else None
        if kept is not None and kept[0] > time.monotonic():
            return kept[1]
        try:
            with cancelled_by(cancellation_token):
                async with asyncio.timeout(_TIMEOUT):
                    found = await self._search(query)
        except TimeoutError as error:
            raise ToolServiceError(f"{config.endpoint} did not answer within {_TIMEOUT:g} seconds.") from error
        except import_module("azure.core.exceptions").AzureError as error:
            raise ToolServiceError(f"The search in {config.index_name!r} failed: {error}") from error
        if config.enable_caching:
            if len(self._cache) >= _MOST_CACHED:
                del self._cache[next(iter(self._cache))]
            self._cache[query] = time.monotonic() + config.cache_ttl_seconds, found
        return found

    @override
    def return_value_as_string(self, value: object) -> str:
        """The documents, a line for each."""
        if not isinstance(value, SearchResults):
            return super().return_value_as_string(value)
        lines = [
            f"Result {number} (Score: {each.score:.2f}): {', '.join(f'{k}: {v}' for k, v in each.content.items())}"
            for number, each in enumerate(value.results, 1)
        ]
        return shorten("\n".join(lines) or "No results found.", self._max_chars)

    async def close(self) -> None:
        """Forget the results that are kept. A connection is closed after each search."""
        self._cache.clear()

    async def _search(self, query: str) -> SearchResults:
        config = self.search_config
        asked: dict[str, Any] = {
            "search_text": None if config.query_type == "vector" else query,
            "filter": config.filter,
            "top": config.top,
            "select": config.select_fields,
        }
        if config.query_type != "vector":
            asked |= {"query_type": config.query_type, "search_fields": config.search_fields}
        if config.query_type == "semantic":
            asked["semantic_configuration_name"] = config.semantic_config_name
        if config.vector_fields:
            asked["vector_queries"] = await self._vector_queries(query)
        # A client for each search: its connections belong to the event loop, and a tool has no end.
        aio = await asyncio.to_thread(sdk_clients)
        async with aio.SearchClient(
            config.endpoint, config.index_name, self._credential, api_version=config.api_version
        ) as client:
            pages = await client.search(**{name: value for name, value in asked.items() if value is not None})
            return SearchResults(results=[_result(document) async for document in pages])

    async def _vector_queries(self, query: str) -> list[SDKObject]:
        config, models = self.search_config, sdk_models()
        near = {"k_nearest_neighbors": config.top or _TOP_OF_VECTORS}
        fields = config.vector_fields or []
        if config.embedding_provider is None:
            return [models.VectorizableTextQuery(text=query, fields=field, **near) for field in fields]
        vector = await self._get_embedding(query)
        return [models.VectorizedQuery(vector=vector, fields=field, **near) for field in fields]

    @override
    def _to_config(self) -> AzureAISearchConfig:
        if not hasattr(self._credential, "key"):
            raise ComponentError(
                f"The credential of the tool {self.name!r} is a {type(self._credential).__name__}, which cannot be "
                'saved: save the tool with a key, {"api_key": "…"}.'
            )
        hidden: dict[str, Any] = {"credential": {"api_key": _MASK}}
        if self.search_config.openai_api_key:
            hidden["openai_api_key"] = _MASK
        return self.search_config.model_copy(update=hidden)

    @classmethod
    @override
    def _from_config(cls, config: AzureAISearchConfig) -> Self:
        given = dict(config)
        key = (
            cast("Mapping[str, object]", given["credential"]).get("api_key")
            if isinstance(given["credential"], dict)
            else 0
        )
        if _MASK in (key, given["openai_api_key"]):
            raise ComponentError(f"The keys of {cls.__name__} are not saved: write them in place of {_MASK!r}.")
        return cls(**given)


class AzureAISearchTool(BaseAzureAISearchTool):
    """A tool that searches an index of Azure AI Search: by text, by vectors, or both.

    The methods `create_full_text_search`, `create_vector_search` and `create_hybrid_search` make the usual kinds.
    As JSON it has no key: write one in, ``"credential": {"api_key": "…"}``, before it is loaded.

    Args:
        name: The name by which the model calls the tool.
        endpoint: The address of the search service.
        index_name: The index.
        credential: A key or an asynchronous token credential of Azure's SDK, or ``{"api_key": "…"}``.
        description: The description of the tool for the model.
        api_version: See `AzureAISearchConfig`, as for all that follow.
        query_type: ``simple``, ``full``, ``semantic`` or ``vector``.
        search_fields: The fields that are searched as text.
        select_fields: The fields of the results.
        vector_fields: The fields that are searched by the vector of the query.
        top: How many results are wanted.
        filter: An OData expression that all results fulfil.
        semantic_config_name: The semantic configuration of the index.
        enable_caching: Whether the results of a query are kept.
        cache_ttl_seconds: For how long.
        embedding_provider: ``azure_openai`` or ``openai``; by default the index makes the vectors.
        embedding_model: Its model.
        openai_api_key: Its key.
        openai_api_version: The version of Azure OpenAI's API.
        openai_endpoint: The address of Azure OpenAI, or of a server that speaks OpenAI's API.
        max_chars: Characters of the result that the model reads.

    Raises:
        InvalidArgumentError: Arguments cannot work together; the text says which.
        MissingExtraError: Azure's SDK is not installed.
    """

    @classmethod
    def create_full_text_search(
        cls, name: str, endpoint: str, index_name: str, credential: SDKObject, description: str | None = None,
        api_version: str | None = None, query_type: str = "simple", search_fields: list[str] | None = None,
        select_fields: list[str] | None = None, top: int | None = 5,
        filter: str | None = None,  # noqa: A002 - AutoGen's name
        semantic_config_name: str | None = None, enable_caching: bool = False, cache_ttl_seconds: int = 300,
    ) -> Self:  # fmt: skip
        """Make a tool that searches by text."""
        return cls(
            name, endpoint, index_name, credential, description, api_version or API_VERSION, query_type, search_fields,
            select_fields, None, top, filter, semantic_config_name, enable_caching, cache_ttl_seconds,
        )  # fmt: skip

    @classmethod
    def create_vector_search(
        cls, name: str, endpoint: str, index_name: str, credential: SDKObject, vector_fields: list[str],
        description: str | None = None, api_version: str | None = None, select_fields: list[str] | None = None,
        top: int = 5, filter: str | None = None,  # noqa: A002 - AutoGen's name
        enable_caching: bool = False, cache_ttl_seconds: int = 300, embedding_provider: str | None = None,
        embedding_model: str | None = None, openai_api_key: str | None = None, openai_api_version: str | None = None,
        openai_endpoint: str | None = None,
    ) -> Self:  # fmt: skip
        """Make a tool that searches by the vector of the query."""
        return cls(
            name, endpoint, index_name, credential, description, api_version or API_VERSION, "vector", None,
            select_fields, vector_fields, top, filter, None, enable_caching, cache_ttl_seconds, embedding_provider,
            embedding_model, openai_api_key, openai_api_version, openai_endpoint,
        )  # fmt: skip

    @classmethod
    def create_hybrid_search(
        cls, name: str, endpoint: str, index_name: str, credential: SDKObject, vector_fields: list[str],
        search_fields: list[str], description: str | None = None, api_version: str | None = None,
        query_type: str = "simple", select_fields: list[str] | None = None, top: int = 5,
        filter: str | None = None,  # noqa: A002 - AutoGen's name
        semantic_config_name: str | None = None, enable_caching: bool = False, cache_ttl_seconds: int = 300,
        embedding_provider: str | None = None, embedding_model: str | None = None, openai_api_key: str | None = None,
        openai_api_version: str | None = None, openai_endpoint: str | None = None,
    ) -> Self:  # fmt: skip
        """Make a tool that searches by text and by the vector of the query."""
        return cls(
            name, endpoint, index_name, credential, description, api_version or API_VERSION, query_type, search_fields,
            select_fields, vector_fields, top, filter, semantic_config_name, enable_caching, cache_ttl_seconds,
            embedding_provider, embedding_model, openai_api_key, openai_api_version, openai_endpoint,
        )  # fmt: skip

    @override
    async def _get_embedding(self, query: str) -> list[float]:
        config = self.search_config
        try:
            openai: SDKObject = await asyncio.to_thread(import_module, "openai")
        except ImportError as error:
            raise MissingExtraError("An embedding_provider", "openai") from error
        given: dict[str, Any] = {"api_key": config.openai_api_key}
        if config.embedding_provider == "azure_openai":
            given |= {
                "azure_endpoint": config.openai_endpoint,
                "api_version": config.openai_api_version or "2024-10-21",
            }
            made: SDKObject = openai.AsyncAzureOpenAI(**given)
        else:
            made = openai.AsyncOpenAI(**given, base_url=config.openai_endpoint)
        try:
            async with made as client:
                answer = await client.embeddings.create(model=config.embedding_model, input=query)
        except openai.OpenAIError as error:
            raise ToolServiceError(f"The vector of the query could not be made: {error}") from error
        return cast("list[float]", list(answer.data[0].embedding))


def _query(args: str | Mapping[str, Any] | SearchQuery) -> str:
    query = args if isinstance(args, str) else args.query if isinstance(args, SearchQuery) else args.get("query")
    if not isinstance(query, str) or not query.strip():
        raise ToolServiceError("The query is empty: give the words to search for.")
    return query


def _result(document: Mapping[str, Any]) -> SearchResult:
    plain = cast("dict[str, Any]", to_jsonable_python(dict(document), fallback=str))
    metadata = {key: value for key, value in plain.items() if key.startswith("@search.") and value is not None}
    content = {key: value for key, value in plain.items() if not key.startswith("@")}
    return SearchResult(score=float(metadata.get("@search.score") or 0), content=content, metadata=metadata)
