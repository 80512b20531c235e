"""Databases of documents of AutoGen 0.2."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import chromadb
import pytest
from chromadb.config import Settings

from symposia.v02.agentchat.contrib.vectordb.base import Document, QueryResults, VectorDB, VectorDBFactory
from symposia.v02.agentchat.contrib.vectordb.chromadb import ChromaVectorDB
from symposia.v02.agentchat.contrib.vectordb.utils import (
    chroma_results_to_query_results,
    filter_results_by_distance,
    get_logger,
)

PLANTS: list[Document] = [
    {"id": "1", "content": "A beech is a tree with smooth bark.", "metadata": {"source": "trees.md"}},
    {"id": "2", "content": "Mint is a herb for tea."},
    {"id": 3, "content": "An oak is a tree with acorns.", "metadata": {"source": "trees.md"}},
]


@pytest.fixture
def database(tmp_path: Path) -> Iterator[VectorDB]:
    client: Any = chromadb.PersistentClient(str(tmp_path), Settings(anonymized_telemetry=False))
    made = VectorDBFactory.create_vector_db("chroma", client=client)
    made.create_collection("plants")
    yield made
    client.close()


def ids(results: QueryResults) -> list[list[str]]:
    return [[str(document["id"]) for document, _ in each] for each in results]


def test_documents_are_found_by_similarity(database: VectorDB) -> None:
    database.insert_docs(PLANTS)
    [trees, herbs] = database.retrieve_docs(["tree with acorns", "herb for tea"], n_results=2)
    assert [ids([each])[0][0] for each in (trees, herbs)] == ["3", "2"]
    oak, distance = trees[0]
    assert oak == {"id": "3", "content": "An oak is a tree with acorns.", "metadata": {"source": "trees.md"}}
    assert 0 < distance < trees[1][1]
    assert ids(database.retrieve_docs(["tree with acorns"], distance_threshold=trees[1][1])) == [["3"]]


def test_documents_are_read_replaced_and_deleted_by_ids(database: VectorDB) -> None:
    database.insert_docs(PLANTS)
    database.insert_docs([{"id": "1", "content": "kept out"}])
    assert database.get_docs_by_ids(["1", "none"])[0]["content"] == "A beech is a tree with smooth bark."
    database.insert_docs([{"id": "1", "content": "upserted"}], upsert=True)
    database.update_docs([{"id": "2", "content": "updated"}, {"id": "9", "content": "added"}])
    database.delete_docs([3])
    assert sorted((doc["id"], doc["content"]) for doc in database.get_docs_by_ids()) == [
        ("1", "upserted"),
        ("2", "updated"),
    ]
    assert database.get_docs_by_ids([]) == []
    assert set(database.get_docs_by_ids(["1"], include=["documents"])[0]) == {"id", "content"}


def test_a_vector_of_the_program_is_kept(tmp_path: Path) -> None:
    def embed(texts: list[str]) -> list[list[float]]:
        return [[float(len(text)), 1.0] for text in texts]

    client: Any = chromadb.PersistentClient(str(tmp_path), Settings(anonymized_telemetry=False))
    database = ChromaVectorDB(client=client, embedding_function=embed, metadata={"hnsw:space": "l2"})
    database.create_collection("numbers")
    database.insert_docs([{"id": "made", "content": "four"}, {"id": "given", "content": "x", "embedding": [9, 1]}])
    assert database.retrieve_docs(["123456789"]) == [
        [
            ({"id": "given", "content": "x", "metadata": None}, 0.0),
            ({"id": "made", "content": "four", "metadata": None}, 25.0),
        ]
    ]
    client.close()


def test_the_collection_that_was_made_or_asked_for_last_is_active(database: VectorDB) -> None:
    database.insert_docs(PLANTS)
    database.create_collection("animals")
    assert database.get_docs_by_ids() == []
    assert len(database.get_docs_by_ids(collection_name="plants")) == 3
    assert len(database.get_docs_by_ids()) == 3
    with pytest.raises(ValueError, match="Collection plants already exists"):
        database.create_collection("plants", get_or_create=False)
    database.create_collection("plants", overwrite=True)
    assert database.get_docs_by_ids() == []
    database.delete_collection("plants")
    with pytest.raises(ValueError, match="No collection is specified"):
        database.get_collection()


def test_a_document_needs_an_id_and_a_text(database: VectorDB) -> None:
    with pytest.raises(ValueError, match="The document content is required"):
        database.insert_docs([{"id": "1"}])  # pyright: ignore[reportArgumentType]
    with pytest.raises(ValueError, match="The document id is required"):
        database.insert_docs([{"content": "x"}])  # pyright: ignore[reportArgumentType]


def test_a_collection_is_there_for_the_next_program(tmp_path: Path) -> None:
    database = ChromaVectorDB(path=str(tmp_path / "first"))
    database.create_collection("plants")
    database.insert_docs(PLANTS)
    again = VectorDBFactory.create_vector_db("chromadb", path=str(tmp_path / "first"))
    assert len(again.get_docs_by_ids(collection_name="plants")) == 3
    database.client.close()


def test_another_kind_of_database_is_refused() -> None:
    with pytest.raises(ValueError, match="Unsupported vector database type: nothing"):
        VectorDBFactory.create_vector_db("nothing")


def test_results_are_filtered_by_distance() -> None:
    found = chroma_results_to_query_results({"ids": [["1", "2"]], "documents": [["a", "b"]], "distances": [[0.5, 1.5]]})
    assert found == [[({"id": "1", "content": "a"}, 0.5), ({"id": "2", "content": "b"}, 1.5)]]
    assert ids(filter_results_by_distance(found, 1.0)) == [["1"]]
    assert filter_results_by_distance(found) == found


def test_a_logger_writes_in_colours(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    get_logger("plants", logging.WARNING).warning("It is %s.", "dry")
    assert "plants - WARNING - \x1b[33mIt is dry." in capsys.readouterr().err
