"""`SQLiteMemory`."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import JsonValue

from symposia.core import ROOT_LOGGER_NAME, CancellationToken
from symposia.core.argument_checks import check_each, check_instance, check_path
from symposia.core.exceptions import InvalidArgumentError
from symposia.core.json_values import as_json, encodable
from symposia.core.memory import MemoryContent, MemoryQueryResult
from symposia.ext.memory._search import (
    SearchMemory,
    call_in_thread,
    cancellable,
    metadata_json,
    metadata_values,
    query_limit,
    query_text,
    read_record,
    text_of,
    write_record,
)
from symposia.ext.memory.embedders import Embedder, HashingEmbedder
from symposia.ext.memory.sqlite._store import NewEntry, Store

logger = logging.getLogger(ROOT_LOGGER_NAME)

BATCH = 500
"""How many entries are embedded and written at once: other writers wait for the time of one batch, about 0.1 s."""


class SQLiteMemory(SearchMemory):
    """A memory in a file of this machine, found by words and by similarity. It needs no service and no key.

    Several programs may use one file at the same time. A search finds the entries with the rarest words of the query
    (full text search), and those whose vectors are similar, and ranks them by both.

    Args:
        path: The file, which is made if it does not exist. Its folder has to exist. With ``":memory:"`` there is no
            file: the memory is empty again when it is closed.
        embedder: Makes the vectors. Without one, `HashingEmbedder` does, and similar means "spelled alike": the log
            says so. The file is bound to the embedder that it was made with.
        limit: How many entries a query finds at most.
        min_similarity: The least similarity, from -1 to 1, of entries that have no word of the query. The default suits
            `HashingEmbedder`.

    Raises:
        ArgumentTypeError: An argument is of another type.
        InvalidArgumentError: The path is none. With the first use: the file has the vectors of another embedder, or
            is the database of another program.
        MemoryStoreError: With any use: the file is no database, cannot be written, or was removed.
        MissingExtraError: With the first use: ``apsw``, ``sqlite-vec`` or ``numpy`` is not installed.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        embedder: Embedder | None = None,
        limit: int = 5,
        min_similarity: float = 0.1,
    ) -> None:
        check_path("The path", type(self).__name__, path)
        if not str(path) or "\0" in str(path) or encodable(str(path)) != str(path):
            raise InvalidArgumentError(f"The path of {type(self).__name__} is {path!r}: give the path of a file.")
        if embedder is not None:
            check_instance("embedder", type(self).__name__, embedder, Embedder, "FunctionEmbedder(function, name)")
        else:
            logger.info(
                "The memory in %s has no embedder: it finds what is spelled alike (hashed n-grams), not what "
                "means the same.",
                path,
            )
        self._embedder = embedder or HashingEmbedder()
        self._limit = query_limit(type(self).__name__, limit, limit)
        self._min_similarity = min_similarity
        self._store = Store(str(path), self._embedder.name)

    @property
    def name(self) -> str:
        """The path of the file."""
        return self._store.path

    @property
    def embedder(self) -> Embedder:
        """What makes the vectors."""
        return self._embedder

    async def add(self, content: MemoryContent, cancellation_token: CancellationToken | None = None) -> None:
        """Remember one more thing. It is in the file, and found by others, when this returns.

        A crash of the program loses nothing then. A power failure may lose what was added in the last seconds.
        """
        check_instance("content", type(self).__name__, content, MemoryContent, "MemoryContent(content='…', …)")
        await self.add_many([content], cancellation_token)

    async def add_many(
        self, contents: Sequence[MemoryContent], cancellation_token: CancellationToken | None = None
    ) -> list[int]:
        """Remember many things, in batches. Where it fails or is cancelled, the batches before remain.

        Returns:
            Their ids, for `forget`.
        """
        check_each("contents", type(self).__name__, contents, MemoryContent, "[MemoryContent(content='…', …)]")
        ids: list[int] = []
        for start in range(0, len(contents), BATCH):
            batch = contents[start : start + BATCH]
            vectors = await cancellable(self._embedder.embed([text_of(each) for each in batch]), cancellation_token)
            ids += await call_in_thread(partial(self._write, batch, vectors), cancellation_token)
        return ids

    def _write(self, contents: Sequence[MemoryContent], vectors: object) -> list[int]:
        entries = [
            NewEntry(text_of(each), write_record(each), metadata_json(as_json(each.metadata or {}, "the metadata")))
            for each in contents
        ]
        return self._store.add(entries, vectors)

    async def query(
        self,
        query: str | MemoryContent,
        cancellation_token: CancellationToken | None = None,
        *,
        limit: int | None = None,
        where: Mapping[str, JsonValue] | None = None,
        **kwargs: Any,  # noqa: ARG002 - for other memories
    ) -> MemoryQueryResult:
        """Find what fits a query, the best first; for an empty query, the newest.

        Args:
            query: Text, or a content like those looked for.
            cancellation_token: Cancelling it ends the search.
            limit: In place of the memory's own.
            where: Only entries whose metadata has these values.
            kwargs: Ignored.

        Returns:
            The contents. Their metadata has their ``id``, and a ``score`` of at most 1, by which they are ordered.
        """
        text, most = query_text(query), query_limit(type(self).__name__, limit, self._limit)
        values = metadata_values(where)
        if text.strip():
            vectors = await cancellable(self._embedder.embed([text]), cancellation_token)
            by_words = partial(self._store.find_by_words, text, most, values)
            by_vector = partial(self._store.find_by_vector, vectors, most, values, self._min_similarity)
            # In two threads, since SQLite lets other threads run while it searches.
            rankings = await asyncio.gather(
                call_in_thread(by_words, cancellation_token), call_in_thread(by_vector, cancellation_token)
            )
            search = partial(self._store.best_of, rankings, most)
        else:
            search = partial(self._store.newest, most, values)
        found = await call_in_thread(search, cancellation_token)
        return MemoryQueryResult(results=[read_record(each.record, id=each.id, score=each.score) for each in found])

    async def forget(self, ids: Iterable[int] | None = None, *, where: Mapping[str, JsonValue] | None = None) -> int:
        """Remove entries: those with these ids, those whose metadata has these values, or with both, those with both.

        Returns:
            How many there were. Without an argument, none is removed: see `clear`.
        """
        if ids is None and where is None:
            return 0
        chosen = None if ids is None else list(ids)
        check_each("ids", type(self).__name__, chosen or [], int, "17")
        return await call_in_thread(partial(self._store.forget, chosen, metadata_values(where)))

    async def count(self) -> int:
        """How many entries there are."""
        return await call_in_thread(self._store.count)

    async def clear(self) -> None:
        """Forget everything, in the file."""
        await call_in_thread(partial(self._store.forget, None, {}))

    async def close(self) -> None:
        """Close the file. It is opened again by the next call."""
        await call_in_thread(self._store.close)
