"""Documents in Qdrant."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import Any, Final, Protocol, runtime_checkable

from symposia.core.exceptions import MissingExtraError
from symposia.v02._vectors import Embed, check_documents, embed_letters, query_vectors, vectors_of
from symposia.v02.agentchat.contrib.vectordb.base import Document, ItemID, QueryResults
from symposia.v02.agentchat.contrib.vectordb.utils import filter_results_by_distance

__all__ = ["EmbeddingFunction", "Embeddings", "FastEmbedEmbeddingFunction", "QdrantVectorDB"]

Embeddings = list[float] | Sequence[float]

ID_KEY: Final = "_id"
"""The key of the payload with the id of a document whose point has another: Qdrant's are numbers and UUIDs."""
NAMESPACE: Final = uuid.UUID("6f1e0d5a-3a56-4f0e-9a43-0b6f5f1b8c55")
BATCH: Final = 256
"""The points of a request: with vectors of a thousand numbers, below ten megabytes of JSON."""


@runtime_checkable
class EmbeddingFunction(Protocol):
    """Makes vectors of texts."""

    def __call__(self, inputs: list[str]) -> list[Embeddings]:
        """A vector of each text."""
        ...


class FastEmbedEmbeddingFunction:
    """A model of the library ``fastembed``, which Symposia does not install. It downloads a model once.

    Args:
        model_name: The name of the model.
        batch_size: Texts of a batch.
        cache_dir: The folder of models.
        threads: Threads of the model.
        parallel: Processes for many texts.
        kwargs: Arguments of its ``TextEmbedding``.

    Raises:
        ImportError: It is not installed.
    """

    def __init__(
        self,
        model_name: str = "BAAI/bge-small-en-v1.5",
        batch_size: int = 256,
        cache_dir: str | None = None,
        threads: int | None = None,
        parallel: int | None = None,
        **kwargs: Any,  # of the library
    ) -> None:
        try:
            fastembed: Any = import_module("fastembed")  # Any: it is not among the dependencies
        except ImportError as error:
            raise ImportError(
                "FastEmbedEmbeddingFunction needs the library: pip install fastembed. Without a model, leave out the "
                "embedding_function."
            ) from error
        self._model = fastembed.TextEmbedding(model_name=model_name, cache_dir=cache_dir, threads=threads, **kwargs)
        self._options = {"batch_size": batch_size, "parallel": parallel}

    def __call__(self, inputs: list[str]) -> list[Embeddings]:
        """See `EmbeddingFunction`."""
        return [vector.tolist() for vector in self._model.embed(inputs, **self._options)]


