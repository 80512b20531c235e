"""The documents that an agent retrieves from: passages of files, found by words and by similarity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from symposia.ext.documents import load_documents
from symposia.ext.memory.embedders import Embedder
from symposia.ext.memory.sqlite import SQLiteMemory
from symposia.v02._background_loop import await_in_home_loop, run_in_background
from symposia.v02.retrieve_utils import get_file_from_url, is_url

MOST: int = 1000


@dataclass(frozen=True)
class FoundPassage:
    """A passage that fits a question.

    Attributes:
        id: Its number.
        text: It begins with its source and its place.
        score: At most 1; the best fits best.
    """

    id: str
    text: str
    score: float


class PassageSearch(Protocol):
    """Finds passages."""

    def search(self, question: str, limit: int) -> list[FoundPassage]:
        """The passages that fit a question, the best first."""
        ...


class DocumentSearch:
    """Passages of documents, which are read at the first search.

    Args:
        paths: Files, folders of files, and addresses.
        embedder: Makes vectors of texts; None for one that finds what is spelled alike.
    """

    def __init__(self, paths: Sequence[Path | str], embedder: Embedder | None = None) -> None:
        self._paths = paths
        self._memory = SQLiteMemory(":memory:", embedder=embedder)
        self._is_read = False

    def search(self, question: str, limit: int) -> list[FoundPassage]:
        """The passages that fit a question, the best first.

        Raises:
            DocumentError: A document cannot be read.
            ToolServiceError: An address cannot be read.
            MissingExtraError: The extra ``documents`` is not installed.
        """
        if not self._is_read:
            self._paths = [get_file_from_url(str(each))[0] if is_url(str(each)) else each for each in self._paths]
        return run_in_background(lambda: await_in_home_loop(lambda: self._search(question, limit)))

    async def _search(self, question: str, limit: int) -> list[FoundPassage]:
        if not self._is_read:
            for path in self._paths:
                loaded = await load_documents(path)
                await self._memory.add_many([passage.as_memory() for passage in loaded.passages])
            self._is_read = True
        found = await self._memory.query(question, limit=limit)
        return [
            FoundPassage(
                str((each.metadata or {})["id"]), str(each.content), float(str((each.metadata or {})["score"]))
            )
            for each in found.results
        ]
