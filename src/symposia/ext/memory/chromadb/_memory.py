"""`ChromaDBVectorMemory`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, Final, Self, TypeVar, cast
from uuid import uuid4

from pydantic import JsonValue

from symposia.core import CancellationToken, Component
from symposia.core.argument_checks import check_instance
from symposia.core.exceptions import (
    ArgumentTypeError,
    ComponentError,
    InvalidArgumentError,
    MemoryStoreError,
    MissingExtraError,
)
from symposia.core.memory import MemoryContent, MemoryMimeType, MemoryQueryResult
from symposia.ext.memory._search import (
    SearchMemory,
    call_in_thread,
    client_start,
    query_limit,
    query_text,
    read_record,
    text_of,
    write_record,
)
from symposia.ext.memory._shared_client import SharedClient
from symposia.ext.memory.chromadb._configs import (
    ChromaDBVectorMemoryConfig,
    CustomEmbeddingFunctionConfig,
    HttpChromaDBVectorMemoryConfig,
    OpenAIEmbeddingFunctionConfig,
    PersistentChromaDBVectorMemoryConfig,
    SentenceTransformerEmbeddingFunctionConfig,
)

T = TypeVar("T")

RECORD: Final = "symposia_record"
"""The key of the metadata with the content as it was given: ChromaDB's metadata holds no nested values."""

TIMEOUT_SECONDS: Final = 30
"""For each answer of a server."""

_PLAIN: Final = (str, int, float, bool)


class SavedConfig(ChromaDBVectorMemoryConfig, extra="allow"):
    """A configuration of either kind, of which `client_type` says which."""


