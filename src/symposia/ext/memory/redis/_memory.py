"""`RedisMemory`, and its configuration."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any, Literal, Self

from pydantic import BaseModel, Field, JsonValue

from symposia.core import CancellationToken, Component
from symposia.core.argument_checks import check_instance
from symposia.core.exceptions import MissingExtraError
from symposia.core.memory import MemoryContent, MemoryQueryResult
from symposia.ext.memory._search import (
    SearchMemory,
    call_in_thread,
    cancellable,
    has_metadata,
    metadata_values,
    query_limit,
    query_text,
    read_record,
    text_of,
    write_record,
)
from symposia.ext.memory.embedders import Embedder, SentenceTransformerEmbedder, Vectors
from symposia.ext.memory.redis._stream import Stream


class RedisMemoryConfig(BaseModel):
    """The configuration of a `RedisMemory`, with AutoGen's names.

    Attributes:
        redis_url: The address of the server. A password in it is saved with the component.
        index_name: The name of the memory. Programs with the same name and prefix share it.
        prefix: What the server's keys begin with.
        sequential: Whether a query finds the last entries, in the order of their addition, in place of similar ones.
        distance_metric: ``cosine`` (0 to 2), ``ip`` (1 less the inner product) or ``l2`` (Euclidean).
        algorithm: For AutoGen's sake: every entry is compared, as ``flat`` says.
        top_k: How many entries a query finds at most.
        datatype: How vectors are stored: in 64 bits each number, in 16, or for the other names in 32.
        distance_threshold: The greatest distance of what is found.
        model_name: The model of ``sentence-transformers`` that makes the vectors, where no embedder is given.
    """

    redis_url: str = Field(default="redis://localhost:6379", repr=False)
    index_name: str = "chat_history"
    prefix: str = "memory"
    sequential: bool = False
    distance_metric: Literal["cosine", "ip", "l2"] = "cosine"
    algorithm: Literal["flat", "hnsw"] = "flat"
    top_k: int = 10
    datatype: Literal["uint8", "int8", "float16", "float32", "float64", "bfloat16"] = "float32"
    distance_threshold: float = 0.7
    model_name: str = "sentence-transformers/all-mpnet-base-v2"


class RedisMemory(SearchMemory, Component[RedisMemoryConfig]):
    """Keeps entries in a Redis server, which several machines may share.

    Args:
        config: Where the server is, and how entries are found.
        embedder: Makes the vectors, in place of the configuration's model. It is not saved: a loaded memory has that
            model. A sequential memory needs none.

    Raises:
        InvalidArgumentError: The address of the server is none. With an addition or a query: the memory has the vectors
            of another embedder.
        MemoryStoreError: With any use: the server cannot be reached, or refuses.
        MissingExtraError: With the first use: ``redis`` or ``numpy`` is not installed, or without an embedder
            ``sentence-transformers``.
    """

    component_config_schema = RedisMemoryConfig

    def __init__(self, config: RedisMemoryConfig | None = None, *, embedder: Embedder | None = None) -> None:
        if config is not None:
            check_instance("config", type(self).__name__, config, RedisMemoryConfig, "RedisMemoryConfig()")
        if embedder is not None:
            check_instance("embedder", type(self).__name__, embedder, Embedder, "HashingEmbedder()")
        self.config = config or RedisMemoryConfig()
        self._is_default = embedder is None
        self._embedder = embedder or SentenceTransformerEmbedder(self.config.model_name)
        self._stream = Stream(
            self.config.redis_url,
            f"{self.config.prefix}:{self.config.index_name}",
            self._embedder.name,
            self.config.distance_metric,
            self.config.datatype,
        )

    @property
    def name(self) -> str:
        """The name of the memory."""
        return self.config.index_name

    async def add(self, content: MemoryContent, cancellation_token: CancellationToken | None = None) -> None:
        """Remember one more thing. It is found by others when this returns."""
        check_instance("content", type(self).__name__, content, MemoryContent, "MemoryContent(content='…', …)")
        embed = None if self.config.sequential else self._embed(text_of(content))
        vectors = None if embed is None else await cancellable(embed, cancellation_token)
        await call_in_thread(partial(self._stream.append, write_record(content), vectors), cancellation_token)

    async def query(
        self,
        query: str | MemoryContent,
        cancellation_token: CancellationToken | None = None,
        *,
        limit: int | None = None,
        top_k: int | None = None,
        distance_threshold: float | None = None,
        **kwargs: Any,  # noqa: ARG002 - for other memories
    ) -> MemoryQueryResult:
        """Find what is similar, the closest first; in a sequential memory, the last entries, the oldest first.

        Args:
            query: Text, or a content like those looked for. For an empty one, a query finds the last entries.
            cancellation_token: Cancelling it ends the search.
            limit: In place of the configuration's `top_k`.
            top_k: AutoGen's name of `limit`.
            distance_threshold: In place of the configuration's.
            kwargs: Ignored.

        Returns:
            The contents. Their metadata has their ``id``, and where they were compared, their ``distance``.
        """
        most = query_limit(type(self).__name__, limit if top_k is None else top_k, self.config.top_k)
        text = query_text(query)
        if self.config.sequential or not text.strip():
            last = await call_in_thread(partial(self._stream.last, most), cancellation_token)
            return MemoryQueryResult(results=[read_record(record, id=id_) for id_, record in last])
        threshold = self.config.distance_threshold if distance_threshold is None else distance_threshold
        vectors = await cancellable(self._embed(text), cancellation_token)
        found = await call_in_thread(partial(self._stream.closest, vectors, most, threshold), cancellation_token)
        return MemoryQueryResult(
            results=[read_record(record, id=id_, distance=distance) for id_, record, distance in found]
        )

    async def forget(self, ids: Iterable[str] | None = None, *, where: Mapping[str, JsonValue] | None = None) -> int:
        """Remove entries, for everybody: those with these ids, with these values in their metadata, or with both.

        For values, all entries are read.

        Returns:
            How many there were. Without an argument, none is removed: see `clear`.
        """
        chosen = None if ids is None else list(ids)
        if where is not None:
            values = metadata_values(where)
            entries = await call_in_thread(self._stream.entries)
            fitting = [id_ for id_, record in entries if has_metadata(read_record(record), values)]
            chosen = fitting if chosen is None else [id_ for id_ in fitting if id_ in chosen]
        return await call_in_thread(partial(self._stream.remove, chosen or []))

    async def clear(self) -> None:
        """Forget everything, for everybody."""
        await call_in_thread(self._stream.clear)

    async def close(self) -> None:
        """Close the connection. It is opened again by the next call."""
        await call_in_thread(self._stream.close)

    async def _embed(self, text: str) -> Vectors:
        try:
            return await self._embedder.embed([text])
        except MissingExtraError as error:
            if not self._is_default:
                raise
            raise MissingExtraError("RedisMemory without an embedder", error.extra) from error

    def _to_config(self) -> RedisMemoryConfig:
        return self.config

    @classmethod
    def _from_config(cls, config: RedisMemoryConfig) -> Self:
        return cls(config)
