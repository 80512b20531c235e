"""The entries of a memory in a Redis server.

They are a stream, which the server orders: what two programs add at the same time is kept, in one order for all. Each
program keeps the vectors that it has read, and reads only what is new. So a query compares all vectors in the program's
own memory: 100,000 vectors of 768 numbers take 300 MB of it.

Whatever removes entries gives the memory a new generation, a random key, upon which all is read anew. Another key has
the embedder and the dimensions, which an addition checks: one program with another model would make
the memory useless for all.

Nothing is sent again after a failure: a server that was too late may have added the entry.

Rejected: the server's own search (RediSearch, by the library ``redisvl``), which is no part of Redis 7, so that
Debian's server does not have it.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import urlsplit
from uuid import uuid4

from symposia._lazy import lazy_module
from symposia.core.exceptions import InvalidArgumentError, MemoryStoreError, MissingExtraError
from symposia.ext.memory._shared_client import SharedClient
from symposia.ext.memory.embedders import vector_rows

if TYPE_CHECKING:
    import numpy as np
    import redis
    from numpy.typing import NDArray
else:
    np = lazy_module("numpy")
    redis = lazy_module("redis")

T = TypeVar("T")

PAGE: Final = 2_000
"""Entries that are read at once."""

TIMEOUT_SECONDS: Final = 30
"""For the connection, and for each answer, unless the address says more (``?socket_timeout=60``)."""


_APPEND: Final = """
local saved = redis.call('GET', KEYS[3])
if ARGV[2] ~= '' then
    if saved and saved ~= ARGV[2] then return saved end
    redis.call('SET', KEYS[3], ARGV[2])
end
redis.call('SET', KEYS[2], ARGV[1], 'NX')
redis.call('XADD', KEYS[1], '*', unpack(ARGV, 3))
return false
"""
"""Add an entry, unless there are vectors of another kind, which is the answer then.

