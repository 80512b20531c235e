"""A memory in a Redis server of any version, without its search module.

The entries are a stream, which the server orders: what two programs add at the same time is kept, in one order for all.
Each program keeps the vectors that it has read, and reads only what is new. So a query compares all vectors in the
program's own memory: 100,000 vectors of 768 numbers take 300 MB of it.

Whatever removes entries gives the memory a new generation, a random key, upon which all is read anew.

Rejected: the server's own search (RediSearch, by the library ``redisvl``), which is no part of Redis 7, so that
Debian's server does not have it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Literal, Self, TypeVar
from uuid import uuid4

from pydantic import BaseModel

from symposia._lazy import lazy_module
from symposia.core import CancellationToken, Component
from symposia.core.argument_checks import check_instance
from symposia.core.exceptions import InvalidArgumentError, MemoryStoreError, MissingExtraError
from symposia.core.memory import MemoryContent, MemoryQueryResult
from symposia.ext.memory._search import SearchMemory, call_in_thread, query_text, read_record, text_of, write_record
from symposia.ext.memory.embedders import Embedder, SentenceTransformerEmbedder

if TYPE_CHECKING:
    import numpy as np
    import redis
    from numpy.typing import NDArray
else:
    np = lazy_module("numpy")
    redis = lazy_module("redis")

__all__ = ["RedisMemory", "RedisMemoryConfig"]

T = TypeVar("T")

PAGE: Final = 2_000
"""Entries that are read at once."""

TIMEOUT_SECONDS: Final = 30
"""For the connection, and for each answer, unless the address says more (``?socket_timeout=60``)."""


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

    redis_url: str = "redis://localhost:6379"
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
        self._embedder = embedder or SentenceTransformerEmbedder(self.config.model_name)
        self._stream = _Stream(self.config, self._embedder.name)

    @property
    def name(self) -> str:
        """The name of the memory."""
        return self.config.index_name

    async def add(self, content: MemoryContent, cancellation_token: CancellationToken | None = None) -> None:
        """Remember one more thing. It is found by others when this returns."""
        check_instance("content", type(self).__name__, content, MemoryContent, "MemoryContent(content='…', …)")
        vector = None if self.config.sequential else (await self._embedder.embed([text_of(content)]))[0]
        await call_in_thread(partial(self._stream.append, write_record(content), vector), cancellation_token)

    async def query(
        self,
        query: str | MemoryContent,
        cancellation_token: CancellationToken | None = None,
        *,
        top_k: int | None = None,
        distance_threshold: float | None = None,
        **kwargs: Any,  # noqa: ARG002 - for other memories
    ) -> MemoryQueryResult:
        """Find what is similar, the closest first; in a sequential memory, the last entries, the oldest first.

        Args:
            query: Text, or a content like those looked for. For an empty one, a query finds the last entries.
            cancellation_token: Cancelling it ends the search.
            top_k: In place of the configuration's.
            distance_threshold: In place of the configuration's.
            kwargs: Ignored.

        Returns:
            The contents. Their metadata has their ``id``, and where they were compared, their ``distance``.
        """
        most = self.config.top_k if top_k is None else top_k
        text = query_text(query)
        if self.config.sequential or not text.strip():
            last = await call_in_thread(partial(self._stream.last, most), cancellation_token)
            return MemoryQueryResult(results=[read_record(record, id=id_) for id_, record in last])
        limit = self.config.distance_threshold if distance_threshold is None else distance_threshold
        (vector,) = await self._embedder.embed([text])
        found = await call_in_thread(partial(self._stream.closest, vector, most, limit), cancellation_token)
        return MemoryQueryResult(
            results=[read_record(record, id=id_, distance=distance) for id_, record, distance in found]
        )

    async def forget(self, ids: Iterable[str]) -> int:
        """Remove the entries with these ids, for everybody.

        Returns:
            How many there were.
        """
        return await call_in_thread(partial(self._stream.remove, list(ids)))

    async def clear(self) -> None:
        """Forget everything, for everybody."""
        await call_in_thread(self._stream.clear)

    async def close(self) -> None:
        """Close the connection. It is opened again by the next call."""
        await call_in_thread(self._stream.close)

    def _to_config(self) -> RedisMemoryConfig:
        return self.config

    @classmethod
    def _from_config(cls, config: RedisMemoryConfig) -> Self:
        return cls(config)


class _Stream:
    """The stream in the server, and what this program has read of it. Everything here waits for the server."""

    def __init__(self, config: RedisMemoryConfig, embedder: str) -> None:
        self._config = config
        self._embedder = embedder
        self._key = f"{config.prefix}:{config.index_name}"
        self._lock = threading.Lock()
        self._client: Any | None = None  # Any: the library's answers are typed for its two interfaces at once
        self._forget_what_was_read()

    def append(self, record: str, vector: Sequence[float] | None) -> None:
        """Add an entry."""
        fields: dict[str, str | bytes] = {"record": record, "embedder": self._embedder if vector is not None else ""}
        if vector is not None:
            fields["vector"] = np.asarray(vector, dtype=np.float64).astype(self._datatype()).tobytes()
            fields["datatype"] = self._datatype()

        def change(client: Any) -> None:  # Any: see `_client`
            transaction = client.pipeline(transaction=True)
            transaction.set(f"{self._key}:generation", uuid4().hex, nx=True).xadd(self._key, fields).execute()

        self._call(change)

    def last(self, count: int) -> list[tuple[str, bytes]]:
        """The last entries, the oldest first."""
        entries = self._call(lambda client: client.xrevrange(self._key, count=count))
        return [(id_.decode(), fields[b"record"]) for id_, fields in reversed(entries)]

    def closest(self, vector: Sequence[float], count: int, limit: float) -> list[tuple[str, bytes, float]]:
        """The entries whose vectors are at most so far away, the closest first."""
        with self._lock:
            self._call(self._read_what_is_new)
            if not self._ids:
                return []
            if len(self._unmerged) > 1:
                self._unmerged = [np.concatenate(self._unmerged)]
            rows, ids, records = self._unmerged[0], self._ids, self._records
            wanted = np.asarray(vector, dtype=np.float32)
            if wanted.shape[0] != rows.shape[1]:
                raise InvalidArgumentError(
                    f"The vectors of the memory {self._key} have {rows.shape[1]} numbers, and that of the query has "
                    f"{wanted.shape[0]}: use the embedder with which the entries were added."
                )
            distances = _distances(self._config.distance_metric, rows, wanted)
            order = np.argsort(distances, kind="stable")[:count].tolist()
            return [(ids[i], records[i], float(distances[i])) for i in order if distances[i] <= limit]

    def remove(self, ids: Sequence[str]) -> int:
        """Remove entries.

        Returns:
            How many there were.
        """

        def change(client: Any) -> int:  # Any: see `_client`
            transaction = client.pipeline(transaction=True)
            transaction.xdel(self._key, *ids).set(f"{self._key}:generation", uuid4().hex)
            return transaction.execute()[0]

        return self._call(change) if ids else 0

    def clear(self) -> None:
        """Remove all entries."""

        def change(client: Any) -> None:  # Any: see `_client`
            transaction = client.pipeline(transaction=True)
            transaction.delete(self._key).set(f"{self._key}:generation", uuid4().hex).execute()

        self._call(change)

    def close(self) -> None:
        """Close the connections."""
        with self._lock:
            if self._client is not None:
                self._client.close()
                self._client = None
            self._forget_what_was_read()

    def _forget_what_was_read(self) -> None:
        self._ids: list[str] = []
        self._records: list[bytes] = []
        self._unmerged: list[NDArray[np.float32]] = []
        self._generation: bytes | None = None
        self._read_to = b"-"

    def _read_what_is_new(self, client: Any) -> None:  # Any: see `_client`
        while True:
            # In one transaction, so that no entry is read of another generation than the key says.
            transaction = client.pipeline(transaction=True)
            transaction.get(f"{self._key}:generation").xrange(self._key, min=self._read_to, count=PAGE)
            generation, entries = transaction.execute()
            if generation != self._generation:
                self._forget_what_was_read()
                self._generation = generation
                continue
            self._take([(id_, fields) for id_, fields in entries if b"vector" in fields])
            if entries:
                self._read_to = b"(" + entries[-1][0]
            if len(entries) < PAGE:
                return

    def _take(self, entries: Sequence[tuple[bytes, dict[bytes, bytes]]]) -> None:
        other = next((fields for _, fields in entries if fields[b"embedder"].decode() != self._embedder), None)
        if other is not None:
            raise InvalidArgumentError(
                f"The vectors of the memory {self._key} are of the embedder {other[b'embedder'].decode()!r}, with "
                f"which those of {self._embedder!r} cannot be compared: give the memory that embedder, or another "
                "index_name."
            )
        if entries:
            rows = [np.frombuffer(fields[b"vector"], dtype=fields[b"datatype"].decode()) for _, fields in entries]
            self._unmerged.append(np.stack(rows).astype(np.float32))
            self._ids += [id_.decode() for id_, _ in entries]
            self._records += [fields[b"record"] for _, fields in entries]

    def _datatype(self) -> str:
        return {"float64": "<f8", "float16": "<f2", "bfloat16": "<f2"}.get(self._config.datatype, "<f4")

    def _call(self, function: Callable[[Any], T]) -> T:  # Any: see `_client`
        try:
            if self._client is None:
                timeouts = {"socket_timeout": TIMEOUT_SECONDS, "socket_connect_timeout": TIMEOUT_SECONDS}
                library: Any = redis  # its `from_url` is typed in part
                self._client = library.Redis.from_url(self._config.redis_url, **timeouts)
                _ = np.ndarray
            return function(self._client)
        except ImportError as error:
            raise MissingExtraError("RedisMemory", "redis-memory") from error
        except redis.RedisError as error:
            address = self._config.redis_url.rpartition("@")[2]
            raise MemoryStoreError(
                f"The memory {self._key} in the Redis server at {address} cannot be used: {error}. Check that the "
                "server runs, and its address in redis_url."
            ) from error


def _distances(metric: str, rows: NDArray[np.float32], wanted: NDArray[np.float32]) -> NDArray[np.float32]:
    if metric == "l2":
        return np.linalg.norm(rows - wanted, axis=1)
    products = rows @ wanted
    if metric == "cosine":
        lengths = np.linalg.norm(rows, axis=1) * np.linalg.norm(wanted)
        products = products / np.where(lengths == 0, 1, lengths)
    return 1 - products
