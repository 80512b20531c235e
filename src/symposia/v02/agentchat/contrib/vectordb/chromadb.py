"""Documents in ChromaDB."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Any, Final

from symposia.core.exceptions import MissingExtraError
from symposia.v02._vectors import (
    Embed,
    check_documents,
    embed_letters,
    query_vectors,
    vectors_of,
)
from symposia.v02.agentchat.contrib.vectordb.base import Document, ItemID, QueryResults
from symposia.v02.agentchat.contrib.vectordb.utils import chroma_results_to_query_results, filter_results_by_distance

__all__ = ["CHROMADB_MAX_BATCH_SIZE", "ChromaVectorDB"]

CHROMADB_MAX_BATCH_SIZE: Final = int(os.environ.get("CHROMADB_MAX_BATCH_SIZE", "40000"))
"""The most documents of a request. The limit of the client holds too."""
SPACE: Final = {"hnsw:space": "ip"}
"""Distances are 1 less the inner product, as in AutoGen 0.2."""


class ChromaVectorDB:
    """A `VectorDB` in ChromaDB.

    Args:
        client: A client of ChromaDB; by default one in this process, with its files at `path`.
        path: A folder.
        embedding_function: Makes vectors of texts: a function, or an embedding function of ChromaDB; by default of
            their letters, without a model.
        metadata: The settings of new collections, such as ``{"hnsw:space": "cosine"}``.
        kwargs: Arguments of ChromaDB's ``PersistentClient``.

    Raises:
        MissingExtraError: ``chromadb`` is not installed.
    """

    def __init__(
        self,
        *,
        client: Any = None,  # Any: the library is optional
        path: str = "tmp/db",
        embedding_function: Embed | None = None,
        metadata: dict[str, Any] | None = None,  # Any: settings of ChromaDB
        **kwargs: Any,
    ) -> None:
        self.type = "chroma"
        self.path = path
        self.client = _client(path, kwargs) if client is None else client
        self.embedding_function: Embed = embedding_function or embed_letters
        self.metadata = SPACE if metadata is None else metadata
        self.active_collection: Any = None  # Any: see `client`

    def create_collection(self, collection_name: str, overwrite: bool = False, get_or_create: bool = True) -> Any:
        """See `VectorDB.create_collection`."""
        is_there = collection_name in [each.name for each in self.client.list_collections()]
        if is_there and overwrite:
            self.client.delete_collection(collection_name)
        elif is_there and get_or_create:
            return self.get_collection(collection_name)
        elif is_there:
            raise ValueError(
                f"Collection {collection_name} already exists. Give get_or_create=True to use it, or overwrite=True."
            )
        # Vectors are given: ChromaDB would refuse another function for them than that of the first program.
        self.active_collection = self.client.create_collection(
            collection_name, metadata=dict(self.metadata) or None, embedding_function=None
        )
        return self.active_collection

    def get_collection(self, collection_name: str | None = None) -> Any:
        """See `VectorDB.get_collection`."""
        if collection_name is not None:
            if self.active_collection is None or self.active_collection.name != collection_name:
                self.active_collection = self.client.get_collection(collection_name, embedding_function=None)
        elif self.active_collection is None:
            raise ValueError("No collection is specified. Give collection_name, or call create_collection first.")
        return self.active_collection

    def delete_collection(self, collection_name: str) -> None:
        """See `VectorDB.delete_collection`."""
        self.client.delete_collection(collection_name)
        if self.active_collection is not None and self.active_collection.name == collection_name:
            self.active_collection = None

    def insert_docs(self, docs: list[Document], collection_name: str | None = None, upsert: bool = False) -> None:
        """See `VectorDB.insert_docs`. Without `upsert`, documents whose ids are there stay as they were."""
        collection = self.get_collection(collection_name)
        for batch in self._batches(docs):
            (collection.upsert if upsert else collection.add)(**self._columns(batch))

    def update_docs(self, docs: list[Document], collection_name: str | None = None) -> None:
        """See `VectorDB.update_docs`. Documents that are not there are not added."""
        collection = self.get_collection(collection_name)
        for batch in self._batches(docs):
            collection.update(**self._columns(batch))

    def delete_docs(self, ids: list[ItemID], collection_name: str | None = None, **kwargs: Any) -> None:
        """See `VectorDB.delete_docs`."""
        self.get_collection(collection_name).delete(ids=list(map(str, ids)), **kwargs)

    def retrieve_docs(
        self,
        queries: list[str],
        collection_name: str | None = None,
        n_results: int = 10,
        distance_threshold: float = -1,
        **kwargs: Any,
    ) -> QueryResults:
        """See `VectorDB.retrieve_docs`. `kwargs` are those of a query of ChromaDB, such as ``where``."""
        collection = self.get_collection(collection_name)
        vectors = query_vectors(queries, self.embedding_function)
        found = collection.query(query_embeddings=vectors, n_results=n_results, **kwargs)
        return filter_results_by_distance(chroma_results_to_query_results(found), distance_threshold)

    def get_docs_by_ids(
        self,
        ids: list[ItemID] | None = None,
        collection_name: str | None = None,
        include: list[str] | None = None,
        **kwargs: Any,
    ) -> list[Document]:
        """See `VectorDB.get_docs_by_ids`. The default of `include` is ``["metadatas", "documents"]``."""
        collection = self.get_collection(collection_name)
        if ids is not None and not ids:  # which ChromaDB refuses
            return []
        found: dict[str, Any] = collection.get(  # Any: see `client`
            ids=None if ids is None else list(map(str, ids)),
            include=["metadatas", "documents"] if include is None else include,
            **kwargs,
        )
        if found.get("embeddings") is not None:  # an array
            found["embeddings"] = [list(map(float, vector)) for vector in found["embeddings"]]
        rows = {
            name: [found[name]]
            for name in ("ids", "documents", "metadatas", "embeddings")
            if found.get(name) is not None
        }
        results = chroma_results_to_query_results({**rows, "distances": [[0.0] * len(found["ids"])]})
        return [document for document, _ in results[0]]

    def _batches(self, docs: Sequence[Document]) -> Iterator[Sequence[Document]]:
        check_documents(docs)
        size: int = min(self.client.get_max_batch_size(), CHROMADB_MAX_BATCH_SIZE)
        for start in range(0, len(docs), size):
            yield docs[start : start + size]

    def _columns(self, docs: Sequence[Document]) -> dict[str, Any]:
        metadatas = [dict(doc.get("metadata") or {}) or None for doc in docs]  # ChromaDB refuses an empty dictionary
        return {
            "ids": [str(doc["id"]) for doc in docs],
            "documents": [doc["content"] for doc in docs],
            "embeddings": vectors_of(docs, self.embedding_function),
            "metadatas": metadatas if any(metadatas) else None,
        }


def _client(path: str, options: dict[str, Any]) -> Any:  # Any: the library is optional
    try:
        import chromadb  # noqa: PLC0415 - an optional dependency
        from chromadb.config import Settings  # noqa: PLC0415
    except ImportError as error:
        raise MissingExtraError("ChromaVectorDB", "chromadb") from error
    settings = options.pop("settings", None) or Settings(anonymized_telemetry=False)
    return chromadb.PersistentClient(path, settings, **options)
