"""Documents of AutoGen 0.2 in Qdrant, in the process."""

import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from tests.contracts.vector_database_contract import PLANTS, VectorDatabaseContract, ids
from typing_extensions import override

from symposia.v02.agentchat.contrib.qdrant_retrieve_user_proxy_agent import (
    QdrantRetrieveUserProxyAgent,
    create_qdrant_from_dir,
    query_qdrant,
)
from symposia.v02.agentchat.contrib.vectordb.base import VectorDB, VectorDBFactory
from symposia.v02.agentchat.contrib.vectordb.qdrant import FastEmbedEmbeddingFunction, QdrantVectorDB

# Any: it is apart from `all`, so that type checkers do not find it
QdrantClient: Any = import_module("qdrant_client").QdrantClient


class TestQdrant(VectorDatabaseContract):
    @override
    def open_database(self, folder: Path) -> VectorDB:
        return VectorDBFactory.create_vector_db("qdrant", client=QdrantClient(path=str(folder)))

    def test_vectors_are_read_with_documents(self, database: VectorDB) -> None:
        database.insert_docs([{"id": 7, "content": "x", "embedding": [1.0] + [0.0] * 511}])
        [document] = database.get_docs_by_ids([7])
        assert document.get("embedding") == pytest.approx([1.0] + [0.0] * 511)
        [document] = database.get_docs_by_ids([7], include=["documents"])
        assert document == {"id": 7, "content": "x", "metadata": None, "embedding": None}


def test_documents_keep_their_ids_whatever_points_have() -> None:
    database = QdrantVectorDB(location=":memory:")
    database.create_collection("plants")
    own = "0b0d2fbb-7a41-4bb2-b34e-5e3f4b2a6b1c"
    database.insert_docs([*PLANTS, {"id": own, "content": "A birch is a tree."}])
    assert sorted(map(str, (doc["id"] for doc in database.get_docs_by_ids()))) == [own, "1", "2", "3"]
    assert ids(database.retrieve_docs(["birch"], n_results=1)) == [[own]]
    database.client.close()


def test_a_thousand_documents_are_read() -> None:
    database = QdrantVectorDB(location=":memory:", embedding_function=lambda texts: [[1.0, 0.0] for _ in texts])
    database.create_collection("numbers")
    database.insert_docs([{"id": number, "content": f"number {number}"} for number in range(1000)])
    assert len(database.get_docs_by_ids()) == 1000
    database.client.close()


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fastembed", None)
    with pytest.raises(ImportError, match="pip install fastembed"):
        FastEmbedEmbeddingFunction()
    monkeypatch.setitem(sys.modules, "qdrant_client", None)
    with pytest.raises(ImportError, match=r"symposia\[qdrant\]"):
        QdrantVectorDB()


# Agents ---------------------------------------------------------------------------------------------------------------


@pytest.fixture
def handbook(tmp_path: Path) -> Path:
    (tmp_path / "leave.md").write_text("# Leave\n\nEach year has 30 days of leave.\n")
    (tmp_path / "pay.md").write_text("# Pay\n\nPay comes on the last day of a month.\n")
    return tmp_path


def test_an_agent_finds_passages_in_qdrant(handbook: Path) -> None:
    client = QdrantClient(":memory:")
    config = {"docs_path": str(handbook), "client": client, "collection_name": "handbook"}
    agent = QdrantRetrieveUserProxyAgent(retrieve_config=config, code_execution_config=False)
    assert "30 days" in agent.retrieve_docs("days of leave")[0].text
    assert client.count("handbook").count == 2
    alone = QdrantRetrieveUserProxyAgent(retrieve_config={"docs_path": str(handbook)}, code_execution_config=False)
    assert "last day" in alone.retrieve_docs("day of pay")[0].text
    client.close()


def test_documents_of_a_folder_are_found_in_qdrant(handbook: Path) -> None:
    client = QdrantClient(":memory:")
    create_qdrant_from_dir(str(handbook), client=client)
    create_qdrant_from_dir(str(handbook), client=client, extra_docs=True)
    [found] = query_qdrant(["days of leave"], client=client, search_string="Pay")
    assert sorted(str(each.id) for each in found) == ["1", "3"]
    assert found[0].metadata == {"source": str(handbook / "pay.md")}
    assert found[0].document.startswith("# Pay")
    assert 0 < found[0].score < 1
    client.close()