class ChromaDBVectorMemory(SearchMemory, Component[ChromaDBVectorMemoryConfig]):
    """Keeps entries in a collection of ChromaDB, in this process or of a server.

    The entries of AutoGen's memory in the same collection are found as well.

    Args:
        config: `PersistentChromaDBVectorMemoryConfig` or `HttpChromaDBVectorMemoryConfig`; by default the first.

    Raises:
        ArgumentTypeError: `config` is of another class.
        MemoryStoreError: With any use: the server cannot be reached, or ChromaDB refuses.
        MissingExtraError: With the first use: ``chromadb`` is not installed.
    """

    component_config_schema = SavedConfig

    def __init__(self, config: ChromaDBVectorMemoryConfig | None = None) -> None:
        if not isinstance(config, PersistentChromaDBVectorMemoryConfig | HttpChromaDBVectorMemoryConfig | None):
            raise ArgumentTypeError(
                f"config of {type(self).__name__} is {config!r}: give a PersistentChromaDBVectorMemoryConfig or a "
                "HttpChromaDBVectorMemoryConfig."
            )
        self._config = config or PersistentChromaDBVectorMemoryConfig()
        # Any: the library is optional
        self._client: SharedClient[Any] = SharedClient(self._make_client, self._close_now)
        self._collection: Any = None

    @property
    def collection_name(self) -> str:
        """The name of the collection."""
        return self._config.collection_name

    @property
    def name(self) -> str:
        """The same."""
        return self._config.collection_name

    async def add(self, content: MemoryContent, cancellation_token: CancellationToken | None = None) -> None:
        """Remember one more thing. It is found by others when this returns."""
        check_instance("content", type(self).__name__, content, MemoryContent, "MemoryContent(content='…', …)")
        plain = {key: value for key, value in (content.metadata or {}).items() if isinstance(value, _PLAIN)}
        metadata = plain | {"mime_type": content.serialize_mime_type(content.mime_type), RECORD: write_record(content)}
        document = text_of(content)

        def add(collection: Any) -> None:  # Any: see `_client`
            collection.add(documents=[document], metadatas=[metadata], ids=[str(uuid4())])

        await self._call(add, cancellation_token)

    async def query(
        self,
        query: str | MemoryContent,
        cancellation_token: CancellationToken | None = None,
        *,
        limit: int | None = None,
        n_results: int | None = None,
        score_threshold: float | None = None,
        **kwargs: Any,
    ) -> MemoryQueryResult:
        """Find what is similar, the best first.

        Args:
            query: Text, or a content like those looked for.
            cancellation_token: Cancelling it ends the search.
            limit: In place of the configuration's `k`.
            n_results: AutoGen's name of `limit`.
            score_threshold: In place of the configuration's.
            kwargs: Other arguments of ChromaDB's query, such as ``where={"source": "a.md"}``.

        Returns:
            The contents. Their metadata has their ``id``, and a ``score``: 1 less the distance by ``cosine`` and
            ``ip``, and 1 / (1 + distance) by ``l2``.
        """
        asked_for = limit if n_results is None else n_results
        text, count = query_text(query), query_limit(type(self).__name__, asked_for, self._config.k)
        least = self._config.score_threshold if score_threshold is None else score_threshold

        def search(collection: Any) -> list[MemoryContent]:  # Any: see `_client`
            asked = {"include": ["documents", "metadatas", "distances"], **kwargs}
            answer = collection.query(query_texts=[text], n_results=count, **asked)
            made_with: Mapping[str, str] = collection.metadata or {}
            space = made_with.get("hnsw:space", self._config.distance_metric)
            columns = (answer[name][0] for name in ("ids", "documents", "metadatas", "distances"))
            return [
                _content(id_, document, metadata, _score(space, distance))
                for id_, document, metadata, distance in zip(*columns, strict=True)
                if document is not None  # forgotten by another while this one was found
            ]

        found = await self._call(search, cancellation_token)
        fitting = [each for each in found if least is None or cast("dict[str, float]", each.metadata)["score"] >= least]
        return MemoryQueryResult(results=fitting)

    async def forget(self, ids: Iterable[str] | None = None, *, where: Mapping[str, JsonValue] | None = None) -> None:
        """Remove entries: those with these ids, or those whose metadata ChromaDB's filter `where` fits."""
        if ids is None and where is None:
            return
        chosen = None if ids is None else list(ids)
        await self._call(lambda collection: collection.delete(ids=chosen, where=where))

    async def clear(self) -> None:
        """Forget everything in the collection."""

        def clear(collection: Any) -> None:  # Any: see `_client`
            while ids := collection.get(limit=1_000, include=[])["ids"]:
                collection.delete(ids=ids)

        await self._call(clear)

    async def reset(self) -> None:
        """Forget everything in the database, with all collections.

        Raises:
            InvalidArgumentError: The configuration does not allow it.
        """
        if not self._config.allow_reset:
            raise InvalidArgumentError(
                "reset() removes all collections of the database. To allow it, make the configuration with "
                "allow_reset=True (a server has a setting of that name, too); clear() empties this memory."
            )
        await call_in_thread(partial(self._use, self._reset_now))

    def _reset_now(self, client: Any) -> None:  # Any: see `_client`
        client.reset()
        self._collection = None

    async def close(self) -> None:
        """Close the client, after the calls that are under way. It is made again by the next call."""
        await call_in_thread(self._client.close)

    def _close_now(self, client: Any) -> None:  # Any: see `_client`
        self._collection = None
        _close(client)

    async def _call(
        self, function: Callable[[Any], T], token: CancellationToken | None = None
    ) -> T:  # Any: see `_client`
        """Call a function of the collection."""
        return await call_in_thread(partial(self._use, partial(self._with_collection, function)), token)

    def _with_collection(self, function: Callable[[Any], T], client: Any) -> T:  # Any: see `_client`
        from chromadb.errors import NotFoundError  # noqa: PLC0415 - an optional dependency

        try:
            return function(self._opened(client))
        except NotFoundError:  # another program has removed the collection, with all entries
            self._collection = None
            return function(self._opened(client))

    def _use(self, function: Callable[[Any], T]) -> T:  # Any: see `_client`
        try:
            from chromadb.errors import ChromaError  # noqa: PLC0415 - an optional dependency
        except ImportError as error:
            raise MissingExtraError("ChromaDBVectorMemory", "chromadb") from error
        import httpx  # noqa: PLC0415 - comes with chromadb

        try:
            with self._client.used() as client:
                return function(client)
        except (ChromaError, httpx.HTTPError, OSError) as error:
            raise self._failure(error) from error
        except ValueError as error:
            # The library reports so that a server cannot be reached, and arguments that it refuses.
            if "Could not connect" in str(error):
                raise self._failure(error) from error
            raise InvalidArgumentError(f"ChromaDB refused the call: {error}") from error

    def _failure(self, error: Exception) -> MemoryStoreError:
        config = self._config
        is_server = isinstance(config, HttpChromaDBVectorMemoryConfig)
        place = f"the server {config.host}:{config.port}" if is_server else f"the folder {config.persistence_path}"
        return MemoryStoreError(
            f"The collection {config.collection_name!r} of ChromaDB in {place} cannot be used: "
            f"{str(error).rstrip('.')}. Check that it is there, and that it was made with the same embedding function."
        )

    def _opened(self, client: Any) -> Any:  # Any: see `_client`
        collection = self._collection
        if collection is None:
            config = self._config
            with client_start:
                collection = self._collection = client.get_or_create_collection(
                    name=config.collection_name,
                    metadata={"hnsw:space": config.distance_metric},
                    embedding_function=_embedding_function(config),
                )
        return collection

    def _check_server(self) -> None:
        """Ask the server whether it is there: the library's client waits for its first answers without a limit."""
        import httpx  # noqa: PLC0415 - comes with chromadb

        config = self._config
        if isinstance(config, HttpChromaDBVectorMemoryConfig):
            address = f"{'https' if config.ssl else 'http'}://{config.host}:{config.port}/api/v2/heartbeat"
            httpx.get(address, headers=config.headers, timeout=TIMEOUT_SECONDS)

    def _make_client(self) -> Any:  # Any: see `_client`
        import chromadb  # noqa: PLC0415 - an optional dependency
        from chromadb.config import Settings  # noqa: PLC0415

        config = self._config
        self._check_server()
        settings = Settings(anonymized_telemetry=False, allow_reset=config.allow_reset)
        scope = {"tenant": config.tenant, "database": config.database}
        if not isinstance(config, HttpChromaDBVectorMemoryConfig):
            with client_start:
                return chromadb.PersistentClient(path=config.persistence_path, settings=settings, **scope)
        with client_start:
            client: Any = chromadb.HttpClient(
                host=config.host, port=config.port, ssl=config.ssl, headers=config.headers, settings=settings, **scope
            )
        for session in _sessions(client):
            session.timeout = TIMEOUT_SECONDS  # there is no setting for it
        return client

    def _to_config(self) -> ChromaDBVectorMemoryConfig:
        if isinstance(self._config.embedding_function_config, CustomEmbeddingFunctionConfig):
            raise ComponentError(
                "A ChromaDBVectorMemory with a CustomEmbeddingFunctionConfig cannot be saved: JSON holds no function."
            )
        return self._config

    @classmethod
    def _from_config(cls, config: ChromaDBVectorMemoryConfig) -> Self:
        is_server = config.client_type == "http"
        kind = HttpChromaDBVectorMemoryConfig if is_server else PersistentChromaDBVectorMemoryConfig
        return cls(kind.model_validate(vars(config) | (config.model_extra or {})))


