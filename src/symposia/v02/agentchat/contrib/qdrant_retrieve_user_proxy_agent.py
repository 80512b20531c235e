"""A user proxy that adds passages of documents in Qdrant to its question."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from symposia.v02.agentchat.contrib.retrieve_user_proxy_agent import RetrieveUserProxyAgent
from symposia.v02.agentchat.contrib.vectordb.qdrant import FastEmbedEmbeddingFunction, QdrantVectorDB
from symposia.v02.retrieve_utils import TEXT_FORMATS, get_files_from_dir, split_files_to_chunks

__all__ = ["QdrantRetrieveUserProxyAgent", "create_qdrant_from_dir", "query_qdrant"]

_COLLECTION: Final = ("hnsw_config", "quantization_config")
"""Options of new collections."""


@dataclass(frozen=True)
class FoundDocument:
    """A document that `query_qdrant` found.

    Attributes:
        id: Its id.
        document: Its text.
        metadata: What is known of it.
        score: The cosine of the angle between its vector and that of the question.
    """

    id: str | int
    document: str
    metadata: Mapping[str, Any]  # Any: JSON
    score: float


class QdrantRetrieveUserProxyAgent(RetrieveUserProxyAgent):
    """A `RetrieveUserProxyAgent` whose passages are in Qdrant.

    Args:
        name: The name.
        human_input_mode: As of `UserProxyAgent`.
        is_termination_msg: Whether a received message ends the chat.
        retrieve_config: As of `RetrieveUserProxyAgent`. ``client`` is a client of Qdrant, by default one in memory.
            ``embedding_model`` is a model of the library ``fastembed``; by default vectors are of letters.
            ``hnsw_config`` and ``quantization_config`` are of new collections.
        kwargs: As of `UserProxyAgent`.

    Raises:
        MissingExtraError: ``qdrant-client`` is not installed.
    """

    def __init__(
        self,
        name: str = "RetrieveChatAgent",
        human_input_mode: Literal["ALWAYS", "NEVER", "TERMINATE"] = "ALWAYS",
        is_termination_msg: Callable[[dict[str, Any]], bool] | None = None,
        retrieve_config: Mapping[str, Any] | None = None,  # Any: options of several kinds
        **kwargs: Any,  # as of the base class
    ) -> None:
        config = dict(retrieve_config or {})
        client, model = config.pop("client", None), config.pop("embedding_model", None)
        if config.get("vector_db") is None:
            config["vector_db"] = QdrantVectorDB(
                client=client,
                embedding_function=config.pop("embedding_function", None) or _embedding(model),
                collection_options={key: config.pop(key) for key in _COLLECTION if config.get(key) is not None},
                **({"location": ":memory:"} if client is None else {}),
            )
        super().__init__(name, human_input_mode, is_termination_msg, config, **kwargs)


def create_qdrant_from_dir(
    dir_path: str | Sequence[str],
    max_tokens: int = 4000,
    client: Any = None,  # Any: the library is optional
    collection_name: str = "all-my-documents",
    chunk_mode: str = "multi_lines",
    must_break_at_empty_line: bool = True,
    embedding_model: str | None = None,
    custom_text_split_function: Callable[[str], list[str]] | None = None,
    custom_text_types: Sequence[str] = TEXT_FORMATS,
    recursive: bool = True,
    extra_docs: bool = False,
    *,
    quantization_config: Any = None,  # Any: of Qdrant
    hnsw_config: Any = None,
    qdrant_client_options: dict[str, Any] | None = None,
) -> None:
    """Read documents into a collection of Qdrant, which is made if it is not there.

    Args:
        dir_path: As of `get_files_from_dir`.
        max_tokens: As of `split_text_to_chunks`.
        client: A client of Qdrant; by default one with `qdrant_client_options`, of a server on this machine.
        collection_name: The collection.
        chunk_mode: As of `split_text_to_chunks`.
        must_break_at_empty_line: As of `split_text_to_chunks`.
        embedding_model: A model of the library ``fastembed``; by default vectors are of letters.
        custom_text_split_function: Splits a text in place of `split_text_to_chunks`.
        custom_text_types: The suffixes of the files that are read.
        recursive: Whether folders in folders are looked into.
        extra_docs: Whether the documents are added to those that are there; else those of the same numbers are
            replaced.
        quantization_config: Of a new collection.
        hnsw_config: Of a new collection.
        qdrant_client_options: Arguments of ``QdrantClient``.

    Raises:
        ValueError: There is no such folder.
        MissingExtraError: ``qdrant-client`` is not installed.
    """
    given = {"quantization_config": quantization_config, "hnsw_config": hnsw_config}
    database = QdrantVectorDB(
        client=client,
        embedding_function=_embedding(embedding_model),
        collection_options={key: value for key, value in given.items() if value is not None},
        **(qdrant_client_options or {}),
    )
    database.create_collection(collection_name)
    texts, sources = split_files_to_chunks(
        get_files_from_dir(dir_path, custom_text_types, recursive),
        max_tokens,
        chunk_mode,
        must_break_at_empty_line,
        custom_text_split_function,
    )
    first: int = database.client.count(collection_name).count if extra_docs else 0
    database.insert_docs(
        [
            {"id": number, "content": text, "metadata": source}
            for number, (text, source) in enumerate(zip(texts, sources, strict=True), first)
        ],
        upsert=True,
    )


def query_qdrant(
    query_texts: list[str],
    n_results: int = 10,
    client: Any = None,  # Any: the library is optional
    collection_name: str = "all-my-documents",
    search_string: str = "",
    embedding_model: str | None = None,
    qdrant_client_options: dict[str, Any] | None = None,  # Any: of Qdrant
) -> list[list[FoundDocument]]:
    """For each question the documents that were found, the best first.

    Args:
        query_texts: The questions.
        n_results: How many documents are found for each at most.
        client: As of `create_qdrant_from_dir`.
        collection_name: The collection.
        search_string: A text that each document has.
        embedding_model: As of `create_qdrant_from_dir`, the same as there.
        qdrant_client_options: As of `create_qdrant_from_dir`.

    Raises:
        ValueError: There is no such collection.
        MissingExtraError: ``qdrant-client`` is not installed.
    """
    database = QdrantVectorDB(
        client=client, embedding_function=_embedding(embedding_model), **(qdrant_client_options or {})
    )
    return [
        [
            FoundDocument(doc["id"], doc["content"], doc.get("metadata") or {}, 1 - distance)
            for doc, distance in found
            if search_string in doc["content"]
        ]
        for found in database.retrieve_docs(query_texts, collection_name, n_results)
    ]


def _embedding(model: str | None) -> Callable[[list[str]], list[Any]] | None:  # Any: vectors
    return None if model is None else FastEmbedEmbeddingFunction(model)
