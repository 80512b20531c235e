"""What a store of a graph has that answers questions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

from symposia.v02.agentchat.contrib.graph_rag.document import Document

__all__ = ["GraphQueryEngine", "GraphStoreQueryResult"]


@dataclass
class GraphStoreQueryResult:
    """The result of a question.

    Attributes:
        answer: The answer as a text.
        results: What it rests on.
    """

    answer: str | None = None
    results: list[Any] = field(default_factory=list[Any])  # Any: what the store has


class GraphQueryEngine(Protocol):
    """A graph of knowledge that is filled and asked."""

    def init_db(self, input_doc: list[Document] | None = None) -> None:
        """Make the graph, of documents if there are any."""
        ...

    def add_records(self, new_records: list[Any]) -> bool:  # Any: what the store has
        """Add to the graph, and say whether that succeeded."""
        ...

    def query(self, question: str, n_results: int = 1, **kwargs: Any) -> GraphStoreQueryResult:  # Any: as above
        """Answer a question."""
        ...
