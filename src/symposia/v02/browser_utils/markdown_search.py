"""Searches of the web whose results are Markdown."""

from __future__ import annotations

from abc import ABC, abstractmethod

from typing_extensions import override

from symposia.core.exceptions import ToolServiceError
from symposia.ext.tools.web import SearchEngine
from symposia.v02._background_loop import run_in_background

__all__ = ["AbstractMarkdownSearch", "BingMarkdownSearch", "EngineMarkdownSearch"]

MOST: int = 10


class AbstractMarkdownSearch(ABC):
    """Searches the web."""

    @abstractmethod
    def search(self, query: str) -> str:
        """The results in Markdown."""


class EngineMarkdownSearch(AbstractMarkdownSearch):
    """A search by an engine of Symposia, such as `BraveSearchEngine` or `SearxngSearchEngine`.

    Args:
        engine: The engine.
    """

    def __init__(self, engine: SearchEngine) -> None:
        self._engine = engine

    @override
    def search(self, query: str) -> str:
        try:
            hits = run_in_background(lambda: self._engine.search(query, MOST))
        except ToolServiceError as error:
            return f"The search failed: {error}"
        lines = [f"{number}. [{hit.title}]({hit.url})\n{hit.snippet}" for number, hit in enumerate(hits, 1)]
        return f"## Results for '{query}'\n\n" + ("\n\n".join(lines) or "There are none.")


class BingMarkdownSearch(AbstractMarkdownSearch):
    """Bing's interface for searches, which ended in August 2025.

    Args:
        bing_api_key: Its key.
        interleave_results: Whether news stand between pages.

    Raises:
        NotImplementedError: Always; the text names what there is instead.
    """

    def __init__(self, bing_api_key: str | None = None, interleave_results: bool = True) -> None:
        raise NotImplementedError(
            "Bing's interface for searches ended in August 2025. Give the browser another search: "
            "search_engine=EngineMarkdownSearch(BraveSearchEngine(…)), or one of your own, with a method search(query)."
        )

    @override
    def search(self, query: str) -> str:
        raise NotImplementedError