def _sessions(client: Any) -> list[Any]:  # Any: see `ChromaDBVectorMemory`
    """The HTTP clients in a client of a server, to which the library gives no other way."""
    servers = [client._server, client._admin_client._server]  # noqa: SLF001 - see above
    return [server._session for server in servers if hasattr(server, "_session")]  # noqa: SLF001


def _close(client: Any) -> None:  # Any: see `ChromaDBVectorMemory`
    sessions = _sessions(client)
    client.close()
    for session in sessions:
        session.close()  # which the library leaves open


def _embedding_function(config: ChromaDBVectorMemoryConfig) -> Any:  # Any: the library is optional
    from chromadb.utils import embedding_functions  # noqa: PLC0415 - an optional dependency

    match config.embedding_function_config:
        case CustomEmbeddingFunctionConfig() as custom:
            return custom.function(**custom.params)
        case OpenAIEmbeddingFunctionConfig() as model:
            key = model.api_key or None
            return embedding_functions.OpenAIEmbeddingFunction(key, model.model_name, api_key_env_var="OPENAI_API_KEY")
        case SentenceTransformerEmbeddingFunctionConfig() as model:
            return embedding_functions.SentenceTransformerEmbeddingFunction(model_name=model.model_name)
        case _:
            return embedding_functions.DefaultEmbeddingFunction()


def _score(space: str, distance: float) -> float:
    return 1 / (1 + distance) if space == "l2" else 1 - distance


def _content(id_: str, document: str, metadata: Mapping[str, Any] | None, score: float) -> MemoryContent:
    """An entry of ours by its record, or of AutoGen's memory, which has the media type as ``MemoryMimeType.TEXT``."""
    values = dict(metadata or {})
    if RECORD in values:
        return read_record(values[RECORD], id=id_, score=score)
    written = str(values.pop("mime_type", MemoryMimeType.TEXT.value))
    member = written.removeprefix("MemoryMimeType.")
    mime_type = MemoryMimeType[member].value if member in MemoryMimeType.__members__ else written
    return MemoryContent(content=document, mime_type=mime_type, metadata=values | {"id": id_, "score": score})
