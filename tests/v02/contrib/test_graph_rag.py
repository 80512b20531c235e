"""The interface of AutoGen 0.2 for agents that ask a graph."""

from typing import Any

import pytest
from tests.support.v02_agents import speaker
from typing_extensions import override

from symposia.v02 import ConversableAgent
from symposia.v02.agentchat.contrib.graph_rag.document import Document, DocumentType
from symposia.v02.agentchat.contrib.graph_rag.graph_query_engine import GraphQueryEngine, GraphStoreQueryResult
from symposia.v02.agentchat.contrib.graph_rag.graph_rag_capability import GraphRagCapability


class Names:
    """A graph of what documents name."""

    def __init__(self) -> None:
        self.names: list[Any] = []

    def init_db(self, input_doc: list[Document] | None = None) -> None:
        self.add_records([document.data for document in input_doc or ()])

    def add_records(self, new_records: list[Any]) -> bool:
        self.names += new_records
        return True

    def query(self, question: str, n_results: int = 1, **kwargs: Any) -> GraphStoreQueryResult:
        found = [name for name in self.names if name in question][:n_results]
        return GraphStoreQueryResult(answer=", ".join(found), results=found)


class Asking(GraphRagCapability):
    @override
    def add_to_agent(self, agent: ConversableAgent) -> None:
        def add_answer(content: str) -> str:
            return f"{content}\n{self.query_engine.query(content).answer}"

        agent.register_hook("process_last_received_message", add_answer)


def test_a_capability_of_the_program_asks_its_graph() -> None:
    graph: GraphQueryEngine = Names()
    graph.init_db([Document(DocumentType.TEXT, data="Ada")])
    agent = speaker("agent")
    heard: list[str] = []
    Asking(graph).add_to_agent(agent)

    def hear(content: str) -> str:
        heard.append(content)
        return content

    agent.register_hook("process_last_received_message", hear)
    speaker("user").initiate_chat(agent, message="Who is Ada?", max_turns=1, silent=True)
    assert heard == ["Who is Ada?\nAda"]


def test_how_the_graph_is_asked_is_for_the_program() -> None:
    with pytest.raises(TypeError, match="add_to_agent"):
        GraphRagCapability(Names())  # pyright: ignore[reportAbstractUsage] - this is what is refused


def test_a_document_has_content_or_a_place() -> None:
    assert Document(DocumentType.PDF).path_or_url == ""
    assert GraphStoreQueryResult() == GraphStoreQueryResult(answer=None, results=[])