Rejected: WATCH and a transaction, as redis-py reports a lost connection as a change of the watched key, upon which its
`transaction` sends all again."""


class Stream:
    """The stream in the server, and what this program has read of it. Everything here waits for the server.

    Args:
        url: The address of the server.
        key: The key of the stream, with which its other keys begin.
        embedder: The name of the embedder.
        metric: How distances are measured: ``cosine``, ``ip`` or ``l2``.
        datatype: How vectors are stored, by the names of the configuration.
    """

    def __init__(self, url: str, key: str, embedder: str, metric: str, datatype: str) -> None:
        self._url = url
        self._address = _address(url)
        self._key = key
        self._embedder = embedder
        self._metric = metric
        self._datatype = {"float64": "<f8", "float16": "<f2", "bfloat16": "<f2"}.get(datatype, "<f4")
        self._generation_key, self._vectors_key = f"{self._key}:generation", f"{self._key}:vectors"
        self._lock = threading.Lock()  # of what was read
        # Any: the library's answers are typed for its two interfaces at once
        self._client: SharedClient[Any] = SharedClient(self._connect, _close)
        self._forget_what_was_read()

    def append(self, record: str, vectors: object) -> None:
        """Add an entry, with what the embedder returned for it, or None."""
        fields: list[str | bytes] = ["record", record]
        kind = ""
        _require_libraries()
        if vectors is not None:
            (vector,) = vector_rows(vectors, 1, self._embedder)
            kind = json.dumps([self._embedder, len(vector)])
            fields += ["vector", self._stored(vector), "datatype", self._datatype]
        keys = (self._key, self._generation_key, self._vectors_key)
        saved = self._call(lambda client: client.eval(_APPEND, len(keys), *keys, uuid4().hex, kind, *fields))
        self._check_vectors(saved, kind)

    def _stored(self, vector: NDArray[np.float32]) -> bytes:
        """A vector in the type of the memory.

        Raises:
            InvalidArgumentError: The type has no such large numbers.
        """
        with np.errstate(over="ignore"):
            stored = vector.astype(self._datatype)
        if not np.isfinite(stored).all():
            raise InvalidArgumentError(
                f"The embedder {self._embedder!r} made a vector with numbers up to {np.abs(vector).max():.3g}, which "
                "the datatype of the memory cannot hold: give datatype='float32'."
            )
        return stored.tobytes()

    def last(self, count: int) -> list[tuple[str, bytes]]:
        """The last entries, the oldest first."""
        entries = self._call(lambda client: client.xrevrange(self._key, count=count))
        return [(id_.decode(), self._field(fields, b"record")) for id_, fields in reversed(entries)]

    def entries(self) -> list[tuple[str, bytes]]:
        """All entries, the oldest first."""
        found: list[tuple[str, bytes]] = []
        start = b"-"
        while True:
            page = self._call(partial(_page, self._key, start))
            found += [(id_.decode(), self._field(fields, b"record")) for id_, fields in page]
            if len(page) < PAGE:
                return found
            start = b"(" + page[-1][0]

    def closest(self, vectors: object, count: int, limit: float) -> list[tuple[str, bytes, float]]:
        """The entries whose vectors are at most so far from that of an embedder, the closest first."""
        _require_libraries()
        (wanted,) = vector_rows(vectors, 1, self._embedder)
        with self._lock:
            self._call(lambda client: self._read_what_is_new(client, json.dumps([self._embedder, len(wanted)])))
            if not self._ids:
                return []
            if len(self._unmerged) > 1:
                self._unmerged = [np.concatenate(self._unmerged)]
            rows, ids, records = self._unmerged[0], self._ids, self._records
            distances = _distances(self._metric, rows, wanted)
            order = np.argsort(distances, kind="stable")[:count].tolist()
            return [(ids[i], records[i], float(distances[i])) for i in order if distances[i] <= limit]

    def remove(self, ids: Sequence[str]) -> int:
        """Remove entries.

        Returns:
            How many there were.
        """

        def change(client: Any) -> int:  # Any: see `_client`
            transaction = client.pipeline(transaction=True)
            transaction.xdel(self._key, *ids).set(self._generation_key, uuid4().hex)
            return transaction.execute()[0]

        return self._call(change) if ids else 0

    def clear(self) -> None:
        """Remove all entries."""

        def change(client: Any) -> None:  # Any: see `_client`
            transaction = client.pipeline(transaction=True)
            transaction.delete(self._key, self._vectors_key).set(self._generation_key, uuid4().hex).execute()

        self._call(change)

    def close(self) -> None:
        """Close the connections, after the calls that are under way."""
        with self._lock:
            self._client.close()
            self._forget_what_was_read()

    def _forget_what_was_read(self) -> None:
        self._ids: list[str] = []
        self._records: list[bytes] = []
        self._unmerged: list[NDArray[np.float32]] = []
        self._generation: bytes | None = None
        self._read_to = b"-"

    def _read_what_is_new(self, client: Any, kind: str) -> None:  # Any: see `_client`
        while True:
            # In one transaction, so that no entry is read of another generation than the key says.
            transaction = client.pipeline(transaction=True)
            transaction.get(self._generation_key).get(self._vectors_key)
            transaction.xrange(self._key, min=self._read_to, count=PAGE)
            generation, saved, entries = transaction.execute()
            self._check_vectors(saved, kind)
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
        if entries:
            rows = [
                np.frombuffer(fields[b"vector"], dtype=self._field(fields, b"datatype").decode())
                for _, fields in entries
            ]
            self._unmerged.append(np.stack(rows).astype(np.float32))
            self._ids += [id_.decode() for id_, _ in entries]
            self._records += [self._field(fields, b"record") for _, fields in entries]

    def _check_vectors(self, saved: bytes | None, kind: str) -> None:
        if saved is not None and saved.decode() != kind:
            embedder, dimensions = json.loads(saved)
            raise InvalidArgumentError(
                f"The vectors of the memory {self._key} are of the embedder {embedder!r} with {dimensions} dimensions, "
                f"with which those of {self._embedder!r} with {json.loads(kind)[1]} cannot be compared: give the "
                "memory that embedder, or another index_name."
            )

    def _field(self, fields: dict[bytes, bytes], name: bytes) -> bytes:
        if name not in fields:
            raise MemoryStoreError(
                f"The stream {self._key} in the Redis server at {self._address} has entries of another program: "
                "give the memory another index_name."
            )
        return fields[name]

    def _connect(self) -> Any:  # Any: see `_client`
        _require_libraries()
        from redis.backoff import NoBackoff  # noqa: PLC0415 - an optional dependency
        from redis.retry import Retry  # noqa: PLC0415

        library: Any = redis  # its `from_url` is typed in part
        timeouts = {"socket_timeout": TIMEOUT_SECONDS, "socket_connect_timeout": TIMEOUT_SECONDS}
        return library.Redis.from_url(self._url, retry=Retry(NoBackoff(), 0), **timeouts)

    def _call(self, function: Callable[[Any], T]) -> T:  # Any: see `_client`
        with self._client.used() as client:
            try:
                return function(client)
            except redis.RedisError as error:
                raise MemoryStoreError(
                    f"The memory {self._key} in the Redis server at {self._address} cannot be used: "
                    f"{str(error).rstrip('.')}. Check that the server runs, and its address in redis_url."
                ) from error


def _require_libraries() -> None:
    """Import what computes and what connects.

    Raises:
        MissingExtraError: One is not installed.
    """
    try:
        _ = (redis.Redis, np.ndarray)
    except ImportError as error:
        raise MissingExtraError("RedisMemory", "redis-memory") from error


def _page(key: str, start: bytes, client: Any) -> list[tuple[bytes, dict[bytes, bytes]]]:  # Any: see `Stream`
    return client.xrange(key, min=start, count=PAGE)


def _close(client: Any) -> None:  # Any: see `Stream`
    client.close()


def _address(url: str) -> str:
    """Where a server is, without the password.

    Raises:
        InvalidArgumentError: The address is none. The text does not quote it, as it may have a password.
    """
    try:
        parts = urlsplit(url)
        place = parts.path if parts.scheme == "unix" else f"{parts.hostname or 'localhost'}:{parts.port or 6379}"
    except ValueError:
        parts, place = urlsplit(""), ""
    if parts.scheme not in {"redis", "rediss", "unix"}:
        raise InvalidArgumentError(
            "The redis_url of a RedisMemory is no address of a server: give redis://HOST:PORT, rediss://… for TLS, or "
            "unix://PATH."
        )
    return place


def _distances(metric: str, rows: NDArray[np.float32], wanted: NDArray[np.float32]) -> NDArray[np.float32]:
    if metric == "l2":
        return np.linalg.norm(rows - wanted, axis=1)
    products = rows @ wanted
    if metric == "cosine":
        lengths = np.linalg.norm(rows, axis=1) * np.linalg.norm(wanted)
        products = products / np.where(lengths == 0, 1, lengths)
    return 1 - products
