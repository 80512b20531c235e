"""Passages in a database of documents."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, cast

from symposia.v02._vectors import chosen_embedding
from symposia.v02.agentchat.contrib._documents import FoundPassage
from symposia.v02.agentchat.contrib.vectordb.base import Document, VectorDB, VectorDBFactory
from symposia.v02.retrieve_utils import TEXT_FORMATS, get_files_from_dir, split_files_to_chunks

OPTIONS: Final = frozenset(
    {
        *("vector_db", "db_config", "client", "collection_name", "get_or_create", "overwrite", "distance_threshold"),
        *("chunk_token_size", "chunk_mode", "must_break_at_empty_line", "custom_text_split_function"),
        *("custom_text_types", "recursive", "embedding_function", "embedding_model"),
        *("new_docs", "extra_docs"),
    }
)
"""The options of `RetrieveUserProxyAgent` that are for a database."""

Config = Mapping[str, Any]  # Any: options of several kinds


def wants_database(config: Config) -> bool:
    """Whether a configuration names a database."""
    return config.get("vector_db") is not None or config.get("client") is not None


class DatabaseSearch:
    """Passages in a collection of a database, into which documents are read at the first search.

    Args:
        config: ``vector_db`` is a `VectorDB`, or the name of a kind, which is made with ``db_config`` and ``client``;
            the others are as of `RetrieveUserProxyAgent`.
        paths: Files, folders and addresses.
        chunk_tokens: The most tokens of a passage, unless ``chunk_token_size`` says.

    Raises:
        ValueError: There is no such kind of database.
        MissingExtraError: The library of the database is not installed.
    """

    def __init__(self, config: Config, paths: Sequence[str], chunk_tokens: int) -> None:
        self._config = config
        self._paths = paths
        self._chunk_tokens = int(config.get("chunk_token_size") or chunk_tokens)
        self._collection = str(config.get("collection_name") or "autogen-docs")
        self.database = _database(config)
        self._is_read = False

    def search(self, question: str, limit: int) -> list[FoundPassage]:
        """The passages that fit a question, the best first.

        Raises:
            ValueError: There is no such folder; or a collection that is neither to be used nor to be overwritten.
        """
        if not self._is_read:
            self._read()
            self._is_read = True
        threshold = self._config.get("distance_threshold", -1)
        [found] = self.database.retrieve_docs([question], self._collection, limit, threshold)
        return [FoundPassage(str(doc["id"]), doc["content"], 1 - distance) for doc, distance in found]

    def _read(self) -> None:
        if not self._paths:
            self.database.get_collection(self._collection)
            return
        use, overwrite = self._config.get("get_or_create"), bool(self._config.get("overwrite"))
        self.database.create_collection(self._collection, overwrite, use is None or bool(use))
        self.database.insert_docs(self._documents(), self._collection, upsert=True)

    def _documents(self) -> list[Document]:
        config = self._config
        files = get_files_from_dir(
            list(self._paths), config.get("custom_text_types") or TEXT_FORMATS, bool(config.get("recursive", True))
        )
        texts, sources = split_files_to_chunks(
            files,
            self._chunk_tokens,
            str(config.get("chunk_mode") or "multi_lines"),
            bool(config.get("must_break_at_empty_line", True)),
            config.get("custom_text_split_function"),
        )
        # The same passage of two files is one document: databases refuse an id twice.
        unique: dict[str, Document] = {}
        for text, source in zip(texts, sources, strict=True):
            name = hashlib.sha256(text.encode()).hexdigest()[:16]
            unique.setdefault(name, {"id": name, "content": text, "metadata": source})
        return list(unique.values())


def _database(config: Config) -> VectorDB:
    given = config.get("vector_db")
    if given is not None and not isinstance(given, str):
        return cast("VectorDB", given)
    function: Callable[..., Any] = chosen_embedding(
        config.get("embedding_function"), config.get("embedder"), config.get("embedding_model")
    )
    options: dict[str, Any] = {"embedding_function": function, **(config.get("db_config") or {})}
    if config.get("client") is not None:
        options["client"] = config["client"]
    return VectorDBFactory.create_vector_db(given or "chroma", **options)