class QdrantVectorDB:
    """A `VectorDB` in Qdrant. Distances are 1 less the cosine.

    Args:
        client: A client of Qdrant; by default one with `kwargs`.
        embedding_function: Makes vectors of texts; by default of their letters, without a model.
        content_payload_key: The key of a point's payload with the text.
        metadata_payload_key: The key of a point's payload with the metadata.
        collection_options: Arguments of Qdrant's ``create_collection``, for new collections.
        kwargs: Arguments of ``QdrantClient``: ``url`` and ``api_key`` of a server, ``path`` of a folder, or
            ``location=":memory:"``.

    Raises:
        MissingExtraError: ``qdrant-client`` is not installed.
    """

    def __init__(
        self,
        *,
        client: Any = None,  # Any: the library is optional
        embedding_function: Embed | None = None,
        content_payload_key: str = "_content",
        metadata_payload_key: str = "_metadata",
        collection_options: dict[str, Any] | None = None,  # Any: of Qdrant
        **kwargs: Any,
    ) -> None:
        try:
            # Any: it is apart from `all`, so that type checkers do not find it
            qdrant: Any = import_module("qdrant_client")
        except ImportError as error:
            raise MissingExtraError("QdrantVectorDB", "qdrant") from error
        self.type = "qdrant"
        self.client: Any = qdrant.QdrantClient(**kwargs) if client is None else client
        self.embedding_function: Embed = embedding_function or embed_letters
        self.content_payload_key = content_payload_key
        self.metadata_payload_key = metadata_payload_key
        self.collection_options = dict(collection_options or {})
        self.active_collection: str | None = None
        self._models: Any = qdrant.models

    def create_collection(self, collection_name: str, overwrite: bool = False, get_or_create: bool = True) -> Any:
        """See `VectorDB.create_collection`."""
        is_there = self.client.collection_exists(collection_name)
        if is_there and overwrite:
            self.client.delete_collection(collection_name)
        elif is_there and get_or_create:
            return self.get_collection(collection_name)
        elif is_there:
            raise ValueError(
                f"Collection {collection_name} already exists. Give get_or_create=True to use it, or overwrite=True."
            )
        [example] = query_vectors(["example"], self.embedding_function)
        vectors = self._models.VectorParams(size=len(example), distance=self._models.Distance.COSINE)
        self.client.create_collection(collection_name, **{"vectors_config": vectors, **self.collection_options})
        return self.get_collection(collection_name)

    def get_collection(self, collection_name: str | None = None) -> Any:
        """See `VectorDB.get_collection`. It is what Qdrant says of the collection."""
        name = self._name(collection_name)
        if not self.client.collection_exists(name):
            raise ValueError(f"Collection {name} not found. Call create_collection first.")
        self.active_collection = name
        return self.client.get_collection(name)

    def delete_collection(self, collection_name: str) -> None:
        """See `VectorDB.delete_collection`."""
        self.client.delete_collection(collection_name)
        if self.active_collection == collection_name:
            self.active_collection = None

    def insert_docs(self, docs: list[Document], collection_name: str | None = None, upsert: bool = False) -> None:
        """See `VectorDB.insert_docs`. Without `upsert`, documents whose ids are there stay as they were."""
        check_documents(docs)
        name = self._active(collection_name)
        for batch in _batches(docs):
            there = set[object]() if upsert else self._there(name, batch)
            self._write(name, [doc for doc in batch if _point_id(doc["id"]) not in there])

    def update_docs(self, docs: list[Document], collection_name: str | None = None) -> None:
        """See `VectorDB.update_docs`. Documents that are not there are not added."""
        check_documents(docs)
        name = self._active(collection_name)
        for batch in _batches(docs):
            there = self._there(name, batch)
            self._write(name, [doc for doc in batch if _point_id(doc["id"]) in there])

    def delete_docs(self, ids: list[ItemID], collection_name: str | None = None, **kwargs: Any) -> None:
        """See `VectorDB.delete_docs`."""
        self.client.delete(self._active(collection_name), points_selector=list(map(_point_id, ids)), **kwargs)

    def retrieve_docs(
        self,
        queries: list[str],
        collection_name: str | None = None,
        n_results: int = 10,
        distance_threshold: float = -1,
        **kwargs: Any,
    ) -> QueryResults:
        """See `VectorDB.retrieve_docs`. `kwargs` are those of Qdrant's ``query_points``, such as ``query_filter``."""
        name = self._active(collection_name)
        answers = [
            self.client.query_points(name, query=vector, limit=n_results, with_payload=True, **kwargs).points
            for vector in query_vectors(queries, self.embedding_function)
        ]
        found = [[(self._document(point), 1 - point.score) for point in points] for points in answers]
        return filter_results_by_distance(found, distance_threshold)

    def get_docs_by_ids(
        self,
        ids: list[ItemID] | None = None,
        collection_name: str | None = None,
        include: list[str] | bool | None = True,
        **kwargs: Any,
    ) -> list[Document]:
        """See `VectorDB.get_docs_by_ids`. Texts and metadata are read always.

        `include` may be True for vectors too, as in AutoGen 0.2.
        """
        name = self._active(collection_name)
        has_vectors = include is True or (isinstance(include, list) and "embeddings" in include)
        options: dict[str, Any] = {"with_payload": True, "with_vectors": has_vectors, **kwargs}
        if ids is not None:
            return list(map(self._document, self.client.retrieve(name, list(map(_point_id, ids)), **options)))
        found: list[Document] = []
        offset: Any = None
        while True:
            points, offset = self.client.scroll(name, limit=BATCH, offset=offset, **options)
            found += map(self._document, points)
            if offset is None:
                return found

    def _name(self, given: str | None) -> str:
        name = given or self.active_collection
        if name is None:
            raise ValueError("No collection is specified. Give collection_name, or call create_collection first.")
        return name

    def _active(self, given: str | None) -> str:
        """The name of a collection that is there, which becomes the active one."""
        if given is not None and given != self.active_collection:
            self.get_collection(given)
        return self._name(given)

    def _there(self, name: str, docs: Sequence[Document]) -> set[object]:
        """The ids of the points that there are of documents."""
        ids = [_point_id(doc["id"]) for doc in docs]
        return {point.id for point in self.client.retrieve(name, ids, with_payload=False)}

    def _write(self, name: str, docs: Sequence[Document]) -> None:
        if not docs:
            return
        points = [
            self._models.PointStruct(id=_point_id(doc["id"]), vector=vector, payload=self._payload(doc))
            for doc, vector in zip(docs, vectors_of(docs, self.embedding_function), strict=True)
        ]
        self.client.upsert(name, points)

    def _payload(self, doc: Document) -> dict[str, Any]:  # Any: JSON
        own = {} if _point_id(doc["id"]) == doc["id"] else {ID_KEY: doc["id"]}
        return {self.content_payload_key: doc["content"], self.metadata_payload_key: doc.get("metadata"), **own}

    def _document(self, point: Any) -> Document:  # Any: of the library
        return {
            "id": point.payload.get(ID_KEY, point.id),
            "content": point.payload.get(self.content_payload_key, ""),
            "metadata": point.payload.get(self.metadata_payload_key),
            "embedding": getattr(point, "vector", None),
        }


def _point_id(given: ItemID) -> ItemID:
    """The id of a document's point. A text that is no UUID becomes one."""
    if isinstance(given, int):
        return given
    try:
        return str(uuid.UUID(given))
    except ValueError:
        return str(uuid.uuid5(NAMESPACE, given))


def _batches(docs: Sequence[Document]) -> Iterator[Sequence[Document]]:
    for start in range(0, len(docs), BATCH):
        yield docs[start : start + BATCH]
