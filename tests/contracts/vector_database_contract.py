"""What every database of documents of AutoGen 0.2 does: their tests derive a class from `VectorDatabaseContract`."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from symposia.v02.agentchat.contrib.vectordb.base import Document, QueryResults, VectorDB

PLANTS: list[Document] = [
    {"id": "1", "content": "A beech is a tree with smooth bark.", "metadata": {"source": "trees.md"}},
    {"id": "2", "content": "Mint is a herb for tea."},
    {"id": 3, "content": "An oak is a tree with acorns.", "metadata": {"source": "trees.md"}},
]


def ids(results: QueryResults) -> list[list[str]]:
    return [[str(document["id"]) for document, _ in each] for each in results]


class VectorDatabaseContract(ABC):
    """The contract. Each test has a database of its own."""

    @abstractmethod
    def open_database(self, folder: Path) -> VectorDB:
        """A database with its files in a folder, and with a `client` that can be closed."""

    @pytest.fixture
    def database(self, tmp_path: Path) -> Iterator[VectorDB]:
        made = self.open_database(tmp_path)
        made.create_collection("plants")
        yield made
        cast("Any", made).client.close()  # Any: of the library

    def test_documents_are_found_by_similarity(self, database: VectorDB) -> None:
        database.insert_docs(PLANTS)
        [trees, herbs] = database.retrieve_docs(["tree with acorns", "herb for tea"], n_results=2)
        assert [ids([each])[0][0] for each in (trees, herbs)] == ["3", "2"]
        oak, distance = trees[0]
        assert (oak["content"], oak.get("metadata")) == (PLANTS[2]["content"], {"source": "trees.md"})
        assert 0 < distance < trees[1][1]
        assert ids(database.retrieve_docs(["tree with acorns"], distance_threshold=trees[1][1])) == [["3"]]

    def test_documents_are_read_replaced_and_deleted_by_ids(self, database: VectorDB) -> None:
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

    def test_the_collection_that_was_made_or_asked_for_last_is_active(self, database: VectorDB) -> None:
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

    def test_a_document_needs_an_id_and_a_text(self, database: VectorDB) -> None:
        with pytest.raises(ValueError, match="The document content is required"):
            database.insert_docs([{"id": "1"}])  # pyright: ignore[reportArgumentType]
        with pytest.raises(ValueError, match="The document id is required"):
            database.insert_docs([{"content": "x"}])  # pyright: ignore[reportArgumentType]
