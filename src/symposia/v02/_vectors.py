"""Vectors of documents on their way into a database, and the checks before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias, cast

from symposia.ext.memory.embedders import Embedder, HashingEmbedder, SentenceTransformerEmbedder
from symposia.v02._background_loop import run_in_background
from symposia.v02.agentchat.contrib.vectordb.base import Document

Embed: TypeAlias = Callable[[list[str]], Sequence[Any]]  # Any: lists or arrays of numbers


def embed_letters(texts: list[str]) -> list[list[float]]:
    """Vectors of texts by their letters, without a model: similar are texts that are spelled alike.

    Raises:
        MissingExtraError: ``numpy`` is not installed.
    """
    return HashingEmbedder().hash_texts(texts)


def chosen_embedding(function: Embed | None, embedder: Embedder | None, model: str | None) -> Embed:
    """What makes vectors: a function, an embedder, a model of ``sentence-transformers``, or else the letters."""
    if function is not None:
        return function
    if embedder is None and model is None:
        return embed_letters
    chosen = embedder or SentenceTransformerEmbedder(model or "")

    def embed(texts: list[str]) -> Sequence[Any]:
        return run_in_background(lambda: chosen.embed(texts))

    return embed


def check_documents(docs: Sequence[Document]) -> None:
    """Check that documents have a text and an id.

    Raises:
        ValueError: One has not.
    """
    for doc in docs:
        for key in ("content", "id"):
            if cast("dict[str, object]", doc).get(key) is None:
                raise ValueError(f"The document {key} is required. Give the document {key!r}: {doc!r}")


def vectors_of(docs: Sequence[Document], embed: Embed) -> list[list[float]]:
    """The vectors of documents; those that are missing are made of their texts."""
    missing = [doc["content"] for doc in docs if doc.get("embedding") is None]
    made = iter(embed(missing) if missing else ())
    return [_numbers(next(made) if doc.get("embedding") is None else doc.get("embedding")) for doc in docs]


def query_vectors(queries: list[str], embed: Embed) -> list[list[float]]:
    """The vectors of questions. An embedding function of ChromaDB may have another way to make them."""
    return [_numbers(vector) for vector in getattr(embed, "embed_query", embed)(queries)]


def _numbers(vector: Any) -> list[float]:  # Any: a list or an array
    return [float(number) for number in vector]
