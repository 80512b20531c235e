"""Databases of documents of AutoGen 0.2."""

import logging
from pathlib import Path
from typing import Any

import chromadb
import pytest
from chromadb.config import Settings
from tests.contracts.vector_database_contract import PLANTS, VectorDatabaseContract, ids
from typing_extensions import override

from symposia.v02.agentchat.contrib.vectordb.base import VectorDB, VectorDBFactory
from symposia.v02.agentchat.contrib.vectordb.chromadb import ChromaVectorDB
from symposia.v02.agentchat.contrib.vectordb.utils import (
    chroma_results_to_query_results,
    filter_results_by_distance,
    get_logger,
)


class TestChroma(VectorDatabaseContract):
    @override
    def open_database(self, folder: Path) -> VectorDB:
        client = chromadb.PersistentClient(str(folder), Settings(anonymized_telemetry=False))
        return VectorDBFactory.create_vector_db("chroma", client=client)

    def test_what_is_read_of_documents_can_be_chosen(self, database: VectorDB) -> None:
        database.insert_docs(PLANTS)
        assert set(database.get_docs_by_ids(["1"], include=["documents"])[0]) == {"id", "content"}
        [document] = database.get_docs_by_ids(["1"], include=["embeddings"])
        assert len(document.get("embedding") or ()) == 512


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
